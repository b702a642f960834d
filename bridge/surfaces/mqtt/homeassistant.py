"""How Home Assistant finds a bridge: one retained message that describes it as a device.

Pure. Follows Home Assistant's device discovery (2024.11 and later) with `default_entity_id`, which
replaced `object_id` in 2026.4.
Source: https://www.home-assistant.io/integrations/mqtt/#device-discovery-payload
"""

from __future__ import annotations

from collections.abc import Sequence

from bridge.core.model import Direction
from bridge.surfaces.mqtt.sayings import JsonObject
from bridge.surfaces.mqtt.topics import Topics, identifier

BUTTONS = (
    ("sync-now", "Sync now", "mdi:sync"),
    ("pause", "Pause", "mdi:pause"),
    ("resume", "Resume", "mdi:play"),
)
"""Payload, name and icon of each button."""


def birth_topic(prefix: str) -> str:
    """Where Home Assistant says that it is there, and wants to be told everything again."""
    return f"{prefix}/status"


def discovery(
    topics: Topics,
    prefix: str,
    bridge: str,
    directions: Sequence[Direction],
    *,
    version: str,
    buttons: bool,
) -> tuple[str, JsonObject]:
    """The topic and the payload that describe `bridge`; `buttons` where commands are taken."""
    device = identifier(f"{topics.prefix}_{bridge}")
    components: JsonObject = {}
    for direction in directions:
        components |= _direction(topics, device, bridge, direction)
    components |= _figures(topics, device, bridge)
    if buttons:
        components |= _buttons(topics, device, bridge)
    payload: JsonObject = {
        "dev": {
            "ids": [device],
            "name": f"twinpost {bridge}",
            "mf": "twinpost",
            "mdl": "Bridge between Mastodon and X",
            "sw": version,
        },
        "o": {"name": "twinpost", "sw": version},
        "cmps": components,
        "availability_topic": topics.status,
        "payload_available": "online",
        "payload_not_available": "offline",
        "qos": 1,
    }
    return f"{prefix}/device/{device}/config", payload


def _direction(topics: Topics, device: str, bridge: str, direction: Direction) -> JsonObject:
    way = f"{direction.source.called} to {direction.target.called}"
    where = f"value_json.directions.{direction.value}"
    return {
        f"{direction.value}_connectivity": _component(
            "binary_sensor",
            device,
            f"{direction.value}_connectivity",
            f"{way} connection",
            {
                "state_topic": topics.state(bridge),
                "value_template": f"{{{{ 'ON' if {where}.connected else 'OFF' }}}}",
                "device_class": "connectivity",
                "entity_category": "diagnostic",
            },
        ),
        f"{direction.value}_problem": _component(
            "binary_sensor",
            device,
            f"{direction.value}_problem",
            f"{way} needs you",
            {
                "state_topic": topics.state(bridge),
                "value_template": f"{{{{ 'ON' if {where}.problem else 'OFF' }}}}",
                "device_class": "problem",
                "json_attributes_topic": topics.state(bridge),
                "json_attributes_template": f"{{{{ {where} | tojson }}}}",
            },
        ),
    }


def _figures(topics: Topics, device: str, bridge: str) -> JsonObject:
    sensors: tuple[tuple[str, str, JsonObject], ...] = (
        (
            "last_mirrored",
            "Last mirrored",
            {
                "value_template": "{{ value_json.last_mirrored_at }}",
                "device_class": "timestamp",
            },
        ),
        (
            "posts_today",
            "Posts today",
            {
                "value_template": "{{ value_json.posts_today }}",
                "state_class": "total_increasing",
                "icon": "mdi:swap-horizontal",
            },
        ),
        (
            "held",
            "Held posts",
            {
                "value_template": "{{ value_json.held }}",
                "state_class": "measurement",
                "icon": "mdi:hand-back-left",
            },
        ),
        (
            "spent_month",
            "Money this month",
            {
                "value_template": "{{ value_json.spent_month_usd }}",
                "device_class": "monetary",
                "state_class": "total",
                "last_reset_value_template": "{{ value_json.month_began_at }}",
                "unit_of_measurement": "USD",
                "suggested_display_precision": 2,
            },
        ),
    )
    return {
        name: _component(
            "sensor", device, name, called, {"state_topic": topics.state(bridge)} | more
        )
        for name, called, more in sensors
    }


def _buttons(topics: Topics, device: str, bridge: str) -> JsonObject:
    return {
        payload.replace("-", "_"): _component(
            "button",
            device,
            payload.replace("-", "_"),
            called,
            {
                "command_topic": topics.command(bridge),
                "payload_press": payload,
                "retain": False,
                "icon": icon,
            },
        )
        for payload, called, icon in BUTTONS
    }


def _component(platform: str, device: str, name: str, called: str, more: JsonObject) -> JsonObject:
    entity = f"{device}_{name}".lower().replace("-", "_")
    return {
        "p": platform,
        "unique_id": f"{device}_{name}",
        "default_entity_id": f"{platform}.{entity}",
        "name": called,
    } | more
