"""What may be asked from the broker: pause, resume and sync-now, of one bridge or a direction.

Anybody who may write to the broker can ask: so nothing that spends money by itself, nothing that
decides about a post, and nothing that was kept there from another day. Must not do anything itself.
"""

from __future__ import annotations

import json

from bridge.core.model import Direction

ALLOWED = frozenset({"pause", "resume", "sync-now"})
LARGEST = 1024
"""Bytes."""


class Unheard(Exception):
    """A message that is not obeyed; the words say why, and never quote it."""


def order(payload: bytes, *, retained: bool, bridge: str) -> dict[str, str | None]:
    """What `Commands.obey` takes for a message. Raises `Unheard`.

    A message is one of the words, or an object: ``{"do": "pause", "direction": "x_to_mastodon"}``.
    """
    if retained:
        raise Unheard("it was retained, and would be obeyed again at every connecting")
    if len(payload) > LARGEST:
        raise Unheard(f"it is longer than {LARGEST} bytes")
    try:
        text = payload.decode().strip()
        asked = json.loads(text) if text.startswith("{") else {"do": text}
    except (ValueError, RecursionError):
        raise Unheard("it is neither a word nor JSON") from None
    if not isinstance(asked, dict) or not asked.keys() <= {"do", "direction"}:
        raise Unheard("it has more than `do` and `direction`")
    if asked.get("do") not in tuple(ALLOWED):
        raise Unheard(f"it is none of {', '.join(sorted(ALLOWED))}")
    direction = asked.get("direction")
    if direction is not None and direction not in tuple(Direction):
        raise Unheard("there is no such direction")
    return {"do": asked["do"], "bridge": bridge, "direction": direction}
