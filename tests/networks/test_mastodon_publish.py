"""Creating one post, once: what every answer, and every lack of one, is taken for.

Bars of docs/reliability.md: R5.
"""

import asyncio
import warnings
from collections.abc import Callable
from datetime import timedelta

import pytest
from aiohttp import web

from bridge.core.errors import (
    Barred,
    InDoubt,
    NetworkError,
    Refused,
    Throttled,
    Transient,
    Unauthorised,
)
from bridge.core.model import PostId, Visibility
from bridge.core.record import Receipt
from bridge.networks.mastodon.adapter import MastodonAdapter
from tests.networks.mastodon_servers import (
    STOCK,
    TOKEN,
    UNHEARD_OF,
    Handler,
    ManualClock,
    OddServer,
    adapter_at,
    http,
    odd,
    part,
    raw_server,
    read_request,
    status,
)

KEY = "k" * 64
CREATED = status("made", 0)


def answering(given: Callable[[], web.StreamResponse]) -> OddServer:
    """A server that gives this answer to a creation."""

    async def respond(request: web.Request) -> web.StreamResponse:
        return given()

    return OddServer(instance=STOCK, special={("POST", "/api/v1/statuses"): respond})


async def publish(adapter: MastodonAdapter, reply_to: str | None = None) -> Receipt:
    parent = None if reply_to is None else PostId(reply_to)
    return await adapter.publish(part(), reply_to=parent, key=KEY)


async def outcome(adapter: MastodonAdapter, reply_to: str | None = None) -> NetworkError:
    with pytest.raises(NetworkError) as caught:
        await publish(adapter, reply_to)
    assert TOKEN not in str(caught.value)
    return caught.value


async def test_every_field_is_stated_and_nothing_left_to_account_defaults() -> None:
    server = answering(
        lambda: web.json_response(
            CREATED | {"visibility": "unlisted", "in_reply_to_id": "parent", "spoiler_text": "cw"}
        )
    )
    async with odd(server) as adapter:
        given = part("text", spoiler="cw", language="de", visibility=Visibility.UNLISTED)
        receipt = await adapter.publish(given, reply_to=PostId("parent"), key=KEY)
    assert receipt == Receipt(PostId("made"), "https://odd.example/@me/made")
    assert server.bodies == [
        {
            "status": "text",
            "in_reply_to_id": "parent",
            "sensitive": True,
            "visibility": "unlisted",
            "spoiler_text": "cw",
            "language": "de",
        }
    ]
    assert server.headers[-1]["idempotency-key"] == KEY
    assert server.headers[-1]["authorization"] == f"Bearer {TOKEN}"
    assert server.headers[-1]["user-agent"].startswith("twinpost/")


async def test_what_is_not_sensitive_is_said_not_to_be() -> None:
    server = answering(lambda: web.json_response(CREATED))
    async with odd(server) as adapter:
        await publish(adapter)
    assert server.bodies[0]["sensitive"] is False
    assert server.bodies[0]["visibility"] == "public"
    assert "language" not in server.bodies[0]


def json_error(code: int, error: str = "x", **headers: str) -> Callable[[], web.Response]:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return lambda: web.json_response({"error": error}, status=code, headers=named)


def page(code: int) -> Callable[[], web.Response]:
    return lambda: web.Response(
        text="<html><h1>nginx</h1></html>", content_type="text/html", status=code
    )


