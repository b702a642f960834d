"""Pages of a long ledger: nothing is left out, nothing comes twice, and every page is bounded."""

from dataclasses import replace
from datetime import date

import pytest

from bridge.core.delivery import PartEvent, PartState, PostState
from bridge.core.listing import Wanted
from bridge.core.model import BridgeName, Microdollars
from bridge.core.verdict import Reason
from bridge.ledger import searching
from bridge.ports import Ledger
from tests.ledger.made import (
    BACK,
    ECHO,
    OTHER_OUT,
    OUT,
    PRIVATE,
    T0,
    delivered,
    key,
    minutes,
    recorded,
)

NEEDS = frozenset({PostState.HELD, PostState.FAILED})


async def all_of(ledger: Ledger, wanted: Wanted) -> list[str]:
    """Every page after another, as a reader goes through them."""
    names: list[str] = []
    before: int | None = None
    for _ in range(100):
        page = await ledger.listing(replace(wanted, before=before))
        assert len(page.records) <= wanted.limit
        names += [record.source for record in page.records]
        before = page.before
        if before is None:
            return names
    raise AssertionError("the pages have no end")


async def test_pages_hold_every_post_once_newest_first(ledger: Ledger) -> None:
    for number in range(23):
        await recorded(ledger, str(number), route=OUT if number % 2 else BACK)
    everything = [str(number) for number in reversed(range(23))]
    assert await all_of(ledger, Wanted(limit=5)) == everything
    assert await all_of(ledger, Wanted(limit=23)) == everything
    assert await all_of(ledger, Wanted(limit=5, direction=OUT.direction)) == everything[1::2]


@pytest.mark.parametrize("looked_at", [3, 20_000])
async def test_the_bridges_own_mirrors_can_be_left_out(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch, looked_at: int
) -> None:
    monkeypatch.setattr(searching, "LOOKED_AT", looked_at)
    await recorded(ledger, "1")
    for number in range(9):
        await recorded(ledger, f"echo {number}", route=BACK, verdict=ECHO)
    await recorded(ledger, "2", route=BACK)
    assert await all_of(ledger, Wanted(echoes=False, limit=2)) == ["2", "1"]
    back = Wanted(echoes=False, direction=BACK.direction)
    assert await all_of(ledger, back) == ["2"]
    assert len(await all_of(ledger, Wanted(limit=2))) == 11


async def test_a_bridge_is_listed_alone(ledger: Ledger) -> None:
    await recorded(ledger, "1")
    await recorded(ledger, "2", route=OTHER_OUT)
    assert await all_of(ledger, Wanted(bridge=OTHER_OUT.bridge)) == ["2"]
    assert await all_of(ledger, Wanted(bridge=BridgeName("none"), words=("hello",))) == []


async def test_a_state_is_that_of_the_whole_post(ledger: Ledger) -> None:
    await recorded(ledger, "planned")
    await recorded(ledger, "skipped", verdict=PRIVATE)
    await recorded(ledger, "half", "one", "two")
    await delivered(ledger, "half", "900", 0)
    await recorded(ledger, "done")
    await delivered(ledger, "done", "901")
    await recorded(ledger, "failed")
    await ledger.claim(key("failed"), T0, "hash")
    await ledger.settle(key("failed"), PartEvent.REFUSAL, T0, detail="no")

    async def of(*states: PostState) -> list[str]:
        return await all_of(ledger, Wanted(states=frozenset(states), limit=1))

    assert await of(PostState.DELIVERED) == ["done"]
    assert await of(PostState.SENDING) == ["half"]
    assert await of(PostState.PLANNED) == ["planned"]
    assert await of(PostState.SKIPPED) == ["skipped"]
    assert await of(PostState.FAILED, PostState.SKIPPED) == ["failed", "skipped"]
    assert await of(PostState.HELD) == []


