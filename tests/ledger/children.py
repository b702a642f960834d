"""Other processes at the same ledger, started with this interpreter, spoken to line by line."""

from __future__ import annotations

import contextlib
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

DAEMON = """
import asyncio, sys
from datetime import timedelta
from pathlib import Path
from bridge.core.errors import LedgerError
from bridge.core.record import Cursor
from bridge.ledger.sqlite import open_ledger
from tests.ledger.made import OUT, T0, decision, post

async def main():
    path, name, term, late = Path(sys.argv[1]), sys.argv[2], float(sys.argv[3]), float(sys.argv[4])
    now = T0 + timedelta(seconds=late)
    try:
        ledger = await open_ledger(path, owner=name, now=now, create=True, lease_seconds=term)
    except LedgerError as error:
        print(type(error).__name__, error, flush=True)
        return
    print("open", flush=True)
    for line in sys.stdin:
        try:
            if line.startswith("record"):
                seen = post(line.split()[1])
                await ledger.record(OUT, decision(seen), Cursor().past(seen))
            elif line.startswith("renew"):
                await ledger.renew(now)
            else:
                break
            print("done", flush=True)
        except LedgerError as error:
            print(type(error).__name__, flush=True)
    await ledger.close()
    print("closed", flush=True)

asyncio.run(main())
"""


class Child:
    """One such process; ended with the block it was started in."""

    def __init__(self, script: str, *args: str) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-c", script, *args],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            bufsize=1,
        )

    def says(self, within: float = 20.0) -> str:
        """Its next line; empty once it has ended."""
        assert self._process.stdout is not None
        ready, _, _ = select.select([self._process.stdout], [], [], within)
        assert ready, "the process said nothing in time"
        return self._process.stdout.readline().strip()

    def tell(self, line: str) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(line + "\n")

    def ask(self, line: str) -> str:
        self.tell(line)
        return self.says()

    def signal(self, number: signal.Signals) -> None:
        self._process.send_signal(number)
        if number is signal.SIGSTOP:
            # Delivery is not instant: ask the system until the process stands.
            deadline = time.monotonic() + 10
            while time.monotonic() < deadline:
                status = Path(f"/proc/{self._process.pid}/status")
                if not status.exists() or "T (stopped)" in status.read_text():
                    return
                os.sched_yield()

    def end(self) -> None:
        with contextlib.suppress(ProcessLookupError):
            self._process.send_signal(signal.SIGCONT)
        self._process.kill()
        self._process.wait()
        for stream in (self._process.stdin, self._process.stdout):
            with contextlib.suppress(BrokenPipeError):
                if stream is not None:
                    stream.close()

    def wait(self) -> int:
        return self._process.wait(timeout=30)


@contextlib.contextmanager
def daemon(path: Path, name: str, *, term: float = 30.0, late: float = 0.0) -> Iterator[Child]:
    """A process that opens the ledger at `path`, `late` seconds after T0 by its own clock."""
    child = Child(DAEMON, str(path), name, str(term), str(late))
    try:
        yield child
    finally:
        child.end()
