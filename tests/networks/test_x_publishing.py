"""Creating posts on X: once, never twice, and always with the right word for what happened.

Bars of docs/reliability.md: R4.
"""

import asyncio
import json
import logging
import socket
from collections.abc import AsyncIterator
from datetime import date

import aiohttp
import pytest
from aiohttp import web

from bridge.core.errors import InDoubt, NetworkError, Refused, Transient, Unauthorised, Unpaid
from bridge.core.model import PostId
from bridge.core.prices import X_PRICES
from bridge.log import quiet_libraries
from bridge.networks.x.adapter import XAdapter
from bridge.networks.x.settings import API, XSettings
from bridge.sandbox.server import serve
from tests.conformance.networks.contract import EVER, part
from tests.networks.x_stage import (
    CREATE,
    KEYS,
    ME,
    MachineClock,
    OddX,
    Shelf,
    adapter_for,
    oauth1_of,
    odd_x,
    problem,
    served_x,
)

CREATED = {"id": "99", "text": "hi", "edit_history_tweet_ids": [""]}


@pytest.fixture
async def odd() -> AsyncIterator[OddX]:
    async with odd_x() as server:
        server.says(CREATE, problem(201, data=CREATED))
        yield server


async def sent(adapter: XAdapter, text: str = "hi", reply_to: str | None = None) -> PostId:
    parent = None if reply_to is None else PostId(reply_to)
    return (await adapter.publish(part(text), reply_to=parent, key="k")).id


async def test_the_text_is_sent_as_it_stands_and_the_parent_by_its_id(odd: OddX) -> None:
    text = "a & b < c\n\n\t“d” 👩‍👩‍👧 \u2067שלום\u2069"
    async with adapter_for(odd.url) as adapter:
        await sent(adapter, text)
        await sent(adapter, "", reply_to="0042")
    first, second = (json.loads(each.body) for each in odd.asked(CREATE))
    assert first == {"text": text}
    assert second == {"text": "", "reply": {"in_reply_to_tweet_id": "0042"}}
    assert odd.asked(CREATE)[0].headers["Content-Type"] == "application/json"


@pytest.mark.parametrize(
    ("text", "price"),
    [
        ("plain", X_PRICES.create),
        ("see https://example.org/a", X_PRICES.create_with_link),
        ("see example.com", X_PRICES.create_with_link),
        ("two https://a.example.org https://b.example.org", X_PRICES.create_with_link),
        ("not a link: notes.txt and 1.5", X_PRICES.create),
    ],
)
async def test_a_receipt_says_what_x_charged(text: str, price: int) -> None:
    async with (
        served_x() as served,
        adapter_for(served.url, oauth1_of(served.account)) as adapter,
    ):
        receipt = await adapter.publish(part(text), reply_to=None, key="k")
        assert receipt.cost == price == sum(charge.amount for charge in served.sandbox.bill())
        assert receipt.url == f"{served.url}/ada/status/{receipt.id}"


def test_posts_of_the_real_service_stand_on_its_site() -> None:
    assert XSettings(credentials=KEYS).web == "https://x.com"
    assert XSettings("https://api.twitter.com/", credentials=KEYS).web == "https://x.com"
    assert XSettings(API, credentials=KEYS).api == "https://api.x.com"
    assert XSettings("http://127.0.0.1:8/", credentials=KEYS).web == "http://127.0.0.1:8"


async def test_the_signature_covers_the_address_that_is_really_asked() -> None:
    async with (
        served_x() as served,
        adapter_for(served.url, oauth1_of(served.account)) as adapter,
    ):
        post = await publish_and_read(adapter)
        assert post == "signed: ~ ü & %20 +"


async def publish_and_read(adapter: XAdapter) -> str:
    await adapter.publish(part("signed: ~ ü & %20 +"), reply_to=None, key="k")
    (post,) = (await adapter.recent(EVER)).posts
    return post.text.plain


