"""Daemons that die, or stand still, at a given call of a port: the real wiring in real processes.

One process imports everything and forks for each life, which makes a life cheap. The ports are
wrapped from outside; the product has no hooks. Must not judge anything.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, TypeVar

import bridge.app.steering
import bridge.app.wiring
from bridge.app.wiring import wired
from bridge.config import load
from bridge.ledger.sqlite import open_ledger
from bridge.networks.mastodon.adapter import MastodonAdapter
from bridge.networks.x.adapter import XAdapter
from tests.crash.stage import StageClock

T = TypeVar("T")
ROOT = Path(__file__).resolve().parents[2]

NOT_CALLS = frozenset({"close", "listen", "network"})
"""What ends a life anyway, or belongs to the background."""


@dataclass(frozen=True)
class Life:
    """One pass of one lane, from `at` by its own clock.

    It ends by `signal` (a number) at the moment `when` of its `call`-th call of a port, or of the
    first one that has that name: ``before``, ``after``, or ``during``, when it has run for a
    moment. Instead, the call may fail (``raise``), or its caller be cancelled (``cancel``).
    `calls` is the file for the names of the calls that were made; `offset` one that holds the
    seconds by which the clock has moved on since.
    """

    config: str
    at: str
    lane: int
    call: int | str
    when: str
    signal: int
    calls: str
    offset: str


class Mortal:
    """Counts the calls of every port, and ends the process at one of them."""

    def __init__(self, life: Life) -> None:
        self._life = life
        self._made = 0
        self._struck = False
        self._log = Path(life.calls)

    def port(self, port: Any) -> Any:
        """`port`, its calls counted."""
        return _Counted(port, self)

    async def call(self, name: str, work: Callable[[], Awaitable[T]]) -> T:
        """One call of a port."""
        self._made += 1
        with self._log.open("a", encoding="utf-8") as log:
            log.write(f"{name}\n")
        fated = self._life.call in (self._made, name) and not self._struck
        self._struck |= fated
        if fated and self._life.when == "before":
            self._end()
        if fated and self._life.when == "raise":
            raise ZeroDivisionError
        if fated and self._life.when == "cancel":
            task = asyncio.current_task()
            assert task is not None
            task.cancel()
        if fated and self._life.when == "during":
            asyncio.get_running_loop().call_later(0.02, self._end)
        result = await work()
        if fated and self._life.when == "after":
            self._end()
        return result

    def _end(self) -> None:
        os.kill(os.getpid(), self._life.signal)


class _Counted:
    def __init__(self, port: Any, mortal: Mortal) -> None:
        self._port = port
        self._mortal = mortal

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._port, name)
        if name in NOT_CALLS:
            return found

        async def counted(*args: Any, **kwargs: Any) -> Any:
            return await self._mortal.call(name, lambda: found(*args, **kwargs))

        return counted


class MovableClock(StageClock):
    """A clock that others can move, by what stands in a file."""

    def __init__(self, at: datetime, offset: Path) -> None:
        super().__init__(at)
        self._start, self._offset = at, offset

    def now(self) -> datetime:
        self._follow()
        return super().now()

    def monotonic(self) -> float:
        self._follow()
        return super().monotonic()

    def _follow(self) -> None:
        seconds = float(self._offset.read_text() or 0) if self._offset.exists() else 0.0
        self.at = self._start
        self.pass_time(seconds)


async def live(life: Life) -> None:
    """What a daemon does in one pass, with mortal ports."""
    mortal = Mortal(life)

    async def ledger(*args: Any, **kwargs: Any) -> Any:
        return mortal.port(await open_ledger(*args, **kwargs))

    def network(make: Callable[..., Any]) -> Callable[..., Any]:
        return lambda *args, **kwargs: mortal.port(make(*args, **kwargs))

    # This process is forked for one life: nothing is put back.
    vars(bridge.app.steering).update(open_ledger=ledger)
    vars(bridge.app.wiring).update(
        MastodonAdapter=network(MastodonAdapter), XAdapter=network(XAdapter)
    )
    settings = load(Path(life.config))
    clock = MovableClock(datetime.fromisoformat(life.at), Path(life.offset))
    async with wired(settings, clock=clock) as running:
        lane = running.daemon.lanes[life.lane]
        await lane.begin()
        await lane.turn(read=True)


def _die(life: Life) -> None:
    code = 1
    try:
        asyncio.run(live(life))
        code = 0
    except BaseException as error:  # noqa: BLE001 - the parent is told by the exit code
        sys.stderr.write(f"{type(error).__name__}: {error}\n")
    finally:
        sys.stderr.flush()
        os._exit(code)


def main() -> None:
    """Fork for every life that is asked for on standard input; answer with how it ended."""
    for line in sys.stdin:
        asked = json.loads(line)
        child = os.fork()
        if child == 0:
            _die(Life(**asked))
        sys.stdout.write(json.dumps({"pid": child}) + "\n")
        sys.stdout.flush()
        _, status = os.waitpid(child, 0)
        sys.stdout.write(json.dumps({"status": os.waitstatus_to_exitcode(status)}) + "\n")
        sys.stdout.flush()


class Mortals:
    """The process that forks, spoken to."""

    def __init__(self, process: asyncio.subprocess.Process, folder: Path) -> None:
        self._process = process
        self._calls, self._offset = folder / "calls", folder / "offset"

    async def begin(
        self,
        config: Path,
        at: datetime,
        lane: int,
        call: int | str,
        *,
        when: str = "before",
        how: signal.Signals = signal.SIGKILL,
    ) -> int:
        """Begin a life; its process id."""
        self._calls.write_text("")
        life = Life(
            str(config), at.isoformat(), lane, call, when, how, str(self._calls), str(self._offset)
        )
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(asdict(life)).encode() + b"\n")
        return int((await self._answer())["pid"])

    async def end(self) -> int:
        """Wait until the life under way ends; its exit code, or minus a signal's number."""
        return int((await self._answer())["status"])

    def calls(self) -> list[str]:
        """The calls made in the last life."""
        return self._calls.read_text().split()

    def move_clock(self, seconds: float) -> None:
        """Have the clocks of all lives stand so much later than they began."""
        self._offset.write_text(str(seconds))

    async def _answer(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        line = await asyncio.wait_for(self._process.stdout.readline(), 60)
        answer: dict[str, Any] = json.loads(line)
        return answer


@asynccontextmanager
async def mortals(folder: Path) -> AsyncIterator[Mortals]:
    """The forking process, ended with the context."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        "from tests.crash.mortal import main; main()",
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        cwd=ROOT,
    )
    try:
        yield Mortals(process, folder)
    finally:
        assert process.stdin is not None
        process.stdin.close()
        await asyncio.wait_for(process.wait(), 30)
