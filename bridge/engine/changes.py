"""Carrying out edits and deletions of what stands on the target: claim, do, record.

Deletions are repeated until they are sure. What may be the author's own post, since only its media
said that it is the mirror, is left as it is. An edit whose answer was lost is repeated where that
does no harm, else it is said that it may be missing: no edit can ever make a second post. Must not
decide what is to be changed: `edits` does.
"""

from __future__ import annotations

import logging

from bridge.core.delivery import PartEvent, PartState
from bridge.core.errors import InDoubt, NetworkError, Refused
from bridge.core.model import Account, PostId
from bridge.core.prices import FREE
from bridge.core.record import PartRecord, Receipt
from bridge.engine import outcome, proof
from bridge.engine.claims import body_hash, still_ours
from bridge.engine.edits import in_time
from bridge.engine.gate import Gate
from bridge.engine.media import Load, Luggage, MediaMissing, MediaWaits
from bridge.engine.missing import Missing
from bridge.engine.recompose import Recompose
from bridge.engine.route import Bench, RoutePlan
from bridge.engine.spending import Money

log = logging.getLogger(__name__)

MAY_BE_ANOTHER = "only its number of media says that it is the mirror"


class Changes:
    """The editor of what one route has sent."""

    def __init__(
        self,
        plan: RoutePlan,
        bench: Bench,
        gate: Gate,
        luggage: Luggage,
        missing: Missing,
        *,
        refusals: Gate,
        recompose: Recompose,
        money: Money,
    ) -> None:
        self._plan = plan
        self._bench = bench
        self._gate = gate
        self._refusals = refusals
        self._luggage = luggage
        self._missing = missing
        self._recompose = recompose
        self._money = money
        self.stopping = False
        """Set when the daemon ends: the change under way is finished, no further one is begun."""

    async def make_due(self) -> None:
        """Edit and delete all that is due and may be."""
        try:
            await self._adopt()
            while self._gate.is_open() and self._refusals.is_open() and not self.stopping:
                now = self._bench.clock.now()
                record = await self._bench.ledger.next_change(self._plan.route, now)
                if record is None or not await self._pays(record):
                    return
                account = await self._plan.target.account()
                if record.state is PartState.UNWANTED:
                    await self._delete(record, account)
                else:
                    await self._revise(record, account)
        except NetworkError as error:
            # Not about the change itself: the target does not say who we are, or what it takes.
            self._gate.failed(error)

    async def _pays(self, record: PartRecord) -> bool:
        return record.state is not PartState.UNWANTED or await self._money.lets_delete()

    async def _adopt(self) -> None:
        """What was cut off in the middle. This route's own lane is here, so nobody is at it."""
        for record in await self._bench.ledger.unfinished(self._plan.route):
            if record.state is PartState.DELETING:
                detail = "interrupted while deleting; repeated"
                await proof.settle(self._bench, record, PartEvent.DOUBT, detail=detail)
            else:
                await self._unclear(record, "interrupted while editing")

    async def _delete(self, record: PartRecord, account: Account) -> None:
        target = _target(record)
        async with self._bench.turnstiles.passing(account):
            claimed = await self._claimed(record, target)
            if claimed is None:
                return
            if await proof.may_be_the_authors(self._bench, claimed):
                await self._not_deleted(claimed, MAY_BE_ANOTHER)
                return
            try:
                cost = await self._plan.target.delete(target)
            except Refused as error:
                self._worked()
                await self._refused_to_delete(claimed, error)
            except NetworkError as error:
                await self._delete_failed(claimed, error)
            except Exception as error:  # whatever broke, it may have been done
                log.exception("deleting the mirror of %s broke off", record.key.source)
                await self._delete_failed(claimed, InDoubt(f"broke off: {type(error).__name__}"))
            else:
                self._worked()
                event = PartEvent.REMOVED
                await proof.settle(self._bench, claimed, event, cost=cost, detail="deleted")

    async def _claimed(self, record: PartRecord, target: PostId) -> PartRecord | None:
        """T2; None where the part is to be changed otherwise by now, or not at all."""
        bench = self._bench
        async with bench.turnstiles.turn(record.key.route.bridge):
            known = await proof.current(bench, record)
            if (known.state, known.part) != (record.state, record.part):
                return None
            hashed = body_hash(record.part, target)
            return await bench.ledger.claim(record.key, bench.clock.now(), hashed)

    async def _refused_to_delete(self, record: PartRecord, error: Refused) -> None:
        if error.missing:
            detail = "was gone already"
            await proof.settle(self._bench, record, PartEvent.REMOVED, detail=detail)
        else:
            await self._not_deleted(record, str(error))

    async def _not_deleted(self, record: PartRecord, why: str) -> None:
        note = (
            f"part {record.key.index + 1} of its mirror could not be deleted ({why}); "
            f"delete it by hand: {record.target_url or record.target_id}"
        )
        await proof.settle(self._bench, record, PartEvent.REFUSAL, detail=why, notes=(note,))

    async def _delete_failed(self, record: PartRecord, error: NetworkError) -> None:
        if not isinstance(error, InDoubt):
            await self._give_back(record, error)
            return
        # It may have been done, and charged. To repeat it is harmless, and makes sure.
        prices = (await self._plan.target.capabilities()).prices
        cost = FREE if prices is None else prices.delete
        detail = f"may be deleted, and is tried again: {error}"
        await outcome.put_off(self._bench, record, PartEvent.DOUBT, detail, cost)

    async def _revise(self, record: PartRecord, account: Account) -> None:
        to = await self._plan.target.capabilities()
        if not in_time(record, to, self._bench.clock.now()):
            await self._not_edited(record, "it can no longer be edited there")
            return
        if await proof.may_be_the_authors(self._bench, record):
            await self._not_edited(record, MAY_BE_ANOTHER)
            return
        if not await self._money.lets_edit(record):
            return
        try:
            await self._luggage.require_way(record)
            load = await self._luggage.load(record)
        except MediaMissing as missing:
            await self._missing.settle(record, missing, first=False)
            return
        except MediaWaits as waits:
            await self._missing.wait(record, waits, PartEvent.PUT_OFF)
            return
        try:
            await self._revised(record, account, load)
        finally:
            await self._luggage.discard(load)

    async def _revised(self, record: PartRecord, account: Account, load: Load) -> None:
        bench, target = self._bench, _target(record)
        begun = bench.clock.monotonic()
        claimed = await self._claimed(record, target)
        if claimed is None:
            return
        try:
            handed = await self._luggage.hand_over(claimed, load)
        except MediaMissing as missing:
            event = PartEvent.SURELY_NOT_DONE
            back = await proof.settle(bench, claimed, event, detail=missing.why)
            if back.state is PartState.OUTDATED and back.part == record.part:
                await self._missing.settle(back, missing, first=False)
            return
        except MediaWaits as waits:
            await self._missing.wait(claimed, waits, PartEvent.SURELY_NOT_DONE)
            return
        except NetworkError as error:
            await self._give_back(claimed, error)
            return
        async with bench.turnstiles.passing(account):
            if not await still_ours(bench, begun):
                await self._interrupted(claimed)
                return
            try:
                receipt = await self._plan.target.revise(target, claimed.part, media=handed.ids)
            except NetworkError as error:
                await self._revision_failed(claimed, error)
            except Exception as error:  # whatever broke, it may have been done
                log.exception("editing the mirror of %s broke off", record.key.source)
                await self._unclear(claimed, f"broke off: {type(error).__name__}")
            else:
                self._worked()
                await self._edited(claimed, receipt, handed.notes)

    async def _edited(self, record: PartRecord, receipt: Receipt, notes: tuple[str, ...]) -> None:
        told = (*notes, receipt.note, f"part {record.key.index + 1} edited there")
        event, detail = PartEvent.RECEIPT, "edited"
        await proof.settle(self._bench, record, event, receipt=receipt, detail=detail, notes=told)

    async def _revision_failed(self, record: PartRecord, error: NetworkError) -> None:
        if isinstance(error, InDoubt):
            self._gate.failed(error)
            await self._unclear(record, str(error))
        elif isinstance(error, Refused):
            self._worked()
            if error.missing:
                note = (
                    f"part {record.key.index + 1} of its mirror was deleted there by hand; "
                    "an edit does not bring it back"
                )
                event = PartEvent.MISSING
                await proof.settle(self._bench, record, event, detail=str(error), notes=(note,))
            elif not await self._recompose.after_refusal(record, error):
                await self._not_edited(record, str(error))
        else:
            await self._give_back(record, error)

    async def _give_back(self, record: PartRecord, error: NetworkError) -> None:
        await outcome.give_back(self._bench, record, self._gate, error, refusals=self._refusals)

    def _worked(self) -> None:
        self._refusals.worked()
        if not self._gate.refuses:
            # That what stands may be changed says nothing of whether new posts are taken.
            self._gate.worked()

    async def _unclear(self, record: PartRecord, why: str) -> None:
        """Nobody knows whether the edit was made. No second post can come of it either way."""
        to = await self._plan.target.capabilities()
        if to.free_edits:
            await outcome.put_off(self._bench, record, PartEvent.DOUBT, f"{why}; repeated")
            return
        note = (
            f"part {record.key.index + 1} may show what it said before: it is not known whether "
            f"its edit was made ({why}), and it is not repeated, since each may be charged"
        )
        await proof.settle(self._bench, record, PartEvent.UNPROVABLE, detail=why, notes=(note,))

    async def _not_edited(self, record: PartRecord, why: str) -> None:
        note = f"part {record.key.index + 1} shows what it said before the edit: {why}"
        await proof.settle(self._bench, record, PartEvent.REFUSAL, detail=why, notes=(note,))

    async def _interrupted(self, record: PartRecord) -> None:
        event = PartEvent.SURELY_NOT_DONE
        await proof.settle(self._bench, record, event, detail="interrupted before editing")


def _target(record: PartRecord) -> PostId:
    if record.target_id is None:
        raise ValueError(f"part {record.key.index} of {record.key.source} does not stand anywhere")
    return record.target_id
