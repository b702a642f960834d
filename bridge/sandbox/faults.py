"""Faults on order: answers that are lost, late, cut, slow or wrong, and the log of all requests.

Knows HTTP only: how a network words its errors comes from outside. Must not reach into a network's
state; "accept" means that the genuine handler runs and its effect stays.
"""

from __future__ import annotations

import asyncio
import re
import socket
import struct
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from bridge.sandbox.bending import bent, copied
from bridge.sandbox.clock import SandboxClock
from bridge.sandbox.journal import Journal, LoggedRequest

CONTROL = "/sandbox/"
"""Paths below this are never logged and never fail."""

_DEFAULT_SECONDS = {"hang": 3600.0, "slow": 1.0, "latency": 0.1, "429": 900.0}
_NAME = re.compile(
    r"latency|(accept|refuse)-then-(reset|hang|html|cut|truncated|empty|slow|said|429-bare|[1-5]\d\d)"
    r"|accept-then-(edited|again)"
)
_ANSWERS_KEPT = 50
_HTML = (
    "<!DOCTYPE html><html><head><title>{status}</title></head>"
    "<body><center><h1>{status}</h1></center><hr><center>nginx</center></body></html>\n"
)


class Wording(Protocol):
    """How a network says that it failed."""

    def error(self, status: int) -> web.Response:
        """The network's usual body for `status`."""
        ...

    def throttled(self, seconds: float | None) -> web.Response:
        """The network's 429; its headers promise relief in `seconds`, or are absent for None."""
        ...


@dataclass(frozen=True, slots=True)
class Fault:
    """One order: which requests fail, how often, and how.

    `name` is ``latency``, or ``accept-then-X`` (the handler runs first and its effect stays) or
    ``refuse-then-X`` (it never runs), where X is a status (``500``, ``503``, ``429`` with headers),
    ``429-bare`` (without), ``reset`` (connection reset), ``hang`` (silence for `seconds`, then the
    connection is closed), ``html`` (an HTML page; `status` or 502), ``truncated`` (JSON that stops
    half way in a complete HTTP message), ``said`` (`status` or 403 with `body`, `content_type` and
    `headers`, word for word), ``cut`` (the connection ends half way through the body),
    ``empty`` (no body) or ``slow`` (the body dripped over `seconds`). After ``accept`` the last
    four bend the genuine answer and keep its status, after ``refuse`` an error of `status` or 500.
    ``accept-then-edited`` gives the genuine JSON with other values: `edits` names them by path, as
    in ``{"data.0.id": "9"}``, and ``-`` before a path leaves its value out; a path that leads
    nowhere is passed over. ``accept-then-again`` gives what the last ``GET`` of the same path was
    answered.

    `method` is ``*`` for any; `path` a regular expression that must match somewhere in the path;
    `skip` lets so many matching requests pass first; `times` counts the requests that fail, None
    for all until cleared. A latency comes on top of
    any other fault. Raises `ValueError` for anything else.
    """

    name: str
    method: str = "*"
    path: str = ""
    times: int | None = 1
    status: int | None = None
    seconds: float | None = None
    body: str = ""
    content_type: str = "application/json"
    headers: Mapping[str, str] = field(default_factory=dict)
    skip: int = 0
    edits: Mapping[str, object] | None = None

    def __post_init__(self) -> None:
        if not _NAME.fullmatch(self.name):
            raise ValueError(f"no fault is called {self.name!r}")
        if self.times is not None and self.times < 1:
            raise ValueError("times must be 1 or more, or null")
        if self.skip < 0:
            raise ValueError("skip must not be negative")
        if not all(isinstance(each, str) for each in self.headers.values()):
            raise ValueError("headers must be texts")
        if self.status is not None and not 100 <= self.status <= 599:  # noqa: PLR2004 - HTTP's range
            raise ValueError("status must be between 100 and 599")
        if self.seconds is not None and not self.seconds >= 0:
            raise ValueError("seconds must not be negative")
        try:
            re.compile(self.path)
        except re.error as error:
            raise ValueError(f"path is no regular expression: {error}") from None

    @property
    def accepts(self) -> bool:
        """Whether the genuine handler runs."""
        return not self.name.startswith("refuse")

    @property
    def answer(self) -> str:
        """What follows; ``latency`` itself for a latency."""
        return self.name.partition("-then-")[2] or self.name

    @property
    def duration(self) -> float:
        """`seconds`, or what is usual for this fault."""
        if self.seconds is not None:
            return self.seconds
        return _DEFAULT_SECONDS.get(self.answer, 0.0)

    def matches(self, request: web.BaseRequest) -> bool:
        """Whether `request` is one of those that fail."""
        return self.method in {"*", request.method} and bool(re.search(self.path, request.path))

    def as_json(self) -> dict[str, object]:
        """The order as ``POST /sandbox/faults`` takes it."""
        return {
            "name": self.name,
            "method": self.method,
            "path": self.path,
            "times": self.times,
            "status": self.status,
            "seconds": self.seconds,
            "body": self.body,
            "content_type": self.content_type,
            "headers": dict(self.headers),
            "skip": self.skip,
            "edits": None if self.edits is None else dict(self.edits),
        }


