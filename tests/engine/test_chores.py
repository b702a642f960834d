"""The ledger is copied, and forgets, now and then; what goes wrong is said once, stops nothing.

Bars of docs/reliability.md: S20.
"""

import asyncio
import logging
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from bridge.core.errors import LeaseLost, LedgerError, Transient
from bridge.engine.caretaking import LOOKED_AFTER_EVERY, Caretaker, copying, forgetting
from bridge.engine.pricewatch import watching_prices
from bridge.engine.route import Bench
from bridge.ledger import care
from bridge.ledger.backups import FolderOfBackups
from bridge.ledger.sqlite import open_reader
from tests.engine.conftest import Rig

DAY = 86400.0


def folder(rig: Rig, keep: int = 3) -> FolderOfBackups:
    return FolderOfBackups(rig.folder / "ledger.sqlite3", rig.folder / "backups", keep)


def names(place: Path) -> list[str]:
    return sorted(path.name for path in place.iterdir())


def cared(rig: Rig, backups: FolderOfBackups) -> Caretaker:
    chores = (
        forgetting(rig.ledger, timedelta(days=7)),
        copying(rig.ledger, backups, timedelta(days=1)),
    )
    return Caretaker(Bench(rig.ledger, rig.clock, lambda: 0.0, chores=chores))


async def test_one_copy_a_day_is_made_and_the_oldest_go(rig: Rig) -> None:
    backups = folder(rig)
    caretaker = cared(rig, backups)
    for _ in range(5 * 6):
        await caretaker.round()
        rig.clock.pass_time(DAY / 6)
    found = [path for _, path in backups.all()]
    assert len(found) == 3
    for path in found:
        assert care.verify(path).findings == ()
    days = [made.day for made, _ in backups.all()]
    assert days == [24, 25, 26]


async def test_a_clock_that_was_ahead_does_not_keep_copies_from_being_made(rig: Rig) -> None:
    backups = folder(rig)
    caretaker = cared(rig, backups)
    rig.clock.at += timedelta(days=400)
    await caretaker.round()
    rig.clock.at -= timedelta(days=400)
    await caretaker.round()
    assert len(backups.all()) == 2
    assert backups.all()[0][0].year == 2026


async def test_other_files_in_the_folder_are_left_alone_and_leftovers_are_not(rig: Rig) -> None:
    backups = folder(rig, keep=1)
    place = rig.folder / "backups"
    place.mkdir()
    (place / "mine.sqlite3").write_text("precious")
    (place / "ledger-20200101T000000Z.sqlite3.part").write_text("half")
    await backups.make(rig.clock.now())
    rig.clock.pass_time(DAY)
    await backups.make(rig.clock.now())
    assert names(place) == ["ledger-20261123T120000Z.sqlite3", "mine.sqlite3"]


async def test_a_copy_that_fails_is_said_once_and_shown_until_one_works(
    rig: Rig, caplog: pytest.LogCaptureFixture
) -> None:
    backups = folder(rig)
    (rig.folder / "backups").write_text("in the way")
    caretaker = cared(rig, backups)
    with caplog.at_level(logging.INFO):
        for _ in range(3):
            await caretaker.round()
        assert len([r for r in caplog.records if r.levelno >= logging.ERROR]) == 1
        assert (await rig.ledger.backup_state()).why
        (rig.folder / "backups").unlink()
        await caretaker.round()
    assert (await rig.ledger.backup_state()).why == ""
    assert "copied again" in caplog.records[-1].message


async def test_texts_are_forgotten_after_their_time_and_posts_are_not(rig: Rig) -> None:
    daemon = await rig.started()
    post = rig.mastodon.write("A canary")
    await rig.pass_time(daemon, 60)
    caretaker = cared(rig, folder(rig))
    await caretaker.round()
    assert (await rig.record(post.id)).parts[0].part.text == "A canary"
    rig.clock.pass_time(8 * DAY)
    await caretaker.round()
    record = await rig.record(post.id)
    assert (record.parts[0].part.text, record.parts[0].target_id) == ("", rig.x.posts[0].id)


async def test_an_edit_after_the_text_was_forgotten_is_still_carried_over(rig: Rig) -> None:
    rig.x.premium = True
    daemon = await rig.started()
    post = rig.x.write("Frist")
    await rig.pass_time(daemon, 60)
    await rig.ledger.purge(rig.clock.now() + timedelta(days=1))
    rig.x.edit(post, "First")
    await rig.pass_time(daemon, 60)
    assert [text for text, _ in rig.mastodon.shown()] == ["First"]


