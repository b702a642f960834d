"""What a toot carries, on X: every row of the table in docs/what-crosses.md, end to end."""

from bridge.core.model import Microdollars
from bridge.sandbox.mastodon import Attachment, PollDraft
from tests.crossing import samples
from tests.crossing.conftest import OUT, Crossing, Crossings, written

LONG_ALT = "A harbour at dawn, seen from the lighthouse. " * 30


def toot(c: Crossing, text: str = "", **given: object) -> str:
    made = c.stage.mastodon.write(c.stage.mastodon_account, text, **given)  # type: ignore[arg-type] # what the sandbox takes
    return written(c.stage, made.id)


async def test_pictures_go_along_with_their_descriptions_and_their_price(
    crossing: Crossings,
) -> None:
    async with crossing() as c:
        files = (
            Attachment(samples.png("red"), "a red square"),
            Attachment(samples.jpeg("blue"), ""),
        )
        source = toot(c, "Two squares", media=files)
        (post,) = await c.on_x(source)

        assert post.text == "Two squares"
        assert [(m.kind, m.alt_text) for m in post.media] == [
            ("photo", "a red square"),
            ("photo", ""),
        ]
        # Passed on as they were, byte for byte.
        assert c.stage.x.file(post.media[0].key) == samples.png("red")
        found = await c.record(source)
        assert found.cost == Microdollars(15_000 + 2 * 15_000 + 5_000)
        writing = [charge for charge in c.stage.x.bill() if "read" not in charge.kind.lower()]
        assert found.cost == sum(charge.amount for charge in writing)


async def test_a_long_description_is_cut_at_a_word_and_said_so(crossing: Crossings) -> None:
    async with crossing() as c:
        source = toot(c, "Look", media=(Attachment(samples.png(), LONG_ALT),))
        (post,) = await c.on_x(source)

        alt = post.media[0].alt_text
        assert len(alt) <= 1000
        assert LONG_ALT.startswith(alt.rstrip("…").rstrip())
        assert alt.endswith("…")
        assert "description" in await c.notes(source)


async def test_descriptions_can_be_left_out(crossing: Crossings) -> None:
    async with crossing(outward="alt_text: false") as c:
        (post,) = await c.on_x(toot(c, "Look", media=(Attachment(samples.png(), "a square"),)))
        assert [m.alt_text for m in post.media] == [""]


async def test_a_picture_alone_needs_no_words(crossing: Crossings) -> None:
    async with crossing() as c:
        (post,) = await c.on_x(toot(c, media=(Attachment(samples.png(), "a square"),)))
        assert (post.text, len(post.media)) == ("", 1)


async def test_a_picture_of_a_kind_x_does_not_take_is_made_into_one_it_does(
    crossing: Crossings,
) -> None:
    async with crossing() as c:
        source = toot(c, "AVIF", media=(Attachment(samples.avif(), "olive"),))
        (post,) = await c.on_x(source)
        assert post.media[0].mime_type in {"image/jpeg", "image/png", "image/webp"}
        assert "AVIF" in await c.notes(source) or "avif" in await c.notes(source)


async def test_an_animation_goes_as_what_it_is(crossing: Crossings) -> None:
    async with crossing() as c:
        source = toot(c, "It moves", media=(Attachment(samples.animated_gif(), "colours"),))
        (post,) = await c.on_x(source)
        assert [m.kind for m in post.media] != ["photo"]
        assert len(post.media) == 1


async def test_a_video_is_sent_in_segments_and_its_processing_awaited(crossing: Crossings) -> None:
    async with crossing() as c:
        c.stage.x.processing_seconds = 4
        source = toot(c, "A film", media=(Attachment(samples.mp4(), "waves"),))
        await c.pass_time(120)
        (post,) = await c.on_x(source)
        assert [(m.kind, m.alt_text) for m in post.media] == [("video", "waves")]


async def test_sound_is_left_out_and_said_so(crossing: Crossings) -> None:
    async with crossing() as c:
        source = toot(c, "Listen", media=(Attachment(samples.mp3(), "birds"),))
        (post,) = await c.on_x(source)
        assert (post.text, post.media) == ("Listen", ())
        assert "audio" in await c.notes(source)


async def test_a_content_warning_heads_the_post_and_its_media_are_marked(
    crossing: Crossings,
) -> None:
    async with crossing() as c:
        (post,) = await c.on_x(toot(c, "The butler did it", spoiler_text="spoilers"))
        assert post.text == "CW: spoilers\n\nThe butler did it"


async def test_a_content_warning_may_go_alone_or_keep_the_post(crossing: Crossings) -> None:
    async with crossing(outward="warnings: only") as c:
        (post,) = await c.on_x(toot(c, "The butler did it", spoiler_text="spoilers"))
        assert "butler" not in post.text
        assert "spoilers" in post.text
    async with crossing(outward="warnings: skip") as c:
        source = toot(c, "The butler did it", spoiler_text="spoilers")
        assert await c.on_x(source) == []
        assert "warning" in await c.notes(source)


async def test_a_poll_that_fits_is_a_poll_for_the_time_that_is_left(crossing: Crossings) -> None:
    async with crossing() as c:
        source = toot(c, "Tea?", poll=PollDraft(("Yes", "No", "Coffee"), 86_400))
        (post,) = await c.on_x(source)
        assert post.poll is not None
        assert post.poll.options == ("Yes", "No", "Coffee")
        assert 1430 <= post.poll.duration_minutes <= 1440


