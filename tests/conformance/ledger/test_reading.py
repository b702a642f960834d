"""What any ledger knows of posts: cursors, known ids, echoes, revisions, parents."""

from dataclasses import replace
from datetime import timedelta
from itertools import permutations

import pytest

from bridge.core.budget import month_of
from bridge.core.delivery import PostState
from bridge.core.model import BridgeName, Direction, Microdollars, PostId, Route
from bridge.core.record import Cursor
from bridge.core.verdict import Reason
from bridge.ports import Facts, Ledger
from tests.ledger.made import (
    BACK,
    ECHO,
    OTHER_BACK,
    OTHER_OUT,
    OUT,
    PRIVATE,
    T0,
    decision,
    delivered,
    key,
    minutes,
    post,
    recorded,
)


async def test_a_route_has_no_cursor_before_it_was_started(ledger: Ledger) -> None:
    assert await ledger.cursor(OUT) is None


async def test_a_cursor_that_points_nowhere_differs_from_none(ledger: Ledger) -> None:
    await ledger.start(OUT, Cursor(), ())

    assert await ledger.cursor(OUT) == Cursor()


async def test_a_cursor_comes_back_as_it_was_given_to_the_microsecond(ledger: Ledger) -> None:
    cursor = Cursor(PostId("01J-Ω"), T0 + timedelta(microseconds=1), T0 - minutes(5))

    await ledger.start(OUT, cursor, ())

    assert await ledger.cursor(OUT) == cursor
    assert await ledger.cursor(BACK) is None


async def test_a_route_is_started_once(ledger: Ledger) -> None:
    await ledger.start(OUT, Cursor(PostId("1"), T0), (PostId("1"),))

    with pytest.raises(ValueError, match="started before"):
        await ledger.start(OUT, Cursor(PostId("9"), T0), (PostId("9"),))

    assert await ledger.cursor(OUT) == Cursor(PostId("1"), T0)
    assert await ledger.known(OUT, [PostId("9")]) == frozenset()


async def test_the_cursor_moves_with_every_recorded_post(ledger: Ledger) -> None:
    floor = T0 - minutes(60)
    await ledger.start(OUT, Cursor(floor=floor), ())
    seen = post("7", at=T0)

    await ledger.record(OUT, decision(seen, verdict=PRIVATE), Cursor(floor=floor).past(seen))

    assert await ledger.cursor(OUT) == Cursor(PostId("7"), T0, floor)


async def test_a_route_knows_what_stood_there_before_it_started(ledger: Ledger) -> None:
    await ledger.start(OUT, Cursor(), [PostId("1"), PostId("2")])

    asked = [PostId("1"), PostId("2"), PostId("3")]
    assert await ledger.known(OUT, asked) == {"1", "2"}
    assert await ledger.known(BACK, asked) == frozenset()
    assert await ledger.known(OTHER_OUT, asked) == frozenset()


async def test_a_route_knows_recorded_posts_by_all_their_ids_skipped_ones_too(
    ledger: Ledger,
) -> None:
    edited = post("12", revisions=("11", "12"))
    await ledger.record(OUT, decision(edited), Cursor())
    await recorded(ledger, "20", verdict=PRIVATE)

    asked = [PostId(name) for name in ("10", "11", "12", "20")]
    assert await ledger.known(OUT, asked) == {"11", "12", "20"}


async def test_a_mirror_is_not_known_to_the_route_that_reads_it_until_it_was_read(
    ledger: Ledger,
) -> None:
    await recorded(ledger, "1")
    await delivered(ledger, "1", "900")

    assert await ledger.known(BACK, [PostId("900")]) == frozenset()

    await recorded(ledger, "900", route=BACK, verdict=ECHO)
    assert await ledger.known(BACK, [PostId("900")]) == {"900"}


async def test_thousands_of_ids_can_be_asked_about_at_once(ledger: Ledger) -> None:
    ids = [PostId(str(number)) for number in range(2_500)]
    await ledger.start(OUT, Cursor(), ids[::2])

    assert await ledger.known(OUT, ids) == frozenset(ids[::2])
    assert await ledger.known(OUT, ()) == frozenset()


