"""Killed between and inside transactions: what is found afterwards is one of the legal states.

Bars of docs/reliability.md: R1, R2.
"""

import contextlib
import itertools
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from bridge.core.delivery import PartState
from bridge.core.model import PostId
from bridge.core.record import PostRecord
from bridge.ledger.sqlite import open_ledger
from tests.ledger.children import ROOT
from tests.ledger.made import OUT, T0

# Records posts of two parts and delivers them, saying what is done before doing the next thing.
WORKER = """
import asyncio, os, signal, sys
from pathlib import Path
from bridge.core.delivery import PartEvent
from bridge.core.record import Cursor
from bridge.ledger import transaction
from bridge.ledger.sqlite import open_ledger
from tests.ledger.made import OUT, T0, decision, delivered, key, post, receipt

die_at = int(sys.argv[2])

def counting(connection):
    # Called by SQLite before every statement of ours.
    global die_at
    def trace(statement):
        global die_at
        if die_at == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        die_at -= 1
    connection.set_trace_callback(trace)

async def main():
    ledger = await open_ledger(Path(sys.argv[1]), owner="worker", now=T0, create=True)
    if die_at >= 0:
        await ledger._read(counting)
    done = len(await ledger.history(limit=1000000))
    for number in range(done, done + int(sys.argv[3])):
        seen = post(str(number))
        await ledger.record(OUT, decision(seen, "one", "two"), Cursor().past(seen))
        print("recorded", number, flush=True)
        for index in (0, 1):
            await ledger.claim(key(str(number), index), T0, "hash")
            print("claimed", number, flush=True)
            sent = receipt(f"x{number}-{index}")
            await ledger.settle(key(str(number), index), PartEvent.RECEIPT, T0, receipt=sent)
            print("delivered", number, flush=True)
    await ledger.close()

asyncio.run(main())
"""
PLANNED, ATTEMPTING, DELIVERED = PartState.PLANNED, PartState.ATTEMPTING, PartState.DELIVERED
LEGAL: list[tuple[PartState, ...]] = [
    (PLANNED, PLANNED),
    (ATTEMPTING, PLANNED),
    (DELIVERED, PLANNED),
    (DELIVERED, ATTEMPTING),
    (DELIVERED, DELIVERED),
]
"""The states of one post's two parts, in the order they are gone through."""


@contextlib.contextmanager
def working(path: Path, *, die_at: int = -1, posts: int = 1) -> Iterator[subprocess.Popen[str]]:
    """A process at work on the ledger at `path`, dead when the block ends."""
    process = subprocess.Popen(
        [sys.executable, "-c", WORKER, str(path), str(die_at), str(posts)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
    )
    with process:
        try:
            yield process
        finally:
            process.kill()
    assert process.returncode in {0, -signal.SIGKILL}


def work(path: Path, *, die_at: int = -1, posts: int = 1) -> list[str]:
    """What a process says until it ends, or is killed before its statement number `die_at`."""
    with working(path, die_at=die_at, posts=posts) as process:
        said, _ = process.communicate()
    return whole_lines(said)


def work_until_killed(path: Path, chance: random.Random) -> list[str]:
    """What a process says until it is killed: after some word of it, or just after its start."""
    with working(path, posts=100_000) as process:
        assert process.stdout is not None
        said = ""
        if chance.random() < 0.7:
            said = "".join(itertools.islice(process.stdout, chance.randrange(1, 60)))
        else:
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(chance.random() / 2)
        process.kill()
        return whole_lines(said + process.stdout.read())


def whole_lines(said: str) -> list[str]:
    """What was said to its end."""
    return said[: said.rfind("\n") + 1].splitlines()


async def examined(path: Path) -> tuple[PostRecord, ...]:
    """The posts found by the next process, oldest first, once all of it has proved to be legal."""
    ledger = await open_ledger(path, owner="successor", now=T0, create=True)
    posts = (await ledger.history(limit=1_000_000))[::-1]
    assert [record.source for record in posts] == [str(number) for number in range(len(posts))]
    cursor = await ledger.cursor(OUT)
    assert (None if cursor is None else cursor.post) == (posts[-1].source if posts else None)
    for record in posts:
        assert tuple(part.state for part in record.parts) in LEGAL
    unproven = {part.key for part in await ledger.unproven(OUT)}
    assert unproven == {p.key for r in posts for p in r.parts if p.state is ATTEMPTING}
    status = await ledger.status(OUT, T0)
    assert status.spent_month == sum(record.cost for record in posts)
    await ledger.close()
    database = sqlite3.connect(path)
    assert database.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    database.close()
    return posts


def promised(said: list[str]) -> int:
    """How many states of the first post the process has reported as reached."""
    return len(said) - 1


@pytest.mark.timeout(240)
async def test_killed_before_any_statement_it_is_found_in_a_legal_state(tmp_path: Path) -> None:
    made = tmp_path / "made" / "ledger.db"
    work(made, posts=0)
    for count in itertools.count():
        # Every fifth statement: the offsets differ between the transactions.
        path = tmp_path / str(count) / "ledger.db"
        shutil.copytree(made.parent, path.parent)
        said = work(path, die_at=count * 5)

        posts = await examined(path)

        reached = LEGAL.index(tuple(p.state for p in posts[0].parts)) if posts else -1
        # What was reported as done is done; and no more than the one step that was under way.
        assert promised(said) <= reached <= promised(said) + 1
        if len(said) == 5:
            assert count > 8
            return


async def test_killed_at_random_times_nothing_reported_is_ever_lost(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    chance = random.Random(20_261_122)
    reported: set[PostId] = set()
    sent: set[PostId] = set()
    for _ in range(10):
        said = work_until_killed(path, chance)
        reported |= {PostId(line.split()[1]) for line in said if line.startswith("recorded")}

        posts = await examined(path)

        assert reported <= {record.source for record in posts}
        now_sent = {part.target_id for r in posts for part in r.parts if part.target_id}
        assert sent <= now_sent
        sent = now_sent
    assert len(sent) > 50
