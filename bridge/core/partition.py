"""Choosing cuts among borders: few parts first, then the kindest and most even ones.

Arithmetic over prefix sums; linear in the number of borders, since only the best few candidates
of each cut are weighed against each other. Must not know text, networks or numbering.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

EVENNESS = 32.0
"""Cost of a part that misses the mean by the whole room; half of the room costs 8."""

SHORT_TAIL = 500.0
LINK_PART = 10_000.0
NO_ELLIPSIS = 3.0

_CANDIDATES = 28
_SHORT_TAIL_SHARE = 0.15

Room = Callable[[int], int]
"""How long the part of a given number, counted from 1, may be."""


@dataclass(frozen=True, slots=True)
class Stretch:
    """A text as numbers, one entry a piece; all lengths in the units of one counter.

    The part from piece `a` to piece `b` is ``ends[b] - starts[a]`` long. `places` are like `ends`,
    without the walls that keep some neighbours apart. `costs` are those of a cut behind a piece,
    `mark` tells the length of the ellipsis that such a cut asks for. `links` counts the links up to
    each piece, or is empty where they cost nothing. `short` tells whether too few words stand
    behind a piece to make a part of their own.
    """

    starts: Sequence[int]
    ends: Sequence[int]
    places: Sequence[int]
    costs: Sequence[int]
    mark: Callable[[int], int]
    links: Sequence[int]
    short: Callable[[int], bool]

    def has_link(self, first: int, last: int) -> bool:
        """Whether there is a link in the part from one piece to another."""
        before = self.links[first - 1] if first else 0
        return bool(self.links) and self.links[last] > before


def furthest(stretch: Stretch, room: Room) -> list[int]:
    """The last pieces of the fewest parts, each as long as possible; each piece fits alone."""
    cuts: list[int] = []
    first, count = 0, len(stretch.ends)
    while first < count:
        limit = stretch.starts[first] + room(len(cuts) + 1)
        last = max(bisect_right(stretch.ends, limit, lo=first) - 1, first)
        cuts.append(last)
        first = last + 1
    return cuts


def without_torn_sentences(stretch: Stretch, room: Room, dear: int) -> int:
    """How many parts there are at least if no cut costs `dear` or more where a cheaper one will do.

    Like `furthest` it never grows with the room: what fits no part begins one of its own.
    """
    count = len(stretch.ends)
    cheap: list[int] = []
    latest = -1
    for border, cost in enumerate(stretch.costs):
        if cost < dear:
            latest = border
        cheap.append(latest)
    parts = first = 0
    while first < count:
        parts += 1
        limit = stretch.starts[first] + room(parts)
        last = max(bisect_right(stretch.ends, limit, lo=first) - 1, first)
        first = (cheap[last] if first <= cheap[last] and last < count - 1 else last) + 1
    return parts


def kindest(stretch: Stretch, room: Room, latest: Sequence[int], parts: int) -> list[int]:
    """The last pieces of exactly `parts` parts with the least sum of costs.

    `latest` is what `furthest` found for the same room; `parts` may be larger.
    """
    earliest = _earliest(stretch, room, parts)
    final = len(stretch.ends) - 1
    mean = stretch.places[final] / parts
    layers: list[list[int]] = []
    for number in range(1, parts):
        low = max(earliest[number - 1], number - 1)
        high = final - (parts - number)
        if number <= len(latest):
            high = min(high, latest[number - 1])
        layers.append(_candidates(stretch, low, max(low, high), mean * number, room(number)))
    layers.append([final])
    return _cheapest_path(stretch, room, layers, mean)


def link_parts(stretch: Stretch, cuts: Sequence[int]) -> int:
    """How many parts of a choice have a link."""
    if not stretch.links:
        return 0
    firsts = (0, *(cut + 1 for cut in cuts))
    return sum(stretch.has_link(first, last) for first, last in zip(firsts, cuts, strict=False))


def _earliest(stretch: Stretch, room: Room, parts: int) -> list[int]:
    """The first border at which each part may end so that all later ones still fit."""
    found = [0] * parts
    last = len(stretch.ends) - 1
    for number in range(parts, 0, -1):
        found[number - 1] = last
        if last < 0:
            continue
        first = bisect_left(stretch.starts, stretch.ends[last] - room(number), hi=last)
        last = first - 1
    return found


def _candidates(stretch: Stretch, low: int, high: int, ideal: float, room: int) -> list[int]:
    """The borders between two that are worth weighing, the extremes among them."""
    if high - low < _CANDIDATES:
        return list(range(low, high + 1))
    costs = stretch.costs[low : high + 1]
    uneven = [EVENNESS * ((place - ideal) / room) ** 2 for place in stretch.places[low : high + 1]]
    chosen = {low, high}
    for weight in (1, 4):
        keys = [weight * cost + u for cost, u in zip(costs, uneven, strict=True)]
        chosen.update(low + index for index in _least(keys, _CANDIDATES // 2))
    if stretch.links:
        linked = [
            k for k in range(max(low, 1), high + 1) if stretch.links[k] > stretch.links[k - 1]
        ]
        for piece in (linked[0], linked[-1]) if linked else ():
            chosen.update({max(low, piece - 1), piece})
        chosen.update(_beside_links(stretch, linked, ideal, room))
    return sorted(chosen)


def _beside_links(
    stretch: Stretch, linked: Sequence[int], ideal: float, room: int
) -> Iterator[int]:
    """Borders right before and right after some of the links, from which links are gathered."""
    costs, places = stretch.costs, stretch.places
    around = [border for piece in linked for border in (piece - 1, piece)]
    keys = [costs[k] + EVENNESS * ((places[k] - ideal) / room) ** 2 for k in around]
    return (around[index] for index in _least(keys, 8))


def _least(keys: Sequence[float], count: int) -> list[int]:
    """The places of the least keys, the earlier one first where two are equal."""
    return sorted(range(len(keys)), key=keys.__getitem__)[:count]


def _cheapest_path(
    stretch: Stretch, room: Room, layers: Sequence[Sequence[int]], mean: float
) -> list[int]:
    """Dynamic programming over the candidates of each cut."""
    reached = [(-1, 0.0)]
    back: list[dict[int, int]] = []
    for number, layer in enumerate(layers, start=1):
        now: list[tuple[int, float]] = []
        came: dict[int, int] = {}
        for border in layer:
            found = _cheapest_way(
                stretch, reached, border, room(number), mean, tail=number == len(layers)
            )
            if found is not None:
                came[border], cost = found
                now.append((border, cost + stretch.costs[border]))
        reached = now
        back.append(came)
    cuts = [layers[-1][-1]]
    for came in reversed(back[1:]):
        cuts.append(came[cuts[-1]])
    return cuts[::-1]


def _cheapest_way(
    stretch: Stretch,
    reached: Sequence[tuple[int, float]],
    border: int,
    limit: int,
    mean: float,
    *,
    tail: bool,
) -> tuple[int, float] | None:
    """From which of the cuts reached so far the part up to `border` comes cheapest, if from any."""
    starts, end = stretch.starts, stretch.ends[border]
    marked = limit - stretch.mark(border)
    best: tuple[int, float] | None = None
    least = float("inf")
    for before, cost_before in reached:
        if before >= border:
            break
        length = end - starts[before + 1]
        cost = cost_before + EVENNESS * ((length - mean) / limit) ** 2
        if length > limit or cost >= least:
            continue
        if length > marked:
            cost += NO_ELLIPSIS
        if stretch.links and stretch.has_link(before + 1, border):
            cost += LINK_PART
        if tail and length < _SHORT_TAIL_SHARE * limit and stretch.short(before):
            cost += SHORT_TAIL
        if cost < least:
            least, best = cost, (before, cost)
    return best
