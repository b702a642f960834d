"""tweepy's asynchronous client with this bridge's transport under it.

tweepy knows the endpoints; everything that its own `request` would do (host, session, signing,
limits, errors) is done here. One request a call, never repeated, but for a refused token or a
read under which the connection broke: whoever calls knows that a failure other than `InDoubt`
created nothing. Must not know posts.
"""

from __future__ import annotations

import json as json_module
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from urllib.parse import quote, urlencode

import aiohttp
from oauthlib.oauth1 import Client as Signer
from tweepy.asynchronous import AsyncClient
from yarl import URL

from bridge.core.errors import InDoubt, NetworkError, Refused, Transient, Unauthorised
from bridge.core.redaction import Redactor
from bridge.net.session import BodyTooLarge, ConnectionLost, read_capped
from bridge.networks.outside import describe_foreign
from bridge.networks.x.errors import describe, failure, problem_of
from bridge.networks.x.oauth import UserTokens
from bridge.networks.x.settings import OAuth1Credentials, XSettings
from bridge.ports import Clock

LONGEST_ANSWER = 8 << 20
"""Bytes of an answer that are read at most: a page of 100 posts is seldom more than 1 MiB."""

LONGEST_UPLOAD = 600.0
"""Seconds for one request that carries a file's bytes: 5 MB in that time is 70 kbit/s."""

_UPLOADS = "/2/media/"
_OF_THE_OWNER = ["created_at", "protected", "subscription_type", "username", "verified_type"]
_PARAMETERS = (
    "command",
    "expansions",
    "max_results",
    "media.fields",
    "media_id",
    "pagination_token",
    "poll.fields",
    "post.fields",
    "since_id",
    "start_time",
    "tweet.fields",
    "until_id",
)


class _BrokenRead(Transient):
    """The connection broke under a read, which may be asked once more."""


class AnswerTooLarge(Transient):
    """A page was longer than `LONGEST_ANSWER`; a smaller one may be asked for."""


@dataclass(frozen=True, slots=True)
class Form:
    """A multipart body that is made anew for each sending. `length` is in bytes."""

    content_type: str
    length: int
    body: Callable[[], AsyncIterator[bytes]]


@dataclass(frozen=True, slots=True)
class Parsed:
    """What tweepy takes for a response: an object whose body is there already."""

    value: Mapping[str, object]

    async def json(self) -> Mapping[str, object]:
        """The body."""
        return self.value