def fault_from_json(value: object) -> Fault:
    """The order that a JSON object states. Raises `ValueError` that says what is wrong with it."""
    if not isinstance(value, dict):
        raise ValueError("a fault is a JSON object")  # noqa: TRY004 - callers catch one kind
    kinds: dict[str, tuple[type, ...]] = {
        "name": (str,),
        "method": (str,),
        "path": (str,),
        "times": (int, type(None)),
        "status": (int, type(None)),
        "seconds": (int, float, type(None)),
        "body": (str,),
        "content_type": (str,),
        "headers": (dict,),
        "skip": (int,),
        "edits": (dict, type(None)),
    }
    for key, item in value.items():
        if key not in kinds:
            raise ValueError(f"a fault has no {key!r}; it has {', '.join(kinds)}")
        if not isinstance(item, kinds[key]) or isinstance(item, bool):
            raise ValueError(f"{key} has the wrong type")  # noqa: TRY004 - as above
    if "name" not in value:
        raise ValueError("a fault needs a name")
    return Fault(**value)


@dataclass(slots=True)
class _Order:
    fault: Fault
    left: int | None
    skip: int


class FaultPlan:
    """The faults that are due in one sandbox, in the order they were asked for, and its journal.

    The first matching order is used up first. Not shared between sandboxes.
    """

    def __init__(self, clock: SandboxClock, wording: Wording) -> None:
        self._clock = clock
        self._wording = wording
        self._orders: list[_Order] = []
        self._journal = Journal()
        self._answered: dict[str, web.Response] = {}

    def add(self, fault: Fault) -> None:
        """Queue `fault` behind those that wait already."""
        self._orders.append(_Order(fault, fault.times, fault.skip))

    def clear(self) -> None:
        """Drop every fault; requests that hang already go on hanging."""
        self._orders.clear()

    @property
    def pending(self) -> tuple[Fault, ...]:
        """Orders that are not used up."""
        return tuple(order.fault for order in self._orders)

    @property
    def requests(self) -> tuple[LoggedRequest, ...]:
        """Every request since the last reset, oldest first, but those to ``/sandbox/``."""
        return self._journal.entries()

    def reset(self) -> None:
        """Drop every fault and forget every request."""
        self.clear()
        self._journal.clear()

    @property
    def middleware(self) -> Middleware:
        """The outermost middleware of the sandbox's application."""

        @web.middleware
        async def faulty(request: web.Request, handler: Handler) -> web.StreamResponse:
            if request.path.startswith(CONTROL):
                return await handler(request)
            number = await self._journal.open(request, self._clock.now())
            latency, fault = self._take(request, wait=True), self._take(request, wait=False)
            cause = fault or latency
            status = 0
            try:
                if latency is not None:
                    await asyncio.sleep(latency.duration)
                if fault is None:
                    response = await handler(request)
                    self._remember(request, response)
                else:
                    response = await self._fail(fault, request, handler)
                if request.transport is not None and not request.transport.is_closing():
                    status = response.status
            except web.HTTPException as error:
                status = error.status
                raise
            finally:
                self._journal.close(number, status, cause.name if cause else "")
            return response

        return faulty

    def routes(self, reset: Callable[[], None]) -> list[web.RouteDef]:
        """The control routes. `reset` puts the network's own state back to its beginning.

        ``GET /sandbox/requests``, ``GET|POST|DELETE /sandbox/faults``, ``POST /sandbox/reset``
        (state, faults, log and clock), ``POST /sandbox/time`` with ``{"shift_seconds": n}``.
        """

        async def requests(_request: web.Request) -> web.Response:
            return web.json_response([entry.as_json() for entry in self.requests])

        async def faults(_request: web.Request) -> web.Response:
            return web.json_response([fault.as_json() for fault in self.pending])

        async def order(request: web.Request) -> web.Response:
            try:
                stated = await request.json()
                listed = stated if isinstance(stated, list) else [stated]
                for fault in [fault_from_json(one) for one in listed]:
                    self.add(fault)
            except (ValueError, LookupError) as error:
                return web.json_response({"error": str(error)}, status=400)
            return web.json_response([fault.as_json() for fault in self.pending], status=201)

        async def drop(_request: web.Request) -> web.Response:
            self.clear()
            return web.Response(status=204)

        async def start_over(_request: web.Request) -> web.Response:
            self._clock.reset()
            self.reset()
            reset()
            return web.Response(status=204)

        async def shift(request: web.Request) -> web.Response:
            try:
                stated = await request.json()
                self._clock.shift(float(stated["shift_seconds"]))
            except (ValueError, TypeError, LookupError, OverflowError):
                problem = {"error": 'expected {"shift_seconds": number}'}
                return web.json_response(problem, status=400)
            return web.json_response({"now": self._clock.now().isoformat()})

        return [
            web.get("/sandbox/requests", requests),
            web.get("/sandbox/faults", faults),
            web.post("/sandbox/faults", order),
            web.delete("/sandbox/faults", drop),
            web.post("/sandbox/reset", start_over),
            web.post("/sandbox/time", shift),
        ]

    def _take(self, request: web.BaseRequest, *, wait: bool) -> Fault | None:
        for order in self._orders:
            if (order.fault.name == "latency") is wait and order.fault.matches(request):
                if order.skip:
                    order.skip -= 1
                    continue
                if order.left is not None:
                    order.left -= 1
                    if not order.left:
                        self._orders.remove(order)
                return order.fault
        return None

    def _remember(self, request: web.BaseRequest, response: web.StreamResponse) -> None:
        """Keep an answer that may be given again; the oldest of many is forgotten."""
        if request.method == "GET" and isinstance(response, web.Response) and not response.prepared:
            self._answered.pop(request.path, None)
            # Sending an answer uses it up.
            self._answered[request.path] = copied(response)
            if len(self._answered) > _ANSWERS_KEPT:
                del self._answered[next(iter(self._answered))]

    async def _fail(
        self, fault: Fault, request: web.Request, handler: Handler
    ) -> web.StreamResponse:
        genuine = await _answer(request, handler) if fault.accepts else None
        if fault.answer == "again":
            genuine = self._answered.get(request.path, genuine)
        if genuine is not None and genuine.prepared:
            # A stream that has begun cannot be bent any more: what was promised has been sent.
            return genuine
        if fault.answer in {"reset", "hang"}:
            if fault.answer == "hang":
                await asyncio.sleep(fault.duration)
            _reset(request)
            return web.Response()
        if fault.answer in {"html", "said"}:
            return _worded(fault)
        if fault.answer in {"429", "429-bare"}:
            bare = fault.answer == "429-bare"
            return self._wording.throttled(None if bare else fault.duration)
        if fault.answer.isdigit():
            return self._wording.error(int(fault.answer))
        usual = self._wording.error(fault.status or 500)
        return await bent(
            genuine if isinstance(genuine, web.Response) else usual,
            request,
            how=fault.answer,
            seconds=fault.duration,
            edits=fault.edits,
        )


def _worded(fault: Fault) -> web.Response:
    """An answer that nothing of the network's own goes into."""
    if fault.answer == "html":
        status = fault.status or 502
        page = _HTML.format(status=status)
        return web.Response(status=status, text=page, content_type="text/html")
    headers = {**fault.headers, "Content-Type": fault.content_type}
    return web.Response(status=fault.status or 403, body=fault.body.encode(), headers=headers)


async def _answer(request: web.Request, handler: Handler) -> web.StreamResponse:
    try:
        return await handler(request)
    except web.HTTPException as error:
        return web.Response(status=error.status, headers=error.headers, body=error.body)


def _reset(request: web.BaseRequest) -> None:
    """Close the connection so that the other end sees a reset, not an orderly end."""
    transport = request.transport
    if transport is None:
        return
    plain = transport.get_extra_info("socket")
    if plain is not None:
        plain.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    transport.abort()