async def test_nothing_is_known_that_bears_on_a_post_of_an_empty_ledger(ledger: Ledger) -> None:
    assert await ledger.facts(OUT, post("1", parent="0")) == Facts()


async def test_a_mirror_is_recognised_as_the_echo_of_its_original(ledger: Ledger) -> None:
    await recorded(ledger, "1", "one", "two")
    await delivered(ledger, "1", "900", 0)
    await delivered(ledger, "1", "901", 1)

    for name in ("900", "901"):
        elsewhere = post(name, route=BACK, url="https://else.example/1")
        assert (await ledger.facts(BACK, elsewhere)).echo_of == "1"


async def test_an_edited_mirror_is_still_an_echo(ledger: Ledger) -> None:
    await recorded(ledger, "1")
    await delivered(ledger, "1", "900")

    edited = post("950", route=BACK, revisions=("900", "950"), url="https://else.example/1")
    assert (await ledger.facts(BACK, edited)).echo_of == "1"


async def test_equal_ids_on_different_networks_are_different_posts(ledger: Ledger) -> None:
    await recorded(ledger, "1")
    await delivered(ledger, "1", "900")

    assert (await ledger.facts(OUT, post("900"))).echo_of is None


async def test_another_bridges_mirror_is_an_echo_when_its_address_is_the_same(
    ledger: Ledger,
) -> None:
    await recorded(ledger, "1")
    sent = await delivered(ledger, "1", "900")

    same = post("900", route=OTHER_BACK, url=sent.target_url)
    other_server = post("900", route=OTHER_BACK, url="https://other.example/900")
    assert (await ledger.facts(OTHER_BACK, same)).echo_of == "1"
    assert (await ledger.facts(OTHER_BACK, other_server)).echo_of is None


async def test_a_part_that_is_only_planned_has_no_echo(ledger: Ledger) -> None:
    await recorded(ledger, "1")

    without_url = replace(post("1", route=BACK), url=None)
    assert (await ledger.facts(BACK, without_url)).echo_of is None


async def test_an_edit_is_recognised_by_the_chain_of_ids(ledger: Ledger) -> None:
    await ledger.record(OUT, decision(post("11", revisions=("11",))), Cursor())

    edit = post("12", revisions=("11", "12"), at=T0 + minutes(1))
    assert (await ledger.facts(OUT, edit)).revision_of == "11"
    assert (await ledger.facts(BACK, edit)).revision_of is None


async def test_an_edit_under_a_new_id_is_recognised_by_the_time_it_was_written(
    ledger: Ledger,
) -> None:
    await recorded(ledger, "11")

    edit = post("99", at=T0, edited_at=T0 + minutes(3))
    assert (await ledger.facts(OUT, edit)).revision_of == "11"
    assert (await ledger.facts(OUT, post("99", at=T0))).revision_of is None
    later = post("99", at=T0 + minutes(1), edited_at=T0 + minutes(3))
    assert (await ledger.facts(OUT, later)).revision_of is None


async def test_r16_what_continues_a_thread_of_the_same_second_is_no_edit_of_it(
    ledger: Ledger,
) -> None:
    await recorded(ledger, "11")
    await recorded(ledger, "12", parent="11")

    await recorded(ledger, "10", verdict=PRIVATE)

    last = post("13", at=T0, edited_at=T0 + minutes(3), parent="12")
    assert (await ledger.facts(OUT, last)).revision_of is None
    edit = post("99", at=T0, edited_at=T0 + minutes(3), parent="11")
    assert (await ledger.facts(OUT, edit)).revision_of == "12"


async def test_a_chain_of_ids_overrules_an_equal_time(ledger: Ledger) -> None:
    await recorded(ledger, "11")

    another = post("22", revisions=("21", "22"), at=T0, edited_at=T0 + minutes(3))
    assert (await ledger.facts(OUT, another)).revision_of is None


async def test_an_edit_of_what_stood_there_before_the_start_belongs_to_the_baseline(
    ledger: Ledger,
) -> None:
    await ledger.start(OUT, Cursor(), [PostId("1")])

    assert (await ledger.facts(OUT, post("2", revisions=("1", "2")))).baseline
    assert not (await ledger.facts(OUT, post("2"))).baseline


