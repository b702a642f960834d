"""The last days as a drawing of the server's: bars in their places, labels for those who listen.

Pure geometry and dates; colours and words are the page's.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

from bridge.core.listing import DayFigures
from bridge.core.model import Direction, Microdollars
from bridge.core.prices import FREE

DAYS: Final = 30
HEIGHT: Final = 96
STEP: Final = 12
WIDTH: Final = DAYS * STEP
_GAP: Final = 3
_LEAST: Final = 2


@dataclass(frozen=True, slots=True)
class Bar:
    """One direction of one day, in the drawing's own units."""

    direction: Direction
    x: int
    y: float
    height: float


@dataclass(frozen=True, slots=True)
class Day:
    """One day: how many posts were sent each way, and what all of it cost."""

    day: date
    sent: dict[Direction, int]
    spent: Microdollars
    bars: tuple[Bar, ...] = ()

    @property
    def total(self) -> int:
        """Posts sent, both ways."""
        return sum(self.sent.values())


@dataclass(frozen=True, slots=True)
class Chart:
    """The drawing: `DAYS` days, the last one today; `highest` is the tallest day's posts."""

    days: tuple[Day, ...]
    highest: int

    @property
    def total(self) -> int:
        """Posts sent in all of it."""
        return sum(day.total for day in self.days)


def since(today: date) -> date:
    """The first day that is shown."""
    return today - timedelta(days=DAYS - 1)


def chart(figures: Sequence[DayFigures], today: date) -> Chart:
    """The drawing of these figures; days without any are there, too."""
    first = since(today)
    sent: dict[date, dict[Direction, int]] = {}
    spent: dict[date, int] = {}
    for figure in figures:
        ways = sent.setdefault(figure.day, {})
        way = figure.route.direction
        ways[way] = ways.get(way, 0) + figure.sent
        spent[figure.day] = spent.get(figure.day, 0) + figure.spent
    dates = [first + timedelta(days=number) for number in range(DAYS)]
    highest = max((sum(sent.get(day, {}).values()) for day in dates), default=0)
    return Chart(
        tuple(
            Day(
                day,
                {way: sent.get(day, {}).get(way, 0) for way in Direction},
                Microdollars(spent.get(day, FREE)),
                _bars(number, sent.get(day, {}), highest),
            )
            for number, day in enumerate(dates)
        ),
        highest,
    )


def _bars(number: int, sent: dict[Direction, int], highest: int) -> tuple[Bar, ...]:
    bars, ground = [], float(HEIGHT)
    for way in Direction:
        count = sent.get(way, 0)
        if count:
            height = max(_LEAST, round(count / highest * HEIGHT, 1))
            ground = max(0.0, ground - height)
            bars.append(Bar(way, number * STEP, round(ground, 1), height))
    return tuple(bars)


BAR_WIDTH: Final = STEP - _GAP