@pytest.mark.parametrize("looked_at", [2, 7, 20_000])
async def test_words_are_found_wherever_they_stand(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch, looked_at: int
) -> None:
    monkeypatch.setattr(searching, "LOOKED_AT", looked_at)
    await recorded(ledger, "1", "A morning in Köln, 100% of it")
    await recorded(ledger, "2", "مرحبا بالعالم")
    await recorded(ledger, "3", "quiet")
    await recorded(ledger, "4", verdict=PRIVATE)
    await recorded(ledger, "5", "quiet", "and loud")
    for _ in range(6):
        await recorded(ledger, f"between {_}", "nothing")
    await ledger.claim(key("3"), T0, "hash")
    await ledger.settle(key("3"), PartEvent.REFUSAL, T0, detail="HTTP 422: Duplicate")

    async def of(*words: str, reasons: tuple[frozenset[Reason], ...] = ()) -> list[str]:
        return await all_of(ledger, Wanted(words=words, reasons=reasons, limit=3))

    assert await of("köln") == await of("KÖLN") == await of("Morning", "100%") == ["1"]
    assert await of("بالعالم") == ["2"]
    assert await of("followers") == ["4"], "the detail of a verdict"
    assert await of("duplicate") == ["3"], "what a network said"
    assert await of("loud") == ["5"], "any part"
    assert await of("quiet") == ["5", "3"]
    assert await of("quiet", "loud") == ["5"], "all words"
    assert await of("mirror", reasons=(frozenset({Reason.AUDIENCE}),)) == ["4"]
    assert await of("%_") == [] == await of("'; DROP TABLE post; --") == await of("\ud800")


async def test_a_search_that_stops_on_the_way_says_how_far_it_came(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(searching, "LOOKED_AT", 4)
    for number in range(10):
        await recorded(ledger, str(number))
    page = await ledger.listing(Wanted(words=("nowhere",)))
    assert page.records == ()
    assert page.reached == T0
    assert page.before is not None
    assert (await ledger.listing(Wanted())).reached is None


async def test_many_words_look_less_far_at_a_time_so_that_a_page_costs_as_much_as_for_one(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(searching, "LOOKED_AT", 8)
    for number in range(12):
        await recorded(ledger, str(number), "never there")

    async def pages(*words: str) -> int:
        wanted, count = Wanted(words=words), 1
        while (page := await ledger.listing(wanted)).before is not None:
            wanted, count = replace(wanted, before=page.before), count + 1
        return count

    assert await pages("nowhere") == 2
    assert await pages("never", "nowhere") == 3
    assert await pages(*["never"] * 7, "nowhere") == 6


async def test_words_can_be_narrowed_to_a_state(ledger: Ledger) -> None:
    await recorded(ledger, "1", "same")
    await recorded(ledger, "2", "same")
    await delivered(ledger, "2", "900")
    states = frozenset({PostState.DELIVERED})
    assert await all_of(ledger, Wanted(words=("same",), states=states)) == ["2"]


async def test_the_log_tells_every_move_of_every_part_in_order(ledger: Ledger) -> None:
    await recorded(ledger, "1", "one", "two")
    await delivered(ledger, "1", "900", 0)
    await ledger.claim(key("1", 1), T0 + minutes(1), "hash")
    await ledger.settle(key("1", 1), PartEvent.DOUBT, T0 + minutes(2), detail="a time-out")
    found = await ledger.moves(OUT, key("1").source)
    assert [(move.index, move.event) for move in found] == [
        (0, PartEvent.CLAIM),
        (0, PartEvent.RECEIPT),
        (1, PartEvent.CLAIM),
        (1, PartEvent.DOUBT),
    ]
    assert (found[-1].state, found[-1].detail) == (PartState.IN_DOUBT, "a time-out")
    assert found[-1].at == T0 + minutes(2)
    assert await ledger.moves(BACK, key("1").source) == ()


async def test_days_count_what_was_sent_and_all_that_was_spent(ledger: Ledger) -> None:
    await recorded(ledger, "1", "one", "two")
    await delivered(ledger, "1", "900", 0)
    await delivered(ledger, "1", "901", 1)
    await recorded(ledger, "2", route=BACK)
    await ledger.note_read(BACK, T0, 1, Microdollars(1_000))
    today = T0.date()
    out, back = await ledger.days(today)
    assert (out.day, out.route, out.sent, out.spent) == (today, OUT, 2, 30_000)
    assert (back.route, back.sent, back.spent) == (BACK, 0, 1_000)
    assert await ledger.days(date(2027, 1, 1)) == ()
