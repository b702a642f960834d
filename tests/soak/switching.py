"""A bridge whose tasks are switched at every call of a port, in an order that a seed decides.

The lanes of one daemon run side by side, with their owner and the authors in between; before each
call of the ledger or a network, a task waits until the scheduler picks it. A life can end at any of
these points. Must not contain expectations: `universe` and the tests have those.
"""

from __future__ import annotations

import asyncio
import logging
import sqlite3
from collections.abc import Awaitable, Callable, Coroutine, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from random import Random
from typing import Any, TypeVar
from unittest.mock import patch

from bridge.core.delivery import PATIENT_TRIES, PartState
from bridge.core.draft import DraftPart
from bridge.core.errors import TwinpostError
from bridge.core.events import PartSettled
from bridge.engine.commands import Commands
from bridge.engine.lane import Lane
from bridge.engine.supervise import Daemon
from bridge.ledger import sqlite, store
from bridge.ledger.sqlite import open_memory
from tests.engine.conftest import Rig
from tests.fixtures.locks import CREATING, MOVING
from tests.soak.universe import Killed, Tale, Universe, WatchedNetwork

T = TypeVar("T")

PATIENCE = 50
"""Turns of the loop without progress, with nobody waiting for the scheduler: a deadlock."""

NOT_CALLS = frozenset({"close", "listen", "network"})


class Inline:
    """A `WorkThread` that does its work where it is asked to."""

    def __init__(self, name: str) -> None:
        self.name = name

    async def run(self, work: Callable[[], T]) -> T:
        return work()

    async def stop(self, last: Callable[[], None]) -> None:
        last()


class Switchboard:
    """Picks which of the waiting tasks goes on, and ends all of them when their process dies."""

    def __init__(self, random: Random) -> None:
        self._random = random
        self._waiting: list[asyncio.Future[None]] = []
        self._driving = False
        self._dead = False
        self._fatal: str | None = None
        self.locks: Any = None
        """Those of the daemon, where each call is to be checked for having taken them."""

    def port(self, port: Any) -> Any:
        """`port`, with a switch before each of its calls."""
        return _Switched(port, self)

    async def switch(self) -> None:
        """Let the scheduler decide who goes on. Raises `Killed` once the process is dead."""
        if self._dead:
            raise Killed
        if not self._driving:
            return
        turn = asyncio.get_running_loop().create_future()
        self._waiting.append(turn)
        await turn

    async def drive(
        self, works: Sequence[Coroutine[Any, Any, None]], dies_at: int | str | None
    ) -> bool:
        """Run `works` side by side; False where their process died.

        It dies at a switch by its number, or once a call of that name has been made and before its
        caller hears of it.
        """
        self._driving, left = True, dies_at if isinstance(dies_at, int) else -1
        self._fatal = dies_at if isinstance(dies_at, str) else None
        tasks = [asyncio.create_task(work) for work in works]
        idle = 0
        while not all(task.done() for task in tasks):
            # Locks are handed on by the loop itself: let that come to rest before choosing.
            for _ in range(3):
                await asyncio.sleep(0)
            if self._waiting:
                idle = 0
                if left == 0:
                    self._end()
                else:
                    self._waiting.pop(self._random.randrange(len(self._waiting))).set_result(None)
                left -= 1
            elif (idle := idle + 1) > PATIENCE:
                for task in tasks:
                    task.cancel()
                await asyncio.gather(*tasks, return_exceptions=True)
                raise AssertionError("a deadlock: every task waits for another one")
        ends = await asyncio.gather(*tasks, return_exceptions=True)
        died, self._dead, self._driving = self._dead, False, False
        for end in ends:
            if end is not None and not isinstance(end, Killed):
                raise end
        return not died

    async def call(self, name: str, work: Callable[[], Awaitable[T]]) -> T:
        """One call of a port."""
        task = asyncio.current_task()
        if self.locks is not None and name in CREATING:
            assert task in self.locks._passing, f"{name} without its account"
        if self.locks is not None and name in MOVING:
            assert task in self.locks._taking, f"{name} without the turn of its bridge"
        await self.switch()
        try:
            return await work()
        finally:
            if self._driving and name == self._fatal:
                self._end()
                raise Killed

    def _end(self) -> None:
        self._dead = True
        for turn in self._waiting:
            turn.set_exception(Killed())
        self._waiting.clear()


class _Switched:
    def __init__(self, port: Any, board: Switchboard) -> None:
        self._port = port
        self._board = board

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._port, name)
        if name in NOT_CALLS or not asyncio.iscoroutinefunction(found):
            return found

        async def switched(*args: Any, **kwargs: Any) -> Any:
            return await self._board.call(name, lambda: found(*args, **kwargs))

        vars(self)[name] = switched
        return switched


_EMPTY: list[sqlite3.Connection] = []
"""An empty ledger, once the first one was made."""


def _copy_the_empty_one(connection: sqlite3.Connection, now: datetime) -> None:
    _EMPTY[0].backup(connection)


