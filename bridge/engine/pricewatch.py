"""Once a week at most: whether the prices that are counted with are still those of X.

A chore: it waits for nobody, and nobody for it; what cannot be had is asked for a week later. Must
not change a price.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime, timedelta

from bridge.core.errors import NetworkError
from bridge.engine.route import Chore
from bridge.ports import Ledger

log = logging.getLogger(__name__)

WEEK = timedelta(days=7)

Ask = Callable[[], Awaitable[Sequence[object]]]
"""Asks for a list; gives a sentence, or what is one as a text, for every price that differs."""


def watching_prices(ledger: Ledger, lists: Sequence[tuple[str, Ask]]) -> Chore:
    """Compare the prices of `lists`, each with the bridge that pays them, and warn.

    A list that cannot be had is said once, and once when it is there again.
    """
    silent: set[str] = set()

    async def chore(now: datetime) -> None:
        last = await ledger.prices_looked_at()
        # One from the future was made when the clock was wrong.
        if last is not None and timedelta(0) <= now - last < WEEK:
            return
        # First, so that a list which cannot be had is not asked for again and again.
        await ledger.note_prices_looked_at(now)
        for bridge, ask in lists:
            try:
                found = await ask()
            except NetworkError as error:
                if bridge not in silent:
                    log.info("%s: X's price list: %s; asked for once a week", bridge, error)
                silent.add(bridge)
                continue
            if bridge in silent:
                log.info("%s: X's price list can be had again", bridge)
            silent.discard(bridge)
            for difference in found:
                log.warning("%s: %s", bridge, difference)

    return chore
