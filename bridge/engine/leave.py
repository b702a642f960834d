"""The last question before a mirror leaves: whether its post still stands, as it was, and for whom.

An audience can be narrowed, and a post deleted or edited, between reading and sending, and between
two parts of a thread that waits on its way. Must fail closed: where the source does not answer,
nothing leaves. Asks nothing that costs.
"""

from __future__ import annotations

from datetime import datetime

from bridge.core import guards
from bridge.core.delivery import PartEvent, next_attempt
from bridge.core.errors import NetworkError
from bridge.core.model import PostId
from bridge.core.record import DuePart, PartKey
from bridge.core.verdict import Verdict
from bridge.engine import outcome, proof
from bridge.engine.edits import DELETED_UNSENT, Edits
from bridge.engine.gate import Gate
from bridge.engine.route import Bench, RoutePlan
from bridge.ports import Standing

HOLDS_FOR = 60.0
"""Seconds for which an answer holds for the parts that follow: a thread leaves in one go."""


class Leave:
    """Grants the posts of one route their leave. `gate` is that of asking their source."""

    def __init__(self, plan: RoutePlan, bench: Bench, gate: Gate, edits: Edits) -> None:
        self._plan = plan
        self._bench = bench
        self._gate = gate
        self._edits = edits
        self._tries: dict[PartKey, int] = {}
        self._granted: dict[PostId, float] = {}
        """When which post was last granted leave, by the clock that only grows."""

    def is_open(self) -> bool:
        """Whether the source may be asked now."""
        return self._gate.is_open()

    def opens_at(self) -> datetime | None:
        """When the source may be asked again; None for now."""
        return self._gate.reopens_at()

    async def granted(self, due: DuePart) -> bool:
        """Whether a part may leave; if not, the ledger knows why.

        Its source is asked for the first part, and for a later one if some time has passed.
        """
        source = due.record.key.source
        if not due.first and self.holds(source):
            return True
        try:
            standing = await self._plan.source.standing(due.latest or source)
        except NetworkError as error:
            await self._unanswered(due, error)
            return False
        self._gate.worked()
        self._tries.pop(due.record.key, None)
        verdict = self._stopped(standing)
        if verdict is not None:
            await self._refused(due, verdict)
            return False
        post = standing.post
        if post is not None and await self._bench.ledger.edited(self._plan.route, (post,)):
            await self._edits.edited(post, source)
            return False
        self._granted[source] = self._bench.clock.monotonic()
        return True

    def holds(self, source: PostId) -> bool:
        """Whether the leave that a post was granted still holds; uploads may take longer."""
        since = self._bench.clock.monotonic() - HOLDS_FOR
        self._granted = {post: at for post, at in self._granted.items() if at >= since}
        return source in self._granted

    async def _refused(self, due: DuePart, verdict: Verdict) -> None:
        """What stands is deleted with its post; it stays where it is only for fewer by now."""
        source = due.record.key.source
        if due.first:
            await self._edits.stop(source, verdict)
        elif verdict is DELETED_UNSENT:
            await self._edits.deleted(source)
        else:
            detail = (
                f"not sent, since its post is for fewer by now ({verdict.sentence}); once it is "
                f"for everybody again: twinpost retry {source}"
            )
            await proof.settle(self._bench, due.record, PartEvent.GIVEN_UP, detail=detail)

    def _stopped(self, standing: Standing) -> Verdict | None:
        if standing.gone:
            return DELETED_UNSENT
        seen_by = standing.audience
        if seen_by is None and standing.post is not None:
            seen_by = standing.post.visibility
        if seen_by is None:
            return None
        return guards.seen_by(self._plan.source.network, seen_by, self._plan.rules.audiences)

    async def _unanswered(self, due: DuePart, error: NetworkError) -> None:
        detail = f"not sent before its source has said how it stands now: {error}"
        now, key = self._bench.clock.now(), due.record.key
        if outcome.concerns_all(error):
            later = self._gate.failed(error)
        else:
            tries = self._tries[key] = self._tries.get(key, 0) + 1
            later = next_attempt(tries, now=now, jitter=self._bench.jitter())
        event = PartEvent.PUT_OFF
        await proof.settle(self._bench, due.record, event, not_before=later, detail=detail)
