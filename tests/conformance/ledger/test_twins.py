"""What every ledger knows of posts that stand on both sides, and how it takes a mirror back."""

from dataclasses import replace
from datetime import timedelta

import pytest

from bridge.core.delivery import PartState, PostState
from bridge.core.model import AccountId, Post, PostId, ReplyRef, Route, Visibility
from bridge.core.record import Cursor
from bridge.core.twins import WINDOW
from bridge.core.verdict import Action, Reason, Verdict
from bridge.ports import Ledger
from tests.ledger.made import (
    ALLOWED,
    BACK,
    ECHO,
    OTHER_BACK,
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

NEWS = "The old lighthouse by the harbour opens its doors this Sunday"
SAME = Verdict(Action.SKIP, Reason.SAME_POST, "there")


async def read(
    ledger: Ledger,
    seen: Post,
    *,
    route: Route = BACK,
    verdict: Verdict = PRIVATE,
    same_as: str | None = None,
) -> None:
    decided = decision(seen, verdict=verdict)
    if same_as is not None:
        decided = replace(decided, same_as=PostId(same_as))
    await ledger.record(route, decided, Cursor().past(seen))


async def found(ledger: Ledger, one: Post, *ids: str, route: Route = OUT) -> list[str]:
    known = await ledger.counterparts(route, one, [PostId(name) for name in ids])
    return [other.id for other in known]


async def test_the_same_words_are_found_on_the_other_side_and_nowhere_else(ledger: Ledger) -> None:
    await read(ledger, post("90", route=BACK, text=NEWS.upper()))
    await read(ledger, post("91", route=BACK, text=NEWS + " at ten"))
    await read(ledger, post("92", route=OTHER_BACK, text=NEWS), route=OTHER_BACK)
    await read(ledger, post("93", text=NEWS), route=OUT)
    (other,) = await ledger.counterparts(OUT, post("1", text=NEWS))
    assert (other.id, other.url, other.at) == ("90", "https://x.example/@me/90", T0)
    assert (other.media, other.mirrored, other.same_text) == (0, False, True)


async def test_a_ledger_that_has_read_nothing_finds_nothing(ledger: Ledger) -> None:
    assert await found(ledger, post("1", text=NEWS), "90") == []


async def test_posts_can_be_asked_for_by_their_ids(ledger: Ledger) -> None:
    await read(ledger, post("90", route=BACK, text="Something else", revisions=("89", "90")))
    (other,) = await ledger.counterparts(OUT, post("1", text=NEWS), [PostId("89"), PostId("7")])
    assert (other.id, other.same_text) == ("90", False)


@pytest.mark.parametrize("way", [-1, 1])
async def test_only_what_is_near_in_time_is_found(ledger: Ledger, way: int) -> None:
    await read(ledger, post("90", route=BACK, text=NEWS, at=T0 + way * WINDOW))
    await read(ledger, post("91", route=BACK, text=NEWS, at=T0 + way * (WINDOW + minutes(1))))
    assert await found(ledger, post("1", text=NEWS)) == ["90"]


async def test_replies_and_posts_are_not_compared(ledger: Ledger) -> None:
    await read(ledger, post("90", route=BACK, text=NEWS, parent="80"))
    await read(ledger, post("91", route=BACK, text=NEWS))
    stranger = ReplyRef(PostId("80"), AccountId("somebody"))
    await read(ledger, replace(post("92", route=BACK, text=NEWS), in_reply_to=stranger))
    assert await found(ledger, post("1", text=NEWS, parent="0")) == ["90"]
    assert await found(ledger, post("1", text=NEWS)) == ["91"]


async def test_what_was_said_to_one_person_is_not_known_again(ledger: Ledger) -> None:
    direct = replace(post("90", route=BACK, text=NEWS), visibility=Visibility.DIRECT)
    await read(ledger, direct)
    assert await found(ledger, post("1", text=NEWS)) == []


async def test_a_mirror_made_here_is_nobodys_counterpart(ledger: Ledger) -> None:
    await recorded(ledger, "0")
    await delivered(ledger, "0", "90")
    await read(ledger, post("90", route=BACK, text=NEWS), verdict=ECHO)
    # Read before it was proven to be ours, and taken for a post of its own:
    await read(ledger, post("91", route=BACK, text=NEWS), verdict=ALLOWED)
    await recorded(ledger, "2")
    await delivered(ledger, "2", "91")
    assert await found(ledger, post("1", text=NEWS), "90", "91") == []


async def test_a_counterpart_says_since_when_it_has_a_twin(ledger: Ledger) -> None:
    at = T0 - timedelta(minutes=9)
    await read(ledger, post("90", route=BACK, text=NEWS))
    await read(ledger, post("2", text=NEWS), route=OUT, verdict=SAME, same_as="90")
    first = replace(post("1", text=NEWS), created_at=at)
    await read(ledger, first, route=OUT, verdict=SAME, same_as="90")
    # Its mirror was taken back for a post that is not recorded yet.
    await read(ledger, post("91", route=BACK, text=NEWS), verdict=SAME, same_as="3")
    since = {one.id: one.twin_at for one in await ledger.counterparts(OUT, post("4", text=NEWS))}
    assert since == {"90": at, "91": post("91").created_at}
    since = {one.id: one.twin_at for one in await ledger.counterparts(OUT, post("3", text=NEWS))}
    assert since == {"90": at, "91": None}
    (record,) = await ledger.find("1")
    assert record.same_as == "90"


async def test_a_counterpart_with_a_mirror_says_so(ledger: Ledger) -> None:
    await read(ledger, post("90", route=BACK, text=NEWS), verdict=ALLOWED)
    (planned,) = await ledger.counterparts(OUT, post("1", text=NEWS))
    await delivered(ledger, "90", "700", route=BACK)
    (sent,) = await ledger.counterparts(OUT, post("1", text=NEWS))
    assert (planned.mirrored, sent.mirrored) == (False, True)


async def test_a_mirror_that_has_not_left_is_taken_back(ledger: Ledger) -> None:
    await recorded(ledger, "1", "one", "two")
    later = T0 + timedelta(hours=1)
    record = await ledger.withdraw(OUT, PostId("1"), verdict=SAME, same_as=PostId("90"), now=later)
    assert record is not None
    assert (record.verdict, record.same_as, record.at) == (SAME, "90", later)
    assert [part.state for part in record.parts] == [PartState.DROPPED] * 2
    assert record.state is PostState.DROPPED
    assert await ledger.next_due(OUT, later) is None
    assert await ledger.find("1") == (record,)


async def test_what_continues_a_mirror_that_was_taken_back_goes_below_the_other(
    ledger: Ledger,
) -> None:
    await recorded(ledger, "1")
    await recorded(ledger, "2", parent="1")
    await ledger.withdraw(OUT, PostId("1"), verdict=SAME, same_as=PostId("90"), now=T0)
    await recorded(ledger, "3", parent="1")
    assert await ledger.stranded(OUT) == ()
    for name in ("2", "3"):
        due = await ledger.next_due(OUT, T0)
        assert due is not None
        assert (due.record.key, due.reply_to) == (key(name), "90")
        await delivered(ledger, name, f"70{name}")


async def test_a_mirror_of_which_anything_has_left_is_not_taken_back(ledger: Ledger) -> None:
    await recorded(ledger, "1", "one", "two")
    await delivered(ledger, "1", "700", 0)
    await recorded(ledger, "2")
    await ledger.claim(key("2"), T0, "hash")
    await recorded(ledger, "3", verdict=PRIVATE)
    for name in ("1", "2", "3", "4"):
        before = await ledger.find(name)
        taken = await ledger.withdraw(
            OUT, PostId(name), verdict=SAME, same_as=PostId("90"), now=T0 + minutes(1)
        )
        assert taken is None
        assert await ledger.find(name) == before
