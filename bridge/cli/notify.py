"""Signs of life for who watches the daemon: systemd, and whoever probes a container.

To `$NOTIFY_SOCKET` go datagrams as sd_notify(3) has them; in the file that `$TWINPOST_HEARTBEAT`
names stands when the last beat was. Who asks for neither gets neither. Must not stop the daemon:
what cannot be told is logged, once. Must not tell posts or errors: everybody can read a status.
"""

from __future__ import annotations

import logging
import os
import socket
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

logger = logging.getLogger(__name__)

PATIENCE = 1.0
"""Seconds that a service manager may take to accept a datagram."""

_BEAT_WIDTH = 20


class Notifier:
    """Tells where the daemon is in its life. Each method blocks for `PATIENCE` at the most."""

    def __init__(self, environ: Mapping[str, str] = os.environ) -> None:
        self._socket = environ.get("NOTIFY_SOCKET", "")
        mine = environ.get("WATCHDOG_PID", str(os.getpid())) == str(os.getpid())
        self._watched = mine and bool(environ.get("WATCHDOG_USEC"))
        beat = environ.get("TWINPOST_HEARTBEAT")
        self._beat = Path(beat) if beat else None
        self._ready = False
        self._status = ""
        self._trouble = ""
        self._failed: set[str] = set()

    def starting(self) -> None:
        """Everything is open; with the next beat the daemon is ready."""
        self._ready = False
        self._trouble = ""

    def alive(self, status: str) -> None:
        """A beat: polls are scheduled, the loop turns, and the ledger has just been written.

        `status` is one line for `systemctl status`.
        """
        changed, self._status = status != self._status, status
        if not self._ready:
            self._ready = True
            self._send("READY=1", self._told())
        elif changed:
            self._send(self._told())
        if self._watched:
            self._send("WATCHDOG=1")
        self._write_beat()

    def reloading(self) -> None:
        """The configuration is about to be read again; ready or `kept` follows."""
        # systemd tells an answer to its own request by the time, in microseconds.
        self._send("RELOADING=1", f"MONOTONIC_USEC={time.monotonic_ns() // 1000}")

    def kept(self) -> None:
        """The new configuration is not usable, and the old one goes on."""
        self._trouble = "the new configuration has faults and was not taken (see the log); "
        if self._ready:
            self._send("READY=1", self._told())

    def stopping(self) -> None:
        """The end was asked for."""
        self._send("STOPPING=1", "STATUS=finishing what is under way")

    def ended(self) -> None:
        """The daemon has ended: a beat that stayed behind would say that it lives."""
        if self._beat is not None:
            with suppress(OSError):
                self._beat.unlink(missing_ok=True)

    def _told(self) -> str:
        return f"STATUS={self._trouble}{self._status}"

    def _send(self, *assignments: str) -> None:
        if not self._socket:
            return
        # A leading @ stands for an abstract socket's leading zero byte.
        address = "\0" + self._socket[1:] if self._socket.startswith("@") else self._socket
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as sending:
                sending.settimeout(PATIENCE)
                sending.sendto("\n".join(assignments).encode(), address)
        except (OSError, ValueError) as error:
            self._cannot("tell the service manager at $NOTIFY_SOCKET how the bridge fares", error)

    def _write_beat(self) -> None:
        """Write down the time on the monotonic clock, which all processes of a machine share.

        One short write to the same place, so that no reader meets half a beat.
        """
        if self._beat is None:
            return
        flags = os.O_WRONLY | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
        try:
            file = os.open(self._beat, flags, 0o600)
            try:
                os.pwrite(file, f"{time.monotonic():{_BEAT_WIDTH}.3f}\n".encode(), 0)
            finally:
                os.close(file)
        except OSError as error:
            self._cannot(f"write the beat to {self._beat} ($TWINPOST_HEARTBEAT)", error)

    def _cannot(self, what: str, error: Exception) -> None:
        if what not in self._failed:
            self._failed.add(what)
            logger.warning("cannot %s: %s", what, error)
