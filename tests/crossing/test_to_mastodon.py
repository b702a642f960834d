"""What a post on X carries, on Mastodon: every row of the table in docs/what-crosses.md."""

from typing import Any

from bridge.core.model import Microdollars
from bridge.sandbox.mastodon import Status
from bridge.sandbox.x import XFile, XPoll
from tests.crossing import samples
from tests.crossing.conftest import HOME, Crossing, Crossings, written


def shown(c: Crossing, status: Status) -> list[tuple[str, str | None]]:
    """Type and alt text of everything attached, as the server shows it."""
    said: Any = c.stage.mastodon.as_json(status, c.stage.mastodon_url)["media_attachments"]
    return [(one["type"], one["description"]) for one in said]


def tweet(c: Crossing, text: str = "", **given: object) -> str:
    return written(c.stage, c.stage.x.write(c.stage.x_account, text, **given).id)  # type: ignore[arg-type] # what the sandbox takes


async def test_pictures_go_along_with_their_descriptions(crossing: Crossings) -> None:
    async with crossing() as c:
        files = (XFile(samples.png("red"), "a red square"), XFile(samples.jpeg("blue")))
        source = tweet(c, "Two squares", media=files)
        (status,) = await c.on_mastodon(source)

        assert status.text == "Two squares"
        assert shown(c, status) == [("image", "a red square"), ("image", None)]
        # Passed on as they were, byte for byte.
        assert c.stage.mastodon._media.content(status.media[0]) == samples.png("red")
        assert (await c.record(source)).cost == Microdollars(0)


async def test_a_picture_alone_needs_no_words(crossing: Crossings) -> None:
    async with crossing() as c:
        (status,) = await c.on_mastodon(tweet(c, media=(XFile(samples.png(), "a square"),)))
        assert (status.text, len(status.media)) == ("", 1)


async def test_a_video_crosses_and_its_processing_is_awaited(crossing: Crossings) -> None:
    async with crossing() as c:
        source = tweet(c, "A film", media=(XFile(samples.mp4(), "waves"),))
        await c.pass_time(120)
        (status,) = await c.on_mastodon(source)
        assert shown(c, status) == [("video", "waves")]
        assert status.text == "A film"


async def test_an_animation_stays_one(crossing: Crossings) -> None:
    async with crossing() as c:
        source = tweet(c, "It moves", media=(XFile(samples.animated_gif(), "colours"),))
        await c.pass_time(120)
        (status,) = await c.on_mastodon(source)
        assert [kind for kind, _ in shown(c, status)] in (["gifv"], ["video"])


async def test_a_warning_at_the_beginning_becomes_a_content_warning(crossing: Crossings) -> None:
    async with crossing() as c:
        (status,) = await c.on_mastodon(tweet(c, "CW: spoilers\n\nThe butler did it"))
        assert (status.spoiler_text, status.text) == ("spoilers", "The butler did it")
        assert status.sensitive


async def test_a_poll_is_a_poll_for_the_time_that_is_left(crossing: Crossings) -> None:
    async with crossing() as c:
        source = tweet(c, "Tea?", poll=XPoll(("Yes", "No"), 1440))
        c.stage.clock.pass_time(3600)
        (status,) = await c.on_mastodon(source)
        assert status.poll is not None
        assert status.poll.options == ("Yes", "No")
        assert status.poll.expires_at is not None
        left = (status.poll.expires_at - c.stage.clock.now()).total_seconds()
        assert 80_000 < left < 83_000


async def test_an_ended_poll_is_written_out(crossing: Crossings) -> None:
    async with crossing() as c:
        source = tweet(c, "Tea?", poll=XPoll(("Yes", "No"), 5))
        c.stage.clock.pass_time(3600)
        (status,) = await c.on_mastodon(source)
        assert status.poll is None
        assert "Yes" in status.text
        assert "poll" in await c.notes(source)


async def test_a_thread_goes_on_below_its_mirror(crossing: Crossings) -> None:
    async with crossing() as c:
        first = tweet(c, "First")
        second = tweet(c, "Second", reply_to=first)
        (one,) = await c.on_mastodon(first)
        (two,) = await c.on_mastodon(second)
        assert two.in_reply_to_id == one.id


async def test_a_quote_of_an_own_mirrored_post_is_a_quote(crossing: Crossings) -> None:
    async with crossing() as c:
        first = tweet(c, "What I said")
        (said,) = await c.on_mastodon(first)
        (status,) = await c.on_mastodon(tweet(c, "As I said", quote=first))
        assert (status.text, status.quote_of) == ("As I said", said.id)


async def test_where_there_are_no_quotes_it_is_a_link_to_the_mirror(crossing: Crossings) -> None:
    async with crossing(profile="gotosocial") as c:
        first = tweet(c, "What I said")
        (said,) = await c.on_mastodon(first)
        (status,) = await c.on_mastodon(tweet(c, "As I said", quote=first))
        assert status.quote_of is None
        assert said.id in status.text


