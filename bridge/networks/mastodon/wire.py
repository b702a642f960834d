"""The HTTP transport handed to Mastodon.py, which notes what the library does not tell.

Above all: whether a request may have left this machine. It also bounds the size of an answer,
keeps back what comes too late, never follows a redirect and never repeats a request by itself. Must
not know what any answer means.
"""

from __future__ import annotations

import contextlib
import io
import json
import socket
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from ssl import SSLContext
from typing import Any

from requests import PreparedRequest, Response, Session
from requests.adapters import HTTPAdapter
from requests.exceptions import ConnectionError as RequestsConnectionError
from requests.structures import CaseInsensitiveDict
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool, PoolManager
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import HTTPError
from urllib3.response import BaseHTTPResponse

from bridge.core.redaction import Redactor

LARGEST_BODY = 8 * 1024 * 1024
"""Bytes of an answer, decompressed, beyond which it is not read."""

_PIECE = 16 * 1024
_FLAGS = frozenset(("sensitive",))
_SHORTEST_TEXT = 10
"""Characters of a field that may be somebody's words; audiences and languages are shorter."""

_BROKEN = frozenset(
    (
        "BrokenPipeError",
        "ConnectionAbortedError",
        "ConnectionResetError",
        "IncompleteRead",
        "RemoteDisconnected",
        "SSLEOFError",
        "SSLZeroReturnError",
    )
)
"""What `_innermost` calls a connection that the other end, or the way there, has ended."""

_FOR_THE_LIBRARY = b"{}"
"""What Mastodon.py is left to read instead of the answer. Nobody uses what it makes of one, which
costs 131 ms of processor time for 40 statuses; and odd values make it warn on standard error, or
report a success as a failure."""


@dataclass(slots=True)
class Exchange:
    """One request and what came of it.

    `begun` says that the library got as far as the transport; `sent` that bytes of the request
    itself may have left. `status` and `headers` (lower-case names) stand once the answer's head
    was read, `body` only once the whole answer was. `fault` names the failure of the transport.

    `sent_by` is the time, as `now` tells it, after which its first byte must not leave any more:
    whoever asked may have been taken for dead by then. `late` says that it was kept back for that.
    `added` are fields of its body that the library has no argument for. `held` are the token and
    the texts of the request.
    """

    method: str = ""
    path: str = ""
    begun: bool = False
    sent: bool = False
    status: int | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes | None = None
    fault: str = ""
    connection: socket.socket | None = None
    aborted: bool = False
    sent_by: float | None = None
    now: Callable[[], float] | None = None
    late: bool = False
    added: Mapping[str, object] = field(default_factory=dict)
    held: tuple[str, ...] = field(default=(), repr=False)

    @property
    def redact(self) -> Redactor:
        """What no message about the answer may quote: the server may echo the request."""
        return Redactor(self.held)

    @property
    def is_broken_read(self) -> bool:
        """Whether it only read, and the connection ended under it: no time-out, no other cap."""
        return self.method == "GET" and self.fault in _BROKEN and not self.aborted

    def is_too_late(self) -> bool:
        """Whether its time to leave has passed."""
        return self.sent_by is not None and self.now is not None and self.now() > self.sent_by

    def abort(self) -> None:
        """End the exchange from another thread. A connection not yet open ends by its time-out."""
        self.aborted = True
        if self.connection is not None:
            # The base class: an SSL socket's own method would first pull the session away from
            # under the thread that is reading from it.
            with contextlib.suppress(OSError):
                socket.socket.shutdown(self.connection, socket.SHUT_RDWR)


class _Noticing(HTTPConnection):
    """A connection that notes the moment before the request's first byte leaves."""

    wire: Wire
    _opening = False

    def connect(self) -> None:
        self._opening = True
        try:
            super().connect()
        finally:
            self._opening = False

    def send(self, data: Any) -> None:
        if self.sock is None:
            # Whatever fails in here (name, route, TLS, proxy) fails before anything is sent.
            self.connect()
        if not self._opening:
            exchange = self.wire.exchange
            exchange.connection = self.sock
            if exchange.aborted:
                raise ConnectionAbortedError
            # A process that was stopped goes on right here, however long it has slept.
            if not exchange.sent and exchange.is_too_late():
                exchange.late = True
                raise ConnectionAbortedError
            exchange.sent = True
        super().send(data)


class _NoticingTLS(_Noticing, HTTPSConnection):
    """The same over TLS."""


