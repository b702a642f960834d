"""The ways a notice goes: an address that takes JSON, ntfy, a program.

Every way either has told it when it returns, or raises `NotTold`. Must not remember anything.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

import aiohttp

from bridge.config.surface_settings import NtfySettings, WebhookSettings
from bridge.engine.control import timestamp

PATIENCE = 20.0
"""Seconds that one notice may take, on whatever way."""

_ENVIRONMENT = ("HOME", "LANG", "LC_ALL", "PATH", "TZ", "USER")
"""What a program is given of ours: tokens may stand in the rest."""

_SUCCESS = range(200, 300)


class NotTold(Exception):
    """A notice did not get through; the words name no address and no secret."""


@dataclass(frozen=True, slots=True)
class Notice:
    """What is told. `occasion` is ``new``, ``reminder`` or ``recovered``."""

    at: datetime
    occasion: str
    kind: str
    bridge: str
    key: str
    title: str
    text: str


class Way(Protocol):
    """One way to the owner."""

    @property
    def name(self) -> str:
        """What it is called in the configuration, the log and the file of what was told."""
        ...

    async def tell(self, notice: Notice) -> None:
        """Get it through. Raises `NotTold`."""
        ...


Session = Callable[[], aiohttp.ClientSession]


class Webhook:
    """An address that takes notices as JSON."""

    name = "webhook"

    def __init__(self, settings: WebhookSettings, session: Session) -> None:
        self._settings = settings
        self._session = session

    async def tell(self, notice: Notice) -> None:
        """``POST`` an object with the fields of `Notice`."""
        body = {
            "at": timestamp(notice.at),
            "occasion": notice.occasion,
            "kind": notice.kind,
            "bridge": notice.bridge,
            "cause": notice.key,
            "title": notice.title,
            "text": notice.text,
        }
        await _post(self._session, self._settings.url.reveal(), body, {})


class Ntfy:
    """A topic of an ntfy server. The topic travels in the body, so no log of addresses has it."""

    name = "ntfy"

    def __init__(self, settings: NtfySettings, session: Session) -> None:
        self._settings = settings
        self._session = session

    async def tell(self, notice: Notice) -> None:
        """Publish as JSON. Source: https://docs.ntfy.sh/publish/#publish-as-json."""
        mended = notice.occasion == "recovered"
        body = {
            "topic": self._settings.topic.reveal(),
            "title": notice.title,
            "message": notice.text,
            "tags": ["white_check_mark" if mended else "warning"],
            "priority": 3 if mended else 4,
        }
        token = self._settings.token
        headers = {"Authorization": f"Bearer {token.reveal()}"} if token else {}
        await _post(self._session, self._settings.url, body, headers)


async def _post(session: Session, url: str, body: object, headers: dict[str, str]) -> None:
    try:
        async with (
            asyncio.timeout(PATIENCE),
            session() as opened,
            opened.post(url, json=body, headers=headers, allow_redirects=False) as response,
        ):
            status = response.status
    except TimeoutError:
        raise NotTold(f"no answer within {PATIENCE:.0f} seconds") from None
    except (aiohttp.ClientError, OSError, ValueError) as error:
        # Its words may quote the address, which may be a secret.
        raise NotTold(type(error).__name__) from None
    if status not in _SUCCESS:
        raise NotTold(f"HTTP {status}")


class Program:
    """A program of the owner's, started without a shell; the notice is its standard input."""

    name = "command"

    def __init__(self, command: tuple[str, ...]) -> None:
        self._command = command

    async def tell(self, notice: Notice) -> None:
        """Start it and wait for its end; what still runs after `PATIENCE` is killed."""
        try:
            process = await asyncio.create_subprocess_exec(
                *self._command,
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.DEVNULL,
                stderr=asyncio.subprocess.DEVNULL,
                env=_environment(notice),
                start_new_session=True,
            )
        except OSError as error:
            raise NotTold(f"it cannot be started: {error.strerror}") from None
        words = f"{notice.title}\n\n{notice.text}\n".encode("utf-8", "replace")
        try:
            async with asyncio.timeout(PATIENCE):
                await process.communicate(words)
        except TimeoutError:
            raise NotTold(f"it had not ended after {PATIENCE:.0f} seconds") from None
        finally:
            if process.returncode is None:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)
                await process.wait()
        if process.returncode:
            raise NotTold(f"it ended with {process.returncode}")


def _environment(notice: Notice) -> dict[str, str]:
    """A few names of ours, and what the notice is about; never a text of a network's."""
    given = {name: os.environ[name] for name in _ENVIRONMENT if name in os.environ}
    return given | {
        "TWINPOST_OCCASION": notice.occasion,
        "TWINPOST_KIND": notice.kind,
        "TWINPOST_BRIDGE": notice.bridge,
    }
