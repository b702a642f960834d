"""Numbered migrations: whole or not at all, from every number, and never by somebody fenced.

Bars of docs/reliability.md: R18.
"""

import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from bridge.core.errors import LedgerDamaged
from bridge.ledger import schema
from bridge.ledger.schema import Migration, migrate, migrations, statements, version
from bridge.ledger.sqlite import open_ledger
from tests.ledger.children import ROOT
from tests.ledger.made import OUT, T0, delivered, key, recorded

RELEASED = sorted((Path(__file__).parent / "schemas").glob("*.sql"))


@pytest.fixture
def database() -> Iterator[sqlite3.Connection]:
    connection = sqlite3.connect(":memory:", isolation_level=None)
    yield connection
    connection.close()


def tables(database: sqlite3.Connection) -> set[str]:
    rows = database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
    return {name for (name,) in rows}


STEPS = (
    Migration(1, ("CREATE TABLE one (id)",)),
    Migration(2, ("CREATE TABLE two (id)", "INSERT INTO one VALUES (1)")),
)


def test_migrations_are_applied_in_order_and_once(database: sqlite3.Connection) -> None:
    migrate(database, steps=STEPS[:1])
    assert (version(database), tables(database)) == (1, {"one"})

    for _ in range(2):
        migrate(database, steps=STEPS)
    assert (version(database), tables(database)) == (2, {"one", "two"})
    assert database.execute("SELECT count(*) FROM one").fetchone() == (1,)


def test_a_migration_that_fails_leaves_nothing_behind(database: sqlite3.Connection) -> None:
    broken = (STEPS[0], Migration(2, ("CREATE TABLE two (id)", "INSERT INTO nowhere VALUES (1)")))

    with pytest.raises(sqlite3.OperationalError):
        migrate(database, steps=broken)

    assert (version(database), tables(database)) == (1, {"one"})
    migrate(database, steps=STEPS)
    assert version(database) == 2


def test_what_is_asked_before_each_step_can_stop_it(database: sqlite3.Connection) -> None:
    def fenced(_: sqlite3.Connection) -> None:
        raise LookupError

    with pytest.raises(LookupError):
        migrate(database, steps=STEPS, before_each=fenced)
    assert (version(database), tables(database)) == (0, set())


DYING = """
import os, signal, sqlite3, sys
from bridge.ledger.schema import Migration, migrate
database = sqlite3.connect(sys.argv[1], isolation_level=None)
database.execute("PRAGMA journal_mode = WAL")
database.create_function("die", 0, lambda: os.kill(os.getpid(), signal.SIGKILL))
migrate(database, steps=(
    Migration(1, ("CREATE TABLE one (id)",)),
    Migration(2, ("CREATE TABLE two (id)", "SELECT die()")),
))
"""


def test_a_process_killed_in_mid_migration_leaves_a_whole_step(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"

    ended = subprocess.run([sys.executable, "-c", DYING, str(path)], cwd=ROOT, check=False)

    assert ended.returncode == -signal.SIGKILL
    database = sqlite3.connect(path, isolation_level=None)
    assert (version(database), tables(database)) == (1, {"one"})
    migrate(database, steps=STEPS)
    assert (version(database), tables(database)) == (2, {"one", "two"})
    database.close()


def test_every_migration_is_there_and_numbered() -> None:
    assert [step.number for step in migrations()] == list(range(1, len(migrations()) + 1))
    assert all(step.statements for step in migrations())


def test_a_script_is_cut_into_its_statements() -> None:
    script = "-- a; comment\nCREATE TABLE a (\n  x TEXT DEFAULT ';'\n);\n\nSELECT 1;\n"

    assert statements(script) == (
        "-- a; comment\nCREATE TABLE a (\n  x TEXT DEFAULT ';'\n);",
        "SELECT 1;",
    )
    with pytest.raises(ValueError, match="middle of a statement"):
        statements("SELECT 1")


def test_a_database_without_our_mark_is_not_taken_for_a_ledger(
    database: sqlite3.Connection,
) -> None:
    database.execute("PRAGMA user_version = 1")

    with pytest.raises(LedgerDamaged, match="not a ledger of twinpost"):
        schema.require_readable(database, "some.db")


def test_there_is_a_specimen_of_every_schema() -> None:
    assert [int(path.stem) for path in RELEASED] == [step.number for step in migrations()]


def unpack(specimen: Path, path: Path) -> None:
    database = sqlite3.connect(path, isolation_level=None)
    database.executescript(specimen.read_text("utf-8"))
    database.close()


@pytest.mark.parametrize("specimen", RELEASED, ids=lambda path: path.stem)
async def test_a_ledger_of_every_schema_is_brought_up_to_date_and_works(
    tmp_path: Path, specimen: Path
) -> None:
    """Each specimen holds a delivered post 1 of two parts, a planned reply 2, a skipped post 3."""
    path = tmp_path / "ledger.db"
    unpack(specimen, path)

    ledger = await open_ledger(path, owner="test", now=T0, create=False)
    records = {record.source: record for record in await ledger.history()}
    assert [part.target_id for part in records[key("1").source].parts] == ["900", "901"]
    due = await ledger.next_due(OUT, T0)
    assert due is not None
    assert (due.record.key, due.reply_to) == (key("2"), "901")
    await delivered(ledger, "2", "902")
    await recorded(ledger, "4")
    await ledger.close()


@pytest.mark.parametrize("specimen", RELEASED, ids=lambda path: path.stem)
async def test_a_ledger_of_every_schema_gets_one_key_for_fingerprints_and_keeps_it(
    tmp_path: Path, specimen: Path
) -> None:
    path = tmp_path / "ledger.db"
    unpack(specimen, path)
    keys: set[tuple[str]] = set()
    for _ in range(2):
        await (await open_ledger(path, owner="test", now=T0, create=False)).close()
        database = sqlite3.connect(path)
        keys.update(database.execute("SELECT value FROM meta WHERE name = 'fingerprint_key'"))
        database.close()
    ((kept,),) = keys
    assert len(bytes.fromhex(kept)) == 32


async def test_no_two_ledgers_share_a_key(tmp_path: Path) -> None:
    keys: set[tuple[str]] = set()
    for name in ("one", "other"):
        path = tmp_path / name / "ledger.db"
        await (await open_ledger(path, owner="test", now=T0, create=True)).close()
        database = sqlite3.connect(path)
        keys.update(database.execute("SELECT value FROM meta WHERE name = 'fingerprint_key'"))
        database.close()
    assert len(keys) == 2
