"""R1 for all that is not text: killed around uploads, edits and deletions, nothing is doubled."""

import signal
from dataclasses import dataclass

import pytest

from bridge.core.delivery import PartState, PostState
from bridge.core.model import Direction
from bridge.core.record import PostRecord
from bridge.sandbox.mastodon import Attachment
from bridge.sandbox.x import XFile
from tests.crash.mortal import Mortals, mortals
from tests.crash.stage import HOME, OUT, THREE_PARTS, Stage, record, words
from tests.crossing import samples

LANES = {OUT: 0, HOME: 1}
BOTH = pytest.mark.parametrize("direction", [OUT, HOME], ids=["to-x", "to-mastodon"])
MOMENTS = ("before", "after")


@dataclass
class Doomed:
    """A bridge whose processes are killed at one call of a port, and the next one's work."""

    stage: Stage
    forks: Mortals
    direction: Direction

    async def killed_at(self, call: str, when: str) -> bool:
        """A life that ends at the first call of that name; whether it made it that far."""
        now, lane = self.stage.clock.now(), LANES[self.direction]
        await self.forks.begin(self.stage.config, now, lane, call, when=when)
        status = await self.forks.end()
        assert status == (-signal.SIGKILL if call in self.forks.calls() else 0), (call, when)
        return status != 0

    async def made_whole(self, source: str, end: PostState) -> PostRecord:
        """What the next process makes of it."""
        async with self.stage.running(set_out=False) as running:
            lane = running.daemon.lanes[LANES[self.direction]]
            await lane.begin()
            for step in (0, 5, 70, 90, 90):
                self.stage.clock.pass_time(step)
                await lane.turn(read=True)
                found = await record(running, source)
                if found.state is end and not await running.daemon._bench.ledger.unfinished(
                    found.route
                ):
                    break
        assert found.state is end, found
        return found

    async def mirrored(self, source: str) -> None:
        """Have a whole process mirror a post."""
        await self.made_whole(source, PostState.DELIVERED)
        self.stage.clock.pass_time(30)

    def write(self, text: str, *, pictures: int = 0, edit_of: str | None = None) -> str:
        """A post on the source, or an edit of one, with so many pictures."""
        stage, files = self.stage, (samples.png("red"), samples.png("blue"))[:pictures]
        if self.direction is OUT:
            media = tuple(Attachment(file, "a square") for file in files)
            account = stage.mastodon_account
            made = stage.mastodon.write(account, text, media=media, edit_of=edit_of).id
        else:
            x = tuple(XFile(file, "a square") for file in files)
            made = stage.x.write(stage.x_account, text, media=x, edit_of=edit_of).id
        stage.by_hand.add(made)
        stage.clock.pass_time(1)
        return made

    def remove(self, source: str) -> None:
        """Its author deletes a post."""
        if self.direction is OUT:
            self.stage.mastodon.remove(source)
        else:
            self.stage.x.remove(source)
        self.stage.clock.pass_time(1)

    def media_of(self, mirror: str) -> int:
        """How many media a mirror has."""
        if self.direction is OUT:
            post = self.stage.x.post(mirror)
            return 0 if post is None else len(post.media)
        status = self.stage.mastodon.get(mirror)
        return 0 if status is None else len(status.media)


@pytest.fixture
async def prepared(stage: Stage) -> Stage:
    """A stage on which edits and deletions are followed both ways."""
    stage.configure(x="premium: true", homeward=", recheck: {every: 1m, window: 20}")
    for direction in (OUT, HOME):
        stage.write(direction, words(f"before the bridge, {direction.value}"))
    async with stage.running():
        pass
    return stage


@BOTH
async def test_r1_killed_around_uploads_each_picture_stands_once_in_one_post(
    prepared: Stage, direction: Direction
) -> None:
    async with mortals(prepared.folder) as forks:
        doomed = Doomed(prepared, forks, direction)
        for call in ("claim", "upload", "note_upload", "publish", "settle"):
            for when in MOMENTS:
                prepared.clock.pass_time(1900)
                before = len(prepared.mirrors(direction))
                source = doomed.write(words(f"pets {call} {when} {direction.value}"), pictures=2)
                assert await doomed.killed_at(call, when), (call, when)
                found = await doomed.made_whole(source, PostState.DELIVERED)
                made = prepared.mirrors(direction)[before:]
                assert [one[0] for one in made] == [found.parts[0].target_id], (call, when)
                assert doomed.media_of(made[0][0]) == 2
    assert prepared.mirrors(direction.reverse) == []


@BOTH
async def test_r1_killed_around_an_edit_it_is_made_or_said_to_be_missing_and_posts_nothing(
    prepared: Stage, direction: Direction
) -> None:
    async with mortals(prepared.folder) as forks:
        doomed = Doomed(prepared, forks, direction)
        for call in ("amend", "claim", "revise", "settle"):
            for when in MOMENTS:
                prepared.clock.pass_time(1200)
                first, then = (words(f"{word} {call} {when}") for word in ("frist", "first"))
                source = doomed.write(first)
                await doomed.mirrored(source)
                before = len(prepared.mirrors(direction))
                doomed.write(then, edit_of=source)
                assert await doomed.killed_at(call, when), (call, when)
                found = await doomed.made_whole(source, PostState.DELIVERED)
                texts = [text for _, text, _ in prepared.mirrors(direction)]
                assert len(texts) == before, (call, when)
                said = any("may show what it said before" in note for note in found.notes)
                assert any(then in text for text in texts) or (said and direction is OUT)
                assert not said or direction is OUT
    assert prepared.mirrors(direction.reverse) == []


@BOTH
async def test_r1_killed_around_a_deletion_nothing_of_the_mirror_is_left(
    prepared: Stage, direction: Direction
) -> None:
    async with mortals(prepared.folder) as forks:
        doomed = Doomed(prepared, forks, direction)
        for call in ("amend", "note_gone", "claim", "delete", "settle"):
            for when in MOMENTS:
                prepared.clock.pass_time(1900)
                source = doomed.write(words(f"{call} {when}", THREE_PARTS[direction]))
                await doomed.mirrored(source)
                assert len(prepared.mirrors(direction)) == 3
                doomed.remove(source)
                prepared.clock.pass_time(61)
                assert await doomed.killed_at(call, when), (call, when)
                found = await doomed.made_whole(source, PostState.REMOVED)
                assert prepared.mirrors(direction) == [], (call, when)
                assert {part.state for part in found.parts} == {PartState.GONE}
    assert prepared.mirrors(direction.reverse) == []