@pytest.mark.parametrize(
    "answer",
    [
        problem(201),
        problem(201, data={}),
        problem(201, data={"id": ""}),
        problem(201, data={"id": None}),
        problem(201, data={"id": 1.5}),
        problem(201, data=[CREATED]),
        problem(201, errors=[{"title": "odd"}]),
        web.Response(status=201, text=""),
        web.Response(status=204),
        web.Response(status=200, text="<html>", content_type="text/html"),
        web.Response(status=201, text='{"data": {"id": "99'),
        web.Response(status=201, text="[" * 100_000),
        web.Response(status=201, text="null"),
        web.Response(status=503, text="<html>", content_type="text/html"),
        web.Response(status=500),
        problem(408),
    ],
)
async def test_without_a_readable_id_it_is_in_doubt_and_sent_once(
    odd: OddX, answer: web.Response
) -> None:
    odd.says(CREATE, answer)
    async with adapter_for(odd.url) as adapter:
        with pytest.raises(InDoubt):
            await sent(adapter)
    assert len(odd.asked(CREATE)) == 1


@pytest.mark.parametrize("id_given", ["99", 99])
async def test_an_id_is_taken_as_text_or_as_a_number(odd: OddX, id_given: object) -> None:
    odd.says(CREATE, problem(200, data={"id": id_given}))
    async with adapter_for(odd.url) as adapter:
        assert await sent(adapter) == "99"


async def test_a_redirect_is_not_followed_and_takes_no_credentials_along(odd: OddX) -> None:
    strangers: list[str] = []

    async def listening(request: web.Request) -> web.Response:
        strangers.append(request.path)
        return web.json_response({"data": CREATED})

    stranger = web.Application()
    stranger.router.add_route("*", "/{any:.*}", listening)
    async with serve(stranger) as elsewhere, adapter_for(odd.url) as adapter:
        for status in (301, 302, 303, 307, 308):
            odd.says(CREATE, web.Response(status=status, headers={"Location": elsewhere}))
            with pytest.raises(Transient):
                await sent(adapter)
    assert strangers == []


async def test_nobody_there_means_surely_not_sent(odd: OddX) -> None:
    async with adapter_for(odd.url) as adapter:
        await adapter.account()
        with socket.socket() as bound:
            bound.bind(("127.0.0.1", 0))
            adapter._client._api = f"http://127.0.0.1:{bound.getsockname()[1]}"
            with pytest.raises(Transient) as refused:
                await sent(adapter)
        adapter._client._api = "http://nobody.invalid"
        with pytest.raises(Transient) as nameless:
            await sent(adapter)
        adapter._client._api = odd.url.replace("http:", "https:")
        with pytest.raises(Transient) as not_tls:
            await sent(adapter)
    assert all(each.value.unreachable for each in (refused, nameless, not_tls))


@pytest.mark.parametrize("ending", ["silence", "drip", "abort", "half"])
async def test_whatever_breaks_after_sending_is_in_doubt(odd: OddX, ending: str) -> None:
    async def breaking(request: web.Request) -> web.StreamResponse:
        if ending == "silence":
            await asyncio.sleep(30)
        if ending == "abort":
            assert request.transport is not None
            request.transport.abort()
            return web.Response()
        answer = web.StreamResponse(status=201)
        answer.content_length = 1000
        await answer.prepare(request)
        await answer.write(b'{"data"')
        if ending == "drip":
            await asyncio.sleep(30)
        return answer

    odd.says(CREATE, breaking)
    async with adapter_for(odd.url, read_timeout=0.3) as adapter:
        await adapter.account()
        with pytest.raises(InDoubt):
            await sent(adapter)
    assert len(odd.asked(CREATE)) == 1


async def test_a_kept_connection_that_dies_is_in_doubt_and_not_tried_anew(odd: OddX) -> None:
    async def gone(request: web.Request) -> web.Response:
        assert request.transport is not None
        request.transport.abort()
        return web.Response()

    odd.says(CREATE, gone)
    async with aiohttp.ClientSession() as keeping:
        adapter = XAdapter(
            XSettings(odd.url, credentials=KEYS),
            session=keeping,
            clock=MachineClock(),
            tokens=Shelf(),
            token_name="x",
        )
        await adapter.account()
        with pytest.raises(InDoubt):
            await sent(adapter)
    assert len(odd.asked(CREATE)) == 1


async def test_a_refusal_whose_body_breaks_off_is_not_final(odd: OddX) -> None:
    async def cut(request: web.Request) -> web.StreamResponse:
        answer = web.StreamResponse(status=403)
        answer.content_length = 1000
        await answer.prepare(request)
        assert request.transport is not None
        request.transport.close()
        return answer

    odd.says(CREATE, cut)
    async with adapter_for(odd.url) as adapter:
        with pytest.raises(Transient):
            await sent(adapter)