SURELY_NOT = [
    pytest.param(json_error(401, "The access token is invalid"), Unauthorised, id="401"),
    pytest.param(
        json_error(403, "This action is outside the authorized scopes"), Unauthorised, id="scope"
    ),
    pytest.param(json_error(403, "Your login is currently disabled"), Barred, id="login disabled"),
    pytest.param(json_error(403, "This action is not allowed"), Transient, id="not allowed"),
    pytest.param(page(403), Transient, id="a guard in front of the server"),
    pytest.param(
        json_error(422, "This method requires an authenticated user"), Unauthorised, id="app token"
    ),
    pytest.param(json_error(400, "bad"), Refused, id="400"),
    pytest.param(json_error(422, "Validation failed: nope"), Refused, id="422"),
    pytest.param(page(413), Transient, id="a proxy's 413"),
    pytest.param(json_error(404, "Record not found"), Transient, id="404"),
    pytest.param(page(404), Transient, id="a proxy's 404"),
    pytest.param(json_error(429, "Too many requests"), Throttled, id="429"),
    pytest.param(page(429), Throttled, id="a proxy's 429"),
    pytest.param(json_error(301, "", location="/elsewhere"), Transient, id="301"),
    pytest.param(json_error(308, "", location="https://x.invalid/"), Transient, id="308"),
]

IN_DOUBT = [
    *(pytest.param(json_error(code), id=str(code)) for code in (408, 409, 500, 502, 503, 504, 522)),
    *(pytest.param(page(code), id=f"page of {code}") for code in (500, 502, 503, 504)),
    pytest.param(json_error(503, "busy", retry_after="30"), id="503 with Retry-After"),
    pytest.param(json_error(400, "Duplicate idempotency key."), id="key seen before"),
    pytest.param(json_error(303, "", location="/made"), id="303"),
    pytest.param(lambda: web.Response(body=b""), id="empty"),
    pytest.param(page(200), id="a page for 200"),
    pytest.param(lambda: web.Response(body=b'{"id": "ma'), id="cut JSON"),
    pytest.param(lambda: web.Response(body=b"[" * 100_000), id="deep JSON"),
    pytest.param(lambda: web.json_response({"ok": True}), id="no id"),
    pytest.param(lambda: web.json_response([CREATED]), id="a list"),
    pytest.param(lambda: web.json_response({"id": None}), id="null id"),
    pytest.param(lambda: web.Response(body=b"x" * (9 * 1024 * 1024)), id="endless"),
]


@pytest.mark.parametrize(("answer", "kind"), SURELY_NOT)
async def test_what_is_surely_not_done_is_said_to_be_not_done(
    answer: Callable[[], web.Response], kind: type[NetworkError]
) -> None:
    server = answering(answer)
    async with odd(server) as adapter:
        error = await outcome(adapter)
    assert type(error) is kind
    assert error.status == answer().status
    assert len([line for line in server.asked if line.startswith("POST")]) == 1


@pytest.mark.parametrize("answer", IN_DOUBT)
async def test_what_may_have_been_done_is_in_doubt(answer: Callable[[], web.Response]) -> None:
    server = answering(answer)
    async with odd(server) as adapter:
        assert type(await outcome(adapter)) is InDoubt
    assert len([line for line in server.asked if line.startswith("POST")]) == 1


@pytest.mark.parametrize(
    "headers",
    [
        {"X-RateLimit-Reset": "soon", "X-RateLimit-Remaining": "many"},
        {"X-RateLimit-Reset": "9" * 30},
        {"X-RateLimit-Reset": "2026-13-45T00:00:00Z", "Date": "yesterday"},
        {"Deprecation": "true", "Link": '<nonsense; rel="next'},
        {"Content-Type": "text/plain"},
    ],
    ids=["words", "huge", "impossible", "deprecated", "type"],
)
async def test_odd_headers_do_not_turn_a_success_into_a_failure(headers: dict[str, str]) -> None:
    def created() -> web.Response:
        response = web.json_response(CREATED)
        response.headers.update(headers)
        return response

    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        async with odd(answering(created)) as adapter:
            assert (await publish(adapter)).id == "made"
    assert not [one for one in warned if "deprecated" in str(one.message)]


async def test_a_missing_parent_is_told_apart_from_other_refusals() -> None:
    async with odd(answering(json_error(404, "Record not found"))) as adapter:
        error = await outcome(adapter, reply_to="gone")
        assert isinstance(error, Refused)
        assert error.missing
        assert isinstance(await outcome(adapter), Transient)
    async with odd(answering(json_error(422, "whatever"))) as adapter:
        error = await outcome(adapter, reply_to="there")
        assert isinstance(error, Refused)
        assert not error.missing


