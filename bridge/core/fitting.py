"""Fitting what is said to a limit: one text, a thread, or a text cut short, as the owner chose.

Every text is within the limit with its heading and warning. Must not know posts, media or prices.
"""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Set as AbstractSet
from dataclasses import dataclass

from bridge.core.capabilities import Capabilities
from bridge.core.defuse import JOINER
from bridge.core.entities import mastodon_entities, x_entities
from bridge.core.errors import UnfitError
from bridge.core.lengths import mastodon_length, measure_for
from bridge.core.model import Network
from bridge.core.policy import LongText
from bridge.core.seams import mended, mender
from bridge.core.shorten import shortened
from bridge.core.split import split

_ROOM_FOR_JOINERS = (0, 1, 2, 8, 32)
"""How many word joiners are left room for in each part, in case its cuts call for them.

Last of all as many as half a part takes: no text calls for more than one every other character.
"""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is to be fitted. `heading` begins every text, `warning` is charged to each.

    `beside` is said after `body` and is not cut short with it (a poll in words, a quote). `source`
    is the address that stands for what is cut off, empty for none. `known` are the handles, in
    lower case, that may be mentioned.
    """

    body: str
    beside: str = ""
    heading: str = ""
    warning: str = ""
    source: str = ""
    known: AbstractSet[str] = frozenset()

    @property
    def whole(self) -> str:
        """All that is said, without the heading."""
        return "\n\n".join(text for text in (self.body, self.beside) if text)


@dataclass(frozen=True, slots=True)
class Fitted:
    """The texts in order; `cut` says that the last one lacks its end."""

    texts: tuple[str, ...]
    cut: bool = False


def fitted(wanted: Wanted, to: Capabilities, choice: LongText) -> Fitted:
    """`wanted` for the network that `to` describes. Raises `UnfitError` where it cannot be."""
    count = counter(to, wanted.warning)
    limit = to.max_length
    whole = wanted.whole
    if not whole:
        # A warning without text is the text.
        return Fitted(
            tuple(_threads(Wanted(wanted.heading.strip(), known=wanted.known), to, count))
        )
    if count(wanted.heading + whole) <= limit:
        return Fitted((wanted.heading + whole,))
    if choice == "thread":
        return Fitted(tuple(_threads(wanted, to, count)))
    return Fitted((_cut_short(wanted, to, count),), cut=True)


def counter(to: Capabilities, warning: str = "") -> Callable[[str], int]:
    """The counter of one server, a content warning charged to every part."""
    counting = to.counting
    if counting == "x":
        return measure_for("x")
    return lambda text: mastodon_length(text, warning, counting=counting, link=to.link_length)


def cut_to(text: str, to: Capabilities, tail: str, warning: str, known: AbstractSet[str]) -> str:
    """One text of `text`, cut where it must be, and all of `tail`."""
    wanted = Wanted(text, tail, warning=warning, known=known)
    count = counter(to, warning)
    if count(wanted.whole) <= to.max_length:
        return wanted.whole
    return _cut_short(wanted, to, count)


def _added(heading: str, count: Callable[[str], int]) -> int:
    return count(f"{heading}x") - count("x")


def _threads(wanted: Wanted, to: Capabilities, count: Callable[[str], int]) -> list[str]:
    heading, body = wanted.heading, wanted.whole
    limit = to.max_length - _added(heading, count)
    atoms = x_entities if to.network is Network.X else mastodon_entities
    joiner = count(f"x{JOINER}x") - count("xx")
    tries = (*_ROOM_FOR_JOINERS, limit // (2 * joiner))
    enough = 0
    for joiners in tries:
        if joiners < min(enough, tries[-1]):
            continue
        room = limit - joiners * joiner
        texts = split(body, room, count, atoms=atoms, gather_links=to.prices is not None)
        whole = mended(texts, body, to.network, wanted.known) if len(texts) > 1 else texts
        found = [heading + text for text in whole]
        missing = max(map(count, found)) - to.max_length
        if missing <= 0:
            return found
        # As many as it takes if the next cuts call for joiners as often as these do.
        added = joiners * joiner + missing
        enough = added * limit // (joiner * (room + added))
    raise UnfitError(f"no way was found to cut it for a limit of {to.max_length}")


def _cut_short(wanted: Wanted, to: Capabilities, count: Callable[[str], int]) -> str:
    """One text: `body` cut, then what stands beside it and the address of the whole."""
    atoms = x_entities if to.network is Network.X else mastodon_entities
    limit = to.max_length
    body, beside = wanted.body, wanted.beside
    if count(f"{wanted.heading}\n\n{beside}\n\n{wanted.source}") > limit // 2:
        body, beside = wanted.whole, ""
    tail = "".join(f"\n\n{text}" for text in (beside, wanted.source) if text)
    mend = mender(wanted.whole, to.network, wanted.known)
    first = shortened(
        body, limit, lambda text: count(f"{wanted.heading}{mend(text)}{tail}"), atoms=atoms
    )
    found = f"{wanted.heading}{mend(first)}{tail}"
    if count(found) > limit:
        raise UnfitError(f"no way was found to cut it for a limit of {limit}")
    return found
