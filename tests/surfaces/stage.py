"""A bridge as a surface sees it: a real ledger between fake networks, and events as they happen."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from bridge.core.budget import NO_BUDGET, Budget
from bridge.core.errors import NetworkError, Refused
from bridge.core.model import BridgeName, Direction, Network, Route, Visibility
from bridge.core.policy import Policy
from bridge.core.rules import Rules
from bridge.core.timing import FromNow, Interval
from bridge.engine.commands import Commands
from bridge.engine.control import Control
from bridge.engine.route import Bench, RoutePlan
from bridge.engine.standing import Standing, standings
from bridge.engine.supervise import Daemon
from bridge.ledger.sqlite import open_ledger
from bridge.ports import Ledger, Listener
from tests.fakes import FakeNetwork, PatientClock

NAME = BridgeName("personal")
OUT = Route(NAME, Direction.MASTODON_TO_X)
HOME = Route(NAME, Direction.X_TO_MASTODON)
ROUTES = (OUT, HOME)


@dataclass
class Bridge:
    """A bridge that works when told to; its clock stands at the real time at first."""

    clock: PatientClock
    mastodon: FakeNetwork
    x: FakeNetwork
    ledger: Ledger
    daemon: Daemon
    control: Control
    commands: Commands
    listeners: list[Listener] = field(default_factory=list)

    async def look(self) -> Sequence[Standing]:
        return await standings(self.daemon, self.control, self.clock.now())

    async def passes(self, count: int = 2) -> None:
        """Let it read and send."""
        for _ in range(count):
            self.clock.pass_time(20)
            await self.daemon.once()

    async def fail_one(self, text: str = "Nobody wants this") -> None:
        """Have a post be refused for good, which only its owner can mend."""
        self.x.answers.append((False, Refused("HTTP 422: no", status=422)))
        self.mastodon.write(text)
        await self.passes()

    def refuse_reading(self, error: NetworkError, times: int = 1) -> None:
        self.x.read_errors += [error] * times


@asynccontextmanager
async def bridged(
    folder: Path, at: datetime | None = None, budget: Budget = NO_BUDGET
) -> AsyncIterator[Bridge]:
    clock = PatientClock(at or datetime.now(UTC).replace(microsecond=0))
    mastodon = FakeNetwork(Network.MASTODON, clock, max_length=500)
    x = FakeNetwork(Network.X, clock)
    ledger = await open_ledger(
        folder / "ledger.sqlite3", owner="test", now=clock.now(), create=True
    )
    listeners: list[Listener] = []
    bench = Bench(ledger, clock, lambda: 0.0, (lambda event: [each(event) for each in listeners],))  # type: ignore[arg-type]
    public = frozenset({Visibility.PUBLIC})
    plans = [
        RoutePlan(
            route, source, target, Rules(public), Policy(), Interval(timedelta(minutes=1)),
            timedelta(0), FromNow(), budget=budget,
        )
        for route, source, target in ((OUT, mastodon, x), (HOME, x, mastodon))
    ]  # fmt: skip
    daemon = Daemon(plans, bench)
    control = Control(ledger, ROUTES, {NAME: budget})
    commands = Commands(bench, ROUTES, daemon.lanes)
    made = Bridge(clock, mastodon, x, ledger, daemon, control, commands, listeners)
    await daemon.once()
    try:
        yield made
    finally:
        await ledger.close()