class XClient(AsyncClient):  # type: ignore[misc] # tweepy ships no types
    """The endpoints that are needed, as raw JSON objects. Raises `NetworkError`s only."""

    def __init__(
        self,
        settings: XSettings,
        *,
        session: aiohttp.ClientSession,
        clock: Clock,
        tokens: UserTokens | None,
    ) -> None:
        super().__init__(return_type=dict, wait_on_rate_limit=False)
        self.session = session
        self._api = settings.api
        self._clock = clock
        self._tokens = tokens
        given = settings.credentials
        self._oauth1 = given if isinstance(given, OAuth1Credentials) else None
        self.access_level = ""
        """What X last said that OAuth 1.0a credentials may do: ``read``, ``read-write``, …"""

    async def me(self) -> Mapping[str, object]:
        """``GET /2/users/me``, which is free."""
        answer: Mapping[str, object] = await self.get_me(
            user_auth=self._oauth1 is not None, user_fields=_OF_THE_OWNER
        )
        return answer

    async def read(self, path: str, query: Mapping[str, str]) -> Mapping[str, object]:
        """``GET`` a resource; `query` is spelled as it goes on the wire."""
        answer: Mapping[str, object] = await self._make_request(
            "GET",
            path,
            params={name.replace(".", "_"): value for name, value in query.items()},
            endpoint_parameters=_PARAMETERS,
            user_auth=self._oauth1 is not None,
        )
        return answer

    async def write(
        self, method: str, path: str, body: Mapping[str, object] | None = None
    ) -> Mapping[str, object]:
        """Change something: ``POST`` a JSON object, or ``DELETE``.

        tweepy's own methods for it leave out an empty text, and know no edits.
        """
        answer: Mapping[str, object] = await self._make_request(
            method, path, json=body, user_auth=self._oauth1 is not None
        )
        return answer

    async def send_form(self, path: str, form: Form) -> Mapping[str, object]:
        """``POST`` a multipart form, piece by piece; no signature covers its content."""
        parsed = await self._authorised("POST", f"{self._api}{path}", form)
        return parsed.value

    async def request(
        self,
        method: str,
        route: str,
        params: Mapping[str, object] | None = None,
        json: Mapping[str, object] | None = None,
        user_auth: bool = False,  # noqa: FBT001, FBT002 - tweepy's signature
    ) -> Parsed:
        """One exchange; after a 401 one more with a renewed token, where there is one to be had."""
        query = urlencode({k: str(v) for k, v in (params or {}).items()}, quote_via=quote, safe="")
        url = f"{self._api}{route}{'?' if query else ''}{query}"
        body = None if json is None else json_module.dumps(json).encode()
        del user_auth  # there is one kind of credentials, whatever tweepy makes of it
        return await self._authorised(method, url, body)

    def redactor(self, *more: str) -> Redactor:
        """What no message may quote: the keys, the tokens in use, and `more`."""
        given = self._oauth1
        known = [] if self._tokens is None else list(self._tokens.secrets())
        if given is not None:
            known += [
                given.consumer_key,
                given.consumer_secret,
                given.access_token,
                given.access_token_secret,
            ]
        return Redactor((*known, *more))

    async def _authorised(self, method: str, url: str, body: bytes | Form | None) -> Parsed:
        if self._tokens is None:
            # Signed anew each time: X refuses a signature that it has seen before.
            return await self._sent(method, url, body, lambda: self._signature(method, url))
        token = await self._tokens.access()
        try:
            return await self._sent(method, url, body, lambda: f"Bearer {token}")
        except Unauthorised as refused:
            if refused.status != HTTPStatus.UNAUTHORIZED:
                raise
        # A refused token created nothing, so even a post may be sent again.
        token = await self._tokens.replacing(token)
        return await self._exchange(method, url, body, f"Bearer {token}")

    async def _sent(
        self, method: str, url: str, body: bytes | Form | None, authorization: Callable[[], str]
    ) -> Parsed:
        """One exchange; one more, at once, for a read under which the connection broke.

        X charges each post once a UTC day, so that on the same day the second reading is free
        where the first one was charged. It is left to the next poll when a new day has begun.
        """
        day = self._clock.now().date()
        try:
            return await self._exchange(method, url, body, authorization())
        except _BrokenRead:
            if self._clock.now().date() != day:
                raise
        return await self._exchange(method, url, body, authorization())

    def _signature(self, method: str, url: str) -> str:
        """The OAuth 1.0a header over the address that is really asked; bodies of JSON are not."""
        given = self._oauth1
        if given is None:
            raise Unauthorised("no OAuth 1.0a credentials are configured")
        signer = Signer(
            given.consumer_key,
            given.consumer_secret,
            given.access_token,
            given.access_token_secret,
        )
        _, headers, _ = signer.sign(url, method)  # type: ignore[arg-type] # tweepy hands methods as str
        return str(headers["Authorization"])

    async def _exchange(
        self, method: str, url: str, body: bytes | Form | None, authorisation: str
    ) -> Parsed:
        writing = method != "GET"
        headers = {"Authorization": authorisation, "Accept": "application/json"}
        usual = timeout = self.session.timeout
        if isinstance(body, Form):
            headers |= {"Content-Type": body.content_type, "Content-Length": str(body.length)}
            timeout = aiohttp.ClientTimeout(
                total=max(LONGEST_UPLOAD, usual.total or 0.0),
                connect=usual.connect,
                sock_connect=usual.sock_connect,
                sock_read=usual.sock_read,
            )
        elif body is not None:
            headers["Content-Type"] = "application/json"
        try:
            async with self.session.request(
                method,
                URL(url, encoded=True),
                data=body.body() if isinstance(body, Form) else body,
                headers=headers,
                timeout=timeout,
                allow_redirects=False,
            ) as response:
                sent = body if isinstance(body, bytes) else b""
                return Parsed(await self._answer(response, authorisation, sent, writing=writing))
        except (
            aiohttp.ClientConnectorError,
            aiohttp.ClientHttpProxyError,
            aiohttp.ConnectionTimeoutError,
            aiohttp.InvalidURL,
        ) as error:
            # Name resolution, connecting, TLS and proxies: all of it comes before the request.
            detail = f"X cannot be reached: {_reason(error)}"
            raise Transient(detail, unreachable=True) from None
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            detail = f"X did not answer: {_reason(error)}"
            if writing:
                raise InDoubt(detail) from None
            broken = not isinstance(error, TimeoutError)
            raise (_BrokenRead if broken else Transient)(detail, unreachable=True) from None

    async def _answer(
        self, response: aiohttp.ClientResponse, authorisation: str, sent: bytes, *, writing: bool
    ) -> Mapping[str, object]:
        status = response.status
        self.access_level = response.headers.get("x-access-level", self.access_level).strip()
        succeeded = HTTPStatus.OK <= status < HTTPStatus.MULTIPLE_CHOICES
        try:
            body = await read_capped(response, LONGEST_ANSWER)
        except BodyTooLarge as error:
            if succeeded and not writing:
                raise AnswerTooLarge(f"HTTP {status}: {error}", status=status) from None
            body = b""
        except (aiohttp.ClientError, OSError, TimeoutError):
            if succeeded:
                raise
            # The status alone says that nothing was done; what else it would have said is lost.
            body = b""
        if not succeeded:
            raise failure(
                status,
                response.headers,
                body,
                now=self._clock.now(),
                writing=writing,
                redact=self.redactor(authorisation, *_texts_in(sent)),
                of_file=_UPLOADS in response.url.path,
            )
        try:
            parsed = json_module.loads(body)
        except (ValueError, RecursionError):
            parsed = None
        if isinstance(parsed, Mapping):
            return parsed
        redact = self.redactor(authorisation, *_texts_in(sent))
        detail = f"HTTP {status}: {describe_foreign(body, response.headers, redact)}"
        if writing:
            raise InDoubt(detail, status=status)
        raise Transient(detail, status=status, unreachable=True)


