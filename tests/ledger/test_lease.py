"""One process writes a ledger; a dead one is succeeded at once, a stopped one is fenced.

Bars of docs/reliability.md: R7.
"""

import asyncio
import signal
import sqlite3
import time
from datetime import timedelta
from pathlib import Path

import pytest

from bridge.core.errors import LeaseLost, LedgerInUse
from bridge.core.record import Cursor
from bridge.ledger import lease
from bridge.ledger.files import lock_path
from bridge.ledger.lock import ProcessLock
from bridge.ledger.sqlite import open_ledger, open_reader
from tests.ledger.children import daemon
from tests.ledger.made import OUT, T0, decision, post, recorded


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "ledger.db"


def test_a_second_process_is_refused_at_once_and_told_by_whom(path: Path) -> None:
    with daemon(path, "pid 17 on first") as first:
        assert first.says() == "open"

        with daemon(path, "pid 18 on second") as second:
            answer = second.says()

        assert answer.startswith("LedgerInUse")
        assert "pid 17 on first" in answer
        assert first.ask("record 1") == "done"


async def test_the_refusal_takes_less_than_a_second(path: Path) -> None:
    with daemon(path, "first") as first:
        assert first.says() == "open"
        begun = time.monotonic()
        with pytest.raises(LedgerInUse):
            await open_ledger(path, owner="second", now=T0, create=True)
        assert time.monotonic() - begun < 1.0


async def test_two_openers_of_one_process_are_told_apart_too(path: Path) -> None:
    first = await open_ledger(path, owner="same", now=T0, create=True)
    with pytest.raises(LedgerInUse):
        await open_ledger(path, owner="same", now=T0, create=True)
    await first.close()


async def test_many_first_starts_at_once_make_one_ledger_and_one_holder(path: Path) -> None:
    results = await asyncio.gather(
        *(open_ledger(path, owner=str(n), now=T0, create=True) for n in range(8)),
        return_exceptions=True,
    )

    opened = [result for result in results if not isinstance(result, BaseException)]
    assert len(opened) == 1
    assert {type(r) for r in results if isinstance(r, BaseException)} == {LedgerInUse}
    await opened[0].close()


async def test_a_closed_ledger_can_be_opened_at_once(path: Path) -> None:
    for _ in range(3):
        ledger = await open_ledger(path, owner="again", now=T0, create=True)
        await ledger.close()


def test_a_killed_process_is_succeeded_at_once(path: Path) -> None:
    with daemon(path, "first", term=3_600.0) as first:
        assert first.says() == "open"
        assert first.ask("record 1") == "done"
        first.signal(signal.SIGKILL)
        first.wait()

        with daemon(path, "second") as second:
            assert second.says() == "open"
            assert second.ask("record 2") == "done"


async def test_a_killed_process_leaves_everything_to_a_reader(path: Path) -> None:
    with daemon(path, "first") as first:
        assert first.says() == "open"
        assert first.ask("record 1") == "done"
        first.signal(signal.SIGKILL)
        first.wait()

    reader = await open_reader(path)
    assert [record.source for record in await reader.history()] == ["1"]
    await reader.close()


def test_a_stopped_process_keeps_its_lease_until_it_runs_out(path: Path) -> None:
    with daemon(path, "first", term=30.0) as first:
        assert first.says() == "open"
        first.signal(signal.SIGSTOP)

        with daemon(path, "second", late=29.0) as second:
            assert second.says().startswith("LedgerInUse")


async def test_a_stopped_process_whose_lease_ran_out_is_fenced_when_it_wakes(path: Path) -> None:
    with daemon(path, "first", term=30.0) as first:
        assert first.says() == "open"
        assert first.ask("record 1") == "done"
        first.signal(signal.SIGSTOP)

        with daemon(path, "second", late=31.0) as second:
            assert second.says() == "open"
            assert second.ask("record 2") == "done"
            first.signal(signal.SIGCONT)

            assert first.ask("record zombie") == "LeaseLost"
            assert first.ask("renew") == "LeaseLost"
            assert second.ask("record 3") == "done"

            reader = await open_reader(path)
            assert [record.source for record in await reader.history()] == ["3", "2", "1"]
            await reader.close()


