"""Home Assistant finds every bridge: payloads held to its published rules, and said again at birth.

The rules are those of its pages on MQTT discovery and its integrations: required and allowed keys,
abbreviations, classes with their units and state classes, ids and topics.
"""

import asyncio
import json
import re
from typing import Any

import pytest

from bridge.core.model import Direction
from bridge.surfaces.mqtt.homeassistant import discovery
from bridge.surfaces.mqtt.topics import Topics
from tests.fixtures.brokers import Broker, listening
from tests.surfaces.test_mqtt import STATE, STATUS, bridge, broker, told

__all__ = ["bridge", "broker"]

ENTITY = {
    "p", "unique_id", "default_entity_id", "name", "icon", "entity_category", "qos", "encoding",
    "availability", "availability_topic", "availability_mode", "payload_available",
    "payload_not_available", "enabled_by_default", "json_attributes_topic",
    "json_attributes_template",
}  # fmt: skip
ALLOWED = {
    "sensor": ENTITY | {
        "state_topic", "value_template", "device_class", "state_class", "unit_of_measurement",
        "suggested_display_precision", "last_reset_value_template", "expire_after", "options",
        "force_update",
    },
    "binary_sensor": ENTITY | {
        "state_topic", "value_template", "device_class", "payload_on", "payload_off",
        "expire_after", "off_delay", "force_update",
    },
    "button": ENTITY | {
        "command_topic", "command_template", "payload_press", "retain", "device_class",
    },
}  # fmt: skip
REQUIRED = {"sensor": "state_topic", "binary_sensor": "state_topic", "button": "command_topic"}
ROOT = {
    "dev", "o", "cmps", "availability", "availability_topic", "availability_mode",
    "payload_available", "payload_not_available", "state_topic", "command_topic", "qos",
    "encoding", "~",
}  # fmt: skip
DEVICE = {"ids", "cns", "name", "mf", "mdl", "mdl_id", "sw", "hw", "sn", "sa", "cu", "via_device"}
TOPIC = re.compile(r"homeassistant/device/(?:[a-zA-Z0-9_-]+/)?[a-zA-Z0-9_-]+/config")
UNITS = {"monetary": r"[A-Z]{3}", "timestamp": None}


def check(topic: str, payload: dict[str, Any]) -> None:
    """Raise `AssertionError` for whatever Home Assistant would refuse."""
    assert TOPIC.fullmatch(topic)
    assert payload.keys() <= ROOT
    assert payload["dev"].keys() <= DEVICE
    assert payload["dev"].get("ids") or payload["dev"].get("cns")
    assert payload["o"]["name"]
    assert payload["o"].keys() <= {"name", "sw", "url"}
    assert payload["o"].get("url", "https://").startswith(("https://", "http://"))
    assert payload["qos"] in {0, 1, 2}
    assert_topic(payload["availability_topic"])
    assert payload["cmps"]
    ids = [each["unique_id"] for each in payload["cmps"].values()]
    entities = [each["default_entity_id"] for each in payload["cmps"].values()]
    assert len(set(ids)) == len(ids)
    assert len(set(entities)) == len(entities)
    for component in payload["cmps"].values():
        check_component(component)


def check_component(component: dict[str, Any]) -> None:
    platform = component["p"]
    assert component.keys() <= ALLOWED[platform], component.keys() - ALLOWED[platform]
    assert component["unique_id"]
    # Dropped with 2026.4 in favour of the default.
    assert "object_id" not in component
    assert re.fullmatch(rf"{platform}\.[a-z0-9_]+", component["default_entity_id"])
    assert_topic(component[REQUIRED[platform]])
    if platform != "button":
        assert component.get("entity_category") in {None, "diagnostic"}
    kind = component.get("device_class")
    if platform == "binary_sensor":
        assert kind in {"connectivity", "problem"}
    if platform == "sensor":
        check_sensor(component, kind)
    for name, value in component.items():
        if name.endswith("template"):
            assert value.count("{{") == value.count("}}") == 1


