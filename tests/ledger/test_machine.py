"""Any sequence of recording, claiming, settling, amending, reopening and waiting fits a model."""

import asyncio
import tempfile
from collections.abc import Coroutine
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import zip_longest
from pathlib import Path
from typing import Any, TypeVar

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
)

from bridge.core.amend import Amendment, Change
from bridge.core.delivery import UNDER_WAY, WITH_RECEIPT, PartEvent, PartState, after
from bridge.core.model import PostId
from bridge.core.record import Cursor, PartKey
from bridge.ledger.sqlite import SqliteLedger, open_ledger, open_memory
from tests.ledger.made import OUT, T0, decision, draft, key, minutes, post, receipt

T = TypeVar("T")
SETTLING = [event for event in PartEvent if event is not PartEvent.CLAIM]


@dataclass
class Part:
    state: PartState
    not_before: datetime
    text: str = "text"
    attempts: int = 0
    target: str | None = None
    broken_off: bool = False

    @property
    def is_busy(self) -> bool:
        return self.state in UNDER_WAY or (self.state is PartState.HELD and self.attempts > 0)


@dataclass
class Model:
    """Posts in the order recorded: their parts, their parents, and what waits to become of them."""

    posts: dict[str, list[Part]] = field(default_factory=dict)
    parents: dict[str, str] = field(default_factory=dict)
    waiting: dict[str, list[str] | None] = field(default_factory=dict)
    spent: int = 0
    sent: int = 0

    def in_turn(self) -> list[tuple[PartKey, Part, str | None]]:
        found = []
        for name, parts in self.posts.items():
            parent = self.posts.get(self.parents.get(name, ""))
            above = None if parent is None else _last_live(parent)
            free = parent is None or (above is not None and above.state is PartState.DELIVERED)
            for index, part in enumerate(parts):
                if part.state is PartState.GONE:
                    continue
                if part.state is PartState.PLANNED and free:
                    found.append((key(name, index), part, above.target if above else None))
                if part.state is not PartState.DELIVERED:
                    break
                above, free = part, True
        return found

    def amend(self, name: str, texts: list[str] | None, now: datetime) -> None:
        """Have a mirror say these texts, or be no more; once nothing is being done with it."""
        self.waiting[name] = texts
        self.settle_down(name, now)

    def settle_down(self, name: str, now: datetime) -> None:
        parts = self.posts[name]
        if name not in self.waiting or any(part.is_busy for part in parts):
            return
        texts = self.waiting.pop(name)
        live = [p for p in parts if p.state not in {PartState.GONE, PartState.UNWANTED}]
        if texts is None:
            for part in live:
                if part.state is not PartState.DROPPED:
                    self._move(part, PartEvent.RETRACTED, now)
            return
        for part, text in zip_longest(live, texts):
            if part is None:
                parts.append(Part(PartState.PLANNED, now, text))
            elif text is None:
                self._move(part, PartEvent.SUPERFLUOUS, now)
            elif part.state is not PartState.DROPPED and part.text != text:
                self._move(part, PartEvent.EDITED, now)
                part.text = text

    @staticmethod
    def _move(part: Part, event: PartEvent, now: datetime) -> None:
        part.state = after(part.state, event)
        if part.state in {PartState.OUTDATED, PartState.UNWANTED}:
            part.attempts, part.not_before = 0, now

    def revive_below(self, name: str, now: datetime) -> None:
        for child in [child for child, parent in self.parents.items() if parent == name]:
            broken = [p for p in self.posts[child] if p.state is PartState.FAILED and p.broken_off]
            for part in broken:
                part.state, part.not_before = PartState.PLANNED, now
            if broken:
                self.revive_below(child, now)

    def to_change(self, now: datetime) -> PartKey | None:
        """What is edited or deleted first."""
        ripe = sorted(one[1:] for one in self._changes() if one[0] <= now)
        return ripe[0][3] if ripe else None

    def change_times(self) -> list[datetime]:
        """When parts may be edited or deleted."""
        return [one[0] for one in self._changes()]

    def _changes(self) -> list[tuple[datetime, bool, int, int, PartKey]]:
        wanted: list[tuple[datetime, bool, int, int, PartKey]] = []
        for number, (name, parts) in enumerate(self.posts.items()):
            unwanted = [
                index
                for index, part in enumerate(parts)
                if part.state in {PartState.UNWANTED, PartState.DELETING}
            ]
            for index, part in enumerate(parts):
                last = part.state is PartState.UNWANTED and index == unwanted[-1]
                outdated = part.state is PartState.OUTDATED
                if last or outdated:
                    wanted.append((part.not_before, outdated, number, index, key(name, index)))
        return wanted


