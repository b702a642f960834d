"""References, conversations, repeated texts and edited markers between both networks' stand-ins."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bridge.core.delivery import PostState
from bridge.core.verdict import Reason
from tests.crash.stage import HOME, OUT, Stage, record, staged, state


@pytest.fixture
async def stage(tmp_path: Path) -> AsyncIterator[Stage]:
    """Two networks, and a bridge that repeats own posts and lets threads begin with a reply."""
    async with staged(tmp_path) as made:
        text = made.config.read_text("utf-8")
        text = text.replace("delay: 0s", "delay: 0s, boosts: own, threads: root")
        made.config.write_text(text, "utf-8")
        yield made


async def test_threads_quotes_and_reposts_of_a_tweet_edited_before_it_is_read(stage: Stage) -> None:
    async with stage.running() as running:
        first = stage.write(HOME, "Frist")
        reply = stage.write(HOME, "Second", reply_to=first)
        quote = stage.x.write(stage.x_account, "As I said", quote=first).id
        repost = stage.x.write(stage.x_account, "", repost_of=first).id
        stage.clock.pass_time(5)
        edited = stage.x.write(stage.x_account, "First", edit_of=first).id
        stage.by_hand |= {quote, repost, edited}
        await stage.pass_time(running, 60)
        mirror = (await record(running, first)).parts[0].target_id
        assert mirror == (await record(running, edited)).parts[0].target_id
        assert mirror is not None
        above = {text: parent for _, text, parent in stage.mirrors(HOME)}
        assert above["Second"] == mirror
        toots = stage.mastodon.timeline(stage.mastodon_account)
        assert [toot.quote_of for toot in toots if toot.text == "As I said"] == [mirror]
        assert [toot.reblog_of for toot in toots if toot.reblog_of] == [mirror]
        assert await state(running, reply) is PostState.DELIVERED


async def test_a_toot_its_quote_and_its_boost_cross_in_one_pass(stage: Stage) -> None:
    async with stage.running() as running:
        first = stage.write(OUT, "Quoted and boosted")
        toots, ada = stage.mastodon, stage.mastodon_account
        quote = toots.write(ada, "As I said", quote_of=first).id
        boost = toots.write(ada, reblog_of=first).id
        stage.by_hand |= {quote, boost}
        await stage.pass_time(running, 60)
        mirror = (await record(running, first)).parts[0]
        said = (await record(running, quote)).parts[0].part.text
        assert mirror.target_url is not None
        assert mirror.target_url in said
        (repost,) = [post for post in stage.x.timeline(stage.x_account) if post.repost_of]
        assert repost.repost_of == mirror.target_id
        assert await state(running, boost) is PostState.DELIVERED
        await stage.pass_time(running, 120)
        assert stage.mirrors(HOME) == []


async def test_a_conversation_with_a_stranger_stays_on_both_sides(stage: Stage) -> None:
    bob, bert = stage.x.add_account("bob", "Bob"), stage.mastodon.add_account("bert", "Bert")
    async with stage.running() as running:
        theirs = {
            HOME: stage.x.write(bob, "A stranger's post").id,
            OUT: stage.mastodon.write(bert, "A stranger's post").id,
        }
        for direction, post in theirs.items():
            above = post
            for number in range(3):
                above = stage.write(direction, f"My reply {number}", reply_to=above)
                if number:
                    await stage.pass_time(running, 30)
            assert (await record(running, above)).verdict.reason is Reason.REPLY
        await stage.pass_time(running, 60)
        assert stage.mirrors(OUT) == stage.mirrors(HOME) == []


async def test_a_text_that_x_refuses_as_repeated_is_skipped_and_the_next_one_goes_on(
    stage: Stage,
) -> None:
    async with stage.running() as running:
        first = stage.write(OUT, "Good morning!")
        await stage.pass_time(running, 60)
        stage.clock.pass_time(3600)
        second = stage.write(OUT, "Good morning!")
        third = stage.write(OUT, "Third, something else.")
        await stage.pass_time(running, 120)
        mirror = (await record(running, first)).parts[0].target_url
        verdict = (await record(running, second)).verdict
        assert (verdict.reason, verdict.detail) == (Reason.REPEATED_TEXT, mirror)
        assert await state(running, third) is PostState.DELIVERED


async def test_what_is_typed_like_a_repost_crosses_as_it_is(stage: Stage) -> None:
    async with stage.running() as running:
        stage.write(HOME, "RT @museum: our new show opens, and I am in it")
        stage.write(OUT, "RT @theatre: our new play opens, and I am in it")
        await stage.pass_time(running, 60)
        for direction, name in ((HOME, "museum"), (OUT, "theatre")):
            ((_, text, _),) = stage.mirrors(direction)
            assert text.startswith("RT ")
            assert name in text
            assert "and I am in it" in text


async def test_markers_added_and_removed_by_edits_are_heeded(stage: Stage) -> None:
    async with stage.running() as running:
        given = stage.write(HOME, "Not for the elephant #noxp")
        taken = stage.write(HOME, "For both of them")
        toot = stage.write(OUT, "Not for the bird #noxp")
        await stage.pass_time(running, 30)
        assert [text for _, text, _ in stage.mirrors(HOME)] == ["For both of them"]
        edits = (
            stage.x.write(stage.x_account, "For the elephant", edit_of=given).id,
            stage.x.write(stage.x_account, "For one of them #noxp", edit_of=taken).id,
        )
        stage.mastodon.write(stage.mastodon_account, "For the bird", edit_of=toot)
        stage.by_hand |= set(edits)
        await stage.pass_time(running, 120)
        assert [text for _, text, _ in stage.mirrors(HOME)] == ["For the elephant"]
        assert [text for _, text, _ in stage.mirrors(OUT)] == ["For the bird"]