async def test_what_stood_there_before_the_start_can_be_recorded_after_all(
    ledger: Ledger,
) -> None:
    await ledger.start(OUT, Cursor(), [PostId("1")])

    await recorded(ledger, "1")

    assert [record.source for record in await ledger.history()] == ["1"]
    assert await ledger.next_due(OUT, T0) is not None


async def test_a_revision_moves_the_cursor_and_is_known_from_then_on(ledger: Ledger) -> None:
    await recorded(ledger, "11")
    edit = post("12", revisions=("11", "12"), at=T0 + minutes(1))

    await ledger.advance(OUT, edit, PostId("11"), Cursor(PostId("12"), edit.created_at))

    assert await ledger.known(OUT, [PostId("12")]) == {"12"}
    assert await ledger.cursor(OUT) == Cursor(PostId("12"), edit.created_at)
    (record,) = await ledger.history()
    assert record.source == "11"
    assert await ledger.find("12") == (record,)


async def test_a_revision_of_an_unknown_post_changes_nothing(ledger: Ledger) -> None:
    with pytest.raises(ValueError, match="no post"):
        await ledger.advance(OUT, post("12"), PostId("11"), Cursor(PostId("12"), T0))

    assert await ledger.cursor(OUT) is None


async def test_a_post_recorded_twice_is_recorded_once_and_learns_its_ids(ledger: Ledger) -> None:
    await recorded(ledger, "11")
    again = post("12", revisions=("11", "12"))

    await ledger.record(OUT, decision(again, "other", "text"), Cursor(PostId("12"), T0))

    (record,) = await ledger.history()
    assert [part.part.text for part in record.parts] == ["hello"]
    assert await ledger.known(OUT, [PostId("12")]) == {"12"}
    assert await ledger.cursor(OUT) == Cursor(PostId("12"), T0)


async def test_the_parent_of_a_reply_is_found_by_any_of_its_ids(ledger: Ledger) -> None:
    await ledger.record(OUT, decision(post("12", revisions=("11", "12"))), Cursor())

    for name in ("11", "12"):
        found = (await ledger.facts(OUT, post("20", parent=name))).parent
        assert found is not None
        assert (found.source, found.state) == ("12", PostState.PLANNED)


async def test_a_reply_to_a_mirror_made_here_is_told_from_other_replies(ledger: Ledger) -> None:
    await recorded(ledger, "1")
    await delivered(ledger, "1", "900")

    below = await ledger.facts(BACK, post("950", route=BACK, parent="900"))
    assert below.parent_is_mirror
    assert below.parent is None
    assert not (await ledger.facts(OUT, post("950", parent="900"))).parent_is_mirror
    foreign = await ledger.facts(OTHER_BACK, post("950", route=OTHER_BACK, parent="900"))
    assert not foreign.parent_is_mirror


async def test_reads_and_deliveries_add_up_to_what_a_month_has_cost(ledger: Ledger) -> None:
    await recorded(ledger, "1")
    await ledger.note_read(OUT, T0, 3, Microdollars(3_000))
    await ledger.note_read(OUT, T0 + minutes(1), 0, Microdollars(0))
    await ledger.note_read(OUT, T0 - timedelta(days=22), 9, Microdollars(9_000))
    await ledger.note_read(BACK, T0, 1, Microdollars(500))
    await delivered(ledger, "1", "900", now=T0 + minutes(2), cost=15_000)

    status = await ledger.status(OUT, T0)
    assert status.spent_month == 18_000
    assert status.last_read_at == T0 - timedelta(days=22)
    assert status.last_mirrored_at == T0 + minutes(2)
    assert (await ledger.status(OUT, T0 - timedelta(days=22))).spent_month == 9_000
    assert (await ledger.status(OUT, T0 + timedelta(days=40))).spent_month == 0


async def test_what_is_read_on_x_for_proof_is_among_what_the_month_is_told_to_have_cost(
    ledger: Ledger,
) -> None:
    await ledger.note_read(OUT, T0, 2, Microdollars(2_000))
    await ledger.note_read(OUT, T0, 40, Microdollars(0))
    await ledger.note_read(BACK, T0, 3, Microdollars(3_000))

    month = await ledger.spending(OUT.bridge, month_of(T0))
    assert month.total == (await ledger.usage(OUT.bridge, T0)).spent == 5_000


