"""Where the demo's notices arrive: an address, ntfy, a mailbox and a program, all on this machine.

What comes is printed. Must not be used for anything but a demo: it takes what anybody on this
machine sends, as far as it is short.
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from email import message_from_bytes
from email.policy import default

from aiohttp import web

from bridge.log import escaped
from bridge.sandbox.server import serve

_LARGEST = 64 * 1024
_SHOWN = 300
"""Characters of a notice that are printed."""

_PROGRAM = (
    "import socket, sys; "
    "socket.create_connection(('127.0.0.1', {port})).sendall(sys.stdin.buffer.read())"
)
"""What the demo's configuration has the daemon start: it hands its input on to the demo."""


@dataclass(frozen=True, slots=True)
class Receivers:
    """All four, at work: the address of the first two, and the ports of the others."""

    url: str
    mail_port: int
    program_port: int

    @property
    def configuration(self) -> str:
        """What a user would add to the configuration."""
        command = [sys.executable, "-c", _PROGRAM.format(port=self.program_port)]
        ways = {
            "webhook": {"url": f"{self.url}/notice"},
            "ntfy": {"url": self.url, "topic": "twinpost-demo"},
            "email": {
                "host": "127.0.0.1",
                "port": self.mail_port,
                "security": "none",
                "from": "bridge@demo.example",
                "to": ["you@demo.example"],
            },
            "command": command,
        }
        # JSON is YAML, and quotes whatever needs it.
        return f"notices: {json.dumps(ways)}\n"


@asynccontextmanager
async def receiving() -> AsyncIterator[Receivers]:
    """Receive and print inside the block."""
    app = web.Application(client_max_size=_LARGEST)
    app.add_routes([web.post("/notice", _by_webhook), web.post("/", _by_ntfy)])
    mail = await asyncio.start_server(_by_mail, "127.0.0.1", 0, limit=_LARGEST)
    program = await asyncio.start_server(_by_program, "127.0.0.1", 0, limit=_LARGEST)
    async with serve(app) as url, mail, program:
        yield Receivers(url, _port(mail), _port(program))


def _port(server: asyncio.Server) -> int:
    return int(server.sockets[0].getsockname()[1])


def _show(way: str, title: object, text: object) -> None:
    words = escaped(f"{title}: {text}".strip())
    cut = words if len(words) <= _SHOWN else words[:_SHOWN] + "…"
    print(f"NOTICE by {way}: {cut}", flush=True)


async def _by_webhook(request: web.Request) -> web.Response:
    told = await request.json()
    _show("webhook", f"{told['occasion']} {told['kind']}, {told['title']}", told["text"])
    return web.Response(status=204)


async def _by_ntfy(request: web.Request) -> web.Response:
    told = await request.json()
    _show(f"ntfy ({told['topic']})", told["title"], told["message"])
    return web.json_response({})


async def _by_program(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    title, _, text = (await reader.read(_LARGEST)).decode("utf-8", "replace").partition("\n\n")
    writer.close()
    _show("command", title, text)


async def _by_mail(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """As much of RFC 5321 as one letter takes, from a sender that is our own."""

    async def say(words: str) -> None:
        writer.write(f"{words}\r\n".encode())
        await writer.drain()

    await say("220 the demo's mailbox")
    while line := await reader.readline():
        match line.strip().upper()[:4]:
            case b"DATA":
                await say("354 go on")
                _show_letter(await _letter(reader))
                await say("250 taken")
            case b"QUIT":
                await say("221 bye")
                break
            case _:
                await say("250 fine")
    writer.close()


async def _letter(reader: asyncio.StreamReader) -> bytes:
    """Everything up to the single dot, those that were doubled made single again."""
    lines: list[bytes] = []
    while (line := await reader.readline()) not in {b".\r\n", b""}:
        lines.append(line.removeprefix(b"."))
    return b"".join(lines)


def _show_letter(raw: bytes) -> None:
    letter = message_from_bytes(raw, policy=default)
    body = letter.get_body(("plain",))
    _show(f"e-mail to {letter['To']}", letter["Subject"], body.get_content() if body else "")
