"""Streams: a wake-up over server-sent events and WebSocket, as fragile as the real one."""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import pytest

from bridge.sandbox.mastodon import MastodonSandbox
from bridge.sandbox.server import serve
from tests.fixtures.mastodon import ServedMastodon

EVENTS = "/api/v1/streaming/user"
SOCKET = "/api/v1/streaming"


async def next_line(response: aiohttp.ClientResponse) -> str:
    return (await asyncio.wait_for(response.content.readline(), 5)).decode().rstrip("\n")


async def next_event(response: aiohttp.ClientResponse) -> tuple[str, str]:
    """The next event's name and data, signs of life passed over."""
    name = ""
    while True:
        line = await next_line(response)
        if line.startswith("event: "):
            name = line.removeprefix("event: ")
        if line.startswith("data: "):
            return name, line.removeprefix("data: ")


async def next_frame(socket: aiohttp.ClientWebSocketResponse) -> dict[str, Any]:
    frame = json.loads(await asyncio.wait_for(socket.receive_str(), 5))
    assert isinstance(frame, dict)
    return frame


@asynccontextmanager
async def events(served: ServedMastodon, token: str = "") -> AsyncIterator[aiohttp.ClientResponse]:
    bearer = {"Authorization": f"Bearer {token or served.account.access_token}"}
    async with served.http.get(served.url + EVENTS, headers=bearer) as response:
        assert response.status == 200
        assert await next_line(response) == ":)"
        yield response


@asynccontextmanager
async def socket(
    served: ServedMastodon, token: str = "", query: str = "?stream=user"
) -> AsyncIterator[aiohttp.ClientWebSocketResponse]:
    bearer = {"Authorization": f"Bearer {token or served.account.access_token}"}
    async with served.http.ws_connect(served.url + SOCKET + query, headers=bearer) as opened:
        await until(lambda: served.sandbox.streaming.open_streams > 0)
        yield opened


async def until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(5):
        while not holds():  # noqa: ASYNC110 - what is waited for has no event to wait on
            await asyncio.sleep(0.01)


async def test_events_carry_own_posts_edits_and_deletions(mastodon_sandbox: ServedMastodon) -> None:
    sandbox, ada = mastodon_sandbox.sandbox, mastodon_sandbox.account
    async with events(mastodon_sandbox) as stream:
        assert stream.headers["Content-Type"] == "text/event-stream"
        post = sandbox.write(ada, "one\n\ntwo", visibility="direct")
        name, data = await next_event(stream)
        assert (name, json.loads(data)["content"]) == ("update", "<p>one</p><p>two</p>")

        sandbox.write(ada, "edited", visibility="direct", edit_of=post.id)
        name, data = await next_event(stream)
        assert (name, json.loads(data)["id"]) == ("status.update", post.id)

        sandbox.remove(post.id)
        assert await next_event(stream) == ("delete", post.id)


async def test_frames_hold_their_payload_as_text(mastodon_sandbox: ServedMastodon) -> None:
    sandbox, ada = mastodon_sandbox.sandbox, mastodon_sandbox.account
    async with socket(mastodon_sandbox) as stream:
        post = sandbox.write(ada, "hello")
        frame = await next_frame(stream)
        assert (frame["stream"], frame["event"]) == (["user"], "update")
        assert json.loads(frame["payload"])["id"] == post.id

        sandbox.remove(post.id)
        assert (await next_frame(stream))["payload"] == post.id


async def test_a_silent_event_stream_shows_signs_of_life(mastodon_sandbox: ServedMastodon) -> None:
    assert mastodon_sandbox.sandbox.heartbeats.thump == 15
    mastodon_sandbox.sandbox.heartbeats.thump = 0.05
    async with events(mastodon_sandbox) as stream:
        assert [await next_line(stream) for _ in range(2)] == [":thump", ":thump"]


