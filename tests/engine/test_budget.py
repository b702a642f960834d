"""The budget at work: nothing leaves that it does not allow, nothing is lost, all in order."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bridge.core.budget import Budget, Spent, month_of
from bridge.core.delivery import PostState
from bridge.core.errors import InDoubt, NothingFits
from bridge.core.events import BudgetNear, RoutePaused, RouteResumed
from bridge.core.model import Microdollars, Network, Visibility
from bridge.core.policy import Policy
from bridge.engine.commands import Commands
from bridge.engine.control import Control
from bridge.engine.route import Bench
from tests.engine.conftest import HOME, NAME, OUT, Rig
from tests.fakes import FakeNetwork, PatientClock

DAY = 86_400.0
LINK = "See https://example.com/"
PLAIN, LINKED = 15_000, 200_000


def cents(amount: float) -> Microdollars:
    return Microdollars(round(amount * 10_000))


def sent(rig: Rig) -> list[str]:
    return [part.text for part, *_ in rig.x.published]


def commands(rig: Rig) -> Commands:
    return Commands(Bench(rig.ledger, rig.clock, lambda: 0.0), [OUT, HOME])


async def spent(rig: Rig) -> int:
    return (await rig.ledger.usage(NAME, rig.clock.now())).spent


async def test_over_the_budget_a_post_waits_says_why_and_goes_out_next_month(rig: Rig) -> None:
    rig.budget = Budget(cents(21.5))
    daemon = await rig.started()
    first = rig.mastodon.write(f"{LINK} one")
    second = rig.mastodon.write("Two")
    third = rig.mastodon.write("Three")
    await daemon.once()
    assert sent(rig) == [first.text.plain, "Two"]
    await daemon.once()
    record = await rig.record(third.id)
    assert record.state is PostState.PLANNED
    assert record.parts[0].detail == (
        "over this month's budget of $0.215; goes out on 1 December (UTC) or after: "
        "twinpost release"
    )
    assert (await rig.ledger.status(OUT, rig.clock.now())).waiting_for_money == 1
    assert await rig.state(second.id) is PostState.DELIVERED
    await rig.pass_time(daemon, 8 * DAY, step=DAY / 2)
    assert rig.clock.now() < datetime(2026, 12, 1, tzinfo=UTC)
    assert len(sent(rig)) == 2
    await rig.pass_time(daemon, DAY, step=DAY / 2)
    assert sent(rig)[2:] == ["Three"]
    record = await rig.record(third.id)
    assert (record.state, record.parts[0].detail) == (PostState.DELIVERED, "")
    assert (await rig.ledger.status(OUT, rig.clock.now())).waiting_for_money == 0


async def test_a_cheaper_post_does_not_overtake_a_dear_one(rig: Rig) -> None:
    rig.budget = Budget(cents(20.0))
    daemon = await rig.started()
    for text in ("One", f"{LINK} two", "Three"):
        rig.mastodon.write(text)
    for _ in range(3):
        await daemon.once()
    assert sent(rig) == ["One"]
    rig.clock.at = datetime(2026, 12, 1, tzinfo=UTC)
    await daemon.once()
    assert [text.split()[-1] for text in sent(rig)] == ["One", "two"]


async def test_a_thread_is_not_begun_that_the_budget_cannot_end(rig: Rig) -> None:
    rig.budget = Budget(cents(4.0))
    daemon = await rig.started()
    rig.mastodon.write("word " * 90)
    await daemon.once()
    assert len(sent(rig)) == 2
    rig.mastodon.write("word " * 91)
    await daemon.once()
    assert len(sent(rig)) == 2


async def test_the_pause_is_told_once_and_so_is_its_end(rig: Rig) -> None:
    rig.budget = Budget(cents(1.5))
    daemon = await rig.started()
    rig.mastodon.write("One")
    rig.mastodon.write("Two")
    for _ in range(4):
        await daemon.once()
    (pause,) = [event for event in rig.events if isinstance(event, RoutePaused)]
    assert (pause.route, pause.until) == (OUT, datetime(2026, 12, 1, tzinfo=UTC))
    assert "twinpost release" in pause.detail
    (closed,) = next(lane for lane in daemon.lanes if lane.plan.route == OUT).closed
    assert closed.until == pause.until
    rig.clock.at = datetime(2026, 12, 1, tzinfo=UTC)
    await daemon.once()
    assert [type(event) for event in rig.events].count(RouteResumed) == 1


async def test_what_waits_still_waits_after_a_restart_and_goes_out_once_there_is_more(
    rig: Rig,
) -> None:
    rig.budget = Budget(cents(1.5))
    daemon = await rig.started()
    rig.mastodon.write("One")
    post = rig.mastodon.write("Two")
    await daemon.once()
    await rig.restart()
    await rig.daemon().once()
    assert sent(rig) == ["One"]
    rig.budget = Budget(cents(3.0))
    await rig.daemon().once()
    assert sent(rig) == ["One", "Two"]
    assert await rig.state(post.id) is PostState.DELIVERED


async def test_the_owner_lets_go_what_waits_and_no_more(rig: Rig) -> None:
    rig.budget = Budget(cents(1.5))
    daemon = await rig.started()
    for text in ("One", "Two", "Three"):
        rig.mastodon.write(text)
    await daemon.once()
    assert await commands(rig).obey({"do": "release", "post": None}) == (
        "released: 2 post(s), sent in their order"
    )
    await daemon.once()
    assert sent(rig) == ["One", "Two", "Three"]
    rig.mastodon.write("Four")
    await daemon.once()
    assert len(sent(rig)) == 3


async def test_one_post_that_is_let_go_overtakes_those_that_wait(rig: Rig) -> None:
    rig.budget = Budget(cents(1.5))
    daemon = await rig.started()
    rig.mastodon.write("One")
    rig.mastodon.write("Two")
    third = rig.mastodon.write("Three")
    await daemon.once()
    said = await commands(rig).release(third.id)
    assert "released" in said
    await daemon.once()
    assert sent(rig) == ["One", "Three"]


async def test_what_does_not_wait_for_money_is_not_released(rig: Rig) -> None:
    daemon = await rig.started()
    post = rig.mastodon.write("One")
    await daemon.once()
    with pytest.raises(NothingFits, match="it is delivered"):
        await commands(rig).release(post.id)
    with pytest.raises(NothingFits, match="nothing waits"):
        await commands(rig).release(None)
    with pytest.raises(NothingFits, match="not known"):
        await commands(rig).release("12345")


async def test_a_post_that_is_too_dear_is_held_with_its_price_and_can_be_let_go(rig: Rig) -> None:
    rig.policy = Policy(held_above=cents(10))
    rig.budget = Budget(cents(10))
    daemon = await rig.started()
    dear = rig.mastodon.write(LINK)
    cheap = rig.mastodon.write("Cheap")
    await daemon.once()
    assert sent(rig) == ["Cheap"]
    record = await rig.record(dear.id)
    assert record.state is PostState.HELD
    assert "$0.20 and not $0.10 at most" in record.verdict.sentence
    assert "twinpost release ID" in record.verdict.sentence
    with pytest.raises(NothingFits):
        await commands(rig).release(cheap.id)
    await commands(rig).release(dear.id)
    await daemon.once()
    assert sent(rig) == ["Cheap", LINK]


async def test_what_no_month_can_pay_is_held_and_keeps_no_other_waiting(rig: Rig) -> None:
    daemon = await rig.started()
    rig.delay = timedelta(hours=1)
    daemon = rig.daemon()
    dear = rig.mastodon.write(LINK)
    rig.mastodon.write("Cheap")
    await daemon.once()
    rig.budget = Budget(cents(10))
    rig.clock.pass_time(3600)
    daemon = rig.daemon()
    await daemon.once()
    assert sent(rig) == ["Cheap"]
    record = await rig.record(dear.id)
    assert record.state is PostState.HELD
    assert f"twinpost release {dear.id}" in record.parts[0].detail
    await commands(rig).release(dear.id)
    await daemon.once()
    assert sent(rig) == ["Cheap", LINK]


async def test_what_may_have_been_charged_counts_until_it_is_known(rig: Rig) -> None:
    rig.budget = Budget(cents(3.0))
    daemon = await rig.started()
    rig.x.answers = [InDoubt("time-out")]
    rig.mastodon.write("One")
    await daemon.once()
    usage = await rig.ledger.usage(NAME, rig.clock.now())
    assert (usage.spent, usage.under_way) == (0, PLAIN)
    await rig.pass_time(daemon, 300)
    usage = await rig.ledger.usage(NAME, rig.clock.now())
    assert (usage.spent, usage.under_way) == (PLAIN, 0)


async def test_reading_goes_on_over_the_budget_and_stops_at_twice_of_it(rig: Rig) -> None:
    rig.budget = Budget(cents(1.5))
    daemon = await rig.started()
    rig.mastodon.write("One")
    await daemon.once()
    rig.x.write("From X")
    await daemon.once()
    assert [part.text for part, *_ in rig.mastodon.published] == ["From X"]
    await rig.ledger.note_read(HOME, rig.clock.now(), 15, Microdollars(PLAIN))
    reads = rig.x.reads
    rig.x.write("Unread")
    await daemon.once()
    assert rig.x.reads == reads
    (home,) = next(lane for lane in daemon.lanes if lane.plan.route == HOME).closed
    assert "x.budget.usd_per_month" in str(home.error)
    rig.clock.at = datetime(2026, 12, 1, tzinfo=UTC)
    await daemon.once()
    await daemon.once()
    assert [part.text for part, *_ in rig.mastodon.published][1:] == ["Unread"]


async def test_a_deletion_is_carried_over_although_the_budget_is_spent(rig: Rig) -> None:
    rig.budget = Budget(cents(1.5))
    daemon = await rig.started()
    rig.mastodon.write("Stays unsent", visibility=Visibility.FOLLOWERS)
    rig.clock.pass_time(60)
    post = rig.mastodon.write("One")
    await daemon.once()
    rig.mastodon.remove(post)
    await rig.pass_time(daemon, 60)
    assert len(rig.x.deleted) == 1
    assert await spent(rig) == PLAIN + 10_000


async def test_an_edit_waits_for_money_and_is_given_up_once_it_is_too_late_for_it(rig: Rig) -> None:
    rig.budget = Budget(cents(2.0))
    daemon = await rig.started()
    post = rig.mastodon.write("One")
    await daemon.once()
    rig.mastodon.edit(post, "One, better")
    await daemon.once()
    await daemon.once()
    assert rig.x.revised == []
    record = await rig.record(post.id)
    assert "budget of $0.02" in record.parts[0].detail
    await rig.pass_time(daemon, 2 * 3600, step=1800)
    record = await rig.record(post.id)
    assert rig.x.revised == []
    assert any("shows what it said before" in note for note in record.notes)


async def test_a_mirror_is_not_deleted_to_be_posted_again_without_money(rig: Rig) -> None:
    rig.policy, rig.x.premium = Policy(reposting=True), False
    rig.budget = Budget(cents(2.0))
    daemon = await rig.started()
    post = rig.mastodon.write("One")
    await daemon.once()
    rig.mastodon.edit(post, "One, better")
    await daemon.once()
    await daemon.once()
    assert rig.x.deleted == []
    assert any("over this month's budget" in note for note in (await rig.record(post.id)).notes)


async def test_the_owner_is_warned_once_a_month_whatever_restarts(rig: Rig) -> None:
    rig.budget = Budget(cents(7.5), warn_at=80)
    daemon = await rig.started()

    async def post(text: str) -> int:
        rig.mastodon.write(text)
        await daemon.once()
        return sum(isinstance(event, BudgetNear) for event in rig.events)

    assert [await post(text) for text in "ABC"] == [0, 0, 0]
    assert await post("D") == 1
    daemon = rig.daemon()
    assert await post("E") == 1
    rig.clock.at = datetime(2026, 12, 1, tzinfo=UTC)
    assert [await post(text) for text in "FGHI"] == [1, 1, 1, 2]


async def test_what_money_went_to_is_told_apart(rig: Rig) -> None:
    daemon = await rig.started()
    rig.mastodon.write("Plain")
    rig.mastodon.write(LINK)
    rig.mastodon.write("Picture", media=(rig.mastodon.picture(alt="A cat"),))
    rig.clock.pass_time(60)
    gone = rig.mastodon.write("Gone")
    await daemon.once()
    rig.mastodon.edit(rig.mastodon.posts[0], "Plain, better")
    rig.mastodon.remove(gone)
    await rig.pass_time(daemon, 60)
    month = await rig.ledger.spending(NAME, month_of(rig.clock.now()))
    told = {line.kind: (line.items, line.cost) for line in month.lines}
    assert told[Spent.POST] == (3, 3 * PLAIN)
    assert told[Spent.POST_WITH_LINK] == (1, LINKED)
    assert (told[Spent.MEDIA], told[Spent.ALT_TEXT]) == ((1, 15_000), (1, 5_000))
    assert (told[Spent.EDIT], told[Spent.DELETION]) == ((1, PLAIN), (1, 10_000))
    assert month.total == await spent(rig)
    assert month.dearest[0].cost == LINKED


async def test_each_choice_about_links_has_its_price(rig: Rig) -> None:
    rig.policy = Policy(links="drop")
    daemon = await rig.started()
    rig.mastodon.write(LINK)
    rig.mastodon.write("Plain")
    await daemon.once()
    found = (await rig.ledger.spending(NAME, month_of(rig.clock.now()))).links
    assert (found.keep, found.defuse, found.drop) == (LINKED + PLAIN, 2 * PLAIN, 2 * PLAIN)


async def test_status_shows_money_against_the_budget(rig: Rig) -> None:
    rig.budget = Budget(cents(1.5))
    daemon = await rig.started()
    rig.mastodon.write("One")
    rig.mastodon.write("Two")
    await daemon.once()
    control = Control(rig.ledger, [OUT, HOME], {NAME: rig.budget})
    rows = await control.status_rows(rig.clock.now())
    assert rows[0]["state"] == "over budget"
    assert {(row["bridge_month_usd"], row["budget_month_usd"]) for row in rows} == {(0.015, 0.015)}


@settings(
    max_examples=15,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    st.lists(st.sampled_from(["plain", "link", "day", "release"]), min_size=4, max_size=14),
    st.integers(2, 45),
)
async def test_no_month_costs_more_than_its_budget_and_everything_leaves_in_order(
    tmp_path_factory: pytest.TempPathFactory, steps: list[str], budget: int
) -> None:
    clock, folder = PatientClock(), tmp_path_factory.mktemp("month")
    rig = Rig(
        folder=folder,
        clock=clock,
        mastodon=FakeNetwork(Network.MASTODON, clock, max_length=500),
        x=FakeNetwork(Network.X, clock),
        ledger=await Rig.opened(folder, clock),
    )
    rig.budget = Budget(cents(budget))
    rig.policy = Policy(held_above=cents(budget))
    daemon = await rig.started()
    written: list[str] = []
    released = False
    for number, step in enumerate(steps):
        if step == "day":
            clock.pass_time(4 * DAY)
        elif step == "release":
            released = released or bool(await rig.ledger.release(OUT, None, clock.now()))
        else:
            text = f"{LINK if step == 'link' else ''} post {number}".strip()
            written.append(text)
            rig.mastodon.write(text)
        await daemon.once()
        if not released:
            assert await spent(rig) <= cents(budget)
    expected = [text for text in written if budget >= 20 or not text.startswith("See")]
    assert sent(rig) == expected[: len(sent(rig))]
    for _ in range(len(expected) + 1):
        clock.pass_time(31 * DAY)
        await daemon.once()
        if not released:
            assert await spent(rig) <= cents(budget)
    assert sent(rig) == expected
    await rig.ledger.close()
