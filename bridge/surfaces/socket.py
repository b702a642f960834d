"""The daemon's own ear: a socket in the state folder, one command a connection, a line of JSON.

Who may write to that folder may steer the bridge, and nobody else: the socket is 0600 and belongs
to the daemon's user. Must not hold any rule: it translates to `engine.commands`.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import (
    AbstractAsyncContextManager,
    asynccontextmanager,
    contextmanager,
    nullcontext,
    suppress,
)
from pathlib import Path
from typing import TYPE_CHECKING

from bridge.core.errors import NothingFits, TwinpostError
from bridge.net.listener import Connection, Limits, accepting

if TYPE_CHECKING:
    # Who asks need not wait for what answers.
    from bridge.engine.commands import Commands

log = logging.getLogger(__name__)

NAME = "control.sock"
LONGEST_LINE = 16 * 1024
PATIENCE = 15.0
"""Seconds for a command, on both ends."""

_LIMITS = Limits(connections=16, per_client=16, head=PATIENCE)


class NotRunning(Exception):
    """Nobody listens there."""


class Said(TwinpostError):
    """The daemon refused a command, in these words."""


@asynccontextmanager
async def listening(folder: Path, commands: Commands) -> AsyncIterator[None]:
    """Take commands from the socket in `folder` inside the block.

    A socket that cannot be made is logged, and the daemon goes on without: it is a comfort.
    """
    server: AbstractAsyncContextManager[object] = nullcontext()
    try:
        with _short(folder) as place:
            with suppress(FileNotFoundError):
                place.unlink()
            before = os.umask(0o177)
            try:
                ear = _bound(place)
            finally:
                os.umask(before)
            server = accepting([ear], lambda: _protocol(commands), _LIMITS)
    except OSError as error:
        log.warning("no control socket in %s: %s; commands need it", folder, error)
    async with server:
        try:
            yield
        finally:
            with suppress(FileNotFoundError):
                (folder / NAME).unlink()


def _bound(place: Path) -> socket.socket:
    made = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        made.setblocking(False)
        made.bind(str(place))
        made.listen(_LIMITS.connections)
    except OSError:
        made.close()
        raise
    return made


def _protocol(commands: Commands) -> asyncio.StreamReaderProtocol:
    reader = asyncio.StreamReader(limit=LONGEST_LINE)
    return asyncio.StreamReaderProtocol(
        reader, lambda reader, writer: _served(reader, writer, commands)
    )


async def _served(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, commands: Commands
) -> None:
    try:
        async with asyncio.timeout(PATIENCE):
            line = await reader.readuntil(b"\n")
            connection = writer.transport.get_protocol()
            if isinstance(connection, Connection):
                connection.serve()
            answer = await _answer(line, commands)
            writer.write(json.dumps(answer).encode() + b"\n")
            await writer.drain()
    except (TimeoutError, asyncio.IncompleteReadError, asyncio.LimitOverrunError, OSError):
        log.debug("a command broke off")
    finally:
        writer.close()


async def _answer(line: bytes, commands: Commands) -> dict[str, str]:
    """What comes of one line: ``said``; or ``refused`` or ``unknown``, with the reason."""
    try:
        return {"said": await commands.obey(json.loads(line))}
    except NothingFits as error:
        return {"unknown": str(error)}
    except TwinpostError as error:
        return {"refused": str(error)}
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return {"refused": "that is no command of this version; is the daemon older or newer?"}
    except Exception:
        log.exception("a command broke off")
        return {"refused": "it broke off inside the daemon, whose log says more"}


def ask(folder: Path, patience: float = PATIENCE, /, **asked: str | None) -> str:
    """Have the daemon whose state is in `folder` do something, within seconds; its words.

    Raises `NotRunning` where there is none, `Said` where it refuses, and `NothingFits`.
    """
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
        connection.settimeout(patience)
        try:
            with _short(folder) as place:
                connection.connect(str(place))
            connection.sendall(json.dumps(asked).encode() + b"\n")
            answer = json.loads(_line(connection))
        except (FileNotFoundError, ConnectionRefusedError) as error:
            raise NotRunning from error
        except (OSError, ValueError) as error:
            raise Said(f"the daemon does not answer: {type(error).__name__}") from None
    if "unknown" in answer:
        raise NothingFits(answer["unknown"])
    if "refused" in answer:
        raise Said(answer["refused"])
    return str(answer["said"])


def is_running(folder: Path) -> bool:
    """Whether a daemon whose state is in `folder` can be spoken to. Asks it for nothing."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
        connection.settimeout(PATIENCE)
        try:
            with _short(folder) as place:
                connection.connect(str(place))
        except OSError:
            return False
    return True


def _line(connection: socket.socket) -> bytes:
    with connection.makefile("rb") as answer:
        return answer.readline(LONGEST_LINE)


@contextmanager
def _short(folder: Path) -> Iterator[Path]:
    """The socket's address by a path that is short enough for one, however deep `folder` is."""
    opened = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        through = Path(f"/proc/self/fd/{opened}")
        yield (through if through.exists() else folder) / NAME
    finally:
        os.close(opened)
