"""A post as it would stand on the other network: ordered parts, their price, what was changed.

Values only; `bridge.core.compose` makes them, the ledger keeps them, adapters render them.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from bridge.core.model import MediaId, MediaKind, Microdollars, PostId, Visibility


@dataclass(frozen=True, slots=True)
class DraftMedia:
    """One medium to be attached. `id` is the source's, `kind` what it is to be over there.

    `url` is the file to fetch, chosen among all there are; `still` is a picture that may stand for
    it where the file proves to be more than the network takes, None where it is then left out.
    `alt` is final: fitted, or empty.
    """

    id: MediaId
    kind: MediaKind
    url: str
    alt: str = ""
    still: str | None = None


@dataclass(frozen=True, slots=True)
class DraftPoll:
    """A poll to be made, for the time that is left until `ends_at` (aware UTC) when it is sent.

    `otherwise` is the text of the part, fitted, that says the same in words: for a poll that has
    too little time left by then.
    """

    options: tuple[str, ...]
    ends_at: datetime
    multiple: bool
    otherwise: str


@dataclass(frozen=True, slots=True)
class DraftPart:
    """One post to be created. `index` counts from 0; the next part replies to this one.

    `text` is final: fitted, defused and numbered; an adapter sends it as it stands.
    `price` is what creating it will cost, uploads included. `quote` is a post of the target network
    to be quoted natively. `repeat` is one to be boosted: then nothing else is said.
    """

    index: int
    text: str
    price: Microdollars
    spoiler: str = ""
    sensitive: bool = False
    language: str | None = None
    visibility: Visibility = Visibility.PUBLIC
    media: tuple[DraftMedia, ...] = ()
    poll: DraftPoll | None = None
    quote: PostId | None = None
    repeat: PostId | None = None


@dataclass(frozen=True, slots=True)
class LinkPrices:
    """What one post costs under each choice of what becomes of its links."""

    keep: Microdollars
    defuse: Microdollars
    drop: Microdollars


@dataclass(frozen=True, slots=True)
class Draft:
    """All parts of one mirror, at least one, and a sentence for everything changed or left out.

    `links` is what it would cost under each choice, None where there is nothing to choose.
    """

    parts: tuple[DraftPart, ...]
    notes: tuple[str, ...] = ()
    links: LinkPrices | None = None

    @property
    def price(self) -> Microdollars:
        """What sending all parts will cost."""
        return Microdollars(sum(part.price for part in self.parts))