async def test_a_socket_is_pinged_and_cut_off_when_nobody_answers(
    mastodon_sandbox: ServedMastodon,
) -> None:
    assert mastodon_sandbox.sandbox.heartbeats.ping == 30
    mastodon_sandbox.sandbox.heartbeats.ping = 0.1
    url = mastodon_sandbox.url + SOCKET + "?stream=user"
    bearer = {"Authorization": f"Bearer {mastodon_sandbox.account.access_token}"}
    async with mastodon_sandbox.http.ws_connect(url, headers=bearer, autoping=False) as deaf:
        assert (await deaf.receive(timeout=5)).type is aiohttp.WSMsgType.PING
        await until(lambda: mastodon_sandbox.sandbox.streaming.open_streams == 0)


async def test_nothing_is_replayed(mastodon_sandbox: ServedMastodon) -> None:
    sandbox, ada = mastodon_sandbox.sandbox, mastodon_sandbox.account
    sandbox.write(ada, "missed")
    async with events(mastodon_sandbox) as stream:
        seen = sandbox.write(ada, "seen")
        assert json.loads((await next_event(stream))[1])["id"] == seen.id


async def test_the_whole_home_feed_arrives_and_nothing_else(
    mastodon_sandbox: ServedMastodon,
) -> None:
    sandbox, ada = mastodon_sandbox.sandbox, mastodon_sandbox.account
    bob, carol = sandbox.add_account("bob"), sandbox.add_account("carol")
    sandbox.follow(ada, bob)
    async with events(mastodon_sandbox) as stream:
        theirs = sandbox.write(carol, "not followed")
        sandbox.write(bob, "to somebody else", in_reply_to=theirs.id)
        sandbox.write(bob, "secret", visibility="direct")
        wanted = sandbox.write(bob, "to followers", visibility="private")
        name, data = await next_event(stream)
        assert (name, json.loads(data)["id"]) == ("update", wanted.id)


async def test_mentions_notify_tokens_that_may_read_notifications(
    mastodon_sandbox: ServedMastodon,
) -> None:
    sandbox, ada = mastodon_sandbox.sandbox, mastodon_sandbox.account
    bob = sandbox.add_account("bob")
    wide = sandbox.token(ada, "read", "Reader")
    async with events(mastodon_sandbox, wide) as told, events(mastodon_sandbox) as untold:
        sandbox.write(bob, "hey @ada")
        own = sandbox.write(ada, "own")
        assert (await next_event(told))[0] == "notification"
        assert json.loads((await next_event(untold))[1])["id"] == own.id


async def test_an_own_boost_of_a_recent_own_post_is_not_streamed(
    mastodon_sandbox: ServedMastodon,
) -> None:
    sandbox, ada = mastodon_sandbox.sandbox, mastodon_sandbox.account
    bob = sandbox.add_account("bob")
    theirs = sandbox.write(bob, "boost me")
    old = sandbox.write(ada, "old")
    for number in range(40):
        sandbox.write(ada, str(number))
    async with events(mastodon_sandbox) as stream:
        recent = sandbox.write(ada, "recent")
        assert json.loads((await next_event(stream))[1])["id"] == recent.id
        sandbox.write(ada, reblog_of=recent.id)
        expected = [sandbox.write(ada, reblog_of=one.id).id for one in (old, theirs)]
        shown = [json.loads((await next_event(stream))[1])["id"] for _ in expected]
        assert shown == expected


async def test_a_revoked_token_ends_its_streams_and_opens_none(
    mastodon_sandbox: ServedMastodon,
) -> None:
    sandbox, ada = mastodon_sandbox.sandbox, mastodon_sandbox.account
    async with events(mastodon_sandbox) as stream, socket(mastodon_sandbox) as opened:
        await until(lambda: sandbox.streaming.open_streams == 2)
        sandbox.revoke(ada.access_token)
        assert await asyncio.wait_for(stream.content.read(), 5) == b""
        assert (await opened.receive(timeout=5)).type is aiohttp.WSMsgType.CLOSE
    assert (await mastodon_sandbox.ask("GET", EVENTS)).status == 401
    with pytest.raises(aiohttp.WSServerHandshakeError, match="401"):
        async with socket(mastodon_sandbox):
            pass


