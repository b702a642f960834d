"""Waits outlive the process: a timer's passes ask no more often than a daemon does."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from bridge.core.delivery import PostState
from bridge.core.errors import (
    Barred,
    NetworkError,
    NoUploads,
    Throttled,
    Transient,
    Unauthorised,
    Unpaid,
)
from bridge.core.events import RoutePaused
from bridge.core.model import Network, PostId
from bridge.core.waits import Wait, Why, error_of, why
from bridge.engine.commands import Commands
from bridge.engine.control import Control, waiting_row
from bridge.engine.route import Bench
from bridge.engine.standing import wait_rows
from bridge.engine.supervise import Daemon
from tests.engine.conftest import HOME, OUT, Rig

EVERY = 300
A_DAY = 24 * 3600
RHYTHMS = [900, pytest.param(EVERY, marks=pytest.mark.soak)]
"""Seconds between passes of a day: what the shipped timer does takes long to play through."""


async def timer(rig: Rig, passes: int, every: int = EVERY) -> None:
    """So many passes, each by a process of its own."""
    for _ in range(passes):
        rig.clock.pass_time(every)
        await rig.daemon().once()


def throttled(rig: Rig) -> NetworkError:
    return Throttled("HTTP 429", until=rig.clock.now() + timedelta(hours=25), status=429)


def capped(rig: Rig) -> NetworkError:
    return Unpaid("HTTP 403: SpendCapReached", until=rig.clock.now() + timedelta(days=9))


TROUBLES: list[tuple[Callable[[Rig], NetworkError], int]] = [
    (throttled, 3),
    (capped, 2),
    (lambda _: Unpaid("HTTP 402: credits depleted", status=402), 32),
    (lambda _: Unauthorised("HTTP 401: Unauthorized", status=401), 12),
    (lambda _: Barred("HTTP 403: your account has moved", status=403), 12),
    (lambda _: Transient("HTTP 403: not now", status=403), 45),
]


@pytest.mark.parametrize("every", RHYTHMS)
@pytest.mark.parametrize(("trouble", "most"), TROUBLES)
async def test_passes_of_a_timer_ask_as_rarely_as_a_daemon(
    rig: Rig, trouble: Callable[[Rig], NetworkError], most: int, every: int
) -> None:
    await rig.started()
    for number in range(3):
        rig.mastodon.write(f"Post {number}")
    error = trouble(rig)
    rig.x.answers = [error] * 500
    await timer(rig, A_DAY // every, every)
    assert 1 <= rig.x.calls <= most
    (wait,) = await rig.ledger.waits(OUT)
    assert (wait.network, wait.why, wait.detail) == (Network.X, why(error), error.detail)
    assert await rig.ledger.waits(HOME) == ()
    begun = rig.clock.now() - timedelta(days=1)
    assert begun <= wait.since <= begun + timedelta(minutes=15)
    # Without a daemon, too, it is said.
    control = Control(rig.ledger, [OUT, HOME])
    row, other = await control.status_rows(rig.clock.now())
    told = waiting_row(row, (await control.waits())[OUT])
    assert told["state"] not in {"sending", "up to date"}
    assert (told["waits_for"], told["detail"]) == ("x", error.detail)
    assert other["detail"] == ""


async def test_a_days_quota_is_asked_for_once_and_then_at_its_reset(rig: Rig) -> None:
    await rig.started()
    toot = rig.mastodon.write("Over the day's quota")
    reset = rig.clock.now() + timedelta(hours=19)
    rig.x.answers = [Throttled("HTTP 429", until=reset, status=429)]
    await timer(rig, 19 * 12 - 2)
    assert rig.x.calls == 1
    assert wait_rows((await at_work(rig)).lanes)[0]["until"] == f"{reset:%Y-%m-%dT%H:%M:%SZ}"
    await timer(rig, 3)
    assert rig.x.calls == 2
    assert await rig.state(toot.id) is PostState.DELIVERED
    assert await rig.ledger.waits(OUT) == ()


async def at_work(rig: Rig) -> Daemon:
    daemon = rig.daemon()
    for lane in daemon.lanes:
        await lane.begin()
    return daemon


@pytest.mark.parametrize("every", RHYTHMS)
async def test_a_reading_that_is_refused_is_remembered_like_a_sending(rig: Rig, every: int) -> None:
    await rig.started()
    rig.x.read_errors = [Unauthorised("HTTP 401", status=401)] * 500
    await timer(rig, A_DAY // every, every)
    assert len(rig.x.read_errors) >= 500 - 12
    (wait,) = await rig.ledger.waits(HOME)
    assert wait.gate == "reading x"


async def stopped(rig: Rig, error: NetworkError) -> PostId:
    """A post that has waited for long behind `error`."""
    await rig.started()
    toot = rig.mastodon.write("Waits")
    rig.x.answers = [error] * 20
    await timer(rig, 40)
    rig.x.answers = []
    calls = rig.x.calls
    await timer(rig, 1)
    assert rig.x.calls == calls
    return toot.id


LOST = Unauthorised("HTTP 401", status=401)


async def test_a_new_login_or_another_configuration_ends_every_wait(rig: Rig) -> None:
    toot = await stopped(rig, LOST)
    rig.stamp = "after a login"
    await timer(rig, 1)
    assert await rig.state(toot) is PostState.DELIVERED


async def test_a_new_login_hurries_what_was_not_sent_for_want_of_its_sources_word(
    rig: Rig,
) -> None:
    await rig.started()
    toot = rig.mastodon.write("Does it still stand?")
    rig.mastodon.look_up_errors = [LOST] * 20
    await timer(rig, 1)
    assert {wait.why for wait in await rig.ledger.waits(OUT)} == {Why.SIGN_IN}
    rig.mastodon.look_up_errors = []
    rig.stamp = "after a login"
    rig.clock.pass_time(1)
    await rig.daemon().once()
    assert await rig.state(toot.id) is PostState.DELIVERED


@pytest.mark.parametrize("error", [LOST, Unpaid("HTTP 402", status=402)])
@pytest.mark.parametrize("running", [False, True])
async def test_the_owners_word_ends_what_its_owner_can_end(
    rig: Rig, error: NetworkError, running: bool
) -> None:
    toot = await stopped(rig, error)
    bench = Bench(rig.ledger, rig.clock, lambda: 0.0)
    daemon = await at_work(rig)
    lanes = daemon.lanes if running else ()
    said = await Commands(bench, [OUT, HOME], lanes).sync_now()
    assert ("reading now" if running else "the next pass tries at once") in said
    await (daemon if running else rig.daemon()).once()
    assert await rig.state(toot) is PostState.DELIVERED


async def test_a_success_ends_it(rig: Rig) -> None:
    toot = await stopped(rig, LOST)
    await timer(rig, 90)
    assert await rig.state(toot) is PostState.DELIVERED
    assert await rig.ledger.waits(OUT) == ()


async def test_a_wait_by_a_clock_that_was_wrong_is_cut_to_what_is_usual(rig: Rig) -> None:
    await rig.started()
    rig.clock.at += timedelta(days=3650)
    toot = rig.mastodon.write("From the future")
    rig.x.answers = [Unpaid("HTTP 402", status=402)]
    await rig.daemon().once()
    rig.clock.at -= timedelta(days=3650)
    await timer(rig, 14)
    assert rig.x.calls == 2
    assert await rig.state(toot.id) is PostState.DELIVERED


async def test_a_server_that_was_out_of_order_is_asked_by_every_process(rig: Rig) -> None:
    await rig.started()
    toot = rig.mastodon.write("Back soon")
    rig.x.answers = [Transient("connection refused", unreachable=True)] * 5
    await timer(rig, 5)
    (wait,) = await rig.ledger.waits(OUT)
    assert wait.why is Why.UNREACHABLE
    await timer(rig, 1)
    assert await rig.state(toot.id) is PostState.DELIVERED


@pytest.mark.parametrize("side", ["sending", "asking", "uploading"])
@pytest.mark.parametrize("running", [False, True])
async def test_a_wait_is_over_in_time_where_its_post_is_gone(
    rig: Rig, side: str, running: bool
) -> None:
    await rig.started()
    error = Transient("connection refused", unreachable=True)
    media = [rig.mastodon.picture("cat")] if side == "uploading" else []
    toot = rig.mastodon.write("Not for long", media=media)
    if side == "sending":
        rig.x.answers = [error]
    elif side == "asking":
        rig.mastodon.look_up_errors = [error]
    else:
        rig.x.upload_answers = [error]
    daemon = rig.daemon()
    await daemon.once()
    assert await rig.ledger.waits(OUT)
    rig.mastodon.remove(toot)
    for _ in range(30):
        rig.clock.pass_time(EVERY)
        await (daemon if running else rig.daemon()).once()
    assert await rig.ledger.waits(OUT) == ()
    assert not daemon.lanes[0].closed or not running
    assert rig.x.posts == []


async def test_every_process_says_once_what_it_waits_for(rig: Rig) -> None:
    await stopped(rig, LOST)
    rig.events.clear()
    await timer(rig, 1)
    paused = [event for event in rig.events if isinstance(event, RoutePaused)]
    assert [event.detail for event in paused] == ["sending to x: HTTP 401"]


@pytest.mark.parametrize("reason", Why)
async def test_the_ledger_gives_every_wait_back_as_it_was(rig: Rig, reason: Why) -> None:
    at = datetime(2026, 12, 1, 12, tzinfo=UTC)
    wait = Wait(
        "sending to x", Network.X, reason, "HTTP 403: …", at, at + timedelta(hours=1), at,
        failures=7, post=PostId("1"), several=True, of_media=True, stamp="s",
    )  # fmt: skip
    other = replace(wait, gate="looking at x", told=None, post=None, several=False)
    await rig.ledger.keep_waits(OUT, (wait, other))
    assert set(await rig.ledger.waits(OUT)) == {wait, other}
    assert why(error_of(wait)) is reason
    await rig.ledger.keep_waits(OUT, ())
    assert await rig.ledger.waits(OUT) == ()


def test_what_is_no_wait_is_not_kept() -> None:
    assert why(NoUploads("x")) is Why.NO_UPLOADS
    assert why(NetworkError("x")) is None
