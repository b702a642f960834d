"""The real wiring between both sandboxes on one clock that obeys, driven turn by turn.

Must not contain expectations: those belong to the tests.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import pytest

import bridge.app.wiring
import bridge.networks.mastodon.client
from bridge.app.wiring import Running, wired
from bridge.config import Settings, load
from bridge.core.delivery import PostState
from bridge.core.events import Event
from bridge.core.model import BridgeName, Direction
from bridge.core.record import PostRecord
from bridge.net.session import open_session
from bridge.sandbox.clock import SandboxClock
from bridge.sandbox.faults import Fault
from bridge.sandbox.mastodon import MastodonAccount, MastodonSandbox
from bridge.sandbox.mastodon.profiles import ProfileName
from bridge.sandbox.server import serve
from bridge.sandbox.x import XAccount, XSandbox

OUT, HOME = Direction.MASTODON_TO_X, Direction.X_TO_MASTODON
NAME = BridgeName("personal")

CREATE = {OUT: r"^/2/tweets$", HOME: r"^/api/v1/statuses$"}
"""Where each direction creates posts."""

TIMELINE = {OUT: r"^/2/users/[^/]+/tweets$", HOME: r"^/api/v1/accounts/[^/]+/statuses$"}
"""Where each direction reads what it has created."""

TOOT = 500
"""Characters in the longest toot of a stage."""

POST = 170
"""What the bridge is told to fit on X, so that a toot makes a thread there."""

SHORT_READ = 0.4
"""Seconds of silence after which a stage's networks give up."""


class StageClock:
    """Time that moves only when told, for both networks and the bridge alike.

    `at` is the true time, which the networks know; the bridge's own wall clock may be wrong.
    """

    def __init__(self, at: datetime = datetime(2026, 11, 22, 12, tzinfo=UTC)) -> None:
        self._begun = self.at = at
        self._wrong = timedelta(0)

    def now(self) -> datetime:
        return self.at + self._wrong

    def set_wrong(self, seconds: float) -> None:
        """Have the bridge's wall clock stand so much ahead of the true time."""
        self._wrong = timedelta(seconds=seconds)

    def monotonic(self) -> float:
        return (self.at - self._begun).total_seconds()

    def pass_time(self, seconds: float) -> None:
        self.at += timedelta(seconds=seconds)

    async def sleep(self, seconds: float) -> None:
        """Never ends by itself: what sleeps in the background must not move this clock."""
        await asyncio.Event().wait()


def words(name: str, length: int = 0) -> str:
    """A text that is like no other, of about so many characters in short sentences."""
    sentences = [f"This is the tale of {name}."]
    while len(" ".join(sentences)) < length:
        # Each names its tale: to X, a part of the same words is a duplicate.
        sentences.append(f"{name} {len(sentences)}.")
    return " ".join(sentences)


THREE_PARTS = {OUT: 370, HOME: 1150}
"""How many characters make a thread of three on the other side."""