def _last_live(parts: list[Part]) -> Part | None:
    return next((part for part in reversed(parts) if part.state is not PartState.GONE), None)


class LedgerMachine(RuleBasedStateMachine):
    """The ledger on a file, closed and opened now and then, against the model."""

    names = Bundle("names")

    def __init__(self) -> None:
        super().__init__()
        self._loop = asyncio.new_event_loop()
        self._folder = tempfile.TemporaryDirectory()
        self._path = Path(self._folder.name) / "ledger.db"
        self._now = T0
        self._model = Model()
        self._targets = 0
        self._names = 0

    def run_(self, work: Coroutine[Any, Any, T]) -> T:
        return self._loop.run_until_complete(work)

    @initialize(on_file=st.booleans())
    def opened(self, on_file: bool) -> None:
        self._on_file = on_file
        self._ledger: SqliteLedger = self.run_(
            open_ledger(self._path, owner="test", now=T0, create=True)
            if on_file
            else open_memory(now=T0)
        )

    def teardown(self) -> None:
        self.run_(self._ledger.close())
        self._loop.close()
        self._folder.cleanup()

    @rule(target=names, parts=st.integers(1, 3), wait=st.integers(0, 5), data=st.data())
    def post_recorded(self, parts: int, wait: int, data: st.DataObject) -> str:
        self._names += 1
        name = f"p{self._names}"
        known = list(self._model.posts)
        parent = data.draw(st.sampled_from([None, *known]), label="parent")
        not_before = self._now + minutes(wait)
        made = decision(
            post(name), *("text" for _ in range(parts)), not_before=not_before, parent=parent
        )
        self.run_(self._ledger.record(OUT, made, Cursor(PostId(name), T0)))
        self._model.posts[name] = [Part(PartState.PLANNED, not_before) for _ in range(parts)]
        if parent is not None:
            self._model.parents[name] = parent
        return name

    @rule(name=names)
    def post_recorded_again(self, name: str) -> None:
        again = post(f"{name}-edit", revisions=(name, f"{name}-edit"))
        self.run_(self._ledger.record(OUT, decision(again, "a", "b"), Cursor(PostId(name), T0)))

    @rule(count=st.integers(1, 10))
    def time_passes(self, count: int) -> None:
        self._now += minutes(count)

    @rule()
    def what_is_due_is_claimed(self) -> None:
        due = self.run_(self._ledger.next_due(OUT, self._now))
        if due is not None:
            self.claim(due.record.key)

    @rule(name=names, index=st.integers(0, 2))
    def anything_is_claimed(self, name: str, index: int) -> None:
        parts = self._model.posts[name]
        claimable = {PartState.PLANNED, PartState.OUTDATED, PartState.UNWANTED}
        if index < len(parts) and parts[index].state in claimable:
            self.claim(key(name, index))
            return
        with pytest.raises(ValueError, match=r"cannot take|has no part"):
            self.run_(self._ledger.claim(key(name, index), self._now, "hash"))

    def claim(self, part: PartKey) -> None:
        self.run_(self._ledger.claim(part, self._now, "hash"))
        model = self._model.posts[part.source][part.index]
        model.state = after(model.state, PartEvent.CLAIM)
        model.attempts += 1

    @rule(
        name=names,
        index=st.integers(0, 2),
        event=st.sampled_from([*SETTLING, PartEvent.RECEIPT, PartEvent.RECEIPT]),
        wait=st.none() | st.integers(0, 5),
    )
    def part_settled(self, name: str, index: int, event: PartEvent, wait: int | None) -> None:
        parts = self._model.posts[name]
        if index >= len(parts):
            return
        part = parts[index]
        try:
            goal = after(part.state, event)
        except ValueError:
            with pytest.raises(ValueError, match="cannot take"):
                self.run_(self._ledger.settle(key(name, index), event, self._now))
            return
        sent = None
        if event in WITH_RECEIPT:
            self._targets += 1
            sent = receipt(f"t{self._targets}", cost=self._targets)
            self._model.sent += part.state is not PartState.REVISING
            part.target = sent.id
            self._model.spent += sent.cost
        not_before = None if wait is None else self._now + timedelta(minutes=wait)
        self.run_(
            self._ledger.settle(
                key(name, index), event, self._now, receipt=sent, not_before=not_before
            )
        )
        was, part.state = part.state, goal
        part.not_before = not_before or part.not_before
        part.broken_off = event is PartEvent.THREAD_BROKEN_OFF
        if event is PartEvent.REFUSAL and was is PartState.DELETING:
            for other in parts:
                if other.state is PartState.PLANNED:
                    other.state = PartState.DROPPED
        if event is PartEvent.OWNER_SAYS_RETRY:
            self._model.revive_below(name, self._now)
        self._model.settle_down(name, self._now)

    @rule(name=names, texts=st.none() | st.lists(st.sampled_from("abt"), min_size=1, max_size=3))
    def amended(self, name: str, texts: list[str] | None) -> None:
        change = Change.REMOVE if texts is None else Change.REPLACE
        amendment = Amendment(change, None if texts is None else draft(*texts))
        self.run_(self._ledger.amend(OUT, PostId(name), amendment, self._now))
        self._model.amend(name, texts, self._now)

    @rule()
    def what_is_to_change_is_claimed(self) -> None:
        record = self.run_(self._ledger.next_change(OUT, self._now))
        if record is not None:
            self.claim(record.key)

    @rule(name=names)
    def sent_to_the_end(self, name: str) -> None:
        for index, part in enumerate(self._model.posts[name]):
            if part.state in {PartState.PLANNED, PartState.OUTDATED}:
                self.claim(key(name, index))
            if part.state in {PartState.ATTEMPTING, PartState.REVISING}:
                self.part_settled(name, index, PartEvent.RECEIPT, None)

    @rule()
    def closed_and_opened(self) -> None:
        if self._on_file:
            self.run_(self._ledger.close())
            self._ledger = self.run_(
                open_ledger(self._path, owner="test", now=self._now, create=False)
            )

    @invariant()
    def parts_are_as_modelled(self) -> None:
        found = self.run_(self._ledger.history(limit=1_000))
        assert [record.source for record in reversed(found)] == list(self._model.posts)
        for record in found:
            assert [
                (p.state, p.not_before, p.part.text, p.attempts, p.target_id) for p in record.parts
            ] == [
                (p.state, p.not_before, p.text, p.attempts, p.target)
                for p in self._model.posts[record.source]
            ]

    @invariant()
    def what_is_due_is_the_first_in_turn_whose_time_has_come(self) -> None:
        in_turn = self._model.in_turn()
        expected = next((f for f in in_turn if f[1].not_before <= self._now), None)
        due = self.run_(self._ledger.next_due(OUT, self._now))
        assert (None if due is None else (due.record.key, due.reply_to)) == (
            None if expected is None else (expected[0], expected[2])
        )
        change = self.run_(self._ledger.next_change(OUT, self._now))
        assert (None if change is None else change.key) == self._model.to_change(self._now)
        times = [part.not_before for _, part, _ in in_turn]
        times += self._model.change_times()
        assert self.run_(self._ledger.due_at(OUT)) == min(times, default=None)

    @invariant()
    def figures_add_up(self) -> None:
        status = self.run_(self._ledger.status(OUT, T0))
        states = [part.state for parts in self._model.posts.values() for part in parts]
        assert status.spent_month == self._model.spent
        assert status.delivered == self._model.sent
        assert len(self.run_(self._ledger.unproven(OUT))) == states.count(
            PartState.ATTEMPTING
        ) + states.count(PartState.IN_DOUBT)


TestLedgerMachine = LedgerMachine.TestCase
TestLedgerMachine.settings = settings(
    max_examples=30,
    stateful_step_count=20,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
