"""A post as it would stand on the other network: ordered parts, their price, what was changed.

Values only; `bridge.core.compose` makes them, the ledger keeps them, adapters render them.
"""

from __future__ import annotations

from dataclasses import dataclass

from bridge.core.model import Media, Microdollars, Visibility


@dataclass(frozen=True, slots=True)
class DraftPart:
    """One post to be created. `index` counts from 0; the next part replies to this one.

    `text` is final: fitted, defused and numbered; an adapter sends it as it stands.
    `price` is what creating it will cost, uploads included.
    """

    index: int
    text: str
    price: Microdollars
    spoiler: str = ""
    sensitive: bool = False
    language: str | None = None
    visibility: Visibility = Visibility.PUBLIC
    media: tuple[Media, ...] = ()


@dataclass(frozen=True, slots=True)
class Draft:
    """All parts of one mirror, at least one, and a sentence for everything changed or left out."""

    parts: tuple[DraftPart, ...]
    notes: tuple[str, ...] = ()

    @property
    def price(self) -> Microdollars:
        """What sending all parts will cost."""
        return Microdollars(sum(part.price for part in self.parts))
