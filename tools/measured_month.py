"""Runs the whole bridge against both sandboxes for a virtual month, and prints X's bill for it.

Beside each kind of charge stands what the bridge itself has counted: the two have to agree. The
figures in docs/money.md come from here: `.venv/bin/python -m tools.measured_month`.
"""

from __future__ import annotations

import asyncio
import tempfile
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

from bridge.app.wiring import Running
from bridge.core.budget import month_of
from bridge.core.model import Microdollars
from bridge.core.prices import X_PRICES, in_dollars
from bridge.sandbox.mastodon.records import Attachment
from tests.crash.stage import HOME, Stage, staged
from tests.crossing.samples import png

DAYS = 30
HOUR = 3600
WEEK = 7
BEGIN = datetime(2026, 11, 1, tzinfo=UTC)
PATTERNS = (
    ("three posts a day on each side", 3, 3, False),
    ("the same, with a described picture a day, an edit and a deletion a week", 3, 3, True),
    ("ten posts a day from X only", 0, 10, False),
)


async def day(stage: Stage, running: Running, number: int, pattern: tuple[int, int, bool]) -> None:
    """One day: posts in the morning, the rest of the day goes by in hours."""
    to_x, from_x, rich = pattern
    for index in range(to_x):
        media = (Attachment(png(), description="A square"),) if rich and index == 0 else ()
        stage.mastodon.write(
            stage.mastodon_account, f"Toot {number} of day, the {index}th", media=media
        )
        stage.clock.pass_time(1)
    for index in range(from_x):
        stage.write(HOME, f"Post {number} of day, the {index}th")
    await stage.pass_time(running, HOUR / 2, step=HOUR / 6)
    if rich and number % WEEK == 0:
        toots = stage.mastodon.timeline(stage.mastodon_account)
        own = [toot for toot in toots if toot.text.startswith(f"Toot {number} ")]
        stage.mastodon.write(
            stage.mastodon_account, f"Toot {number} of day, put right", edit_of=own[0].id
        )
        stage.mastodon.remove(own[1].id)
    await stage.pass_time(running, 23 * HOUR, step=HOUR)
    midnight = BEGIN.timestamp() + (number + 1) * 24 * HOUR
    stage.clock.pass_time(midnight - stage.clock.at.timestamp())


async def month(words: str, pattern: tuple[int, int, bool]) -> None:
    """Live through a month, and print what it came to."""
    with tempfile.TemporaryDirectory() as folder:
        async with staged(Path(folder)) as stage:
            stage.clock.at = BEGIN
            stage.configure(x="premium: true")
            async with stage.running() as running:
                for number in range(DAYS):
                    await day(stage, running, number, pattern)
                ((_, counted, _),) = await running.control.spending(month_of(BEGIN))
            bill = stage.x.bill()
    count = Counter(charge.kind for charge in bill)
    charged = Microdollars(sum(charge.amount for charge in bill))
    print(
        f"{words}: X charges {in_dollars(charged)}, the bridge counts {in_dollars(counted.total)}"
    )
    for kind, times in sorted(count.items()):
        print(f"    {times:>5}  {kind}")


def main() -> None:
    """Print every pattern."""
    print(f"{DAYS} days, turned hourly; prices as of {X_PRICES.as_of}")
    for words, to_x, from_x, rich in PATTERNS:
        asyncio.run(month(words, (to_x, from_x, rich)))


if __name__ == "__main__":
    main()
