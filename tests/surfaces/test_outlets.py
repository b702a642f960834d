"""The daemon imports nothing of a surface that nobody asked for, and does what was asked for."""

import asyncio
import json
import sys
from pathlib import Path

import aiohttp
import pytest

from tests.fixtures.brokers import free_port
from tests.fixtures.world import TWINPOST, World

_WITHOUT = """\
import sys
from importlib.abc import MetaPathFinder

BARRED = ("aiomqtt", "paho", "prometheus_client", "jinja2", "amqtt")

class Barred(MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in BARRED:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)

sys.meta_path.insert(0, Barred())
from bridge.__main__ import main
import bridge.cli.running as running

ended = running._ended
def told(code):
    known = [n for n in sys.modules if n.split(".")[0] in BARRED or n.startswith(
        ("bridge.surfaces.mqtt", "bridge.surfaces.metrics", "bridge.surfaces.notices",
         "bridge.surfaces.web", "smtplib"))]
    print("IMPORTED", known, flush=True)
    ended(code)
running._ended = told
sys.exit(main())
"""


async def test_without_extras_or_settings_the_daemon_runs_and_imports_none_of_it(
    world: World,
) -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", _WITHOUT, "run", "--config", str(world.config),
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE, cwd=world.folder,
    )  # fmt: skip
    await world.watching()
    process.terminate()
    out, err = await asyncio.wait_for(process.communicate(), 20)
    assert process.returncode == 0, err.decode()
    assert "IMPORTED []" in out.decode()


@pytest.mark.parametrize(
    ("section", "extra"),
    [("mqtt: {host: 127.0.0.1}\n", "mqtt"), ("metrics: {enabled: true}\n", "metrics")],
)
async def test_what_is_asked_for_and_not_installed_is_named_with_its_extra(
    world: World, section: str, extra: str
) -> None:
    with world.config.open("a", encoding="utf-8") as file:
        file.write(section)
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", _WITHOUT, "run", "--config", str(world.config),
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE, cwd=world.folder,
    )  # fmt: skip
    _, err = await asyncio.wait_for(process.communicate(), 20)
    assert process.returncode == 2
    assert f'pip install "twinpost[{extra}]"' in err.decode()


async def test_a_daemon_with_everything_on_mirrors_counts_tells_and_ends_in_time(
    world: World, tmp_path: Path
) -> None:
    port, told = free_port(), tmp_path / "told"
    with world.config.open("a", encoding="utf-8") as file:
        file.write(
            # Nobody is at the broker's port.
            f"mqtt: {{host: 127.0.0.1, port: {free_port()}}}\n"
            f'metrics: {{enabled: true, listen: "127.0.0.1:{port}"}}\n'
            f"notices: {{command: [/bin/sh, -c, 'cat > {told}']}}\n"
            "log: {format: json}\n"
        )
    process = await asyncio.create_subprocess_exec(
        *TWINPOST, "run", "--config", str(world.config),
        stderr=asyncio.subprocess.PIPE, cwd=world.folder,
    )  # fmt: skip
    await world.watching()
    world.mastodon.write(world.mastodon_account, "Hello")
    mirrored = 'twinpost_posts_total{bridge="personal",direction="mastodon_to_x",'
    page = ""
    async with asyncio.timeout(20), aiohttp.ClientSession() as session:
        while mirrored not in page:
            await asyncio.sleep(0.1)
            async with session.get(f"http://127.0.0.1:{port}/metrics") as response:
                page = await response.text()
    process.terminate()
    async with asyncio.timeout(9):
        _, err = await process.communicate()
    assert process.returncode == 0
    rows = [json.loads(line) for line in err.decode().splitlines()]
    assert any("no connection" in row["message"] for row in rows)
    assert any(row.get("bridge") == "personal" for row in rows)
