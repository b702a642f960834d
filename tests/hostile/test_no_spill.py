"""S10, promise 6: no token appears where it does not belong, whatever fails and whoever repeats it.

A whole run with everything logged and every surface on: against the sandboxes with every kind of
failure, and against servers that quote each request they get, headers and all, in their errors.
"""

import asyncio
import json
import os
import re
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web

from bridge.sandbox.faults import Fault
from bridge.sandbox.server import serve
from tests.fixtures.brokers import MOSQUITTO, Broker, Ear, free_port, listening, running
from tests.fixtures.world import TWINPOST, World, until

FAULTS = (
    "refuse-then-401", "refuse-then-403", "refuse-then-html", "refuse-then-500", "accept-then-500",
    "accept-then-reset", "accept-then-truncated", "refuse-then-429", "refuse-then-422",
)  # fmt: skip


def canaries(world: World) -> tuple[str, ...]:
    """Every secret of the configuration, but for where notices go."""
    keys = world.x_account.oauth1
    return (
        *(SURFACE_SECRETS[name] for name in ("web", "mqtt", "ntfy")),
        world.mastodon_account.access_token,
        keys.consumer_secret,
        keys.access_token,
        keys.access_token_secret,
        keys.consumer_key,
    )


SURFACE_SECRETS = {
    "web": "canary-of-the-page-4711",
    "mqtt": "canary-of-the-broker-4712",
    "ntfy": "tk_canary4713ofntfy",
    "topic": "canary-topic-4714",
    "hook": "canary-hook-4715",
}
PAGES = (
    "/", "/posts", "/posts?state=needs", "/posts?state=skipped", "/posts?q=HTTP", "/preview",
    "/nowhere", "/healthz", "/readyz",
)  # fmt: skip


@dataclass
class Outside:
    """Everything that the surfaces of a daemon say to anybody, as it was heard outside."""

    url: str
    metrics: str
    ear: Ear
    notices: list[bytes] = field(default_factory=list)

    async def places(self) -> dict[str, bytes]:
        """What stands there now, by where."""
        return {
            "pages": await self.pages(),
            "metrics": await self._page(self.metrics),
            "mqtt": self.broker(),
            "notices": b"\n".join(self.notices),
        }

    def broker(self) -> bytes:
        """Every message, the last words included once the daemon has ended."""
        return "\n".join(f"{topic} {said}" for topic, said, _ in self.ear.heard).encode()

    async def _page(self, url: str) -> bytes:
        async with aiohttp.ClientSession() as session, session.get(url) as answer:
            assert answer.status == 200
            return await answer.read()

    async def pages(self) -> bytes:
        """Every kind of page, headers included, and each post's own page."""
        jar, found = aiohttp.CookieJar(unsafe=True), b""
        async with aiohttp.ClientSession(cookie_jar=jar) as session:
            form, own = {"password": SURFACE_SECRETS["web"]}, {"Origin": self.url}
            async with session.post(f"{self.url}/login", data=form, headers=own) as answer:
                assert answer.status == 200
            left = list(PAGES)
            while left:
                path = left.pop()
                async with session.get(self.url + path) as answer:
                    text = await answer.text()
                    assert "password" not in str(answer.url), "signed in"
                    found += f"{answer.headers}\n{text}".encode()
                if path.startswith("/posts"):
                    left += [
                        each.replace("&amp;", "&") for each in re.findall(r'"(/post\?[^"]+)"', text)
                    ]
        return found


@asynccontextmanager
async def every_surface(world: World) -> AsyncIterator[Outside]:
    """Switch all of them on in the configuration, with an ear at each."""
    heard: list[bytes] = []

    async def hear(request: web.Request) -> web.Response:
        # Where a notice goes is known there; what it says is looked at.
        heard.append(await request.read())
        return web.Response(status=500 if len(heard) % 3 == 0 else 200)

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", hear)
    for name, secret in SURFACE_SECRETS.items():
        (world.folder / f"of-{name}").write_text(secret, encoding="utf-8")
    async with AsyncExitStack() as stack:
        kind = "mosquitto" if MOSQUITTO else "amqtt"
        broker = await stack.enter_async_context(running(Broker(world.folder, kind)))
        ear = await stack.enter_async_context(listening(broker))
        told = await stack.enter_async_context(serve(app))
        (world.folder / "of-hook").write_text(f"{told}/{SURFACE_SECRETS['hook']}", encoding="utf-8")
        page, metrics = free_port(), free_port()
        at = world.folder
        with world.config.open("a", encoding="utf-8") as file:
            file.write(
                f"""\
web: {{enabled: true, listen: "127.0.0.1:{page}", password_file: {at}/of-web}}
metrics: {{enabled: true, listen: "127.0.0.1:{metrics}"}}
mqtt:
  host: 127.0.0.1
  port: {broker.port}
  username: canary
  password_file: {at}/of-mqtt
  include_text: true
  commands: true
notices:
  webhook: {{url_file: {at}/of-hook}}
  ntfy: {{url: "{told}", topic_file: {at}/of-topic, token_file: {at}/of-ntfy}}
  command: [/bin/sh, -c, "cat >> {at}/told; env >> {at}/told"]
"""
            )
        yield Outside(f"http://127.0.0.1:{page}", f"http://127.0.0.1:{metrics}/metrics", ear, heard)


