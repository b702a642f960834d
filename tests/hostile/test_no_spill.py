"""S10, promise 6: no token appears where it does not belong, whatever fails and whoever repeats it.

A whole run with everything logged: against the sandboxes with every kind of failure, and against
servers that quote each request they get, headers and all, in their errors.
"""

import asyncio
import json
import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from aiohttp import web

from bridge.sandbox.faults import Fault
from bridge.sandbox.server import serve
from tests.fixtures.world import TWINPOST, World

FAULTS = (
    "refuse-then-401", "refuse-then-403", "refuse-then-html", "refuse-then-500", "accept-then-500",
    "accept-then-reset", "accept-then-truncated", "refuse-then-429", "refuse-then-422",
)  # fmt: skip


def canaries(world: World) -> tuple[str, ...]:
    """Every secret of the configuration."""
    keys = world.x_account.oauth1
    return (
        world.mastodon_account.access_token,
        keys.consumer_secret,
        keys.access_token,
        keys.access_token_secret,
        keys.consumer_key,
    )


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


@pytest.mark.timeout(90)
async def test_promise_6_a_run_in_which_everything_fails_spills_no_token(world: World) -> None:
    with_secrets_in_files(world)
    await world.twinpost("once")
    process = await asyncio.create_subprocess_exec(
        *TWINPOST, "run", "--verbose", "--config", str(world.config),
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE, cwd=world.folder,
        env=os.environ | {"PYTHONASYNCIODEBUG": "1", "PYTHONDEVMODE": "1"},
    )  # fmt: skip
    for name in FAULTS:
        world.x.faults.add(Fault(name, seconds=1))
        world.mastodon.faults.add(Fault(name, seconds=1))
        world.mastodon.write(world.mastodon_account, f"From Mastodon, before {name}")
        world.x.write(world.x_account, f"From X, before {name}")
        await asyncio.sleep(0.4)
    proc = Path(f"/proc/{process.pid}")
    shown_to_all = proc.joinpath("cmdline").read_bytes() + proc.joinpath("environ").read_bytes()
    await asyncio.sleep(2)
    process.terminate()
    out, err = await asyncio.wait_for(process.communicate(), 30)
    history = await world.twinpost("history", "--json")
    status = await world.twinpost("status", "--json")

    assert b"reading" in err, "nothing failed, so nothing was proven"
    assert_nowhere(
        canaries(world),
        log=out + err,
        process_list=shown_to_all,
        history=(history.out + history.err).encode(),
        status=(status.out + status.err).encode(),
        **kept(world.folder / "state"),
    )


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


async def test_a_faulty_configuration_is_reported_without_its_secrets(world: World) -> None:
    text = world.config.read_text(encoding="utf-8").replace("every: 1s", "every: often")
    world.config.write_text(text, encoding="utf-8")
    ended = await world.twinpost("check-config")

    assert ended.code == 2
    assert_nowhere(canaries(world), said=(ended.out + ended.err).encode())
    assert "often" in json.dumps(ended.err)
