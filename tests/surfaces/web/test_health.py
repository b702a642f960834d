"""What machines ask: whether the loop lives, and whether the bridge can do its work."""

import sys
import time
from dataclasses import replace
from datetime import UTC, datetime
from subprocess import run

import aiohttp
import pytest

from bridge.app.outlets import Outlets
from bridge.config import load
from bridge.core.errors import ConfigError, LedgerFull, Throttled, Transient, Unauthorised, Unpaid
from bridge.engine.gate import Gate
from bridge.surfaces.web import health
from tests.fixtures.world import World
from tests.surfaces.web.stage import Served, configured, served


async def asked(site: Served, path: str, host: str = "10.1.2.3:8430") -> tuple[int, str]:
    async with (
        aiohttp.ClientSession() as client,
        client.get(site.url + path, headers={"Host": host}) as answer,
    ):
        return answer.status, await answer.text()


async def test_all_is_well_for_whoever_asks_by_whatever_name(world: World) -> None:
    async with served(world, password="correct horse battery") as site:
        assert await asked(site, "/healthz") == (200, "ok\n")
        assert await asked(site, "/readyz", host="probe.internal") == (200, "ok\n")


async def test_a_loop_that_shows_no_life_is_dead_until_it_does(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with served(world) as site:
        monkeypatch.setattr(health, "STALE", -1.0)
        assert (await asked(site, "/healthz"))[0] == 503
        monkeypatch.setattr(health, "STALE", 30.0)
        site.page.alive()
        assert (await asked(site, "/healthz"))[0] == 200


async def test_a_ledger_that_takes_no_write_is_not_ready(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with served(world) as site:
        writes = 0

        async def full(_: object) -> None:
            nonlocal writes
            writes += 1
            raise LedgerFull("the disk is full")

        monkeypatch.setattr(site.ledger, "renew", full)
        for _ in range(5):
            assert await asked(site, "/readyz") == (503, "the ledger cannot be written\n")
        assert writes == 1, "however often it is asked"


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (Transient("no route to host", unreachable=True), 503),
        (Throttled("HTTP 429"), 200),
        (Unauthorised("HTTP 401"), 200),
        (Transient("HTTP 500"), 200),
    ],
)
async def test_a_network_that_says_no_is_in_reach_and_one_that_is_silent_is_not(
    world: World, error: Transient | Throttled | Unauthorised, status: int
) -> None:
    async with served(world) as site:
        lane = site.daemon.lanes[0]
        gate = lane._sending
        assert isinstance(gate, Gate)
        gate.failed(error)
        found, text = await asked(site, "/readyz")
        assert found == status
        assert ("X cannot be reached" in text) is (status == 503)
        lane.paused = True
        assert (await asked(site, "/readyz"))[0] == 200, "its owner wants it so"


async def test_the_page_says_what_a_direction_waits_for(world: World) -> None:
    async with served(world) as site, aiohttp.ClientSession() as client:
        out, back = site.daemon.lanes
        out._sending.failed(Throttled("HTTP 429: too many"))
        back._reading.failed(Unauthorised("HTTP 401: <b>revoked</b>"))
        async with client.get(site.url) as answer:
            text = await answer.text()
        assert "rate limit" in text
        assert "Needs you: sign in to X again" in text
        assert "twinpost login x --bridge personal" in text
        assert "HTTP 401: &lt;b&gt;revoked" in text


async def test_a_wish_for_money_is_shown_as_one_with_the_console_and_no_login(world: World) -> None:
    async with served(world) as site, aiohttp.ClientSession() as client:
        _, back = site.daemon.lanes
        until = datetime(2099, 1, 1, tzinfo=UTC)
        back._reading.failed(Unpaid("HTTP 403: the spend cap is reached", until=until))
        async with client.get(site.url) as answer:
            english = await answer.text()
        async with client.get(site.url, headers={"Accept-Language": "ar"}) as answer:
            arabic = await answer.text()
    assert "Needs you: X wants money or another plan" in english
    assert "in the developer console of X" in english
    assert "2099-01-01" in english
    assert "twinpost login" not in english
    assert "ارفع سقف الإنفاق" in arabic


def test_nothing_of_it_is_imported_where_it_is_off(world: World) -> None:
    settings = load(world.config)
    assert Outlets(settings).page is None
    program = (
        "import sys, bridge.__main__, bridge.app.outlets, bridge.cli.running, bridge.cli.demo\n"
        "extra = ('jinja2', 'markupsafe', 'bridge.surfaces.web.')\n"
        "print([name for name in sys.modules if name.startswith(extra)])"
    )
    said = run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout
    assert said == "[]\n"


def test_without_the_extra_it_says_what_to_install(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = configured(world)
    for name in [name for name in sys.modules if name.startswith("bridge.surfaces.web.")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "jinja2", None)
    with pytest.raises(ConfigError, match=r"pip install .twinpost\[web\]"):
        Outlets(replace(settings))


async def test_a_daemon_serves_it_and_its_command_line_says_where(world: World) -> None:
    configured(world)
    process = await world.start("run")
    assert process.stderr is not None
    begun = time.monotonic()
    line = b""
    while b"the web page is at http://127.0.0.1:" not in line and time.monotonic() < begun + 20:
        line = await process.stderr.readline()
    url = line.decode().split(" at ")[1].strip()
    async with aiohttp.ClientSession() as client, client.get(f"{url}readyz") as answer:
        assert answer.status == 200
    process.terminate()
    await process.communicate()
    assert process.returncode == 0
