"""Everything a post can carry, from one real sandbox to the other through the real wiring."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from bridge.app.wiring import Running
from bridge.core.model import Direction
from bridge.core.record import PostRecord
from bridge.sandbox.mastodon import Status
from bridge.sandbox.mastodon.profiles import ProfileName
from bridge.sandbox.x import StoredPost
from tests.crash.stage import HOME, OUT, Stage, StageClock, record, staged

WORTH_WAITING = 6
"""Seconds: leases and streams sleep for longer."""


@dataclass
class Crossing:
    """A bridge at work between two sandboxes, and what came of each post."""

    stage: Stage
    running: Running

    async def pass_time(self, seconds: float = 30, step: float = 15) -> None:
        """Let time go by, with turns of both lanes."""
        await self.stage.pass_time(self.running, seconds, step)

    async def record(self, source: str) -> PostRecord:
        """What the ledger has of a post."""
        return await record(self.running, source)

    async def notes(self, source: str) -> str:
        """All that `history` says of a post."""
        found = await self.record(source)
        return "; ".join([found.verdict.sentence, *found.notes, *(p.detail for p in found.parts)])

    async def on_x(self, source: str) -> list[StoredPost]:
        """The parts of a post's mirror on X, after some time."""
        await self.pass_time()
        found = await self.record(source)
        posts = [self.stage.x.post(part.target_id) for part in found.parts if part.target_id]
        return [post for post in posts if post is not None]

    async def on_mastodon(self, source: str) -> list[Status]:
        """The parts of a post's mirror on Mastodon, after some time."""
        await self.pass_time()
        found = await self.record(source)
        posts = [self.stage.mastodon.get(part.target_id) for part in found.parts if part.target_id]
        return [post for post in posts if post is not None]

    def mirrors(self, direction: Direction) -> int:
        """How many posts stand on the target that nobody wrote by hand."""
        return len(self.stage.mirrors(direction))


def written(stage: Stage, made: str) -> str:
    """Note that its owner wrote `made` by hand, a moment ago."""
    stage.by_hand.add(made)
    stage.clock.pass_time(1)
    return made


def _let_short_waits_pass(clock: StageClock) -> None:
    """Have time go by for who waits for a server to finish with a file; others wait for ever."""
    for_ever = clock.sleep

    async def sleep(seconds: float) -> None:
        if seconds > WORTH_WAITING:
            await for_ever(seconds)
        clock.pass_time(seconds)

    clock.sleep = sleep  # type: ignore[method-assign] # this one clock


@dataclass
class Crossings:
    """Makes a crossing with keys of a test's own."""

    folder: Path
    _made: int = 0

    @asynccontextmanager
    async def __call__(
        self,
        *,
        outward: str = "",
        homeward: str = "",
        x: str = "",
        premium: bool = False,
        profile: ProfileName = "mastodon",
        **bridge: str,
    ) -> AsyncIterator[Crossing]:
        """A crossing. `outward`, `homeward` and `x` are further keys, as YAML in flow style."""
        self._made += 1
        async with staged(self.folder / str(self._made), profile) as stage:
            _let_short_waits_pass(stage.clock)
            if not premium:
                stage.x_account = stage.x.add_account("eve", "Eve")
            text = self._configuration(stage, outward, homeward, x)
            text += "".join(f"    {name}: {value}\n" for name, value in bridge.items())
            stage.config.write_text(text, encoding="utf-8")
            async with stage.running() as running:
                yield Crossing(stage, running)

    @staticmethod
    def _configuration(stage: Stage, outward: str, homeward: str, x: str) -> str:
        keys = stage.x_account.oauth1
        return f"""\
state: ./state
bridges:
  - name: personal
    mastodon: {{url: "{stage.mastodon_url}", access_token: {stage.mastodon_account.access_token}}}
    x:
      url: {stage.x_url}
      {x}
      oauth1:
        consumer_key: {keys.consumer_key}
        consumer_secret: {keys.consumer_secret}
        access_token: {keys.access_token}
        access_token_secret: {keys.access_token_secret}
    mastodon_to_x: {{every: 1m, max_per_hour: any, {outward or "delay: 0s"}}}
    x_to_mastodon: {{every: 1m, max_per_hour: any, delay: 0s{", " + homeward if homeward else ""}}}
"""


@pytest.fixture
def crossing(tmp_path: Path) -> Crossings:
    return Crossings(tmp_path)


__all__ = ["HOME", "OUT", "Crossing", "Crossings", "written"]