async def test_a_month_ends_at_midnight_utc_wherever_the_clock_hangs(ledger: Ledger) -> None:
    last = T0.replace(day=30, hour=23, minute=59, second=59)
    await ledger.note_read(OUT, last, 1, Microdollars(1_000))
    await ledger.note_read(OUT, last + timedelta(seconds=1), 1, Microdollars(20))

    assert (await ledger.status(OUT, last)).spent_month == 1_000
    assert (await ledger.status(OUT, last + timedelta(seconds=1))).spent_month == 20


async def test_a_route_that_never_ran_has_empty_figures(ledger: Ledger) -> None:
    status = await ledger.status(OUT, T0)

    assert (status.cursor, status.last_read_at, status.last_mirrored_at) == (None, None, None)
    assert (status.planned, status.delivered, status.spent_month) == (0, 0, 0)


async def test_history_is_newest_first_of_one_bridge_or_of_all(ledger: Ledger) -> None:
    for number in range(6):
        await recorded(ledger, str(number), route=(OUT, OTHER_OUT, BACK)[number % 3])

    everything = await ledger.history()
    assert [record.source for record in everything] == ["5", "4", "3", "2", "1", "0"]
    assert [record.source for record in await ledger.history(limit=2)] == ["5", "4"]
    own = await ledger.history(bridge=OUT.bridge, limit=3)
    assert [record.source for record in own] == ["5", "3", "2"]
    assert await ledger.history(limit=0) == await ledger.history(limit=-1) == ()


async def test_history_says_what_was_decided_and_why(ledger: Ledger) -> None:
    seen = await recorded(ledger, "1", verdict=PRIVATE)

    (record,) = await ledger.history()
    assert (record.route, record.source, record.source_url) == (OUT, "1", seen.url)
    assert (record.created_at, record.seen_at, record.at) == (T0, T0, T0)
    assert record.verdict == PRIVATE
    assert record.verdict.reason is Reason.AUDIENCE
    assert (record.parts, record.notes, record.state) == ((), (), PostState.SKIPPED)


async def test_a_post_is_found_by_every_id_and_address_of_either_side(ledger: Ledger) -> None:
    await recorded(ledger, "7")
    await recorded(ledger, "1", "one", "two")
    await delivered(ledger, "1", "900", 0)
    await delivered(ledger, "1", "901", 1)
    record = (await ledger.history())[0]

    for name in (
        "1",
        "900",
        " 901 ",
        "https://mastodon.example/@me/1",
        "https://x.example/@me/901",
        "https://x.example/@me/901/?s=20#top",
        "https://other-host.example/@me/901",
    ):
        assert await ledger.find(name) == (record,), name
    for name in ("", "90", "https://x.example/@you/901", "https://x.example/", "%", "901' OR 1"):
        assert await ledger.find(name) == (), name


async def test_a_mirror_and_its_echo_are_both_found_original_first(ledger: Ledger) -> None:
    await recorded(ledger, "1")
    await delivered(ledger, "1", "900")
    await recorded(ledger, "900", route=BACK, verdict=ECHO)

    assert [record.route for record in await ledger.find("900")] == [OUT, BACK]


async def test_ids_are_opaque(ledger: Ledger) -> None:
    odd = ["", " ", "'; DROP TABLE post; --", "01JABC", "ß", "💥", "half \ud83d pair", "a\x00b"]
    for name in odd:
        await recorded(ledger, name)

    assert await ledger.known(OUT, [PostId(name) for name in odd]) == frozenset(odd)
    for name in odd:
        await ledger.claim(key(name), T0, "hash")


async def test_the_newest_id_of_a_post_is_known_in_whatever_order_its_chain_is_told(
    ledger: Ledger,
) -> None:
    chain = ("1", "2", "3")
    for told in permutations((("3",), ("2", "3"), chain)):
        route = Route(BridgeName("-".join(map("".join, told))), Direction.X_TO_MASTODON)
        versions = [post(ids[-1], route=route, revisions=ids) for ids in told]
        await ledger.record(route, decision(versions[0], "hello"), Cursor())
        for version in versions[1:]:
            await ledger.advance(route, version, versions[0].id, None)
        due = await ledger.next_due(route, T0)
        assert due is not None
        assert due.latest == "3"
