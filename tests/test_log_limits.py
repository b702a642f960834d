"""The log stays small whatever is provoked from outside, and says what it leaves out."""

import io
import logging
import random
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from bridge import log
from bridge.core.events import RouteResumed
from bridge.core.model import BridgeName, Direction, Route
from bridge.log import LINES_A_WINDOW, LOG_WINDOW

logger = logging.getLogger("bridge.flooded")


class Stage:
    """A clock, and the lines that were written since they were last taken."""

    def __init__(self) -> None:
        self.now = 1000.0
        self._stream = io.StringIO()
        self.handler = logging.StreamHandler(self._stream)
        self.handler.addFilter(log.Bounded(lambda: self.now))

    def lines(self) -> list[str]:
        written = self._stream.getvalue().splitlines()
        self._stream.seek(0)
        self._stream.truncate()
        return written


@pytest.fixture
def stage() -> Iterator[Stage]:
    made = Stage()
    logger.addHandler(made.handler)
    logger.propagate = False
    yield made
    logger.propagate = True
    logger.removeHandler(made.handler)


def warn(number: int) -> None:
    logger.warning("somebody from %d", number)


def test_a_flood_of_one_cause_is_cut_and_hides_no_other(stage: Stage) -> None:
    for number in range(5_000):
        warn(number)
        if number % 1_000 == 999:
            logger.warning("something else")
    lines = stage.lines()
    assert lines.count("something else") == 5
    assert len(lines) == LINES_A_WINDOW + 5
    assert "somebody from 29 (more like this are left out for a minute)" in lines


def test_a_text_that_differs_makes_no_cause_of_its_own(stage: Stage) -> None:
    chance = random.Random(7)
    for _ in range(500):
        # As libraries do.
        logger.error(f"refused {chance.random()}")  # noqa: G004
    assert len(stage.lines()) == LINES_A_WINDOW


def test_what_was_left_out_is_counted_in_the_next_line(stage: Stage) -> None:
    for number in range(100):
        warn(number)
    stage.lines()
    stage.now += LOG_WINDOW
    warn(100)
    warn(101)
    assert stage.lines() == [
        "somebody from 100 (70 more like this were left out before)",
        "somebody from 101",
    ]
    stage.now += LOG_WINDOW
    warn(102)
    assert stage.lines() == ["somebody from 102"]


def test_events_are_all_written(stage: Stage) -> None:
    event = RouteResumed(
        datetime(2026, 1, 1, tzinfo=UTC), Route(BridgeName("a"), Direction.X_TO_MASTODON)
    )
    for _ in range(200):
        logger.warning("%s", log.sentence(event), extra={"event": event})
    assert len(stage.lines()) == 200


def test_the_daemons_own_log_is_bounded() -> None:
    stream = io.StringIO()
    before = logging.root.handlers[:]
    try:
        log.configure(stream=stream)
        for number in range(2_000):
            try:
                raise OSError(24, f"Too many open files: {number}")
            except OSError:
                logging.getLogger("asyncio").exception("socket.accept() out of system resource")
        assert len(stream.getvalue()) < 50_000
    finally:
        logging.root.handlers[:] = before