def test_the_end_of_a_fenced_process_is_not_taken_for_the_end_of_its_successor(
    path: Path,
) -> None:
    with daemon(path, "first", term=30.0) as first:
        assert first.says() == "open"
        first.signal(signal.SIGSTOP)
        with daemon(path, "second", late=31.0) as second:
            assert second.says() == "open"
            first.signal(signal.SIGCONT)
            assert first.ask("close") == "closed"

            with daemon(path, "third", late=32.0) as third:
                answer = third.says()
            assert answer.startswith("LedgerInUse")
            assert "second" in answer
            assert second.ask("record 1") == "done"


async def test_renewing_keeps_others_out(path: Path) -> None:
    ledger = await open_ledger(path, owner="first", now=T0, create=True, lease_seconds=30)
    await ledger.renew(T0 + timedelta(seconds=25))

    with daemon(path, "second", late=40.0) as second:
        assert second.says().startswith("LedgerInUse")
    await ledger.close()


async def test_every_writing_method_of_a_fenced_ledger_changes_nothing(path: Path) -> None:
    sleeper = await open_ledger(path, owner="sleeper", now=T0, create=True, lease_seconds=30)
    await recorded(sleeper, "1")
    later = T0 + timedelta(seconds=31)
    successor = await open_ledger(path, owner="successor", now=later, create=False)

    with pytest.raises(LeaseLost):
        await sleeper.record(OUT, decision(post("2")), Cursor())
    with pytest.raises(LeaseLost):
        await sleeper.renew(later)
    with pytest.raises(LeaseLost):
        await sleeper.start(OUT, Cursor(), ())
    assert [record.source for record in await successor.history()] == ["1"]

    await sleeper.close()
    await successor.renew(later)
    await successor.close()


async def test_a_process_stopped_in_the_middle_of_a_write_is_named(path: Path) -> None:
    ledger = await open_ledger(path, owner="pid 17", now=T0, create=True, lease_seconds=0)
    in_its_way = sqlite3.connect(path, isolation_level=None)
    in_its_way.execute("BEGIN IMMEDIATE")

    begun = time.monotonic()
    with pytest.raises(LedgerInUse, match="pid 17"):
        await open_ledger(path, owner="second", now=T0 + timedelta(hours=1), create=False)
    assert time.monotonic() - begun < 2.0

    in_its_way.close()
    await ledger.close()


async def test_a_process_that_has_ended_is_not_blamed_for_what_another_program_locks(
    path: Path,
) -> None:
    with daemon(path, "pid 17 on first", term=3_600.0) as first:
        assert first.says() == "open"
        first.signal(signal.SIGKILL)
        first.wait()
    shell = sqlite3.connect(path, isolation_level=None)
    shell.execute("BEGIN IMMEDIATE")

    with pytest.raises(LedgerInUse) as caught:
        await open_ledger(path, owner="second", now=T0, create=False)
    assert "pid 17" not in str(caught.value)
    assert "another program" in str(caught.value)
    shell.close()


async def test_the_process_that_holds_the_lock_is_named_not_the_one_before(path: Path) -> None:
    with daemon(path, "pid 17 on first", term=3_600.0) as first:
        assert first.says() == "open"
        first.signal(signal.SIGKILL)
        first.wait()
    # It has the process lock, and has not taken the lease yet.
    starting = ProcessLock(lock_path(path), "pid 18 on first")
    assert starting.attempt()

    with pytest.raises(LedgerInUse, match="pid 18") as caught:
        await open_ledger(path, owner="third", now=T0, create=False)
    assert "pid 17" not in str(caught.value)
    starting.release()


async def test_readers_come_and_go_while_a_daemon_writes(path: Path) -> None:
    ledger = await open_ledger(path, owner="first", now=T0, create=True)
    reader = await open_reader(path)
    assert await reader.history() == ()

    await recorded(ledger, "1")

    assert [record.source for record in await reader.history()] == ["1"]
    await ledger.close()
    assert [record.source for record in await reader.history()] == ["1"]
    await reader.close()
    assert path.with_suffix(".id").exists()


def test_a_lease_of_another_epoch_fences(path: Path) -> None:
    database = sqlite3.connect(":memory:", isolation_level=None)
    database.execute("CREATE TABLE lease (id, owner, epoch, expires_at, commits)")
    database.execute("INSERT INTO lease VALUES (1, 'other', 5, 0, 10)")

    with pytest.raises(LeaseLost):
        lease.Lease(epoch=4, commits=9, term=timedelta()).fence(database)
    assert lease.Lease(epoch=5, commits=10, term=timedelta()).fence(database) == 11
    database.close()