def check_sensor(component: dict[str, Any], kind: str | None) -> None:
    state, unit = component.get("state_class"), component.get("unit_of_measurement")
    assert kind in {None, "timestamp", "monetary"}
    assert state in {None, "measurement", "total", "total_increasing"}
    if kind == "timestamp":
        assert state is None
        assert unit is None
    if kind == "monetary":
        assert state in {None, "total"}
        assert re.fullmatch(r"[A-Z]{3}", unit or "")
    if "last_reset_value_template" in component:
        assert state == "total"


def assert_topic(topic: str) -> None:
    assert 0 < len(topic.encode()) <= 65_535
    assert not set(topic) & set("+#\x00")


@pytest.mark.parametrize("buttons", [True, False])
@pytest.mark.parametrize("name", ["personal", "a-b_c", "Ünïcode/+#", "x" * 300])
@pytest.mark.parametrize("directions", [tuple(Direction), (Direction.X_TO_MASTODON,)])
def test_a_bridge_is_described_by_the_rules(
    name: str, directions: tuple[Direction, ...], *, buttons: bool
) -> None:
    topic, payload = discovery(
        Topics("twinpost"), "homeassistant", name, directions, version="1", buttons=buttons
    )
    check(topic, json.loads(json.dumps(payload)))
    kinds = [each["p"] for each in payload["cmps"].values()]  # type: ignore[attr-defined]
    assert kinds.count("binary_sensor") == 2 * len(directions)
    assert kinds.count("sensor") == 4
    assert kinds.count("button") == (3 if buttons else 0)


@pytest.mark.parametrize(
    "fault",
    [
        {"object_id": "old"},
        {"unique_id": ""},
        {"default_entity_id": "Sensor.Held"},
        {"entity_category": "config"},
        {"device_class": "money"},
        {"state_topic": "a/#"},
        {"unknown": 1},
    ],
    ids=str,
)
def test_the_rules_themselves_refuse_what_is_wrong(fault: dict[str, Any]) -> None:
    _, payload = discovery(
        Topics("twinpost"), "homeassistant", "a", tuple(Direction), version="1", buttons=True
    )
    made = json.loads(json.dumps(payload))
    check_component(made["cmps"]["held"])
    with pytest.raises(AssertionError):
        check_component(made["cmps"]["held"] | fault)


async def test_it_is_announced_retained_and_again_when_home_assistant_starts(
    bridge: Any, broker: Broker
) -> None:
    config = "homeassistant/device/twinpost_personal/config"
    async with told(bridge, broker, commands=True):
        async with listening(broker) as early:
            await early.until(STATE)
        async with listening(broker) as ear:
            first = (await ear.until(config))[0]
            await ear.until(STATE)
            check(config, json.loads(first))
            assert (config, first, True) in ear.heard
            await ear.client.publish("homeassistant/status", "online", qos=0)
            await ear.until(config, 2)
            await ear.until(STATE, 2)
            await ear.until(STATUS, 2)


async def test_the_templates_find_their_values_in_the_state(bridge: Any, broker: Broker) -> None:
    jinja2 = pytest.importorskip("jinja2")
    environment = jinja2.Environment(undefined=jinja2.StrictUndefined, autoescape=False)
    async with listening(broker) as ear, told(bridge, broker):
        await ear.until(STATE)
        state = json.loads(ear.of(STATE)[-1])
        payload = json.loads(ear.of("homeassistant/device/twinpost_personal/config")[-1])
    rendered = {
        name: environment.from_string(component["value_template"]).render(value_json=state)
        for name, component in payload["cmps"].items()
        if "value_template" in component
    }
    assert rendered["mastodon_to_x_connectivity"] == "ON"
    assert rendered["mastodon_to_x_problem"] == "OFF"
    assert rendered["held"] == "0"


async def test_whoever_does_not_use_home_assistant_is_told_nothing_there(
    bridge: Any, broker: Broker
) -> None:
    async with listening(broker) as ear, told(bridge, broker, home_assistant=None):
        await ear.until(STATE)
        await asyncio.sleep(0.05)
    assert not any(topic.startswith("homeassistant/") for topic, _, _ in ear.heard)
