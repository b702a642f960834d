"""Reading the newest posts of a source again: what was edited, and what is no longer there.

An absence is judged only where the page spans the post, and believed only once the post itself has
been asked for. When much vanishes at once, it is hardly its author who deleted it: then nothing is
deleted until the author has said so. Must not delete anything itself, nor read when it may not.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from bridge.core.errors import NetworkError, Refused
from bridge.core.model import Post
from bridge.core.record import Absence
from bridge.engine.edits import Edits
from bridge.engine.gate import Gate
from bridge.engine.outcome import concerns_all
from bridge.engine.route import Bench, RoutePlan

FREE_WINDOW = 40
"""Posts that are compared with every pass, where reading costs nothing."""

MANY = 5
"""So many posts may be deleted between two looks; more are asked about."""

FEW = 2
"""So many may be deleted whatever share of the mirrored ones they are."""

ASK = (
    "{missing} of the newest {expected} mirrored posts are no longer there. If you deleted them, "
    "have their mirrors deleted too: twinpost once --recheck --deleted. If the account was "
    "suspended or moved, or is the wrong one, change that; no mirror is deleted meanwhile"
)


class Recheck:
    """The second look at one route's source.

    `looking` is the gate of reading it so; `asking` closes while its owner has to be asked.
    """

    def __init__(
        self, plan: RoutePlan, bench: Bench, edits: Edits, *, looking: Gate, asking: Gate
    ) -> None:
        self._plan = plan
        self._bench = bench
        self._edits = edits
        self._looking = looking
        self._gate = asking
        self._oldest: datetime | None = None
        """When the oldest post of the last window was written: what is older is out of reach."""

    async def wanted(self) -> bool:
        """Whether it is time for a look, and there is anything that it could find."""
        if not self._looking.is_open():
            return False
        try:
            costs = await self._costs()
        except NetworkError as error:
            self._looking.failed(error)
            return False
        if not costs:
            oldest, route = self._oldest, self._plan.route
            return await self._bench.ledger.watches(route, oldest, skipped=True)
        if self._plan.recheck_every is None:
            return False
        last = await self._bench.ledger.rechecked_at(self._plan.route)
        now = self._bench.clock.now()
        # A last time in the future is that of a clock which was wrong.
        if last is not None and timedelta(0) <= now - last < self._plan.recheck_every:
            return False
        return await self._bench.ledger.watches(self._plan.route, None)

    async def look(self, *, deleted: bool = False) -> None:
        """Compare, and have every mirror follow. With `deleted`, its owner vouches for deletions.

        Where the source cannot be read, or its answer is not clear, the rest is left to the next
        look: nothing is deleted for want of an answer.
        """
        try:
            await self._look(deleted=deleted)
        except NetworkError as error:
            self._looking.failed(error)
        else:
            self._looking.worked()

    async def _look(self, *, deleted: bool) -> None:
        ledger, route, now = self._bench.ledger, self._plan.route, self._bench.clock.now()
        costs = await self._costs()
        reading = await self._plan.source.window(
            self._plan.recheck_window if costs else FREE_WINDOW
        )
        if costs:
            await self._bench.note_read(route, len(reading.posts), reading.cost)
            await ledger.note_recheck(route, now)
        if not reading.posts:
            return
        self._oldest = min(post.created_at for post in reading.posts)
        for post in await ledger.edited(route, reading.posts):
            await self._edited(post)
        await self._compared(await ledger.absent(route, reading.posts), deleted=deleted)

    async def _edited(self, post: Post) -> None:
        facts = await self._bench.ledger.facts(self._plan.route, post)
        if facts.revision_of is not None:
            await self._edits.edited(post, facts.revision_of)

    async def _compared(self, absence: Absence, *, deleted: bool) -> None:
        count = len(absence.missing)
        much = count > MANY or (count > FEW and count * 2 > absence.expected)
        if much and not deleted:
            self._gate.failed(Refused(ASK.format(missing=count, expected=absence.expected)))
            return
        unclear: NetworkError | None = None
        for one in absence.missing:
            try:
                found = await self._plan.source.look_up(one.latest)
            except NetworkError as error:
                if concerns_all(error):
                    raise
                unclear = error
                continue
            if found is None:
                await self._edits.deleted(one.record.source)
        self._gate.worked()
        if unclear is not None:
            raise unclear

    async def _costs(self) -> bool:
        return (await self._plan.source.capabilities()).prices is not None
