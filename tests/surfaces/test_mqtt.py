"""A real broker hears what happens; a dead, silent or hostile one delays nothing."""

import asyncio
import contextlib
import json
import logging
import ssl
import subprocess
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import aiomqtt
import pytest

from bridge.config.surface_settings import MqttSettings
from bridge.core.errors import Unpaid
from bridge.core.events import RoutePaused
from bridge.core.secret import Secret
from bridge.net.session import trusting
from bridge.surfaces.mqtt import surface as surface_module
from bridge.surfaces.mqtt.surface import MOST_WAITING, MqttSurface, Outside
from tests.fixtures.brokers import MOSQUITTO, Broker, Ear, listening, running
from tests.fixtures.world import until
from tests.surfaces.stage import HOME, OUT, ROUTES, Bridge, bridged

pytestmark = pytest.mark.timeout(60)
EVENT, STATE = "twinpost/personal/event", "twinpost/personal/state"
COMMAND, STATUS = "twinpost/personal/command", "twinpost/status"
needs_mosquitto = pytest.mark.skipif(
    MOSQUITTO is None, reason="Mosquitto is not on the path, and amqtt has no such thing"
)


@pytest.fixture(params=["mosquitto", "amqtt"])
async def broker(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Broker]:
    if request.param == "mosquitto" and MOSQUITTO is None:
        pytest.skip("Mosquitto is not on the path")
    async with running(Broker(tmp_path, request.param)) as made:
        yield made


@pytest.fixture
async def mosquitto(tmp_path: Path) -> AsyncIterator[Broker]:
    async with running(Broker(tmp_path, "mosquitto")) as made:
        yield made


@pytest.fixture
async def bridge(tmp_path: Path) -> AsyncIterator[Bridge]:
    (tmp_path / "state").mkdir()
    async with bridged(tmp_path / "state") as made:
        yield made


@asynccontextmanager
async def told(
    bridge: Bridge, broker: Broker, context: ssl.SSLContext | None = None, **settings: Any
) -> AsyncIterator[MqttSurface]:
    """The surface at work on `broker`."""
    surface = MqttSurface(
        MqttSettings("127.0.0.1", broker.port, **settings),
        ROUTES,
        version="1.2.3",
        tls=context,
        jitter=lambda: 0.0,
    )
    bridge.listeners.append(surface.hear)
    async with surface.at_work(Outside(bridge.control, bridge.commands, bridge.look)):
        yield surface


def rows(payloads: list[str]) -> list[dict[str, Any]]:
    return [json.loads(payload) for payload in payloads]


def open_files() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