async def test_a_poll_that_does_not_fit_is_written_out(crossing: Crossings) -> None:
    async with crossing() as c:
        several = toot(c, "Which?", poll=PollDraft(("Tea", "Milk"), 86_400, multiple=True))
        (post,) = await c.on_x(several)
        assert post.poll is None
        assert "Tea" in post.text
        assert "Milk" in post.text
        assert "poll" in await c.notes(several)


async def test_a_thread_goes_on_below_its_mirror(crossing: Crossings) -> None:
    async with crossing() as c:
        first = toot(c, "First")
        second = toot(c, "Second", in_reply_to=first)
        (one,) = await c.on_x(first)
        (two,) = await c.on_x(second)
        assert two.reply_to == one.id


async def test_a_thread_whose_beginning_has_no_mirror_is_skipped_or_begins_anew(
    crossing: Crossings,
) -> None:
    async with crossing() as c:
        first = toot(c, "For followers", visibility="private")
        second = toot(c, "For all", in_reply_to=first)
        assert await c.on_x(second) == []
        assert "parent-not-mirrored" in await c.notes(second)
    async with crossing(outward="threads: root") as c:
        first = toot(c, "For followers", visibility="private")
        second = toot(c, "For all", in_reply_to=first)
        (post,) = await c.on_x(second)
        assert (post.text, post.reply_to) == ("For all", None)


async def test_a_quote_of_an_own_mirrored_post_points_at_its_mirror(crossing: Crossings) -> None:
    async with crossing() as c:
        first = toot(c, "What I said")
        (said,) = await c.on_x(first)
        second = toot(c, "As I said", quote_of=first)
        (post,) = await c.on_x(second)
        assert post.text.startswith("As I said")
        assert said.id in post.text
        assert c.stage.mastodon_url not in post.text


async def test_anothers_quoted_words_are_attributed(crossing: Crossings) -> None:
    async with crossing() as c:
        other = c.stage.mastodon.add_account("grace", "Grace Hopper")
        theirs = c.stage.mastodon.write(other, "Ships are safe in harbour").id
        source = toot(c, "Indeed", quote_of=theirs)
        (post,) = await c.on_x(source)
        assert post.text.startswith("Indeed")
        assert "grace" in post.text
        if "Ships are safe" in post.text:
            assert "“Ships are safe" in post.text


async def test_boosts_stay_unless_asked_for(crossing: Crossings) -> None:
    async with crossing() as c:
        first = toot(c, "Mine")
        await c.on_x(first)
        boost = toot(c, reblog_of=first)
        assert await c.on_x(boost) == []
        assert "repost" in await c.notes(boost)


async def test_an_own_boost_may_repeat_the_mirror(crossing: Crossings) -> None:
    async with crossing(outward="boosts: own") as c:
        first = toot(c, "Mine")
        (mirror,) = await c.on_x(first)
        boost = toot(c, reblog_of=first)
        (again,) = await c.on_x(boost)
        assert mirror.id in {again.id, again.repost_of}


async def test_an_unlisted_post_crosses_only_if_listed(crossing: Crossings) -> None:
    async with crossing() as c:
        assert await c.on_x(toot(c, "Quietly", visibility="unlisted")) == []
    async with crossing(outward="visibility: [public, unlisted]") as c:
        assert len(await c.on_x(toot(c, "Quietly", visibility="unlisted"))) == 1
        assert await c.on_x(toot(c, "Secretly", visibility="private")) == []
        assert await c.on_x(toot(c, "@ada@example.org hi", visibility="direct")) == []


async def test_a_marked_post_stays_where_it_is(crossing: Crossings) -> None:
    async with crossing() as c:
        source = toot(c, "Only here #noxp")
        assert await c.on_x(source) == []
        assert "noxp" in await c.notes(source)


async def test_an_edit_within_the_hour_edits_the_mirror_on_premium(crossing: Crossings) -> None:
    async with crossing(premium=True, x="premium: true") as c:
        source = toot(c, "A tpyo")
        (before,) = await c.on_x(source)
        c.stage.mastodon.write(c.stage.mastodon_account, "A typo", edit_of=source)
        await c.pass_time(60)
        (after,) = await c.on_x(source)
        assert after.text == "A typo"
        assert before.id in after.versions


async def test_an_edit_that_cannot_be_carried_over_is_said_so(crossing: Crossings) -> None:
    async with crossing() as c:
        source = toot(c, "A tpyo")
        (before,) = await c.on_x(source)
        c.stage.mastodon.write(c.stage.mastodon_account, "A typo", edit_of=source)
        await c.pass_time(60)
        (after,) = await c.on_x(source)
        assert (after.id, after.text) == (before.id, "A tpyo")
        assert "edit" in await c.notes(source)
        assert c.mirrors(OUT) == 1


async def test_a_deletion_takes_all_parts_away_last_first(crossing: Crossings) -> None:
    async with crossing() as c:
        kept = toot(c, "This one stays")
        source = toot(c, "Sentence upon sentence. " * 20)
        parts = await c.on_x(source)
        assert len(parts) > 1
        c.stage.mastodon.remove(source)
        await c.pass_time(120)
        assert c.mirrors(OUT) == len(await c.on_x(kept)) == 1
        deleted = [
            entry.path.rsplit("/", 1)[-1]
            for entry in c.stage.x.faults.requests
            if entry.method == "DELETE"
        ]
        assert deleted == [part.id for part in reversed(parts)]
        assert (await c.record(source)).state.value == "removed"


async def test_what_was_deleted_while_it_waited_is_not_sent(crossing: Crossings) -> None:
    async with crossing(outward="delay: 60s") as c:
        source = toot(c, "Never mind")
        await c.pass_time(30)
        c.stage.mastodon.remove(source)
        await c.pass_time(120)
        assert c.mirrors(OUT) == 0
        assert "deleted" in await c.notes(source)