async def test_anothers_quoted_post_is_linked_and_never_ones_own_words(
    crossing: Crossings,
) -> None:
    async with crossing() as c:
        other = c.stage.x.add_account("grace", "Grace Hopper")
        theirs = c.stage.x.write(other, "Ships are safe in harbour").id
        (status,) = await c.on_mastodon(tweet(c, "Indeed", quote=theirs))
        assert status.text.startswith("Indeed")
        assert theirs in status.text
        assert status.quote_of is None


async def test_reposts_stay_unless_asked_for(crossing: Crossings) -> None:
    async with crossing() as c:
        first = tweet(c, "Mine")
        await c.on_mastodon(first)
        again = tweet(c, repost_of=first)
        assert await c.on_mastodon(again) == []
        assert "repost" in await c.notes(again)


async def test_an_own_repost_may_boost_the_mirror(crossing: Crossings) -> None:
    async with crossing(homeward="boosts: own") as c:
        first = tweet(c, "Mine")
        (mirror,) = await c.on_mastodon(first)
        again = tweet(c, repost_of=first)
        (boost,) = await c.on_mastodon(again)
        assert mirror.id in {boost.id, boost.reblog_of}


async def test_a_long_post_crosses_whole(crossing: Crossings) -> None:
    async with crossing(premium=True) as c:
        text = "A long story in many sentences, each like the other. " * 20
        source = tweet(c, text.strip())
        parts = await c.on_mastodon(source)
        assert len(parts) == 3
        assert sum(status.text.count("story") for status in parts) == 20


async def test_the_language_goes_along(crossing: Crossings) -> None:
    async with crossing() as c:
        (status,) = await c.on_mastodon(tweet(c, "صباح الخير من عمّان، القهوة جاهزة والشمس دافئة"))
        assert status.language == "ar"


async def test_links_are_real_ones_without_tracking(crossing: Crossings) -> None:
    async with crossing() as c:
        source = tweet(c, "Read https://example.org/a?utm_source=twitter&id=7")
        (status,) = await c.on_mastodon(source)
        assert "t.co" not in status.text
        assert "https://example.org/a" in status.text


async def test_the_mirror_has_the_visibility_that_was_chosen(crossing: Crossings) -> None:
    async with crossing(homeward="visibility: unlisted") as c:
        (status,) = await c.on_mastodon(tweet(c, "Quietly"))
        assert status.visibility == "unlisted"


async def test_community_posts_never_cross(crossing: Crossings) -> None:
    async with crossing() as c:
        source = tweet(c, "For the club", community=True)
        assert await c.on_mastodon(source) == []


async def test_a_marked_post_stays_where_it_is(crossing: Crossings) -> None:
    async with crossing() as c:
        source = tweet(c, "Only here #noxp")
        assert await c.on_mastodon(source) == []
        assert "noxp" in await c.notes(source)


async def test_an_edit_is_a_real_edit_that_keeps_the_pictures(crossing: Crossings) -> None:
    async with crossing(premium=True) as c:
        source = tweet(c, "A tpyo", media=(XFile(samples.png(), "a square"),))
        (before,) = await c.on_mastodon(source)
        edited = c.stage.x.write(
            c.stage.x_account, "A typo", edit_of=source, media=(XFile(samples.png(), "a square"),)
        )
        c.stage.by_hand.add(edited.id)
        await c.pass_time(120)
        (after,) = await c.on_mastodon(source)
        assert (after.id, after.text) == (before.id, "A typo")
        assert len(after.media) == 1
        assert shown(c, after) == [("image", "a square")]
        assert after.edited_at is not None
        assert c.mirrors(HOME) == 1


async def test_a_deletion_is_seen_by_the_recheck_and_taken_over(crossing: Crossings) -> None:
    async with crossing(homeward="recheck: {every: 1h, window: 20}") as c:
        kept, gone = tweet(c, "Stays"), tweet(c, "Goes")
        await c.on_mastodon(gone)
        c.stage.x.remove(gone)
        await c.pass_time(2 * 3600, step=600)
        assert await c.on_mastodon(gone) == []
        assert len(await c.on_mastodon(kept)) == 1
        assert (await c.record(gone)).state.value == "removed"


async def test_deletions_can_be_ignored(crossing: Crossings) -> None:
    async with crossing(homeward="deletes: ignore, recheck: {every: 1h, window: 20}") as c:
        gone = tweet(c, "Goes")
        tweet(c, "Stays")
        await c.on_mastodon(gone)
        c.stage.x.remove(gone)
        await c.pass_time(2 * 3600, step=600)
        assert len(await c.on_mastodon(gone)) == 1
