"""What a network can carry, as data: the composer asks this table and nothing else.

Filled by the adapters from the instance or the account. Must not hold behaviour or defaults that
depend on which network it is; a limit that a server does not state is the adapter's to assume.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Literal

from bridge.core.model import Network, Visibility
from bridge.core.prices import PriceTable

Counting = Literal["x", "mastodon", "gotosocial", "pleroma", "unknown"]
"""By which rule a server counts a text; see `bridge.core.lengths`."""


@dataclass(frozen=True, slots=True)
class FileLimits:
    """What one kind of medium may be. `types` are MIME types; empty where the kind is not taken.

    Sizes in bytes and pixels (width times height), lengths in milliseconds; None where the network
    states no bound.
    """

    types: frozenset[str] = frozenset()
    max_bytes: int | None = None
    max_pixels: int | None = None
    max_width: int | None = None
    max_height: int | None = None
    max_ms: int | None = None


@dataclass(frozen=True, slots=True)
class MediaLimits:
    """What may be attached. `animation` is for a soundless loop sent as an animated image."""

    image: FileLimits = FileLimits()
    animation: FileLimits = FileLimits()
    video: FileLimits = FileLimits()
    audio: FileLimits = FileLimits()


@dataclass(frozen=True, slots=True)
class PollLimits:
    """What a poll may be. Option lengths are in code points for X and graphemes for Mastodon."""

    max_options: int
    max_option_length: int
    shortest: timedelta
    longest: timedelta
    multiple: bool = False
    with_media: bool = False


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What one account on one server can be sent.

    `max_length` is in the units of `counting`, of which a link is `link_length` where that does not
    count it in full. `max_media` is for pictures; a video, an animation
    or an audio file stands alone. `polls` is None where there are none. `quotes` says that an own
    post can be quoted natively, without media or poll beside it. `edit_within` is how long after
    its creation a post can be edited: None for not at all. `free_edits` says that editing costs
    nothing and may be repeated at will. `reads_per_quarter` is how often a timeline may be
    read in a quarter of an hour. `spoiler` says that a content warning has a field
    of its own, `refuses_repeats` that a text which is published already is refused. `prices` is
    None where nothing is charged. `default_visibility` is what the account itself is set to post
    as; None where the server does not tell, or has no such thing.
    """

    network: Network
    counting: Counting
    max_length: int
    link_length: int = 23
    max_media: int = 4
    max_alt_length: int = 1500
    spoiler: bool = False
    language: bool = False
    prices: PriceTable | None = None
    reads_per_quarter: int = 300
    media: MediaLimits = field(default_factory=MediaLimits)
    polls: PollLimits | None = None
    quotes: bool = False
    edit_within: timedelta | None = None
    free_edits: bool = False
    default_visibility: Visibility | None = None
    refuses_repeats: bool = False


FOREVER = timedelta.max
"""For `edit_within`: a post can always be edited."""
