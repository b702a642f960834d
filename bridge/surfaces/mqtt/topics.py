"""The names of topics. Whatever a name holds, it is one level, and no wildcard.

<prefix>/status              online or offline, retained; the will of the connection
<prefix>/<bridge>/event      what happened
<prefix>/<bridge>/state      how the bridge is, retained
<prefix>/<bridge>/command    what may be asked, where that is allowed
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from urllib.parse import quote

_LONGEST_LEVEL = 200
_OUTSIDE_IDS = re.compile(r"[^A-Za-z0-9_-]")


@dataclass(frozen=True, slots=True)
class Topics:
    """All topics below `prefix`."""

    prefix: str

    @property
    def status(self) -> str:
        """Whether the daemon is there."""
        return f"{self.prefix}/status"

    def event(self, bridge: str) -> str:
        """What happened on a bridge."""
        return f"{self.prefix}/{level(bridge)}/event"

    def state(self, bridge: str) -> str:
        """How a bridge is."""
        return f"{self.prefix}/{level(bridge)}/state"

    def command(self, bridge: str) -> str:
        """What may be asked of a bridge."""
        return f"{self.prefix}/{level(bridge)}/command"


def level(name: str) -> str:
    """`name` as one level: everything but ASCII letters, digits and ``_.-~`` is percent-encoded."""
    return quote(name[:_LONGEST_LEVEL], safe="", errors="replace") or "_"


def identifier(name: str) -> str:
    """`name` as Home Assistant takes ids; different names never get the same one."""
    plain = _OUTSIDE_IDS.sub("_", name)[:_LONGEST_LEVEL]
    if plain == name and plain:
        return plain
    return f"{plain}_{hashlib.sha256(name.encode('utf-8', 'replace')).hexdigest()[:8]}"
