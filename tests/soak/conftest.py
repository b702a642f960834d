"""One table at the end of a run: what each bar of reliability came to."""

import time
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

import pytest

_ROWS: "list[Row]" = []


@dataclass
class Row:
    """The figures of one bar. What is told in `counts` is added up over all tests of that bar."""

    bar: str
    runs: str = ""
    counts: Counter[str] = field(default_factory=Counter)
    lost: int = 0
    double: int = 0
    wider: int = 0
    echoes: int = 0
    note: str = ""
    seconds: float = 0.0
    begun: float = field(default_factory=time.monotonic)


def together(rows: Iterable[Row]) -> list[Row]:
    """One row for all that was counted for a bar, and the others as they are."""
    found: dict[str, Row] = {}
    others: list[Row] = []
    for one in rows:
        if not one.counts:
            others.append(one)
            continue
        total = found.setdefault(one.bar, Row(one.bar))
        total.counts += one.counts
        total.seconds += one.seconds
        total.runs = ", ".join(f"{count} {what}" for what, count in total.counts.items())
    return [*found.values(), *others]


@pytest.fixture
def row(request: pytest.FixtureRequest) -> Iterator[Row]:
    """A row of the table, to be filled by the test; it is printed where the test was a soak."""
    made = Row(bar=request.node.name)
    yield made
    made.seconds = time.monotonic() - made.begun
    if request.node.get_closest_marker("soak"):
        _ROWS.append(made)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print the table."""
    if not _ROWS:
        return
    terminalreporter.section("bars")
    head = f"{'bar':<6}{'runs':<58}{'lost':>6}{'double':>8}{'wider':>7}{'echoes':>8}{'time':>9}"
    terminalreporter.write_line(head)
    # A test that failed early may not have told which bar it is for.
    for one in sorted(together(_ROWS), key=lambda found: (len(found.bar), found.bar)):
        figures = f"{one.lost:>6}{one.double:>8}{one.wider:>7}{one.echoes:>8}{one.seconds:>7.0f} s"
        terminalreporter.write_line(f"{one.bar:<6}{one.runs:<58}{figures}  {one.note}")
