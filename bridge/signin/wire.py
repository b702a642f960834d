"""One request, one answer, for signing in. Never follows a redirect, never repeats, never quotes.

Must not know what is asked.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from urllib.parse import urljoin, urlsplit

import aiohttp

from bridge.core.errors import Refused, Transient
from bridge.core.redaction import Redactor
from bridge.net.session import BodyTooLarge, read_capped

_LARGEST = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Answer:
    """A status, and the JSON object of the body; an empty one where there is none.

    `redact` knows what was sent: a server may echo it.
    """

    status: int
    headers: Mapping[str, str] = field(repr=False)
    body: Mapping[str, object] = field(repr=False)
    redact: Redactor = field(default_factory=Redactor, repr=False)

    @property
    def fine(self) -> bool:
        """Whether it is a success."""
        return HTTPStatus.OK <= self.status < HTTPStatus.MULTIPLE_CHOICES

    def text(self, name: str) -> str:
        """The string at `name`, empty for anything else."""
        value = self.body.get(name)
        return value if isinstance(value, str) else ""


async def ask(
    session: aiohttp.ClientSession,
    method: str,
    address: str,
    *,
    form: Mapping[str, str] | None = None,
    headers: Mapping[str, str] | None = None,
) -> Answer:
    """The answer, whatever its status but a redirect to another server.

    Raises `Transient` where none came or it is the server's failure, and `Refused` for a redirect,
    naming where to.
    """
    host = urlsplit(address).netloc
    try:
        async with session.request(
            method,
            address,
            data=form,
            headers={"Accept": "application/json", **(headers or {})},
            allow_redirects=False,
        ) as response:
            status, told = response.status, response.headers
            body = await read_capped(response, _LARGEST)
    except (aiohttp.ClientError, OSError, TimeoutError, BodyTooLarge) as error:
        raise Transient(f"{host} cannot be reached: {reason(error)}", unreachable=True) from None
    if status in range(300, 400):
        target = _place(address, told.get("Location", ""))
        where = f" on to {target}: use that server's name" if target not in {"", host} else ""
        raise Refused(f"{host} sends{where or ' elsewhere'}", status=status)
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        raise Transient(f"{host} is out of order (HTTP {status}); try again later", status=status)
    try:
        value = json.loads(body)
    except (ValueError, RecursionError):
        value = None
    redact = Redactor([*(form or {}).values(), *(headers or {}).values()])
    return Answer(status, told, value if isinstance(value, dict) else {}, redact)


def _place(asked: str, location: str) -> str:
    """The server that a redirect names, fit to be shown; empty where it cannot be read."""
    try:
        target = urlsplit(urljoin(asked, location)).netloc
    except ValueError:
        return ""
    return target if re.fullmatch(r"[!-~]{1,260}", target) else ""


def reason(error: BaseException) -> str:
    """What broke, without any address in it."""
    certificate = getattr(error, "certificate_error", None)
    if certificate is not None:
        why = getattr(certificate, "verify_message", "") or type(certificate).__name__
        return f"its certificate is not trusted ({why}); ca_file in the configuration may name more"
    if isinstance(error, aiohttp.ClientHttpProxyError):
        return f"the proxy answered HTTP {error.status}"
    strerror = getattr(error, "strerror", None)
    return str(strerror) if isinstance(strerror, str) and strerror else type(error).__name__