async def test_what_the_stand_in_refuses_is_understood() -> None:
    async with (
        served_x() as served,
        adapter_for(served.url, oauth1_of(served.account)) as adapter,
    ):
        first = await sent(adapter, "same")
        with pytest.raises(Refused) as duplicate:
            await sent(adapter, "same")
        with pytest.raises(Refused) as too_long:
            await sent(adapter, "x" * 281)
        served.sandbox.remove(first)
        with pytest.raises(Transient, match="deleted or not visible"):
            await sent(adapter, "reply", reply_to=first)
        served.sandbox.out_of_credits = True
        with pytest.raises(Unpaid, match="credits"):
            await sent(adapter, "broke")
        served.sandbox.out_of_credits = False
        served.sandbox.spend_cap_reset = date(2099, 1, 1)
        with pytest.raises(Unpaid) as capped:
            await sent(adapter, "capped")
    assert duplicate.value.duplicate
    assert too_long.value.too_long
    assert capped.value.until is not None
    assert capped.value.until.date() == date(2099, 1, 1)


async def test_keys_and_texts_are_in_no_error_no_log_and_no_repr(
    odd: OddX, caplog: pytest.LogCaptureFixture
) -> None:
    async def echo(request: web.Request) -> web.Response:
        heard = request.headers["Authorization"] + await request.text()
        detail = f"{heard} {KEYS.access_token_secret} {KEYS.consumer_secret}"
        return problem(403, title="Forbidden", detail=detail)

    odd.says(CREATE, echo)
    with caplog.at_level(logging.DEBUG, logger="bridge"):
        async with adapter_for(odd.url) as adapter:
            with pytest.raises(NetworkError) as raised:
                await sent(adapter, "private words of somebody")
            shown = [repr(adapter), repr(adapter._settings), repr(raised.value)]
    # The libraries' own loggers are the next test's business; others may have woken them.
    ours = [record.getMessage() for record in caplog.records if record.name.startswith("bridge")]
    shown += [str(raised.value), str(raised.value.__dict__), *ours]
    for secret in ("canary", "private words"):
        assert not any(secret in each for each in shown), secret


async def test_with_everything_logged_the_quieted_libraries_print_no_key_and_no_text(
    odd: OddX, caplog: pytest.LogCaptureFixture
) -> None:
    names = ("oauthlib", "tweepy", "aiohttp", "asyncio")
    before = {name: logging.getLogger(name).level for name in names}
    try:
        with caplog.at_level(logging.DEBUG):
            quiet_libraries()
            async with adapter_for(odd.url) as adapter:
                await sent(adapter, "private words of somebody")
    finally:
        for name, level in before.items():
            logging.getLogger(name).setLevel(level)
    assert "canary" not in caplog.text
    assert "private words" not in caplog.text


async def test_who_it_is_is_asked_once_and_before_the_first_creation(odd: OddX) -> None:
    odd.says(ME, problem(503), problem(200, data={"id": "7", "username": "ada"}))
    async with adapter_for(odd.url) as adapter:
        with pytest.raises(Transient):
            await sent(adapter)
        assert odd.asked(CREATE) == []
        await sent(adapter)
        await sent(adapter)
    assert len(odd.asked(ME)) == 2
    assert len(odd.asked(CREATE)) == 2


async def test_a_401_under_oauth1_is_reported_and_not_repeated(odd: OddX) -> None:
    odd.says(CREATE, problem(401, title="Unauthorized"))
    async with adapter_for(odd.url) as adapter:
        with pytest.raises(Unauthorised):
            await sent(adapter)
    assert len(odd.asked(CREATE)) == 1


async def test_capabilities_are_the_owners_length_and_xs_prices(odd: OddX) -> None:
    async with adapter_for(odd.url) as adapter:
        told = await adapter.capabilities()
        await adapter.listen(lambda: None)
    assert (told.counting, told.max_length, told.prices) == ("x", 280, X_PRICES)
    # Nothing but the account is asked about, which is free.
    assert {seen.path for seen in odd.seen} == {"/2/users/me"}
