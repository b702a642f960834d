"""Posts that refer to others by whichever id was current when they were written."""

import random
from dataclasses import dataclass, field
from datetime import timedelta

import pytest

from bridge.core.delivery import PostState
from bridge.core.model import Post, PostId, Route
from bridge.core.record import Cursor, Decision
from bridge.engine.supervise import Daemon
from tests.engine.conftest import Rig
from tests.fakes import FakeNetwork


@dataclass
class Author:
    """Writes on one network, of which every edit gives a post a new id."""

    network: FakeNetwork
    chance: random.Random
    posts: list[Post] = field(default_factory=list)
    replies: dict[PostId, PostId] = field(default_factory=dict)
    quotes: dict[PostId, PostId] = field(default_factory=dict)
    first_id: dict[PostId, PostId] = field(default_factory=dict)

    def write(self) -> None:
        """A post on its own, a reply, a quote, or another version of a post."""
        what = self.chance.choice(("post", "reply", "reply", "quote", "edit", "edit"))
        about = self.chance.choice(self.posts) if self.posts else None
        text = f"Words {len(self.first_id)}"
        if about is None or what == "post":
            self._added(self.network.write(text))
        elif what == "reply":
            made = self._added(self.network.write(text, reply_to=about.id))
            self.replies[made] = self.first_id[about.id]
        elif what == "quote":
            made = self._added(self.network.write(text, quote=about))
            self.quotes[made] = self.first_id[about.id]
        else:
            edited = self.network.edit(about, f"{about.text.plain}, edited")
            self.first_id[edited.id] = self.first_id[about.id]
            self.posts[self.posts.index(about)] = edited

    def _added(self, post: Post) -> PostId:
        self.posts.append(post)
        self.first_id[post.id] = post.id
        return post.id


async def test_threads_and_quotes_survive_edits_in_any_order_of_arrival(rig: Rig) -> None:
    source, target = rig.x, rig.mastodon
    daemon = await rig.started()
    for seed in range(4):
        author = Author(source, random.Random(seed))
        for _ in range(12):
            rig.clock.pass_time(1)
            author.write()
            if author.chance.random() < 0.2:
                await daemon.once()
        rig.clock.pass_time(60)
        await daemon.once()
        above = {
            post.id: post.in_reply_to.post if post.in_reply_to else None for post in target.posts
        }
        for post in author.posts:
            record = await rig.record(post.id)
            assert record.state is PostState.DELIVERED, (seed, post, record.verdict)
            assert (await rig.record(author.first_id[post.id])) == record
            parent = author.replies.get(author.first_id[post.id])
            expected = None if parent is None else (await rig.record(parent)).parts[-1].target_id
            mirror = record.parts[0].target_id
            assert mirror is not None
            assert above[mirror] == expected, (seed, post)
            if quoted := author.quotes.get(author.first_id[post.id]):
                meant = (await rig.record(quoted)).parts[0].target_id
                assert record.parts[0].part.quote == meant, (seed, post)


async def edited_before_it_is_read(rig: Rig, reference: str) -> tuple[Daemon, Post, Post]:
    """A tweet that is edited after another one has referred to it, both read at once."""
    daemon = await rig.started()
    first = rig.x.write("Frist")
    rig.clock.pass_time(5)
    if reference == "reply":
        second = rig.x.write("Second", reply_to=first.id)
    elif reference == "quote":
        second = rig.x.write("Second", quote=first)
    else:
        second = rig.x.write("", repost=first)
    rig.clock.pass_time(5)
    edited = rig.x.edit(first, "First")
    rig.clock.pass_time(60)
    await daemon.once()
    return daemon, edited, second


@pytest.mark.parametrize("reference", ["reply", "quote", "repost"])
async def test_what_refers_to_a_post_edited_before_it_is_read_refers_to_its_mirror(
    rig: Rig, reference: str
) -> None:
    rig.boosts = "own"
    daemon, first, second = await edited_before_it_is_read(rig, reference)
    assert await rig.state(second.id) is PostState.DELIVERED
    part, reply_to, _ = rig.mastodon.published[-1]
    found = {"reply": reply_to, "quote": part.quote, "repost": part.repeat}
    assert found[reference] == (await rig.record(first.id)).parts[0].target_id
    await rig.pass_time(daemon, 120)
    assert len(rig.mastodon.published) == 2


async def test_the_cursor_waits_for_posts_that_were_read_and_not_dealt_with(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    daemon = await rig.started()
    first = rig.x.write("Frist")
    second = rig.x.write("Second", reply_to=first.id)
    rig.x.edit(first, "First")
    record = rig.ledger.record
    count = 0

    async def dying(route: Route, decision: Decision, cursor: Cursor) -> None:
        nonlocal count
        count += 1
        if count > 1:
            raise KeyboardInterrupt
        await record(route, decision, cursor)

    monkeypatch.setattr(rig.ledger, "record", dying)
    with pytest.raises((KeyboardInterrupt, BaseExceptionGroup)):
        await daemon.once()
    await rig.restart()
    await rig.daemon().once()
    assert await rig.state(second.id) is PostState.DELIVERED
    assert [part.text for part, _, _ in rig.mastodon.published] == ["First", "Second"]


async def test_the_mirror_of_a_deleted_post_goes_under_any_of_its_ids(rig: Rig) -> None:
    rig.recheck_every = timedelta(minutes=5)
    daemon, first, second = await edited_before_it_is_read(rig, "reply")
    rig.clock.pass_time(600)
    await daemon.once()
    rig.x.remove(second)
    rig.clock.pass_time(600)
    await daemon.once()
    assert [post.text.plain for post in rig.mastodon.posts] == ["First"]
    assert await rig.state(first.ids[0]) is PostState.DELIVERED
    assert await rig.state(second.id) is PostState.REMOVED