async def test_a_duplicate_record_is_evidence_of_an_earlier_success() -> None:
    async with odd(answering(json_error(422, "Duplicate record"))) as adapter:
        error = await outcome(adapter)
    assert isinstance(error, Refused)
    assert error.duplicate


@pytest.mark.parametrize("code", [400, 422])
async def test_too_long_is_found_by_counting_and_not_by_reading_the_message(code: int) -> None:
    server = answering(json_error(code, "Validierung fehlgeschlagen"))
    async with odd(server) as adapter:
        assert (await adapter.capabilities()).max_length == 500
        error = await outcome(adapter)
        assert isinstance(error, Refused)
        assert not error.too_long
        # The owner of the server has lowered the limit since it was asked for.
        server.instance = {
            "version": "4.7.3",
            "configuration": {"statuses": {"max_characters": 30}},
        }
        with pytest.raises(Refused) as caught:
            await adapter.publish(part("a" * 31), reply_to=None, key=KEY)
        assert caught.value.too_long
        assert (await adapter.capabilities()).max_length == 30


NOW = ManualClock().now()


@pytest.mark.parametrize(
    ("headers", "wait"),
    [
        ({"X-RateLimit-Reset": (NOW + timedelta(seconds=90)).isoformat()}, 90),
        ({"X-RateLimit-Reset": "2026-11-22T12:01:30.000000Z"}, 90),
        ({"X-RateLimit-Reset": str(int(NOW.timestamp()) + 90)}, 90),
        ({"X-RateLimit-Reset": str((int(NOW.timestamp()) + 90) * 1000)}, 90),
        ({"X-RateLimit-Reset": "90"}, 90),
        ({"Retry-After": "90"}, 90),
        ({"Retry-After": "Sun, 22 Nov 2026 12:01:30 GMT"}, 90),
        ({"Retry-After": "30", "X-RateLimit-Reset": "2026-11-22T12:01:30Z"}, 90),
        (
            {"X-RateLimit-Reset": "2026-11-22T13:01:30Z", "Date": "Sun, 22 Nov 2026 13:00:00 GMT"},
            90,
        ),
        ({"X-RateLimit-Reset": "2031-01-01T00:00:00Z", "Retry-After": "90"}, 90),
        ({"X-RateLimit-Reset": "2031-01-01T00:00:00Z"}, None),
        ({"X-RateLimit-Reset": "2020-01-01T00:00:00Z"}, None),
        ({"X-RateLimit-Reset": "9" * 40, "Retry-After": "-5"}, None),
        ({"Retry-After": "nan", "X-RateLimit-Reset": "inf"}, None),
        ({"Retry-After": "after lunch"}, None),
        ({}, None),
    ],
)
async def test_a_used_up_limit_says_when_it_opens_again(
    headers: dict[str, str], wait: int | None
) -> None:
    # By bytes, because aiohttp adds a Date of its own: the real one.
    answer = http(b"{}", *(f"{k}: {v}" for k, v in headers.items()), status_line="429 Slow Down")

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        writer.write(answer)
        await writer.drain()

    async with raw_server(talk) as url, adapter_at(url) as adapter:
        error = await outcome(adapter)
    assert isinstance(error, Throttled)
    assert error.until == (None if wait is None else NOW + timedelta(seconds=wait))