def assert_nowhere(secrets: tuple[str, ...], **places: bytes) -> None:
    found = [
        (place, secret[:4] + "…")
        for place, content in places.items()
        for secret in secrets
        if secret.encode() in content
    ]
    assert found == []


def kept(folder: Path) -> dict[str, bytes]:
    """Everything in the state folder; tokens have a folder of their own there."""
    return {
        str(file.relative_to(folder)).replace("/", "_").replace(".", "_"): file.read_bytes()
        for file in folder.rglob("*")
        if file.is_file() and "tokens" not in file.parts
    }


def with_secrets_in_files(world: World) -> None:
    """The configuration with each secret in a file of its own, as services have it."""
    keys = world.x_account.oauth1
    for name, secret in {
        "mastodon": world.mastodon_account.access_token,
        "ck": keys.consumer_key,
        "cs": keys.consumer_secret,
        "at": keys.access_token,
        "as": keys.access_token_secret,
    }.items():
        (world.folder / name).write_text(secret, encoding="utf-8")
    world.config.write_text(
        f"""\
state: ./state
bridges:
  - name: personal
    mastodon: {{url: "{world.mastodon_url}", access_token_file: {world.folder}/mastodon}}
    x:
      url: {world.x_url}
      oauth1:
        consumer_key_file: {world.folder}/ck
        consumer_secret_file: {world.folder}/cs
        access_token_file: {world.folder}/at
        access_token_secret_file: {world.folder}/as
    mastodon_to_x: {{every: 1s, delay: 0s}}
    x_to_mastodon: {{every: 1s, delay: 0s}}
""",
        encoding="utf-8",
    )


@asynccontextmanager
async def daemon(world: World) -> AsyncIterator[asyncio.subprocess.Process]:
    """A daemon that logs all there is to log; ended with the block where it still runs."""
    process = await asyncio.create_subprocess_exec(
        *TWINPOST, "run", "--verbose", "--config", str(world.config),
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE, cwd=world.folder,
        env=os.environ | {"PYTHONASYNCIODEBUG": "1", "PYTHONDEVMODE": "1"},
    )  # fmt: skip
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def ended(process: asyncio.subprocess.Process) -> bytes:
    process.terminate()
    out, err = await asyncio.wait_for(process.communicate(), 30)
    return out + err


async def all_fails(world: World, method: str) -> None:
    """Have requests of `method` fail in every way, and posts wait to be dealt with."""
    for name in FAULTS:
        world.x.faults.add(Fault(name, method, seconds=1))
        world.mastodon.faults.add(Fault(name, method, seconds=1))
        world.mastodon.write(world.mastodon_account, f"From Mastodon, before {name}")
        world.x.write(world.x_account, f"From X, before {name}")
        await asyncio.sleep(0.4)
        # Logins that were refused wait for their owner's word.
        await world.twinpost("sync-now")


@pytest.mark.timeout(120)
async def test_promise_6_a_run_in_which_everything_fails_spills_no_token(world: World) -> None:
    with_secrets_in_files(world)
    await world.twinpost("once")
    async with every_surface(world) as outside, AsyncExitStack() as daemons:
        process = await daemons.enter_async_context(daemon(world))
        await world.watching()
        await all_fails(world, "GET")
        log = await ended(process)
        for faults in (world.x.faults, world.mastodon.faults):
            assert len(faults.pending) <= len(FAULTS) - 2, "too little failed to prove anything"
            faults.clear()
        # A process of its own asks a server at once that was out of order.
        process = await daemons.enter_async_context(daemon(world))
        await until(lambda: b"From Mastodon, before" in outside.broker(), 60)
        await all_fails(world, "POST")
        proc = Path(f"/proc/{process.pid}")
        shown_to_all = proc.joinpath("cmdline").read_bytes() + proc.joinpath("environ").read_bytes()
        await asyncio.sleep(2)
        told = await outside.places()
        log += await ended(process)
        told["mqtt"] = outside.broker()
    history = await world.twinpost("history", "--json")
    status = await world.twinpost("status", "--json")

    assert b"reading" in log, "nothing failed, so nothing was proven"
    for place, sign in {
        "pages": b"From Mastodon, before",
        "metrics": b"twinpost_posts_total",
    }.items():
        assert sign in told[place], f"{place} said nothing, so nothing was proven"
    assert b"From Mastodon, before" in told["mqtt"]
    said = {
        "log": log,
        "process_list": shown_to_all,
        "history": (history.out + history.err).encode(),
        "status": (status.out + status.err).encode(),
        **told,
        **kept(world.folder / "state"),
    }
    assert_nowhere(canaries(world), **said)
    # Where a notice goes is known to nobody but whoever gets it.
    del said["notices"]
    assert_nowhere((SURFACE_SECRETS["topic"], SURFACE_SECRETS["hook"]), **said)


