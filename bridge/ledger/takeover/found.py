"""What is found in another tool's memory: pairs of posts, and what could not be read.

Values only.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from urllib.parse import urlsplit

from bridge.core.model import BridgeName, Direction, Network, PostId, Route
from bridge.core.record import Mirror, Pair

LONGEST_ID = 100


@dataclass(frozen=True, slots=True)
class Known:
    """A post on Mastodon and one on X that are post and mirror.

    `written_on` is where the post was written, None where the tool does not remember. Either id is
    None where the tool has dealt with the other one without saying as what. `at` is when the tool
    made the mirror, or read the post. `server` is the Mastodon server's host, where it is told.
    """

    mastodon: str | None
    x: str | None
    written_on: Network | None = None
    at: datetime | None = None
    server: str | None = None


@dataclass(slots=True)
class Found:
    """All that a file told.

    `unread` names places that could not be read; `others` counts entries that are no pairs: those
    of other networks, and those that the tool had skipped.
    """

    pairs: list[Known] = field(default_factory=list)
    unread: list[str] = field(default_factory=list)
    others: int = 0


def identifier(value: object) -> str | None:
    """An id as text; None for what cannot be one (nothing, zero, a float, a truth)."""
    if isinstance(value, bool) or not isinstance(value, str | int):
        return None
    text = str(value).strip()
    return text if text and text != "0" and text.isprintable() and len(text) <= LONGEST_ID else None


def x_identifier(value: object) -> str | None:
    """An id of X, which is a number."""
    text = identifier(value)
    return text if text is not None and text.isascii() and text.isdigit() else None


def moment(value: object) -> datetime | None:
    """A time as databases write it, UTC where it names no zone; None for what is none."""
    if not isinstance(value, str):
        return None
    try:
        at = datetime.fromisoformat(value.strip())
    except ValueError:
        return None
    return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)


def host(address: str) -> str:
    """``mastodon.example`` of an address, or of a host with or without a path."""
    try:
        return (
            urlsplit(address if "://" in address else f"https://{address}").hostname or ""
        ).lower()
    except ValueError:
        return ""


def as_pair(bridge: BridgeName, known: Known) -> Pair:
    """The same in the ledger's terms. Where it was written matters not, since it never changes."""
    mastodon, x = (
        None if one is None else Mirror(PostId(one)) for one in (known.mastodon, known.x)
    )
    written_on = known.written_on or (Network.X if mastodon is None else Network.MASTODON)
    outward = written_on is Network.MASTODON
    post, mirror = (mastodon, x) if outward else (x, mastodon)
    if post is None:
        raise ValueError("a post that nothing is known of")
    way = Direction.MASTODON_TO_X if outward else Direction.X_TO_MASTODON
    return Pair(Route(bridge, way), post, mirror, known.at)
