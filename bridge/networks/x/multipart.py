"""A file, or a stretch of one, as a multipart form that is read while it is sent.

The form knows its length beforehand: a body of unknown length would go out in chunks, which not
every server takes. Must not know what the form is for.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import BinaryIO

from bridge.networks.x.client import Form

PIECE = 256 << 10
"""Bytes that are in memory at a time."""


def multipart(fields: Mapping[str, str], path: Path, mime: str, start: int, length: int) -> Form:
    """A form of `fields` and, as ``media``, the `length` bytes of the file from `start` on.

    Sending raises `OSError` where the file cannot be read, or ends too early. Names and values are
    ours: they are not escaped.
    """
    boundary = f"twinpost-{secrets.token_hex(16)}"
    head = "".join(
        f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
        for name, value in fields.items()
    )
    head += (
        f"--{boundary}\r\n"
        'Content-Disposition: form-data; name="media"; filename="media"\r\n'
        f"Content-Type: {mime}\r\n\r\n"
    )
    before, after = head.encode(), f"\r\n--{boundary}--\r\n".encode()

    async def body() -> AsyncIterator[bytes]:
        yield before
        file = await asyncio.to_thread(path.open, "rb", 0)
        try:
            position = start
            while position < start + length:
                size = min(PIECE, start + length - position)
                piece = await asyncio.to_thread(_read, file, position, size)
                position += len(piece)
                yield piece
        finally:
            file.close()
        yield after

    content_type = f"multipart/form-data; boundary={boundary}"
    return Form(content_type, len(before) + length + len(after), body)


def _read(file: BinaryIO, position: int, size: int) -> bytes:
    file.seek(position)
    piece = file.read(size)
    if not piece:
        raise OSError("the file is shorter than it was")
    return piece
