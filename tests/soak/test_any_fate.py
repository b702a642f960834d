"""R3: whatever an author, two networks and an operator do in whatever order, five promises hold.

A machine draws the fate of a bridge on a virtual clock: posts of every kind and audience, edits,
deletions, answers that are lost or wrong, limits, revoked logins, deaths, jumping clocks, changed
rules. Promises 2 to 5 (S1 among them) are checked with every creation, 1 and 7 once all is at rest.
"""

import asyncio
import os
import tempfile
from collections.abc import Coroutine
from datetime import timedelta
from pathlib import Path
from typing import Any, TypeVar

import pytest
from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from bridge.core.errors import InDoubt, NetworkError, Refused, Throttled, Transient, Unauthorised
from bridge.core.model import Network, Visibility
from tests.fakes import PatientClock
from tests.soak.at_once import QuickRig
from tests.soak.conftest import Row
from tests.soak.universe import OwnClock, Tale, Universe, WatchedNetwork

T = TypeVar("T")

QUICK_RUNS = 500
CHUNK = 1000
CHUNKS = int(os.environ.get("TWINPOST_SOAK_FATES", "20"))
"""Thousands of runs in the soak; each thousand is a test of its own, so that it can be resumed."""

SHARED_MEMORY = Path("/dev/shm")


def folder_in_memory() -> tempfile.TemporaryDirectory[str]:
    return tempfile.TemporaryDirectory(dir=SHARED_MEMORY if SHARED_MEMORY.is_dir() else None)


EMPTY = folder_in_memory()
"""Holds an empty ledger, once the first run has made it."""

sides = st.sampled_from(Network)
nth = st.integers(0, 40)