@dataclass
class SwitchedRig(Rig):
    """A rig whose daemons call their ports through a switchboard; its ledger is in memory."""

    board: Switchboard | None = None
    checks_locks: bool = False

    def daemon(self) -> Daemon:
        assert self.board is not None
        port = self.board.port
        seen = Rig(
            self.folder, self.clock, port(self.mastodon), port(self.x), port(self.ledger),
            events=self.events, delay=self.delay, policy=self.policy, store=self.files,
        )  # fmt: skip
        daemon = seen.daemon()
        if self.checks_locks:
            self.board.locks = daemon.lanes[0]._bench.turnstiles
        return daemon

    async def restart(self) -> None:
        """The ledger outlives a process: what was committed is there, nothing else is."""

    @staticmethod
    async def in_memory(clock: Any) -> Any:
        """A new ledger that answers at once: the copy of an empty one."""
        with ExitStack() as patches:
            patches.enter_context(patch.object(sqlite, "WorkThread", Inline))
            if _EMPTY:
                patches.enter_context(patch.object(store, "_furnish", _copy_the_empty_one))
            made = await open_memory(now=clock.now(), lease_seconds=1e9)
        if not _EMPTY:
            assert made._store.connection is not None
            _EMPTY.append(sqlite3.connect(":memory:"))
            made._store.connection.backup(_EMPTY[0])
        return made


@dataclass
class SwitchedUniverse(Universe):
    """A universe in which both lanes, their owner and the authors act side by side."""

    random: Random = field(default_factory=Random)
    dies: float = 0.0
    """How probable it is that a life ends in a pass; 0 for a pass without any switches."""
    acts: Callable[[], None] = lambda: None
    """What an author does in the middle of a pass."""
    just_gone: set[int] = field(default_factory=set)
    """Tales deleted during this pass: its last look at them may have come before."""

    @property
    def board(self) -> Switchboard:
        assert isinstance(self.rig, SwitchedRig)
        assert self.rig.board is not None
        return self.rig.board

    async def live(self, seconds: float) -> None:
        """Let time pass, and have every lane take a turn, side by side."""
        self.clock.pass_time(seconds)
        self.just_gone.clear()
        if self.daemon is None:
            self.daemon = self.rig.daemon()
            for lane in self.daemon.lanes:
                await lane.begin()
        if not self.dies:
            for lane in self.daemon.lanes:
                await self._turn(lane)
            return
        works = [self._turn(lane) for lane in self.daemon.lanes]
        works += [self._owner(self.daemon), self._author()]
        self.random.shuffle(works)
        dies_at: int | str | None = None
        if self.random.random() < self.dies:
            dies_at = self.random.randrange(100) if self.random.random() < 0.4 else "publish"
        if not await self.board.drive(works, dies_at):
            await self.restart()

    def delete(self, tale: Tale) -> None:
        super().delete(tale)
        self.just_gone.add(tale.number)

    def created(self, net: WatchedNetwork, tale: Tale, part: DraftPart) -> None:
        gone, tale.gone = tale.gone, tale.gone and tale.number not in self.just_gone
        begun = bool(tale.made)
        super().created(net, tale, part)
        tale.gone = gone
        if not begun:
            self._check_order(tale)

    def _check_order(self, tale: Tale) -> None:
        """Nothing that was written later may have left before, unless this was unclear thrice."""
        doubts = [
            event
            for event in self.rig.events
            if isinstance(event, PartSettled)
            and event.source in tale.post.ids
            and event.state is PartState.IN_DOUBT
        ]
        waited = tale.version or tale.refused or tale.parent or len(doubts) >= PATIENT_TRIES
        overtaking = [
            other.number
            for other in self.tales[tale.number + 1 :]
            if other.post.network is tale.post.network and other.made and other.parent is None
        ]
        if overtaking and not waited:
            self.wrongs.append(f"out of order: {tale.number} after {overtaking}")

    async def _turn(self, lane: Lane) -> None:
        try:
            # What wakes one lane need not wake the other one in the same moment.
            await self._dawdle(self.random.choice([0, 0, 8, 16]))
            await lane.turn(read=True)
        except Exception as error:  # noqa: BLE001 - as `Lane.run` has it, which logs it
            self.wrongs.append(f"a turn broke off: {error!r}")

    async def _owner(self, daemon: Daemon) -> None:
        """Look at what is held, and say truly whether it stands."""
        commands = Commands(
            daemon.lanes[0]._bench, [lane.plan.route for lane in daemon.lanes], daemon.lanes
        )
        await self.board.switch()
        for record in await self.rig.ledger.history(limit=100):
            held = [part for part in record.parts if part.state.value == "held" and part.attempts]
            if len(held) != 1:
                continue
            target, said = self.networks[record.route.direction.target], held[0].part.text
            found = [post for post in target.posts if post.text.plain == said and said]
            try:
                await commands.resolve(record.source, found[0].url if found else None)
            except TwinpostError:
                continue  # somebody else has found out meanwhile

    async def _author(self) -> None:
        await self._dawdle(20)
        self.acts()

    async def _dawdle(self, most: int) -> None:
        for _ in range(self.random.randint(0, most) if self.dies else 0):
            await self.board.switch()


@contextmanager
def complaints(wrongs: list[str]) -> Iterator[None]:
    """Add every error that is logged inside the block to `wrongs`."""

    class Listening(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            what = record.exc_info[1] if record.exc_info else None
            wrongs.append(f"logged: {record.getMessage()}: {what!r}")

    handler = Listening(logging.ERROR)
    logger = logging.getLogger("bridge")
    logger.addHandler(handler)
    try:
        yield
    finally:
        logger.removeHandler(handler)