async def test_a_chore_that_breaks_off_stops_neither_the_others_nor_the_daemon(
    rig: Rig, caplog: pytest.LogCaptureFixture
) -> None:
    done: list[int] = []

    async def broken(_: object) -> None:
        raise LedgerError("no room")

    async def fine(_: object) -> None:
        done.append(1)

    caretaker = Caretaker(Bench(rig.ledger, rig.clock, lambda: 0.0, chores=(broken, fine)))
    await caretaker.round()
    await caretaker.round()
    assert done == [1, 1]
    assert len([r for r in caplog.records if "broke off" in r.message]) == 1


async def test_a_chore_that_broke_off_is_said_once_and_once_when_it_works_again(
    rig: Rig, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    failing = [True, True, False, False, True]

    async def chore(_: object) -> None:
        if failing.pop(0):
            raise LedgerError("no room")

    caretaker = Caretaker(Bench(rig.ledger, rig.clock, lambda: 0.0, chores=(chore,)))
    while failing:
        await caretaker.round()
    said = [record.message for record in caplog.records if "chore" in record.message]
    broke, works = "a chore broke off; it is tried again", "the chore that broke off works again"
    assert said == [broke, works, broke]


async def test_a_price_list_that_cannot_be_had_is_said_once_and_once_when_it_can(
    rig: Rig, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    gone = Transient("HTTP 503", status=503)
    answers: list[Transient | None] = [gone, gone, None, None, gone]

    async def ask() -> list[str]:
        answer = answers.pop(0)
        if answer is not None:
            raise answer
        return []

    chore = watching_prices(rig.ledger, [("personal", ask)])
    while answers:
        await chore(rig.clock.now())
        rig.clock.pass_time(8 * 86_400)
    gone_said = "personal: X's price list: HTTP 503; asked for once a week"
    back = "personal: X's price list can be had again"
    assert [r.message for r in caplog.records if "price list" in r.message] == [
        gone_said,
        back,
        gone_said,
    ]


async def test_a_lost_lease_ends_everything(rig: Rig) -> None:
    async def lost(_: object) -> None:
        raise LeaseLost("taken over")

    caretaker = Caretaker(Bench(rig.ledger, rig.clock, lambda: 0.0, chores=(lost,)))
    with pytest.raises(LeaseLost):
        await caretaker.round()


async def test_posts_cross_while_a_copy_is_made(rig: Rig) -> None:
    daemon = await rig.started()
    begun, go_on = asyncio.Event(), asyncio.Event()

    async def slow(_: object) -> None:
        begun.set()
        await go_on.wait()

    bench = replace(daemon._bench, chores=(slow,))
    running = type(daemon)([lane.plan for lane in daemon.lanes], bench)
    stop = asyncio.Event()
    task = asyncio.create_task(running.run(stop))
    await begun.wait()
    rig.mastodon.write("Meanwhile")
    for lane in running.lanes:
        lane.wake(read=True)
    async with asyncio.timeout(20):
        while not rig.x.published:
            rig.clock.pass_time(1)
            await asyncio.sleep(0.01)
    go_on.set()
    stop.set()
    await task


async def test_a_round_comes_every_ten_minutes(rig: Rig) -> None:
    rounds: list[float] = []

    async def chore(_: object) -> None:
        rounds.append(rig.clock.passed)

    caretaker = Caretaker(Bench(rig.ledger, rig.clock, lambda: 0.0, chores=(chore,)))
    task = asyncio.create_task(caretaker.run())
    for _ in range(3):
        await asyncio.sleep(0.05)
        rig.clock.pass_time(LOOKED_AFTER_EVERY)
    await asyncio.sleep(0.05)
    task.cancel()
    assert len(rounds) == 4


async def test_a_copy_can_be_read_like_the_ledger_itself(rig: Rig) -> None:
    daemon = await rig.started()
    post = rig.mastodon.write("Hello")
    await rig.pass_time(daemon, 60)
    reader = await open_reader(await folder(rig).make(rig.clock.now()))
    assert [record.source for record in await reader.find(post.id)] == [post.id]
    await reader.close()