@pytest.fixture
async def parrot() -> AsyncIterator[str]:
    """A server that quotes the whole request in every answer, always an error."""
    statuses = [401, 403, 400, 422, 500, 503, 404, 429]

    async def quote(request: web.Request) -> web.Response:
        said = f"{request.method} {request.path_qs} {dict(request.headers)} {await request.text()}"
        body = {"error": said, "detail": said, "title": said, "errors": [{"message": said}]}
        status = statuses[0]
        statuses.append(statuses.pop(0))
        return web.json_response(body, status=status, reason="".join(said.split("\n"))[:500])

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", quote)
    async with serve(app) as url:
        yield url


@pytest.mark.timeout(60)
async def test_promise_6_servers_that_quote_tokens_at_us_are_not_repeated(
    world: World, parrot: str
) -> None:
    await world.twinpost("once")
    text = world.config.read_text(encoding="utf-8")
    for url in (world.mastodon_url, world.x_url):
        text = text.replace(url, parrot)
    world.config.write_text(text, encoding="utf-8")
    ended = [await world.twinpost("once", "--verbose") for _ in range(8)]
    ended += [await world.twinpost("preview", "1")]

    assert any("40" in each.err for each in ended)
    assert_nowhere(
        canaries(world),
        said="".join(each.out + each.err for each in ended).encode(),
        **kept(world.folder / "state"),
    )


@asynccontextmanager
async def refusing_writes(url: str) -> AsyncIterator[str]:
    """The network behind `url`, but whatever is to be written is refused, and quoted as a whole."""

    async def answer(request: web.Request) -> web.Response:
        body = await request.read()
        if request.method == "POST":
            said = f"{request.method} {request.path_qs} {dict(request.headers)} {body.decode()}"
            kind = "https://api.x.com/2/problems/invalid-request"
            problem = {"title": said, "detail": said, "type": kind}
            return web.json_response(problem, status=422)
        where = url + request.path_qs
        async with (
            # As it came, its host included: that is signed.
            aiohttp.ClientSession(auto_decompress=False) as session,
            session.get(where, headers=request.headers) as found,
        ):
            given = {"Content-Type": found.headers.get("Content-Type", "text/plain")}
            return web.Response(body=await found.read(), status=found.status, headers=given)

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", answer)
    async with serve(app) as served:
        yield served


@pytest.mark.timeout(120)
async def test_promise_6_no_surface_repeats_what_a_server_quotes_at_us(world: World) -> None:
    with_secrets_in_files(world)
    await world.twinpost("once")
    async with (
        refusing_writes(world.x_url) as refusing,
        every_surface(world) as outside,
    ):
        text = world.config.read_text(encoding="utf-8").replace(world.x_url, refusing)
        world.config.write_text(text, encoding="utf-8")
        world.mastodon.write(world.mastodon_account, "Will be quoted")
        async with daemon(world) as process:
            # The owner is told of it by every way, one of which fails now and then.
            await until(lambda: len(outside.notices) > 1 and (world.folder / "told").exists(), 60)
            told = await outside.places()
            log = await ended(process)

    program = (world.folder / "told").read_bytes()
    for place in (log, told["pages"], told["mqtt"], program):
        assert b"HTTP 422" in place, "nothing was quoted, so nothing was proven"
    assert b"PATH=" in program, "its environment was written down"
    told["notices"] = told["notices"].replace(SURFACE_SECRETS["topic"].encode(), b"")
    secrets = (*canaries(world), SURFACE_SECRETS["topic"], SURFACE_SECRETS["hook"])
    assert_nowhere(secrets, log=log, program=program, **told, **kept(world.folder / "state"))


async def test_a_faulty_configuration_is_reported_without_its_secrets(world: World) -> None:
    text = world.config.read_text(encoding="utf-8").replace("every: 1s", "every: often")
    world.config.write_text(text, encoding="utf-8")
    ended = await world.twinpost("check-config")

    assert ended.code == 2
    assert_nowhere(canaries(world), said=(ended.out + ended.err).encode())
    assert "often" in json.dumps(ended.err)
