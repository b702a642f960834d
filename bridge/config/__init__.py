"""Configuration: a YAML file becomes frozen settings, or an error that names file, line and key.

The keys are a contract with everybody who has written a file; `keys` declares them once, and the
reader, the JSON Schema and the documentation's tests all follow that declaration.
"""

from bridge.config.load import load, locate
from bridge.config.settings import (
    BridgeSettings,
    MastodonSettings,
    MastodonToX,
    OAuth1,
    OAuth2,
    Settings,
    XSettings,
    XToMastodon,
)

__all__ = [
    "BridgeSettings",
    "MastodonSettings",
    "MastodonToX",
    "OAuth1",
    "OAuth2",
    "Settings",
    "XSettings",
    "XToMastodon",
    "load",
    "locate",
]
