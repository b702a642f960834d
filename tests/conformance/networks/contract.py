"""What any network adapter must show, whatever stands behind it.

Inherit `NetworkContract` in a test module and give it a fixture `network` that yields a `Stage`.
"""

import asyncio
from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Literal, Protocol

import pytest

from bridge.core.draft import DraftPart
from bridge.core.errors import InDoubt, Throttled, Transient
from bridge.core.model import Kind, Microdollars, PostId, Visibility
from bridge.core.prices import FREE
from bridge.core.record import Cursor
from bridge.ports import NetworkPort

Side = Literal["reads", "writes"]
EVER = datetime(2020, 1, 1, tzinfo=UTC)


class Stage(Protocol):
    """One adapter, and the hands of the person and of the operator behind its server."""

    @property
    def adapter(self) -> NetworkPort:
        """The adapter under test, signed in as an account without posts."""
        ...

    async def write(self, text: str, *, reply_to: PostId | None = None) -> PostId:
        """Post publicly as the account's owner does in the network's own app."""
        ...

    async def remove(self, post: PostId) -> None:
        """Delete a post as its owner does."""
        ...

    async def posts(self) -> list[str]:
        """The texts that stand on the account's timeline, oldest first."""
        ...

    async def fail(self, name: str, side: Side) -> None:
        """Have the next read of the timeline, or the next creation, fail; names as in `Fault`."""
        ...


def failures(name: str, method: str) -> int:
    """How often a fault must strike: where the connection breaks, a read is asked once more."""
    return 2 if method == "GET" and name.endswith(("reset", "cut")) else 1


@dataclass
class Memory:
    """A route that has dealt with some posts, as the ledger would tell."""

    ids: set[PostId] = field(default_factory=set)

    async def known(self, ids: Collection[PostId]) -> frozenset[PostId]:
        return frozenset(self.ids.intersection(ids))


def part(text: str, index: int = 0) -> DraftPart:
    return DraftPart(index, text, Microdollars(0))


async def publish(stage: Stage, text: str, reply_to: PostId | None = None) -> PostId:
    receipt = await stage.adapter.publish(part(text), reply_to=reply_to, key=f"key of {text}")
    return receipt.id