@dataclass
class Stage:
    """Two networks, an account on each, and the settings of a bridge between them."""

    folder: Path
    clock: StageClock
    mastodon: MastodonSandbox
    mastodon_account: MastodonAccount
    mastodon_url: str
    x: XSandbox
    x_account: XAccount
    x_url: str
    events: list[Event] = field(default_factory=list)
    by_hand: set[str] = field(default_factory=set)

    @property
    def config(self) -> Path:
        """The configuration file: both directions, without delays."""
        return self.folder / "config.yaml"

    @property
    def settings(self) -> Settings:
        """What the configuration says."""
        return load(self.config)

    def configure(self, *, every: str = "1m", x: str = "", homeward: str = "") -> None:
        """Write the configuration; `x` and `homeward` are further keys, in flow style."""
        keys = self.x_account.oauth1
        self.folder.mkdir(exist_ok=True)
        self.config.write_text(
            f"""\
state: ./state
bridges:
  - name: {NAME}
    mastodon: {{url: "{self.mastodon_url}", access_token: {self.mastodon_account.access_token}}}
    x:
      url: {self.x_url}
      max_length: {POST}
      budget: {{usd_per_month: none, usd_per_post: none}}
      {x}
      oauth1:
        consumer_key: {keys.consumer_key}
        consumer_secret: {keys.consumer_secret}
        access_token: {keys.access_token}
        access_token_secret: {keys.access_token_secret}
    mastodon_to_x: {{every: {every}, max_per_hour: any, delay: 0s}}
    x_to_mastodon: {{every: {every}, max_per_hour: any, delay: 0s{homeward}}}
""",
            encoding="utf-8",
        )

    @asynccontextmanager
    async def running(self, *, set_out: bool = True) -> AsyncIterator[Running]:
        """The bridge as a new process would have it, but that nothing happens by itself.

        Its first pass is made, unless `set_out` is false: what is written from now on is mirrored.
        """
        async with wired(
            self.settings, listeners=(self.events.append,), clock=self.clock
        ) as running:
            if set_out:
                await running.daemon.once()
                self.clock.pass_time(1)
            yield running

    async def pass_time(self, running: Running, seconds: float, step: float = 15) -> None:
        """Let time go by, with a turn of every lane at each step; none may want to spin."""
        for _ in range(int(seconds // step)):
            self.clock.pass_time(step)
            for lane in running.daemon.lanes:
                again = await lane.turn(read=True)
                assert again is None or again > self.clock.now()

    def write(self, direction: Direction, text: str, *, reply_to: str | None = None) -> str:
        """What the owner writes on the source of `direction`; its id."""
        if direction is OUT:
            made = self.mastodon.write(self.mastodon_account, text, in_reply_to=reply_to).id
        else:
            made = self.x.write(self.x_account, text, reply_to=reply_to).id
        self.by_hand.add(made)
        self.clock.pass_time(1)
        return made

    def put_up(self, direction: Direction, text: str) -> None:
        """Have the target make a post that it was asked for before."""
        if direction is OUT:
            self.x.write(self.x_account, text)
        else:
            self.mastodon.write(self.mastodon_account, text)

    def mirrors(self, direction: Direction) -> list[tuple[str, str, str | None]]:
        """Id, text and parent of all that the bridge made on the target, oldest first."""
        if direction is OUT:
            found = [(p.id, p.text, p.reply_to) for p in self.x.timeline(self.x_account)]
        else:
            found = [
                (s.id, s.text, s.in_reply_to_id)
                for s in self.mastodon.timeline(self.mastodon_account)
            ]
        return [one for one in reversed(found) if one[0] not in self.by_hand]

    def add_fault(self, direction: Direction, name: str, **given: object) -> None:
        """Have the target of `direction` fail at the next creation."""
        fault = Fault(name, **{"method": "POST", "path": CREATE[direction], **given})  # type: ignore[arg-type] # the fields of a fault
        self.target(direction).faults.add(fault)

    def fail_after(self, direction: Direction, count: int, add: Callable[[], None]) -> None:
        """Call `add` once `count` posts more stand on the target; at once for none."""
        if count == 0:
            add()
            return
        left = count

        def counted(change: object) -> None:
            nonlocal left
            left -= 1
            if left == 0:
                add()
                end()

        end = self.target(direction).subscribe(counted)

    def target(self, direction: Direction) -> XSandbox | MastodonSandbox:
        """The network that `direction` sends to."""
        return self.x if direction is OUT else self.mastodon

    def source(self, direction: Direction) -> XSandbox | MastodonSandbox:
        """The network that `direction` reads."""
        return self.mastodon if direction is OUT else self.x

    def creations(self, direction: Direction) -> int:
        """How often the target was asked to create a post."""
        path = "/2/tweets" if direction is OUT else "/api/v1/statuses"
        asked = self.target(direction).faults.requests
        return sum(entry.method == "POST" and entry.path == path for entry in asked)


async def record(running: Running, source: str) -> PostRecord:
    """The one record of a post."""
    (found,) = await running.control.why(source)
    return found


async def state(running: Running, source: str) -> PostState:
    """Where a post stands."""
    return (await record(running, source)).state


@asynccontextmanager
async def staged(folder: Path, profile: ProfileName = "mastodon") -> AsyncIterator[Stage]:
    """A fresh stage; everything on it ends with the context."""
    clock = StageClock()
    shared = SandboxClock(base=lambda: clock.at)
    async with AsyncExitStack() as stack:
        x = XSandbox(clock=shared)
        toots = MastodonSandbox(profile, clock=shared, max_characters=TOOT)
        made = Stage(
            folder=folder,
            clock=clock,
            mastodon=toots,
            mastodon_account=toots.add_account("ada", "Ada Lovelace"),
            mastodon_url=await stack.enter_async_context(serve(toots.app)),
            x=x,
            x_account=x.add_account("ada", "Ada Lovelace", premium=True),
            x_url=await stack.enter_async_context(serve(x.app)),
        )
        made.configure()
        yield made


def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have both networks give up on a silent server at once."""
    impatient_session = partial(open_session, read_timeout=SHORT_READ)
    monkeypatch.setattr(bridge.app.wiring, "open_session", impatient_session)
    monkeypatch.setattr(bridge.networks.mastodon.client, "TIMEOUTS", (5, SHORT_READ))