async def ran(words: list[object], **_: object) -> None:
    process = await asyncio.create_subprocess_exec(
        *map(str, words), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    assert await process.wait() == 0


async def heard_event(ear: Ear, kind: str) -> dict[str, Any]:
    async with asyncio.timeout(15):
        while True:
            for row in rows(ear.of(EVENT)):
                if row["event"] == kind:
                    return row
            await asyncio.sleep(0.01)


async def state_in_which(ear: Ear, **wanted: object) -> dict[str, Any]:
    async with asyncio.timeout(15):
        while True:
            for row in rows(ear.of(STATE))[-1:]:
                if wanted.items() <= row.items():
                    return row
            await asyncio.sleep(0.01)


async def test_a_mirrored_post_is_heard_and_the_state_follows(
    bridge: Bridge, broker: Broker
) -> None:
    async with listening(broker) as ear, told(bridge, broker):
        await ear.until(STATUS)
        bridge.mastodon.write("A secret word: xylophone")
        await bridge.passes()
        row = await heard_event(ear, "mirrored")
        state = await state_in_which(ear, posts_today=1)

    assert (row["bridge"], row["direction"]) == ("personal", "mastodon_to_x")
    assert len(row["mirrors"]) == 1
    assert row["mirrors"][0]["id"]
    assert row["cost_usd"] == 0.015
    assert state["spent_month_usd"] >= 0.015
    assert state["directions"]["mastodon_to_x"]["condition"] == "up-to-date"
    assert not any("xylophone" in payload for _, payload, _ in ear.heard)


async def test_a_wish_for_money_is_a_problem_of_its_own_with_its_end(
    bridge: Bridge, broker: Broker
) -> None:
    until = bridge.clock.now().replace(microsecond=0) + timedelta(days=9)
    async with listening(broker) as ear, told(bridge, broker):
        await ear.until(STATUS)
        bridge.refuse_reading(Unpaid("HTTP 403: the spend cap is reached", until=until), 9)
        await bridge.passes()
        row = await heard_event(ear, "paused")
        found: dict[str, Any] = {}
        while not found or found["condition"] == "up-to-date":
            state = await state_in_which(ear, bridge="personal")
            found = state["directions"]["x_to_mastodon"]
            await asyncio.sleep(0.01)
    assert "spend cap" in row["detail"]
    assert (found["condition"], found["problem"], found["waits_for"]) == ("unpaid", True, "x")
    assert found["until"] == f"{until:%Y-%m-%dT%H:%M:%SZ}"
    assert "spend cap" in found["detail"]


async def test_the_text_of_a_mirror_is_said_where_that_is_asked_for(
    bridge: Bridge, broker: Broker
) -> None:
    async with listening(broker) as ear, told(bridge, broker, include_text=True):
        await ear.until(STATUS)
        bridge.mastodon.write("Hello over there")
        await bridge.passes()
        assert (await heard_event(ear, "mirrored"))["text"] == ["Hello over there"]


async def test_a_post_that_needs_its_owner_is_heard_and_shown(
    bridge: Bridge, broker: Broker
) -> None:
    async with listening(broker) as ear, told(bridge, broker):
        await ear.until(STATUS)
        await bridge.fail_one()
        assert "422" in (await heard_event(ear, "failed"))["detail"]
        state = await state_in_which(ear, held=1)
    assert state["directions"]["mastodon_to_x"]["problem"] is True
    assert state["directions"]["x_to_mastodon"]["problem"] is False


async def test_who_comes_later_learns_how_things_stand(bridge: Bridge, broker: Broker) -> None:
    async with told(bridge, broker):
        async with listening(broker) as first:
            await first.until(STATE)
        async with listening(broker) as later:
            await later.until(STATE)
            await later.until(STATUS)
            assert ("online", True) in {(p, r) for t, p, r in later.heard if t == STATUS}
            assert all(retained for topic, _, retained in later.heard if topic == STATE)
            assert not later.of(EVENT)


async def test_who_goes_says_so(bridge: Bridge, broker: Broker) -> None:
    async with listening(broker) as ear:
        async with told(bridge, broker):
            await ear.until(STATUS)
        await ear.until(STATUS, 2)
        assert ear.of(STATUS) == ["online", "offline"]


@needs_mosquitto
async def test_for_who_dies_the_broker_says_so(bridge: Bridge, mosquitto: Broker) -> None:
    async with listening(mosquitto) as ear, told(bridge, mosquitto, version="5"):
        await ear.until(STATUS)
        # Another client by the same name: the broker cuts the first one off, as a broken line does.
        name = "twinpost-personal"
        with contextlib.suppress(aiomqtt.MqttError):
            async with aiomqtt.Client("127.0.0.1", mosquitto.port, identifier=name):
                await ear.until(STATUS, 2)
    assert ear.of(STATUS)[:2] == ["online", "offline"]


@needs_mosquitto
async def test_version_5_is_spoken_too(bridge: Bridge, mosquitto: Broker) -> None:
    async with (
        listening(mosquitto, protocol=aiomqtt.ProtocolVersion.V5) as ear,
        told(bridge, mosquitto, version="5", commands=True),
    ):
        await ear.until(STATE)
        await ear.client.publish(COMMAND, b"x" * 1_000_000, qos=0)
        await ear.client.publish(COMMAND, "pause", qos=1)
        assert await heard_event(ear, "paused")
    assert ear.of(STATUS) == ["online"] or ear.of(STATUS) == ["online", "offline"]


async def test_a_broker_that_comes_back_is_told_what_happened_meanwhile(
    bridge: Bridge, broker: Broker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(surface_module, "FIRST_WAIT", 0.05)
    await broker.stop()
    async with told(bridge, broker):
        bridge.mastodon.write("Nobody listens yet")
        await bridge.passes()
        await broker.start()
        async with listening(broker) as ear:
            await ear.until(STATE)
            # Events are not retained: whoever wants to hear this one has to be there first.
            for wait in ("FIRST_WAIT", "LONGEST_WAIT"):
                monkeypatch.setattr(surface_module, wait, 2.0)
            await broker.stop()
        bridge.mastodon.write("Nobody listens again")
        await bridge.passes()
        await broker.start()
        async with listening(broker) as ear:
            assert len((await heard_event(ear, "mirrored"))["mirrors"]) == 1


async def test_a_broker_that_is_gone_is_said_once_and_once_when_it_is_back(
    bridge: Bridge,
    broker: Broker,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(surface_module, "FIRST_WAIT", 0.01)
    monkeypatch.setattr(surface_module, "LONGEST_WAIT", 0.01)
    caplog.set_level(logging.INFO)
    away = f"no connection to 127.0.0.1:{broker.port}"

    def said() -> list[str]:
        lines = [r.message for r in caplog.records if r.name == "bridge.surfaces.mqtt.surface"]
        return ["away" if away in line else "back" for line in lines]

    await broker.stop()
    async with told(bridge, broker):
        await until(lambda: said() == ["away"])
        await asyncio.sleep(0.3)
        await broker.start()
        await until(lambda: len(said()) > 1)
        assert said() == ["away", "back"]


async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while await reader.read(1024):
            pass
    finally:
        writer.close()


@pytest.mark.parametrize("tls", [False, True])
async def test_a_silent_broker_delays_neither_a_post_nor_the_end(
    bridge: Bridge, tmp_path: Path, *, tls: bool
) -> None:
    server = await asyncio.start_server(silent, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    context = ssl.create_default_context() if tls else None
    began = time.monotonic()
    async with told(bridge, Broker(tmp_path, "none", port), context=context):
        await asyncio.sleep(0.1)
        bridge.mastodon.write("On its way all the same")
        await bridge.passes()
        assert len(bridge.x.published) == 1
        ending = time.monotonic()
    assert time.monotonic() - ending < 3
    assert time.monotonic() - began < 8
    # Nothing is left in a thread that the loop would wait for.
    began = time.monotonic()
    await asyncio.get_running_loop().shutdown_default_executor()
    assert time.monotonic() - began < 1
    server.close()


async def test_a_broker_that_does_not_answer_is_tried_again_and_leaves_nothing_open(
    bridge: Bridge, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from bridge.surfaces.mqtt import connection

    monkeypatch.setattr(connection, "PATIENCE", 0.05)
    monkeypatch.setattr(surface_module, "FIRST_WAIT", 0.01)
    monkeypatch.setattr(surface_module, "LONGEST_WAIT", 0.01)
    met: list[int] = []

    async def counted(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        met.append(1)
        await silent(reader, writer)

    server = await asyncio.start_server(counted, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with told(bridge, Broker(tmp_path, "none", port)):
        await until(lambda: len(met) > 6)
        few = open_files()
        await until(lambda: len(met) > 40)
        assert open_files() < few + 8
    server.close()


async def test_what_nobody_takes_is_dropped_oldest_first_and_counted(bridge: Bridge) -> None:
    surface = MqttSurface(MqttSettings("127.0.0.1", 1), ROUTES, version="1", jitter=lambda: 0.0)
    began = time.monotonic()
    for number in range(MOST_WAITING + 5):
        surface.hear(RoutePaused(bridge.clock.now(), OUT, None, str(number)))
    assert time.monotonic() - began < 1
    assert surface.dropped == 5
    assert [getattr(event, "detail", "") for event in surface._events][:2] == ["5", "6"]


async def test_orders_are_not_taken_unless_that_is_switched_on(
    bridge: Bridge, broker: Broker
) -> None:
    async with listening(broker) as ear, told(bridge, broker):
        await ear.until(STATE)
        await ear.client.publish(COMMAND, "pause", qos=1)
        await ear.until(COMMAND)
        await asyncio.sleep(0.1)
    assert not any(lane.paused for lane in bridge.daemon.lanes)


async def test_a_bridge_is_paused_and_goes_on_by_order(bridge: Bridge, broker: Broker) -> None:
    async with listening(broker) as ear, told(bridge, broker, commands=True):
        await ear.until(STATE)
        await ear.client.publish(COMMAND, "pause", qos=1)
        assert (await heard_event(ear, "paused"))["detail"]
        assert await bridge.ledger.paused_since(HOME) is not None
        await ear.client.publish(COMMAND, '{"do": "resume", "direction": "x_to_mastodon"}', qos=1)
        assert (await heard_event(ear, "resumed"))["direction"] == "x_to_mastodon"
        assert await bridge.ledger.paused_since(HOME) is None
        assert await bridge.ledger.paused_since(OUT) is not None


async def test_s16_what_is_retained_too_long_or_unknown_is_ignored_and_logged(
    bridge: Bridge, broker: Broker, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "bridge")
    async with listening(broker) as ear:
        await ear.client.publish(COMMAND, "pause", qos=1, retain=True)
        async with told(bridge, broker, commands=True):
            await ear.until(STATE)
            await ear.client.publish(COMMAND, b"pause" * 1000, qos=1)
            await ear.client.publish(COMMAND, "selfdestruct canary", qos=1)
            await ear.client.publish(COMMAND, "sync-now", qos=1)
            await until(lambda: "reading now" in caplog.text)
    assert not any(lane.paused for lane in bridge.daemon.lanes)
    for why in ("it was retained", "it is longer", "it is none of"):
        assert why in caplog.text
    assert "canary" not in caplog.text


@needs_mosquitto
async def test_the_connection_may_be_encrypted_and_have_a_password(
    bridge: Bridge, tmp_path: Path
) -> None:
    key, cert, passwords = (tmp_path / name for name in ("key.pem", "cert.pem", "passwd"))
    await ran(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2",
         "-keyout", key, "-out", cert, "-subj", "/CN=127.0.0.1",
         "-addext", "subjectAltName=IP:127.0.0.1"])  # fmt: skip
    await ran(["mosquitto_passwd", "-b", "-c", passwords, "me", "canary-password"])
    key.chmod(0o644)
    passwords.chmod(0o644)
    options = (
        f"cafile {cert}\ncertfile {cert}\nkeyfile {key}\n"
        f"allow_anonymous false\npassword_file {passwords}\nuser root\n"
    )
    broker = Broker(tmp_path, "mosquitto", options=options)
    trusted = trusting(cert)
    named = {"username": "me", "password": "canary-password", "tls_context": trusted}
    settings: dict[str, Any] = {
        "tls": True,
        "username": "me",
        "password": Secret("canary-password"),
    }
    async with running(broker), listening(broker, **named) as ear:
        async with told(bridge, broker, context=trusted, **settings):
            await ear.until(STATE)
        assert not any("canary" in payload for _, payload, _ in ear.heard)


@needs_mosquitto
async def test_a_wrong_password_is_said_once_and_without_it(
    bridge: Bridge,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(surface_module, "FIRST_WAIT", 0.02)
    monkeypatch.setattr(surface_module, "LONGEST_WAIT", 0.02)
    caplog.set_level(logging.DEBUG)
    broker = Broker(tmp_path, "mosquitto", options="allow_anonymous false\n")
    given: dict[str, Any] = {"username": "me", "password": Secret("canary-password")}
    async with running(broker), told(bridge, broker, **given):
        await until(lambda: "no connection" in caplog.text)
        await asyncio.sleep(0.5)
    assert caplog.text.count("no connection") == 1
    assert "canary" not in caplog.text