class NetworkContract:
    """The behaviours; one test each."""

    async def test_it_knows_who_it_is(self, network: Stage) -> None:
        account = await network.adapter.account()

        assert account.network is network.adapter.network
        assert account.id
        assert account.handle
        assert not account.handle.startswith("@")
        assert await network.adapter.account() == account

    async def test_an_empty_timeline_gives_an_empty_baseline(self, network: Stage) -> None:
        baseline = await network.adapter.baseline()

        assert baseline.cursor == Cursor()
        assert baseline.ids == frozenset()

    async def test_the_baseline_points_at_the_newest_post(self, network: Stage) -> None:
        for number in range(3):
            newest = await network.write(f"number {number}")

        baseline = await network.adapter.baseline()

        assert baseline.cursor.post == newest
        assert baseline.cursor.at is not None
        assert baseline.cursor.at == baseline.cursor.floor
        assert newest in baseline.ids

    async def test_what_stood_there_before_the_baseline_is_never_read(self, network: Stage) -> None:
        await network.write("old")
        cursor = (await network.adapter.baseline()).cursor

        assert (await network.adapter.read_after(cursor, Memory().known)).posts == ()

        await network.write("new")
        reading = await network.adapter.read_after(cursor, Memory().known)
        assert [post.text.plain for post in reading.posts] == ["new"]

    async def test_a_cursor_whose_post_is_gone_still_holds(self, network: Stage) -> None:
        for text in ("older", "old"):
            await network.write(text)
        baseline = await network.adapter.baseline()
        assert baseline.cursor.post is not None
        await network.remove(baseline.cursor.post)
        await network.write("new")

        reading = await network.adapter.read_after(baseline.cursor, Memory(set(baseline.ids)).known)

        assert [post.text.plain for post in reading.posts] == ["new"]

    async def test_everything_is_read_oldest_first_over_every_page(self, network: Stage) -> None:
        ids = [await network.write(f"number {number}") for number in range(107)]
        cursor, found = Cursor(), list[PostId]()

        for _ in range(20):
            reading = await network.adapter.read_after(cursor, Memory(set(found)).known)
            found += [post.id for post in reading.posts]
            for post in reading.posts:
                cursor = cursor.past(post)
            if not (reading.more and reading.posts):
                break

        assert found == ids

    async def test_a_read_post_tells_what_its_audience_and_author_are(self, network: Stage) -> None:
        post_id = await network.write("for everybody")

        (post,) = (await network.adapter.read_after(Cursor(), Memory().known)).posts

        account = await network.adapter.account()
        assert (post.id, post.network, post.author) == (post_id, account.network, account.id)
        assert post.visibility is Visibility.PUBLIC
        assert post.created_at.tzinfo is not None
        assert post.url
        assert post.kind is Kind.ORIGINAL

    async def test_a_reply_to_an_own_post_is_a_thread(self, network: Stage) -> None:
        first = await network.write("first")
        await network.write("second", reply_to=first)

        _, second = (await network.adapter.read_after(Cursor(), Memory().known)).posts

        assert second.kind is Kind.THREAD
        assert second.in_reply_to is not None
        assert second.in_reply_to.post == first

    async def test_a_floor_keeps_out_what_is_older_and_nothing_else(self, network: Stage) -> None:
        await network.write("old")
        (old,) = (await network.adapter.read_after(Cursor(), Memory().known)).posts
        later = Cursor(floor=old.created_at + timedelta(seconds=1))
        exactly = Cursor(floor=old.created_at)

        assert (await network.adapter.read_after(later, Memory().known)).posts == ()
        assert (await network.adapter.read_after(exactly, Memory().known)).posts == (old,)

    async def test_the_witness_sees_the_whole_stretch(self, network: Stage) -> None:
        ids = [await network.write(f"number {number}") for number in range(45)]
        posts = (await network.adapter.read_after(Cursor(), Memory().known)).posts

        whole = await network.adapter.recent(posts[0].created_at)
        tail = await network.adapter.recent(posts[30].created_at)

        assert [post.id for post in whole.posts] == ids
        assert {post.id for post in tail.posts} >= set(ids[30:])
        assert all(post.created_at >= posts[30].created_at for post in tail.posts)

    @pytest.mark.parametrize(
        "name", ["refuse-then-503", "accept-then-truncated", "accept-then-reset"]
    )
    async def test_a_reading_that_fails_loses_nothing(self, network: Stage, name: str) -> None:
        await network.adapter.account()
        await network.write("only one")
        await network.fail(name, "reads")

        with pytest.raises(Transient):
            await network.adapter.read_after(Cursor(), Memory().known)

        reading = await network.adapter.read_after(Cursor(), Memory().known)
        assert [post.text.plain for post in reading.posts] == ["only one"]

    async def test_what_is_published_stands_there_once(self, network: Stage) -> None:
        receipt = await network.adapter.publish(part("hello"), reply_to=None, key="k")

        assert receipt.url
        assert receipt.url.endswith(receipt.id)
        assert await network.posts() == ["hello"]
        assert [p.id for p in (await network.adapter.recent(EVER)).posts] == [receipt.id]

    async def test_parts_follow_each_other_as_replies(self, network: Stage) -> None:
        first = await publish(network, "first")
        second = await publish(network, "second", first)

        posts = (await network.adapter.recent(EVER)).posts

        assert [post.id for post in posts] == [first, second]
        assert posts[1].in_reply_to is not None
        assert posts[1].in_reply_to.post == first

    @pytest.mark.parametrize(
        "name",
        [
            "accept-then-500",
            "accept-then-503",
            "accept-then-reset",
            "accept-then-html",
            "accept-then-truncated",
            "accept-then-cut",
            "accept-then-empty",
            "refuse-then-500",
            "refuse-then-reset",
        ],
    )
    async def test_an_unclear_answer_to_a_creation_is_in_doubt_and_not_repeated(
        self, network: Stage, name: str
    ) -> None:
        await network.adapter.account()
        await network.fail(name, "writes")

        with pytest.raises(InDoubt):
            await publish(network, "once")

        assert await network.posts() == (["once"] if name.startswith("accept") else [])

    @pytest.mark.parametrize("name", ["refuse-then-429", "refuse-then-429-bare"])
    async def test_a_used_up_limit_says_when_it_opens_if_it_can(
        self, network: Stage, name: str
    ) -> None:
        await network.adapter.account()
        await network.fail(name, "writes")

        with pytest.raises(Throttled) as raised:
            await publish(network, "later")

        assert (raised.value.until is None) is name.endswith("bare")
        assert await network.posts() == []

    async def test_reading_is_free_or_is_charged_once(self, network: Stage) -> None:
        await network.write("one")
        prices = (await network.adapter.capabilities()).prices

        first = await network.adapter.recent(EVER)
        again = await network.adapter.recent(EVER)

        assert first.cost == (FREE if prices is None else prices.owned_read)
        assert again.cost == FREE

    async def test_listening_ends_when_it_is_cancelled_or_has_nothing_to_listen_to(
        self, network: Stage
    ) -> None:
        task = asyncio.create_task(network.adapter.listen(_nobody))
        await asyncio.wait({task}, timeout=0.2)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

        assert task.done()

    async def test_closing_twice_is_closing_once(self, network: Stage) -> None:
        await network.adapter.account()
        await network.adapter.close()
        await network.adapter.close()


def _nobody() -> None:
    return None