def _texts_in(sent: bytes) -> Iterator[str]:
    """What somebody wrote into a JSON body: it is quoted nowhere else than in the post."""
    return _written(json_module.loads(sent)) if sent else iter(())


def _written(value: object) -> Iterator[str]:
    """Every text in a body: what somebody wrote stands nowhere else than in the post."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for each in value.values():
            yield from _written(each)
    elif isinstance(value, list):
        for each in value:
            yield from _written(each)


def _reason(error: BaseException) -> str:
    """What broke, by its class and the system's own words: other messages may quote addresses."""
    strerror = str(error) if isinstance(error, ConnectionLost) else getattr(error, "strerror", None)
    return f"{type(error).__name__}{f' ({strerror})' if isinstance(strerror, str) else ''}"


def problem_in_success(payload: Mapping[str, object], redact: Redactor) -> NetworkError | None:
    """What a 200 that carries `errors` and no data really says; None where it carries data.

    X words suspended, protected and withheld accounts like this.
    """
    if "data" in payload or not payload.get("errors"):
        return None
    problem = problem_of(payload)
    detail = describe(HTTPStatus.OK, problem, redact)
    if problem.kind in {"not-authorized-for-resource", "resource-unavailable"}:
        return Unauthorised(detail, status=HTTPStatus.OK)
    if problem.kind == "invalid-request":
        return Refused(detail, status=HTTPStatus.BAD_REQUEST)
    return Transient(detail, status=HTTPStatus.OK)
