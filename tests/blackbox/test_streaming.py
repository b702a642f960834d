"""A running daemon is told of a new post by a stream that stands elsewhere than the server."""

import asyncio
import json
from pathlib import Path

import aiohttp
from aiohttp import web

from tests.blackbox.fediverse import TOKEN, Server
from tests.blackbox.makes import MAKES
from tests.blackbox.scene import scene
from tests.blackbox.stage import served
from tests.blackbox.whole_x import WholeX
from tests.fixtures.world import until


async def test_a_new_post_crosses_at_once_where_the_stream_stands_elsewhere(
    tmp_path: Path,
) -> None:
    """By polling alone it would take ten minutes. The id of a deletion is no number here."""
    x, mastodon = WholeX(), Server(MAKES["gotosocial"])
    listeners: list[web.WebSocketResponse] = []

    async def stream(request: web.Request) -> web.WebSocketResponse:
        assert request.headers["Authorization"] == f"Bearer {TOKEN}"
        assert request.query["stream"] == "user"
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        listeners.append(socket)
        async for message in socket:
            assert message.type is aiohttp.WSMsgType.TEXT
        return socket

    async def tells(event: str, payload: str) -> None:
        frame = {"stream": ["user"], "event": event, "payload": payload}
        await listeners[-1].send_str(json.dumps(frame))

    elsewhere = web.Application()
    elsewhere.router.add_get("/api/v1/streaming", stream)
    x.write("long ago")
    mastodon.write("long ago")
    async with served(elsewhere) as url:
        mastodon.streaming = url.replace("http://", "ws://")
        every = {"outward": "every: 10m", "homeward": "enabled: false"}
        async with scene(tmp_path, {"personal": (x, mastodon)}, **every) as stage:
            assert (await stage.twinpost("once")).code == 0
            daemon = await stage.start("run")
            try:
                await until(lambda: bool(listeners))
                toot = mastodon.write("told by the stream")
                await tells("update", json.dumps(mastodon.shown(toot)))
                await until(lambda: [post.text for post in x.mirrors()] == [toot.text])
                mastodon.remove(toot)
                await tells("delete", toot.id)
                await until(lambda: not x.mirrors())
            finally:
                daemon.terminate()
                await asyncio.wait_for(daemon.communicate(), 20)
    assert daemon.returncode == 0
