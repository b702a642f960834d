"""What a network can carry, as data: the composer asks this table and nothing else.

Filled by the adapters from the instance or the account. Must not hold behaviour or defaults that
depend on which network it is; a limit that a server does not state is the adapter's to assume.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from bridge.core.model import Network
from bridge.core.prices import PriceTable

Counting = Literal["x", "mastodon", "gotosocial", "pleroma", "unknown"]
"""By which rule a server counts a text; see `bridge.core.lengths`."""


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What one account on one server can be sent.

    `max_length` is in the units of `counting`. `reads_per_quarter` is how often a timeline may be
    read in a quarter of an hour. `spoiler` says that a content warning has a field
    of its own. `prices` is None where nothing is charged.
    """

    network: Network
    counting: Counting
    max_length: int
    max_media: int = 4
    max_alt_length: int = 1500
    spoiler: bool = False
    language: bool = False
    prices: PriceTable | None = None
    reads_per_quarter: int = 300
