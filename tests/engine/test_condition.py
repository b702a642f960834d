"""One word for a direction, the same one wherever its figures are the same."""

from dataclasses import replace
from datetime import UTC, datetime
from itertools import combinations
from typing import Any

import pytest

from bridge.core.model import Microdollars
from bridge.engine.condition import WORDS, Condition, by_figures
from bridge.engine.control import status_row
from bridge.ports import RouteStatus
from tests.engine.conftest import OUT

QUIET = RouteStatus(
    OUT, None, datetime(2026, 11, 22, tzinfo=UTC), None, 0, 0, 0, 0, 7, Microdollars(0)
)
MADE_BY: dict[Condition, dict[str, Any]] = {
    Condition.NEEDS_OWNER: {"held": 1},
    Condition.OVER_BUDGET: {"waiting_for_money": 1},
    Condition.IN_DOUBT: {"in_doubt": 1},
    Condition.SENDING: {"planned": 1},
    Condition.NEVER_READ: {"last_read_at": None},
    Condition.UP_TO_DATE: {},
}


@pytest.mark.parametrize(
    "both",
    list(combinations([each for each in Condition if each in MADE_BY], 2)),
    ids=" over ".join,
)
def test_of_two_that_hold_the_upper_one_is_said_everywhere(
    both: tuple[Condition, Condition],
) -> None:
    first, second = both
    figures = replace(QUIET, **MADE_BY[first], **MADE_BY[second])
    assert by_figures(figures) is first
    assert status_row(figures)["state"] == WORDS[first]


def test_what_failed_needs_its_owner_as_what_is_held_does() -> None:
    assert by_figures(replace(QUIET, failed=1)) is Condition.NEEDS_OWNER


def test_there_are_words_for_every_condition() -> None:
    assert set(WORDS) == set(Condition)
