"""A text that a network accepts only once is skipped the second time, and the first one named."""

from datetime import timedelta

import pytest

from bridge.core.delivery import PostState
from bridge.core.errors import InDoubt
from bridge.core.model import Post
from bridge.core.verdict import Action, Reason
from bridge.engine.condition import Condition, by_figures
from bridge.engine.supervise import Daemon
from tests.engine.conftest import OUT, Rig

GREETING = "Good morning!"


@pytest.fixture
async def daemon(rig: Rig) -> Daemon:
    rig.x.refuses_repeats = True
    return await rig.started()


async def written(rig: Rig, daemon: Daemon, text: str, *, after: float = 3600) -> Post:
    """A toot, written some time after the one before, and what a pass makes of it."""
    rig.clock.pass_time(after)
    toot = rig.mastodon.write(text)
    await daemon.once()
    return toot


async def is_skipped_for(rig: Rig, post: Post, earlier: str) -> bool:
    """Whether a post is skipped for good, and the earlier one named."""
    record = await rig.record(post.id)
    verdict = record.verdict
    return (verdict.action, verdict.reason, verdict.detail, record.state) == (
        Action.SKIP,
        Reason.REPEATED_TEXT,
        earlier,
        PostState.DROPPED,
    )


@pytest.mark.parametrize("text", [GREETING, "A whole sentence, said again and again. 🌞", "Zzz"])
async def test_a_repeated_text_is_skipped_and_its_earlier_mirror_named(
    rig: Rig, daemon: Daemon, text: str
) -> None:
    first = await written(rig, daemon, text)
    second = await written(rig, daemon, text)
    third = await written(rig, daemon, "Something else.")
    mirror = (await rig.record(first.id)).parts[0].target_url
    assert mirror is not None
    assert await is_skipped_for(rig, second, mirror)
    assert await rig.state(third.id) is PostState.DELIVERED
    figures = await rig.ledger.status(OUT, rig.clock.now())
    assert by_figures(figures) is Condition.UP_TO_DATE
    await rig.pass_time(daemon, 3600, step=900)
    assert [part.text for part, _, _ in rig.x.published] == [text, "Something else."]


async def test_the_earlier_mirror_is_known_after_its_text_was_forgotten(
    rig: Rig, daemon: Daemon
) -> None:
    first = await written(rig, daemon, GREETING)
    await rig.ledger.purge(rig.clock.now() + timedelta(days=1))
    await rig.restart()
    second = await written(rig, rig.daemon(), GREETING)
    mirror = (await rig.record(first.id)).parts[0].target_url
    assert mirror is not None
    assert await is_skipped_for(rig, second, mirror)


async def test_a_post_written_on_the_target_itself_is_named(rig: Rig, daemon: Daemon) -> None:
    tweet = rig.x.write(GREETING)
    await daemon.once()
    rig.mastodon.posts.clear()
    second = await written(rig, daemon, GREETING)
    assert tweet.url is not None
    assert await is_skipped_for(rig, second, tweet.url)


async def test_the_last_attempt_counts_even_where_one_before_was_unclear(
    rig: Rig, daemon: Daemon
) -> None:
    first = await written(rig, daemon, GREETING)
    rig.x.answers = [InDoubt("reset")]
    second = await written(rig, daemon, GREETING)
    await rig.pass_time(daemon, 300)
    mirror = (await rig.record(first.id)).parts[0].target_url
    assert mirror is not None
    assert await is_skipped_for(rig, second, mirror)


async def test_what_nothing_explains_is_held_for_its_owner(rig: Rig) -> None:
    rig.x.refuses_repeats = True
    rig.x.write(GREETING)
    toot = await written(rig, await rig.started(), GREETING)
    assert await rig.state(toot.id) is PostState.HELD


async def test_a_later_part_that_repeats_a_text_fails_and_names_it(
    rig: Rig, daemon: Daemon
) -> None:
    long = "The bridge keeps its promises, one sentence at a time. " * 8
    toot = await written(rig, daemon, long)
    first, second = (await rig.record(toot.id)).parts
    rig.x.posts = [post for post in rig.x.posts if post.id != first.target_id]
    again = await written(rig, daemon, long.strip())
    record = await rig.record(again.id)
    assert record.state is PostState.PARTIAL
    assert second.target_url is not None
    assert second.target_url in record.parts[1].detail
