"""Which bridge of a configuration a command means."""

from __future__ import annotations

from bridge.config import BridgeSettings, Settings
from bridge.core.errors import ConfigError


def chosen(settings: Settings, name: str | None) -> BridgeSettings:
    """The bridge of that name; without one, the only bridge there is. Raises `ConfigError`."""
    names = ", ".join(bridge.name for bridge in settings.bridges)
    if name is None and len(settings.bridges) > 1:
        raise ConfigError(f"there are several bridges; say which with --bridge: {names}")
    found = [bridge for bridge in settings.bridges if name in {None, bridge.name}]
    if not found:
        raise ConfigError(f"there is no bridge {name}; known: {names}")
    return found[0]