@pytest.mark.parametrize("way", ["header", "query", "subprotocol"])
async def test_a_socket_takes_its_token_in_three_ways(
    mastodon_sandbox: ServedMastodon, way: str
) -> None:
    token = mastodon_sandbox.account.access_token
    url = f"{mastodon_sandbox.url}{SOCKET}/?stream=user"
    headers = {"Authorization": f"Bearer {token}"} if way == "header" else {}
    if way == "query":
        url += f"&access_token={token}"
    protocols = (token,) if way == "subprotocol" else ()
    async with mastodon_sandbox.http.ws_connect(
        url, headers=headers, protocols=protocols
    ) as opened:
        await until(lambda: mastodon_sandbox.sandbox.streaming.open_streams == 1)
        await asyncio.sleep(0)
        mastodon_sandbox.sandbox.write(mastodon_sandbox.account, "hello")
        assert (await next_frame(opened))["event"] == "update"
        assert opened.protocol == (token if way == "subprotocol" else None)


async def test_nobody_listens_without_a_token_or_its_scope(
    mastodon_sandbox: ServedMastodon,
) -> None:
    sandbox, ada = mastodon_sandbox.sandbox, mastodon_sandbox.account
    assert (await mastodon_sandbox.ask("GET", EVENTS, token=None)).status == 401
    narrow = sandbox.token(ada, "read:accounts write", "Narrow")
    refused = await mastodon_sandbox.ask("GET", EVENTS, token=narrow)
    assert (refused.status, refused.error) == (
        401,
        "Access token does not have the required scopes",
    )
    async with socket(mastodon_sandbox, narrow) as opened:
        assert (await next_frame(opened))["status"] == 401


async def test_streams_are_chosen_by_message_too(mastodon_sandbox: ServedMastodon) -> None:
    sandbox, ada = mastodon_sandbox.sandbox, mastodon_sandbox.account
    async with socket(mastodon_sandbox, query="") as opened:
        await opened.send_json({"type": "subscribe", "stream": "nonsense"})
        assert await next_frame(opened) == {"error": "Unknown stream type", "status": 400}
        sandbox.write(ada, "before")
        await opened.send_json({"type": "subscribe", "stream": "user"})
        await opened.send_json({"type": "subscribe", "stream": "nonsense"})
        await next_frame(opened)
        after = sandbox.write(ada, "after")
        assert json.loads((await next_frame(opened))["payload"])["id"] == after.id


async def test_streaming_is_healthy_and_a_restart_ends_every_stream(
    mastodon_sandbox: ServedMastodon,
) -> None:
    health = await mastodon_sandbox.ask("GET", "/api/v1/streaming/health", token=None)
    assert (health.status, health.body) == (200, b"OK")
    async with events(mastodon_sandbox) as stream:
        mastodon_sandbox.sandbox.streaming.hang_up()
        assert await asyncio.wait_for(stream.content.read(), 5) == b""


async def test_a_reader_that_never_reads_is_cut_off(mastodon_sandbox: ServedMastodon) -> None:
    sandbox, ada = mastodon_sandbox.sandbox, mastodon_sandbox.account
    async with events(mastodon_sandbox):
        # All at once, before the server can hand over anything.
        for number in range(1002):
            sandbox.write(ada, str(number))
        await until(lambda: sandbox.streaming.open_streams == 0)


async def test_open_streams_do_not_delay_the_end() -> None:
    sandbox = MastodonSandbox()
    ada = sandbox.add_account("ada")
    bearer = {"Authorization": f"Bearer {ada.access_token}"}
    async with aiohttp.ClientSession(headers=bearer) as http:
        async with serve(sandbox.app) as url:
            stream = await http.get(url + EVENTS)
            opened = await http.ws_connect(f"{url}{SOCKET}?stream=user", autoclose=False)
            await until(lambda: sandbox.streaming.open_streams == 2)
            began = time.perf_counter()
        assert time.perf_counter() - began < 1.5
        stream.close()
        await opened.close()
