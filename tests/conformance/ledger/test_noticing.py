"""What any ledger notices: edits, absences, what stands there; and which media it knows there."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from bridge.core.amend import Amendment, Change
from bridge.core.delivery import PartEvent
from bridge.core.draft import DraftMedia
from bridge.core.model import (
    Media,
    MediaId,
    MediaKind,
    Microdollars,
    Poll,
    PollOption,
    Post,
    PostId,
    QuoteRef,
    RepostRef,
)
from bridge.core.record import KnownUpload, PartRecord, media_names
from bridge.core.text import Text
from bridge.ports import Ledger
from tests.ledger.made import (
    BACK,
    OUT,
    PRIVATE,
    T0,
    delivered,
    draft,
    key,
    minutes,
    post,
    receipt,
    recorded,
)


async def stands(ledger: Ledger, *texts: str, name: str = "1") -> Post:
    """A post whose mirror stands whole, as 900 and so on."""
    seen = await recorded(ledger, name, *texts)
    for index in range(len(texts)):
        await delivered(ledger, name, f"9{int(name) - 1}{index}", index)
    return seen


PICTURE = Media(MediaId("m1"), MediaKind.IMAGE, "https://files.example/1.png", alt="a cat")
EDITED = T0 + minutes(9)
SHOWN: dict[str, Any] = {
    "text": {"text": Text("other words")},
    "warning": {"spoiler": "careful"},
    "sensitive": {"sensitive": True},
    "media": {"media": (PICTURE,)},
    "alt": {"media": (replace(PICTURE, alt="a dog"),)},
    "poll": {"poll": Poll((PollOption("yes", 3), PollOption("no", 1)))},
}


@pytest.mark.parametrize("what", SHOWN)
async def test_an_edit_is_told_by_what_a_post_shows(ledger: Ledger, what: str) -> None:
    seen = await stands(ledger, "one")
    changed = replace(seen, edited_at=EDITED, **SHOWN[what])
    assert await ledger.edited(OUT, [changed]) == (changed,)
    amendment = Amendment(Change.REPLACE, draft("eins"))
    await ledger.amend(OUT, PostId("1"), amendment, T0, post=changed)
    assert await ledger.edited(OUT, [changed]) == ()
    assert await ledger.edited(OUT, [replace(seen, edited_at=EDITED + minutes(1))]) != ()


async def test_what_a_network_does_not_call_an_edit_is_none(ledger: Ledger) -> None:
    seen = await stands(ledger, "one")
    assert await ledger.edited(OUT, [seen]) == ()
    assert await ledger.edited(OUT, [replace(seen, text=Text("served otherwise"))]) == ()
    assert await ledger.edited(OUT, [replace(seen, edited_at=EDITED)]) == ()
    voted = replace(seen, edited_at=EDITED, url="https://elsewhere.example/1")
    assert await ledger.edited(OUT, [voted]) == ()


async def test_a_new_id_is_an_edit_as_well(ledger: Ledger) -> None:
    await stands(ledger, "one")
    edit = post("1b", revisions=("1", "1b"), text="eins")
    assert await ledger.edited(OUT, [edit]) == (edit,)
    assert await ledger.edited(OUT, [replace(edit, text=Text("hello"))]) == ()


async def test_what_has_no_mirror_is_never_told_as_edited_or_absent(ledger: Ledger) -> None:
    seen = await recorded(ledger, "1", verdict=PRIVATE)
    old = post("0", at=T0 - timedelta(days=1))
    assert await ledger.edited(OUT, [replace(seen, edited_at=EDITED, text=Text("x"))]) == ()
    assert (await ledger.absent(OUT, [old])).expected == 0
    assert not await ledger.watches(OUT, None)
    await stands(ledger, "two", name="2")
    assert await ledger.watches(OUT, T0)
    assert not await ledger.watches(OUT, T0 + minutes(1))
    assert not await ledger.watches(BACK, None)


async def test_only_what_a_stretch_spans_can_be_absent_from_it(ledger: Ledger) -> None:
    seen = await stands(ledger, "one")
    old = post("0", at=T0 - minutes(1))
    new = post("8", at=T0 + minutes(1))
    (found,) = (await ledger.absent(OUT, [old, new])).missing
    assert (found.record.source, found.latest) == ("1", "1")
    assert (await ledger.absent(OUT, [old, seen, new])).missing == ()
    assert (await ledger.absent(OUT, [new])).expected == 0
    assert (await ledger.absent(OUT, [post("7", at=T0), new])).expected == 0
    assert (await ledger.absent(OUT, [])).missing == ()
    assert (await ledger.absent(BACK, [old])).missing == ()


async def test_a_post_under_another_of_its_ids_is_not_absent(ledger: Ledger) -> None:
    await stands(ledger, "one")
    old = post("0", at=T0 - minutes(1))
    edit = post("1b", revisions=("1", "1b"), at=T0)
    assert (await ledger.absent(OUT, [old, edit])).missing == ()
    await ledger.advance(OUT, edit, PostId("1"), None)
    (found,) = (await ledger.absent(OUT, [old])).missing
    assert found.latest == "1b"


async def test_what_is_known_to_be_gone_is_not_asked_for_again(ledger: Ledger) -> None:
    await stands(ledger, "one")
    await ledger.note_gone(OUT, PostId("1"), T0, "its mirror stays")
    (record,) = await ledger.history()
    assert record.gone
    assert record.notes == ("shortened", "its mirror stays")
    assert (await ledger.absent(OUT, [post("0", at=T0 - minutes(1))])).missing == ()


async def test_a_timeline_that_is_whole_lacks_whatever_it_does_not_have(ledger: Ledger) -> None:
    await stands(ledger, "one")
    assert (await ledger.absent(OUT, [], whole=True)).expected == 1
    newer = post("8", at=T0 + minutes(1))
    (found,) = (await ledger.absent(OUT, [newer], whole=True)).missing
    assert found.record.source == "1"


async def test_a_post_is_tracked_under_each_of_its_ids_while_its_mirror_stands(
    ledger: Ledger,
) -> None:
    await stands(ledger, "one")
    await recorded(ledger, "2", verdict=PRIVATE)
    await ledger.advance(OUT, post("1b", revisions=("1", "1b"), at=T0), PostId("1"), None)
    asked = [PostId(name) for name in ("1", "1b", "2", "stranger")]
    found = await ledger.tracked(OUT, asked)
    assert {name: one.latest for name, one in found.items()} == {"1": "1b", "1b": "1b"}
    assert not await ledger.tracked(BACK, asked)
    await ledger.note_gone(OUT, PostId("1"), T0, "")
    assert not await ledger.tracked(OUT, asked)


async def test_a_round_goes_through_what_stands_once_and_knows_its_place(ledger: Ledger) -> None:
    names = [str(number) for number in range(1, 8)]
    for name in names:
        await stands(ledger, "one", name=name)
    await recorded(ledger, "9", verdict=PRIVATE)
    seen: list[str] = []
    while batch := await ledger.next_to_check(OUT, T0 + minutes(1), 3):
        seen += [one.record.source for one in batch]
        await ledger.note_checked(OUT, batch[-1].record.source)
        assert await ledger.round_ended_at(OUT) is None
    assert seen == names
    await ledger.note_round(OUT, T0)
    assert await ledger.round_ended_at(OUT) == T0
    assert not await ledger.next_to_check(OUT, T0 - minutes(1), 3)
    assert len(await ledger.next_to_check(OUT, None, 100)) == len(names)


async def test_what_waits_for_its_owner_is_remembered_until_it_is_dealt_with(
    ledger: Ledger,
) -> None:
    for name in ("1", "2", "3"):
        await stands(ledger, "one", name=name)
    await ledger.note_missing(OUT, [PostId("1"), PostId("2")], T0)
    await ledger.note_missing(OUT, [PostId("1")], T0 + minutes(1))
    assert [one.record.source for one in await ledger.missing(OUT)] == ["2", "1"]
    assert [one.record.source for one in await ledger.next_to_check(OUT, None, 9)] == ["3"]
    await ledger.note_missing(OUT, [PostId("2")], None)
    await ledger.note_gone(OUT, PostId("1"), T0 + minutes(2), "")
    assert not await ledger.missing(OUT)
    assert await ledger.count_tracked(OUT) == 2
    assert await ledger.count_gone(OUT, T0) == 1
    assert await ledger.count_gone(OUT, T0 + minutes(2)) == 0
    await ledger.note_vouched(OUT, T0 + minutes(3))
    assert await ledger.count_gone(OUT, T0) == 0


async def test_what_is_older_than_the_last_look_reached_is_unchecked(ledger: Ledger) -> None:
    await stands(ledger, "one")
    for reached, unchecked in ((None, False), (T0, False), (T0 + minutes(1), True)):
        await ledger.note_reach(OUT, reached)
        assert (await ledger.history())[0].unchecked is unchecked
        assert (await ledger.status(OUT, T0)).checked_since == reached


async def test_a_look_at_the_source_is_remembered(ledger: Ledger) -> None:
    assert await ledger.rechecked_at(OUT) is None
    await ledger.note_recheck(OUT, T0)
    assert await ledger.rechecked_at(OUT) == T0
    assert await ledger.rechecked_at(BACK) is None


def carrying(record: PartRecord) -> PartRecord:
    medium = DraftMedia(MediaId("m1"), MediaKind.IMAGE, "https://files.example/1.png", "a cat")
    return replace(record, part=replace(record.part, media=(medium,)))


async def test_an_upload_is_kept_with_its_cost_until_its_part_stands_without_it(
    ledger: Ledger,
) -> None:
    await recorded(ledger, "1", "one")
    (record,) = (await ledger.history())[0].parts
    part = carrying(record).part
    await ledger.reshape(record.key, part, T0, "with a cat")
    (name,) = media_names(part)
    stale = KnownUpload("f" * 64, MediaId("u0"), T0)
    upload = KnownUpload(name, MediaId("u1"), T0, T0 + minutes(60))
    for each in (stale, upload):
        noted = await ledger.note_upload(record.key, each, Microdollars(15_000))
    assert noted.cost == 30_000
    assert set(await ledger.uploads(record.key)) == {stale, upload}
    again = replace(upload, id=MediaId("u2"), at=T0 + minutes(1))
    await ledger.note_upload(record.key, again, Microdollars(15_000))
    assert again in await ledger.uploads(record.key)
    await delivered(ledger, "1", "900")
    assert await ledger.uploads(record.key) == (replace(again, attached=True),)
    (found,) = await ledger.history()
    assert found.cost == 3 * 15_000 + 15_000
    assert (await ledger.status(OUT, T0)).spent_month == found.cost
    assert (await ledger.status(OUT, T0)).delivered == 1


async def test_equal_media_of_one_part_have_different_names(ledger: Ledger) -> None:
    await recorded(ledger, "1", "one")
    part = carrying((await ledger.history())[0].parts[0]).part
    twice = replace(part, media=part.media * 2)
    assert len(set(media_names(twice))) == 2
    assert media_names(twice)[0] == media_names(part)[0]


async def test_a_missing_medium_is_counted_from_the_first_time(ledger: Ledger) -> None:
    await recorded(ledger, "1", "one")
    missing = PartEvent.MEDIA_MISSING
    for minute in (0, 5, 9):
        event = PartEvent.PUT_OFF if minute == 5 else missing
        settled = await ledger.settle(key("1"), event, T0 + minutes(minute))
    assert settled.waiting_since == T0
    await ledger.claim(key("1"), T0, "hash")
    sent = await ledger.settle(key("1"), PartEvent.RECEIPT, T0, receipt=receipt("900"))
    assert sent.waiting_since is None


async def test_quotes_and_boosts_of_own_posts_mean_what_stands_there(ledger: Ledger) -> None:
    await stands(ledger, "one", "two")
    quoting = replace(post("5"), quote=QuoteRef(PostId("1"), None))
    boosting = replace(post("6"), repost=RepostRef(PostId("1")))
    facts = await ledger.facts(OUT, quoting)
    assert facts.quoted is not None
    assert (facts.quoted.id, facts.quoted.url) == ("900", "https://x.example/@me/900")
    assert (await ledger.facts(OUT, boosting)).reposted == facts.quoted
    back = replace(post("950", route=BACK), quote=QuoteRef(PostId("901"), None))
    original = (await ledger.facts(BACK, back)).quoted
    assert original is not None
    assert (original.id, original.url) == ("1", "https://mastodon.example/@me/1")
    await ledger.amend(OUT, PostId("1"), Amendment(Change.REMOVE), T0)
    assert (await ledger.facts(OUT, quoting)).quoted is None
