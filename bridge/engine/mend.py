"""The owner's word on parts that wait for it: sent, not sent, try again, let it be.

Each is a move that `core.delivery` draws; what it does not draw is refused with a sentence. Must
not send anything: what is planned again is sent by the next pass.
"""

from __future__ import annotations

from datetime import datetime

from bridge.core.address import id_in
from bridge.core.delivery import PartEvent, PartState
from bridge.core.errors import TwinpostError
from bridge.core.record import PartRecord, PostRecord, Receipt
from bridge.engine.proof import left_to_pay
from bridge.ports import Ledger


class NothingToMend(TwinpostError):
    """The post is not in a state in which that can be said of it."""


class Mend:
    """What an owner can decide about one recorded post."""

    def __init__(self, ledger: Ledger, record: PostRecord, now: datetime) -> None:
        self._ledger = ledger
        self._record = record
        self._now = now

    async def sent(self, url: str) -> None:
        """The part that is in doubt stands on the other network at `url`."""
        part = self._first(PartState.HELD)
        target = id_in(url)
        if not target:
            raise NothingToMend(f"{url} does not end in the id of a post")
        receipt = Receipt(target, url, left_to_pay(part))
        await self._settle(part, PartEvent.OWNER_SAYS_SENT, "sent, its owner says", receipt)

    async def not_sent(self) -> None:
        """The part that is in doubt does not stand on the other network: send it."""
        await self._settle(
            self._first(PartState.HELD), PartEvent.OWNER_SAYS_RETRY, "not sent, its owner says"
        )

    async def retry(self) -> None:
        """Send what has failed, or was held before it was ever tried.

        What was tried and is held may stand there already: that takes `sent` or `not_sent`.
        """
        failed = [part for part in self._record.parts if part.state is PartState.FAILED]
        held = [part for part in self._record.parts if part.state is PartState.HELD]
        if any(part.attempts for part in held):
            raise NothingToMend(
                f"{self._record.source} may stand on the other network already; look there, then: "
                f"twinpost resolve {self._record.source} --sent URL, or --not-sent"
            )
        if not failed + held:
            raise self._nothing("has neither failed nor is it held")
        for part in failed + held:
            await self._settle(part, PartEvent.OWNER_SAYS_RETRY, "to be tried again")

    async def drop(self) -> None:
        """Never send what is not sent yet."""
        open_states = {PartState.PLANNED, PartState.HELD, PartState.FAILED}
        parts = [part for part in self._record.parts if part.state in open_states]
        if not parts:
            raise self._nothing("has nothing left that could be dropped")
        for part in parts:
            await self._settle(part, PartEvent.OWNER_DROPS, "dropped by its owner")

    def _first(self, state: PartState) -> PartRecord:
        for part in self._record.parts:
            if part.state is state:
                return part
        raise self._nothing(f"is not {state.value}")

    def _nothing(self, why: str) -> NothingToMend:
        state = self._record.state.value
        return NothingToMend(f"{self._record.source} {why}: it is {state}")

    async def _settle(
        self, part: PartRecord, event: PartEvent, detail: str, receipt: Receipt | None = None
    ) -> None:
        await self._ledger.settle(
            part.key, event, self._now, receipt=receipt, not_before=self._now, detail=detail
        )
