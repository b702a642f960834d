"""What a sandbox was asked: one entry a request, so that a test can count what was really sent.

Must never keep an Authorization header, nor the value of a parameter that is a credential: people
do point real tokens at a sandbox by mistake.
"""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime

from aiohttp import web

MAX_ENTRIES = 50_000
MAX_BODY = 64 * 1024
"""Characters of a body that are kept; of an uploaded file only its size is."""

HIDDEN = "[hidden]"
_FORMS = frozenset({"multipart/form-data", "application/x-www-form-urlencoded"})
_CREDENTIALS = frozenset(
    {
        "access_token",
        "client_secret",
        "code",
        "code_verifier",
        "oauth_signature",
        "oauth_token",
        "oauth_token_secret",
        "password",
        "refresh_token",
        "token",
    }
)


@dataclass(frozen=True, slots=True)
class LoggedRequest:
    """One request. `status` is 0 while it is under way, and where no answer was ever sent.

    `query` keeps order and repetition. `body` is the text sent; of a multipart form, its fields as
    a JSON object with ``"<n bytes>"`` for each file. `fault` names the injected fault, if any.
    `number` counts from 1 since the last reset.
    """

    number: int
    method: str
    path: str
    query: tuple[tuple[str, str], ...]
    body: str
    at: datetime
    status: int = 0
    fault: str = ""

    def as_json(self) -> dict[str, object]:
        """The entry as ``GET /sandbox/requests`` gives it."""
        return {
            "number": self.number,
            "method": self.method,
            "path": self.path,
            "query": [list(pair) for pair in self.query],
            "body": self.body,
            "at": self.at.isoformat(),
            "status": self.status,
            "fault": self.fault,
        }


class Journal:
    """The latest requests, oldest first; the oldest are forgotten beyond `MAX_ENTRIES`."""

    def __init__(self) -> None:
        self._entries: deque[LoggedRequest] = deque(maxlen=MAX_ENTRIES)
        self._count = 0

    def entries(self) -> tuple[LoggedRequest, ...]:
        """Every entry kept, oldest first."""
        return tuple(self._entries)

    def clear(self) -> None:
        """Forget everything and count from 1 again."""
        self._entries.clear()
        self._count = 0

    async def open(self, request: web.Request, at: datetime) -> int:
        """Write `request` down and return its number. Reads the body, which stays readable.

        A multipart form is read by `Request.post`, so a handler must use that too. Raises
        `web.HTTPBadRequest` for a form that cannot be read, and what aiohttp raises for a body
        above the application's limit.
        """
        body = await _body(request)
        self._count += 1
        query = tuple((k, HIDDEN if k in _CREDENTIALS else v) for k, v in request.query.items())
        self._entries.append(
            LoggedRequest(self._count, request.method, request.path, query, body, at)
        )
        return self._count

    def close(self, number: int, status: int, fault: str = "") -> None:
        """Write down how request `number` was answered."""
        if not self._entries:
            return
        index = number - self._entries[0].number
        if 0 <= index < len(self._entries):
            self._entries[index] = replace(self._entries[index], status=status, fault=fault)


async def _body(request: web.Request) -> str:
    if request.content_type in _FORMS:
        try:
            form = await request.post()
        except (ValueError, LookupError) as error:
            raise web.HTTPBadRequest(text=f"unreadable form: {error}") from None
        return json.dumps(_shown(form.items()), ensure_ascii=False)
    raw = await request.read()
    text = raw.decode("utf-8", errors="replace")
    if request.content_type == "application/json":
        text = _without_credentials(text)
    return text[:MAX_BODY]


def _shown(
    fields: Iterable[tuple[str, str | bytes | bytearray | web.FileField]],
) -> dict[str, object]:
    shown: dict[str, object] = {}
    for name, value in fields:
        kept: object
        if name in _CREDENTIALS:
            kept = HIDDEN
        elif isinstance(value, str):
            kept = value[:MAX_BODY]
        elif isinstance(value, (bytes, bytearray)):
            kept = f"<{len(value)} bytes>"
        else:
            kept = f"<{_size(value)} bytes>"
        before = shown.get(name)
        if before is None:
            shown[name] = kept
        else:
            shown[name] = [*before, kept] if isinstance(before, list) else [before, kept]
    return shown


def _size(field: web.FileField) -> int:
    end = field.file.seek(0, 2)
    field.file.seek(0)
    return end


def _without_credentials(text: str) -> str:
    """`text` itself unless it is a JSON object that carries a credential."""
    try:
        parsed = json.loads(text)
    except (ValueError, RecursionError):
        return text
    if not isinstance(parsed, dict) or not _CREDENTIALS & parsed.keys():
        return text
    hidden = {key: HIDDEN if key in _CREDENTIALS else value for key, value in parsed.items()}
    return json.dumps(hidden, ensure_ascii=False)
