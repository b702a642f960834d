"""A caller that gives up leaves the ledger whole, and goes only once its transaction has ended."""

import asyncio
import sqlite3
import threading
from pathlib import Path

import pytest

from bridge.core.errors import LedgerError
from bridge.core.record import Cursor
from bridge.ledger.sqlite import SqliteLedger, open_ledger
from tests.ledger.made import OUT, T0, decision, post, recorded


class Stall:
    """Work that stops in mid-transaction until it is told to go on."""

    def __init__(self, *, fail: bool = False) -> None:
        self.begun = threading.Event()
        self.go_on = threading.Event()
        self._fail = fail

    def __call__(self, connection: sqlite3.Connection) -> None:
        connection.execute("INSERT INTO meta (name, value) VALUES ('stalled', 'yes')")
        self.begun.set()
        assert self.go_on.wait(20)
        if self._fail:
            raise LookupError


def stalled(connection: sqlite3.Connection) -> bool:
    return bool(connection.execute("SELECT 1 FROM meta WHERE name = 'stalled'").fetchone())


@pytest.mark.parametrize("fail", [False, True])
@pytest.mark.parametrize("times", [1, 3])
async def test_a_cancelled_caller_waits_for_the_end_of_its_transaction(
    tmp_path: Path, fail: bool, times: int
) -> None:
    ledger = await open_ledger(tmp_path / "ledger.db", owner="test", now=T0, create=True)
    stall = Stall(fail=fail)
    task = asyncio.create_task(ledger._write(stall))
    assert await asyncio.to_thread(stall.begun.wait, 20)

    for _ in range(times):
        task.cancel()
        await asyncio.sleep(0)
        assert not task.done()
    stall.go_on.set()
    with pytest.raises(asyncio.CancelledError):
        await task

    assert await ledger._read(stalled) is not fail
    await recorded(ledger, "1")
    await ledger.close()


async def test_cancelling_at_any_moment_records_a_post_whole_or_not_at_all(
    tmp_path: Path,
) -> None:
    ledger = await open_ledger(tmp_path / "ledger.db", owner="test", now=T0, create=True)
    for number in range(60):
        seen = post(str(number))
        work = ledger.record(OUT, decision(seen, "one", "two"), Cursor().past(seen))
        task = asyncio.create_task(work)
        for _ in range(number % 4):
            await asyncio.sleep(0)
        task.cancel()
        await asyncio.wait([task])

    posts = await ledger.history(limit=1_000)
    cursor = await ledger.cursor(OUT)
    assert all(len(record.parts) == 2 for record in posts)
    assert posts
    assert cursor is not None
    assert cursor.post == posts[0].source
    await ledger.close()


async def test_an_opening_that_is_cancelled_leaves_nothing_open(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    for turns in range(4):
        task = asyncio.create_task(open_ledger(path, owner="test", now=T0, create=True))
        for _ in range(turns):
            await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    await (await open_ledger(path, owner="test", now=T0, create=True)).close()


async def test_what_was_asked_for_before_closing_is_still_done(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    ledger = await open_ledger(path, owner="test", now=T0, create=True)
    tasks = [asyncio.create_task(recorded(ledger, str(number))) for number in range(20)]
    await asyncio.sleep(0)

    await asyncio.gather(ledger.close(), ledger.close())

    assert len(await asyncio.gather(*tasks)) == 20
    with pytest.raises(LedgerError, match="closed"):
        await recorded(ledger, "late")
    again = await open_ledger(path, owner="test", now=T0, create=False)
    assert len(await again.history(limit=100)) == 20
    await again.close()


async def test_work_that_raises_changes_nothing(tmp_path: Path) -> None:
    ledger: SqliteLedger = await open_ledger(
        tmp_path / "ledger.db", owner="test", now=T0, create=True
    )
    stall = Stall(fail=True)
    stall.go_on.set()

    with pytest.raises(LookupError):
        await ledger._write(stall)

    assert not await ledger._read(stalled)
    await ledger.close()
