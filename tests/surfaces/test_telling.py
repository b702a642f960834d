"""Everything that is told outside, end to end: `twinpost demo --mqtt` as a process of its own."""

import asyncio
import re
import signal
import sys
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp
import pytest
import yaml
from prometheus_client.parser import text_string_to_metric_families

pytestmark = pytest.mark.timeout(90)

_AT_ONCE = """\
import sys
from datetime import timedelta
from bridge.surfaces.notices import surface

surface.GRACE, surface.SETTLE, surface.LOOK_EVERY = timedelta(0), 0.1, 0.5
from bridge.__main__ import main
sys.exit(main())
"""
"""What has to last for minutes before it is told is told at once, so that nobody waits for it."""

WAYS = ("webhook", "ntfy (twinpost-demo)", "e-mail to you@demo.example", "command")


@dataclass
class Demo:
    """A demo, and every line that it has printed."""

    process: asyncio.subprocess.Process
    folder: Path
    lines: list[str] = field(default_factory=list)

    async def read(self) -> None:
        """Take in what it prints."""
        assert self.process.stdout is not None
        while line := await self.process.stdout.readline():
            self.lines.append(line.decode())

    async def says(self, pattern: str) -> re.Match[str]:
        """Wait for a line in which `pattern` is found."""
        end = asyncio.get_running_loop().time() + 30
        while asyncio.get_running_loop().time() < end:
            for line in self.lines:
                if found := re.search(pattern, line):
                    return found
            await asyncio.sleep(0.02)
        raise AssertionError(f"nothing like {pattern} in:\n{''.join(self.lines[-12:])}")

    async def is_told(self, words: str) -> None:
        """Wait until a notice of these words has come by every way."""
        for way in WAYS:
            await self.says(rf"^NOTICE by {re.escape(way)}: .*{words}")

    def network(self, name: str) -> dict[str, str]:
        """What the demo's own configuration says of a network."""
        (bridge,) = yaml.safe_load((self.folder / "config.yaml").read_text())["bridges"]
        found: dict[str, str] = bridge[name]
        return found


@pytest.fixture
async def demo(tmp_path: Path) -> AsyncIterator[Demo]:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", _AT_ONCE, "demo", "--mqtt", "--headless", "--port", "0",
        "--state", str(tmp_path),
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL, limit=1 << 20,
    )  # fmt: skip
    made = Demo(process, tmp_path)
    reading = asyncio.create_task(made.read())
    try:
        yield made
    finally:
        if process.returncode is None:
            process.send_signal(signal.SIGINT)
        await asyncio.wait_for(process.wait(), 15)
        await reading


async def posted(url: str, **body: object) -> None:
    async with aiohttp.ClientSession() as session, session.post(url, json=body) as answer:
        assert answer.status < 300, await answer.text()


def value(page: str, name: str, labels: Mapping[str, str]) -> float:
    """The sum of the samples of a name that have these labels."""
    return sum(
        sample.value
        for family in text_string_to_metric_families(page)
        for sample in family.samples
        if sample.name == name and labels.items() <= sample.labels.items()
    )


async def test_the_demo_shows_mqtt_home_assistant_metrics_and_every_way_of_a_notice(
    demo: Demo,
) -> None:
    await demo.says(r"^MQTT homeassistant/device/twinpost_demo/config \{.dev.: .*_connectivity")
    await demo.says(r"^MQTT twinpost/status online")
    await demo.says(r'^MQTT twinpost/demo/event \{"event": "mirrored".*mastodon_to_x')
    await demo.says(r'^MQTT twinpost/demo/event \{"event": "skipped".*audience')
    await demo.says(r'^MQTT twinpost/demo/event \{"event": "held".*too-dear')
    await demo.says(r'^MQTT twinpost/demo/event \{"event": "budget"')
    await demo.says(r'^MQTT twinpost/demo/state \{.*"condition": "needs-owner"')
    await demo.is_told("a post needs you")
    await demo.is_told(r"of this month's \$0\.20 is spent")

    address = (await demo.says(r"^Metrics: (http://127\.0\.0\.1:\d+/metrics)"))[1]
    async with aiohttp.ClientSession() as session, session.get(address) as answer:
        page = await answer.text()
    for network in ("mastodon", "x"):
        ours = {"bridge": "demo", "network": network}
        for operation in ("account", "read", "write"):
            called = ours | {"operation": operation, "result": "ok"}
            assert value(page, "twinpost_api_requests_total", called) >= 1, called
        left = value(page, "twinpost_rate_limit_remaining", ours | {"operation": "write"})
        allowed = value(page, "twinpost_rate_limit_limit", ours | {"operation": "write"})
        assert 0 < left < allowed
    reads = {"operation": "write", "network": "x", "span": "window"}
    assert value(page, "twinpost_rate_limit_limit", reads) == 100
    assert value(page, "twinpost_rate_limit_reset_timestamp_seconds", reads) > 0
    streams = {"bridge": "demo", "network": "mastodon"}
    assert value(page, "twinpost_stream_connected", streams) == 1
    assert value(page, "twinpost_parts", {"state": "held"}) == 1


async def test_the_demo_tells_of_money_logins_and_a_budget_that_is_used_up(demo: Demo) -> None:
    await demo.is_told("a post needs you")
    x, mastodon = demo.network("x"), demo.network("mastodon")

    # Ten short posts cost more than is left of the month that the demo allows itself.
    for number in range(12):
        words = {"username": "ada", "text": f"One of many, number {number}"}
        await posted(f"{mastodon['url']}/sandbox/write", **words)
    await demo.is_told("this month's budget is used up")
    await demo.says(r'^MQTT twinpost/demo/event \{"event": "budget".*wait')

    await posted(f"{x['url']}/sandbox/credit", spend_cap_reset="2099-01-01")
    await demo.says(r'^MQTT twinpost/demo/event \{"event": "paused".*spend cap')
    await demo.is_told(r"X wants money, or another plan: .*spend cap")
    await posted(f"{x['url']}/sandbox/credit", spend_cap_reset=None)

    fault = {"name": "refuse-then-401", "path": "/api/", "times": None}
    await posted(f"{mastodon['url']}/sandbox/faults", **fault)
    await posted(f"{mastodon['url']}/sandbox/write", username="ada", text="Who is there?")
    await demo.is_told(r"Mastodon does not let the bridge in")
