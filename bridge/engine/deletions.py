"""What follows from posts that are surely gone: their mirrors go, or their owner is asked first.

A person deletes a few posts; when much vanishes at once, the account may be suspended, or the
server have lost its data. So few are followed at once, and a bounded number in a day; the rest is
remembered until the owner confirms it. Must not find out by itself what is gone.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from bridge.core.errors import Refused
from bridge.core.record import PostRecord
from bridge.engine.edits import Edits
from bridge.engine.gate import Gate
from bridge.engine.route import Bench, RoutePlan

MANY = 5
"""So many posts may be deleted between two looks; more are asked about."""

FEW = 2
"""So many may be deleted whatever share of the mirrored ones they are."""

A_DAY = 20
"""So many deletions are followed in 24 hours, however spread, before the owner is asked."""

DAY = timedelta(days=1)

ASK = (
    "{missing} of {tracked} mirrored posts are no longer there. If you deleted them, "
    "have their mirrors deleted too: twinpost once --recheck --deleted. If the account was "
    "suspended or moved, or is the wrong one, change that; no mirror is deleted meanwhile"
)
ALREADY = ". {count} mirrors were deleted in the last 24 hours"


class Deletions:
    """Decides about the deletions of one route. `asking` closes while the owner has to be asked."""

    def __init__(self, plan: RoutePlan, bench: Bench, edits: Edits, asking: Gate) -> None:
        self._plan = plan
        self._bench = bench
        self._edits = edits
        self._gate = asking

    async def asks(self, count: int) -> bool:
        """Whether `count` posts are too many to be gone at once; the owner is asked, then."""
        if self._plan.policy.deletes == "ignore" or not count:
            return False
        ledger, route, now = self._bench.ledger, self._plan.route, self._bench.clock.now()
        tracked = await ledger.count_tracked(route)
        lately = await ledger.count_gone(route, now - DAY)
        at_once = count > MANY or (count > FEW and count * 2 > tracked)
        if not (at_once or lately + count > A_DAY):
            return False
        already = ALREADY.format(count=lately) if lately else ""
        self._gate.failed(Refused(ASK.format(missing=count, tracked=tracked) + already))
        return True

    async def follow(self, gone: Sequence[PostRecord], *, confirmed: bool) -> None:
        """Have mirrors follow, or remember that they wait. With `confirmed`, the owner was asked.

        `gone` are posts that a look-up has just found gone, each once.
        """
        ledger, route, now = self._bench.ledger, self._plan.route, self._bench.clock.now()
        found = {record.source for record in gone}
        waiting = {one.record.source for one in await ledger.missing(route)}
        if not confirmed and await self.asks(len(found | waiting)):
            await ledger.note_missing(route, found, now)
            return
        for record in gone:
            await self._edits.deleted(record.source)
        if confirmed:
            await ledger.note_vouched(route, self._bench.clock.now())
        if not waiting - found:
            self._gate.worked()