class Wire(HTTPAdapter):
    """A transport for one thread at a time; what happens is noted in `exchange`.

    What `tls` trusts is trusted beside what requests itself does.
    """

    def __init__(self, largest_body: int = LARGEST_BODY, *, tls: SSLContext | None = None) -> None:
        self.exchange = Exchange()
        self._largest_body = largest_body
        self._tls: dict[str, Any] = {} if tls is None else {"ssl_context": tls}
        super().__init__(pool_connections=2, pool_maxsize=1, max_retries=0)

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        """As requests does it, with connections that notice."""
        super().init_poolmanager(*args, **kwargs | self._tls)
        self._notice_in(self.poolmanager)

    def proxy_manager_for(self, proxy: str, **proxy_kwargs: Any) -> Any:
        """As requests does it, with connections that notice."""
        manager = super().proxy_manager_for(proxy, **proxy_kwargs | self._tls)
        self._notice_in(manager)
        return manager

    def _notice_in(self, manager: PoolManager) -> None:
        own = {"wire": self}
        plain, tls = type("Plain", (_Noticing,), own), type("TLS", (_NoticingTLS,), own)
        manager.pool_classes_by_scheme = {
            "http": type("PlainPool", (HTTPConnectionPool,), {"ConnectionCls": plain}),
            "https": type("TLSPool", (HTTPSConnectionPool,), {"ConnectionCls": tls}),
        }

    def send(self, request: PreparedRequest, *args: Any, **kwargs: Any) -> Response:
        """Send once and read the whole answer, within the cap. Raises requests' exceptions."""
        exchange = self.exchange
        exchange.begun, exchange.method = True, request.method or ""
        exchange.path = request.path_url.partition("?")[0]
        exchange.held += (str(request.headers.get("Authorization", "")),)
        if exchange.method != "GET":
            # An idle connection may die in the very moment something is written to it, and then
            # nobody knows whether the request was acted upon.
            self._drop_idle_connections()
        try:
            response = super().send(request, *args, **kwargs | {"stream": True})
            self._read(response)
        except Exception as error:
            exchange.fault = _innermost(error)
            raise
        return response

    def _drop_idle_connections(self) -> None:
        for manager in (self.poolmanager, *self.proxy_manager.values()):
            manager.clear()

    def _read(self, response: Response) -> None:
        """Read the answer into the exchange, and leave the library an empty one."""
        exchange, raw = self.exchange, response.raw
        if not isinstance(raw, BaseHTTPResponse):  # pragma: no cover - urllib3 is all there is
            raise TypeError("an answer that is not urllib3's")
        exchange.headers = {name.lower(): value for name, value in response.headers.items()}
        exchange.status = response.status_code
        body = bytearray()
        try:
            for piece in raw.stream(_PIECE, decode_content=True):
                body += piece
                if len(body) > self._largest_body:
                    raise RequestsConnectionError(f"longer than {self._largest_body} bytes")
        except (HTTPError, OSError) as error:
            raw.close()
            raise RequestsConnectionError(error) from error
        exchange.body = bytes(body)
        response.raw = io.BytesIO(_FOR_THE_LIBRARY)
        response.headers = CaseInsensitiveDict()


class WireSession(Session):
    """A requests session over one `Wire`: no cookies kept, no redirects, no trailing slashes.

    What is posted or put goes out as JSON: of forms, several makes of server drop lists or flags
    without a word.
    """

    def __init__(self, wire: Wire) -> None:
        super().__init__()
        self._wire = wire
        self.mount("http://", wire)
        self.mount("https://", wire)
        # Pages are small; unpacking is one more thing that a hostile answer could abuse.
        self.headers["Accept-Encoding"] = "identity"

    def request(self, method: str | bytes, url: str | bytes, *args: Any, **kwargs: Any) -> Response:
        """As requests does it; a slash at the end, which strict routers answer by 404, is cut."""
        address = url.decode() if isinstance(url, bytes) else url
        if method in {"POST", "PUT"}:
            given = (kwargs.pop("data", None) or {}) | (kwargs.pop("json", None) or {})
            fields = {**_in_json_terms(given), **self._wire.exchange.added}
            self._wire.exchange.held = tuple(_texts_in(fields))
            # Written out here: half a surrogate pair must fail before anything is sent.
            kwargs["data"] = json.dumps(fields, ensure_ascii=False).encode()
            kwargs["headers"] = kwargs.get("headers", {}) | {"Content-Type": "application/json"}
        return super().request(method, address.rstrip("/"), *args, **kwargs)

    def get_redirect_target(self, resp: Response) -> str | None:
        """None: a redirect is an answer like any other, and the token goes nowhere else."""
        del resp
        return None


def _texts_in(value: object) -> Iterator[str]:
    """What somebody wrote into a request: it is quoted nowhere else than in the post."""
    if isinstance(value, str) and len(value) >= _SHORTEST_TEXT:
        yield value
    elif isinstance(value, Mapping):
        for each in value.values():
            yield from _texts_in(each)
    elif isinstance(value, list):
        for each in value:
            yield from _texts_in(each)


def _in_json_terms(fields: Mapping[str, object]) -> dict[str, object]:
    """The library's fields in JSON's own terms: it writes lists as ``name[]`` and flags as 1, 0."""
    told = {name.removesuffix("[]"): value for name, value in fields.items()}
    return {
        name: value == "1" if name in _FLAGS and isinstance(value, str) else value
        for name, value in told.items()
    }


def _innermost(error: BaseException) -> str:
    """The kind of failure at the bottom of the chain, without its words: they quote addresses."""
    seen: list[BaseException] = []
    current: BaseException | None = error
    while current is not None and current not in seen:
        seen.append(current)
        inner = [arg for arg in current.args if isinstance(arg, BaseException)]
        reason = getattr(current, "reason", None)
        if isinstance(reason, BaseException):
            inner.append(reason)
        current = current.__cause__ or (inner[-1] if inner else None) or current.__context__
    return type(seen[-1]).__name__