class TestAnAudience:
    @pytest.mark.parametrize(
        ("asked", "got"),
        [
            (Visibility.UNLISTED, "public"),
            (Visibility.FOLLOWERS, "unlisted"),
            (Visibility.DIRECT, "private"),
            (Visibility.FOLLOWERS, None),
            (Visibility.UNLISTED, "everyone"),
        ],
    )
    async def test_that_came_out_wider_is_taken_back_at_once(
        self, asked: Visibility, got: str | None
    ) -> None:
        server = answering(lambda: web.json_response(CREATED | {"visibility": got}))
        deleted: list[str] = []

        async def delete(request: web.Request) -> web.StreamResponse:
            deleted.append(request.path)
            return web.json_response({})

        server.special["DELETE", "/api/v1/statuses/made"] = delete
        async with odd(server) as adapter:
            with pytest.raises(Refused, match="deleted at once"):
                await adapter.publish(part(visibility=asked), reply_to=None, key=KEY)
        assert deleted == ["/api/v1/statuses/made"]

    async def test_that_cannot_be_taken_back_is_in_doubt_so_that_somebody_looks(self) -> None:
        server = answering(lambda: web.json_response(CREATED))

        async def fail(request: web.Request) -> web.StreamResponse:
            return web.json_response({"error": "oops"}, status=500)

        server.special["DELETE", "/api/v1/statuses/made"] = fail
        async with odd(server) as adapter:
            with pytest.raises(InDoubt, match="could not be deleted"):
                await adapter.publish(part(visibility=Visibility.UNLISTED), reply_to=None, key=KEY)

    @pytest.mark.parametrize(
        ("asked", "got"),
        [
            (Visibility.PUBLIC, "unlisted"),
            (Visibility.PUBLIC, None),
            (Visibility.UNLISTED, "private"),
            (Visibility.UNLISTED, "unlisted"),
        ],
    )
    async def test_that_came_out_narrower_or_the_same_is_fine(
        self, asked: Visibility, got: str | None
    ) -> None:
        server = answering(lambda: web.json_response(CREATED | {"visibility": got}))
        async with odd(server) as adapter:
            await adapter.publish(part(visibility=asked), reply_to=None, key=KEY)

    async def test_that_is_unknown_is_never_asked_for(self) -> None:
        server = answering(lambda: web.json_response(CREATED))
        async with odd(server) as adapter:
            with pytest.raises(Refused):
                await adapter.publish(part(visibility=Visibility.UNKNOWN), reply_to=None, key=KEY)
        assert not server.bodies


async def test_text_that_cannot_be_encoded_is_refused_before_anything_is_sent() -> None:
    server = answering(lambda: web.json_response(CREATED))
    async with odd(server) as adapter:
        with pytest.raises(Refused, match="could not be made"):
            await adapter.publish(part("half a \ud83d pair"), reply_to=None, key=KEY)
    assert not server.bodies


GLITCH = STOCK | {"version": "4.5.0+glitch"}
GOTOSOCIAL = {"version": "0.20.1+git-7c8b3f2", "configuration": {"accounts": {}}}
AKKOMA = {"version": "2.7.2 (compatible; Akkoma 3.13.3)"}


@pytest.mark.parametrize(
    ("instance", "named"),
    [(GOTOSOCIAL, "text/plain"), (AKKOMA, "text/plain"), (GLITCH, "text/plain"), (STOCK, None),
     (UNHEARD_OF, None)],
)  # fmt: skip
async def test_a_text_is_called_plain_where_the_account_may_write_markdown_by_default(
    instance: dict[str, object], named: str | None
) -> None:
    async def answer(_: web.Request) -> web.StreamResponse:
        return web.json_response(status("made", 0, content="snake_case_ and 2*3*4"))

    path = "/api/v1/statuses"
    special: dict[tuple[str, str], Handler] = {
        ("POST", path): answer, ("GET", f"{path}/made"): answer, ("PUT", f"{path}/made"): answer,
    }  # fmt: skip
    server = OddServer(instance=instance, special=special)
    async with odd(server) as adapter:
        await adapter.capabilities()
        made = await adapter.publish(part("snake_case_"), reply_to=None, key="k")
        await adapter.revise(made.id, part("2*3*4"))
    assert [body.get("content_type") for body in server.bodies] == [named, named]