class Fate(RuleBasedStateMachine):
    """One bridge and all that may befall it."""

    runs = posts = lives = made = 0

    def __init__(self) -> None:
        super().__init__()
        self.loop = asyncio.new_event_loop()
        self.folder = folder_in_memory()

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        return self.loop.run_until_complete(work)

    @initialize(delay=st.sampled_from([0, 60]), before=st.integers(0, 2))
    def begin(self, delay: int, before: int) -> None:
        true = PatientClock()
        clock = OwnClock(true=true)
        folder = Path(self.folder.name)
        rig = QuickRig(
            folder=folder,
            clock=clock,
            mastodon=WatchedNetwork(Network.MASTODON, true, max_length=500),
            x=WatchedNetwork(Network.X, true, max_length=170),
            ledger=self.run(QuickRig.furnished(folder, Path(EMPTY.name), clock)),
            delay=timedelta(seconds=delay),
        )
        self.universe = Universe(rig, clock)
        for net in self.universe.networks.values():
            net.universe = self.universe
            for _ in range(before):
                self.universe.write(net.network, old=True)
        self.run(self.universe.live(1))

    @property
    def mine(self) -> list[Tale]:
        return [tale for tale in self.universe.tales if not (tale.gone or tale.old)]

    @rule(
        side=sides, lines=st.sampled_from([1, 1, 2, 9, 20]), pictures=st.sampled_from([0, 0, 1, 4])
    )
    def post(self, side: Network, lines: int, pictures: int) -> None:
        self.universe.write(side, lines=lines, pictures=pictures)

    @rule(side=sides)
    def post_a_picture_without_a_word(self, side: Network) -> None:
        self.universe.write(side, pictures=1, wordless=True)

    @rule(
        side=sides,
        audience=st.sampled_from(
            [Visibility.UNLISTED, Visibility.FOLLOWERS, Visibility.DIRECT, Visibility.UNKNOWN]
        ),
    )
    def post_for_few(self, side: Network, audience: Visibility) -> None:
        self.universe.write(side, visibility=audience)

    @rule(side=sides)
    def answer_somebody(self, side: Network) -> None:
        self.universe.write(side, to_other=True)

    @precondition(lambda self: self.mine)
    @rule(which=nth, lines=st.sampled_from([1, 9]))
    def continue_a_thread(self, which: int, lines: int) -> None:
        parent = self.mine[which % len(self.mine)]
        audience = parent.post.visibility
        self.universe.write(parent.post.network, lines=lines, parent=parent, visibility=audience)

    @precondition(lambda self: self.mine)
    @rule(which=nth)
    def edit(self, which: int) -> None:
        tale = self.mine[-1 - which % len(self.mine)]
        if tale.lines:
            self.universe.edit(tale)

    @precondition(lambda self: self.mine)
    @rule(which=nth)
    def delete(self, which: int) -> None:
        self.universe.delete(self.mine[-1 - which % len(self.mine)])

    @rule(which=nth, audience=st.sampled_from([Visibility.FOLLOWERS, Visibility.UNKNOWN]))
    def narrow(self, which: int, audience: Visibility) -> None:
        # On X it is the account that is closed, never a single post.
        toots = [tale for tale in self.mine if tale.post.network is Network.MASTODON]
        if toots:
            self.universe.narrow(toots[-1 - which % len(toots)], audience)

    @rule(protected=st.booleans())
    def close_or_open_the_account(self, protected: bool) -> None:
        self.universe.protect(protected=protected)

    @rule(
        audiences=st.sampled_from([{Visibility.PUBLIC}, {Visibility.PUBLIC, Visibility.UNLISTED}])
    )
    def change_the_rules(self, audiences: set[Visibility]) -> None:
        self.universe.allow(audiences)
        self.run(self.universe.restart())

    @rule(seconds=st.sampled_from([1, 5, 20, 20, 100, 100, 1000, 4000]))
    def poll(self, seconds: int) -> None:
        self.run(self.universe.live(seconds))

    @rule(side=sides, what=st.sampled_from(["create", "create", "edit", "delete"]))
    def accept_and_lose(self, side: Network, what: str) -> None:
        self.answers(side, what).append((True, InDoubt("the connection was reset")))

    @rule(side=sides, what=st.sampled_from(["create", "create", "edit", "delete"]), kind=nth)
    def fail(self, side: Network, what: str, kind: int) -> None:
        soon = self.universe.clock.true.now() + timedelta(minutes=15)
        errors: list[NetworkError] = [
            InDoubt("nothing came back"),
            Transient("HTTP 503", status=503),
            Transient("nobody answers", unreachable=True),
            Throttled("HTTP 429", status=429),
            Throttled("HTTP 429", until=soon, status=429),
            Throttled("HTTP 429", until=soon + timedelta(days=4000), status=429),
            Unauthorised("HTTP 402: no credit", status=402),
        ]
        self.answers(side, what).append(errors[kind % len(errors)])

    @rule(side=sides, what=st.sampled_from(["create", "edit", "delete"]))
    def refuse(self, side: Network, what: str) -> None:
        self.answers(side, what).append(Refused("HTTP 403: not permitted", status=403))

    @rule(side=sides)
    def fail_an_upload(self, side: Network) -> None:
        self.universe.networks[side].upload_answers.append(Transient("HTTP 500", status=500))

    @rule(side=sides, times=st.integers(1, 3))
    def fail_to_be_read(self, side: Network, times: int) -> None:
        errors = [Transient("HTTP 502", status=502, unreachable=True)] * times
        self.universe.networks[side].read_errors.extend(errors)

    @rule(side=sides, revoked=st.booleans())
    def revoke_or_restore_the_login(self, side: Network, revoked: bool) -> None:
        self.universe.networks[side].revoked = revoked

    @rule(side=sides)
    def sign_in(self, side: Network) -> None:
        self.run(self.universe.sign_in(side))

    @rule(side=sides, when=st.sampled_from(["before", "after"]))
    def die_at_the_next_change(self, side: Network, when: str) -> None:
        self.universe.networks[side].dies = when

    @rule()
    def restart(self) -> None:
        self.run(self.universe.restart())

    @rule(hours=st.sampled_from([-25, -1, 0, 0, 1, 25]))
    def set_the_clock(self, hours: int) -> None:
        self.universe.clock.wrong = timedelta(hours=hours)

    @rule()
    def decide_about_what_is_held(self) -> None:
        self.run(self.universe.resolve_held())

    @invariant()
    def nothing_is_doubled_widened_echoed_or_poured_out(self) -> None:
        if hasattr(self, "universe"):
            self.assert_nothing_wrong()

    def teardown(self) -> None:
        try:
            if hasattr(self, "universe"):
                self.run(self.at_rest())
        finally:
            self.loop.close()
            self.folder.cleanup()

    async def at_rest(self) -> None:
        universe = self.universe
        try:
            if not universe.wrongs:
                await universe.set_right()
                await universe.judge()
        finally:
            await universe.rig.ledger.close()
        self.assert_nothing_wrong()
        Fate.runs += 1
        Fate.posts += len(universe.tales)
        Fate.lives += universe.lives
        Fate.made += sum(len(tale.made) for tale in universe.tales)

    def assert_nothing_wrong(self) -> None:
        if self.universe.wrongs:
            raise AssertionError("\n".join(self.universe.wrongs))

    def answers(self, side: Network, what: str) -> list[Any]:
        net = self.universe.networks[side]
        found = {"create": net.answers, "edit": net.edit_answers, "delete": net.delete_answers}
        return found[what]


def runs(count: int) -> settings:
    return settings(
        max_examples=count,
        stateful_step_count=30,
        deadline=None,
        database=None,
        # To explain a failure, every line is traced: that takes longer than to find it.
        phases=(Phase.generate, Phase.shrink),
        report_multiple_bugs=False,
        suppress_health_check=list(HealthCheck),
    )


def test_r3_whatever_happens_in_whatever_order_the_promises_hold() -> None:
    run_state_machine_as_test(Fate, settings=runs(QUICK_RUNS))


@pytest.mark.soak
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("thousand", range(CHUNKS))
def test_r3_whatever_happens_in_a_thousand_runs_the_promises_hold(thousand: int, row: Row) -> None:
    # Of what breaks off, nothing is counted.
    row.bar, row.runs, row.note = "R3", f"fates of seed {thousand}", "a promise was broken"
    Fate.runs = Fate.posts = Fate.lives = Fate.made = 0
    run_state_machine_as_test(seed(thousand)(Fate), settings=runs(CHUNK))
    row.counts.update(runs=Fate.runs, posts=Fate.posts, creations=Fate.made, lives=Fate.lives)
