"""A ledger moves as lines of JSON, whole or not at all, and says no text unless told to.

Bars of docs/reliability.md: R9.
"""

import json
import re
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bridge.core.amend import Amendment, Change
from bridge.core.delivery import PartEvent
from bridge.core.draft import DraftPart
from bridge.core.errors import LedgerDamaged, LedgerInUse
from bridge.core.prices import FREE
from bridge.core.verdict import Reason
from bridge.ledger import care, transfer
from bridge.ledger.codec import to_body, to_notes, to_pending
from bridge.ledger.schema import migrations
from bridge.ledger.sqlite import open_ledger
from tests.ledger.children import daemon
from tests.ledger.made import OUT, PRIVATE, T0, delivered, key, minutes, recorded
from tests.ledger.test_care import sources

LATER = T0 + minutes(300)


@pytest.fixture
async def path(tmp_path: Path) -> Path:
    ledger = tmp_path / "state" / "ledger.db"
    opened = await open_ledger(ledger, owner="test", now=T0, create=True)
    await recorded(opened, "1", "canary one", "canary two")
    await delivered(opened, "1", "x1", 0)
    await delivered(opened, "1", "x2", 1)
    await recorded(opened, "2", "canary three", parent="1")
    await recorded(opened, "3", verdict=PRIVATE)
    await recorded(opened, "4", "canary four")
    await opened.claim(key("4"), T0, "hash")
    await opened.settle(key("4"), PartEvent.DOUBT, T0)
    await opened.close()
    return ledger


def rows(path: Path) -> dict[str, list[tuple[object, ...]]]:
    """All that a ledger holds, but for what bringing it in writes."""
    database = sqlite3.connect(path)
    tables = [
        name
        for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
        if name != "lease"
    ]
    found = {name: sorted(map(repr, database.execute(f"SELECT * FROM {name}"))) for name in tables}
    database.close()
    return found  # type: ignore[return-value] # as texts, to be compared


def exported(path: Path, *, texts: bool = False) -> list[str]:
    return list(transfer.export(path, texts=texts, now=T0))


def test_no_text_leaves_unless_asked_for(path: Path) -> None:
    assert "canary" not in "".join(exported(path))
    assert "".join(exported(path, texts=True)).count("canary") >= 4


HOSTILE = "a 'quoted' \"line\"\nand \u2028 another\x00, مرحبا 🧵; DROP TABLE post"


FORMATTED: dict[str, object] = {
    "idx": 0, "aside": 1, "attached": 1, "state": "delivered", "action": "mirror",
    "reason": Reason.ALLOWED.value, "notes": to_notes((HOSTILE,)),
    "body": to_body(DraftPart(0, HOSTILE, FREE)),
    "pending": to_pending(Amendment(Change.REMOVE, notes=(HOSTILE,))),
}  # fmt: skip
"""Columns whose values must be readable; every other one takes any text or number."""


def fill(database: sqlite3.Connection) -> None:
    """Put rows with a value in every column into every table, whatever the tables are."""
    database.execute("PRAGMA foreign_keys = OFF")
    tables = database.execute(
        "SELECT name, sql FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"
    ).fetchall()
    for table, sql in tables:
        allowed = dict(re.findall(r"(\w+) TEXT[^,]*?CHECK\s*\(\s*\1 IN \(\s*'([^']+)'", sql))
        for number in (901, 902):
            row: dict[str, object] = {}
            for _, name, kind, *_ in database.execute(f'PRAGMA table_info("{table}")'):
                text = f"{number} {HOSTILE}"
                found = allowed.get(name, text if kind == "TEXT" else number)
                row[name] = FORMATTED.get(name, found)
            if table == "route":
                row["direction"] = ("mastodon_to_x", "x_to_mastodon")[number - 901]
            if table == "lease":  # has one row, always
                continue
            names = ", ".join(f'"{name}"' for name in row)
            marks = ", ".join("?" * len(row))
            database.execute(
                f'INSERT INTO "{table}" ({names}) VALUES ({marks})', list(row.values())
            )
    assert database.execute("PRAGMA foreign_key_check").fetchall() == []


async def test_every_column_of_every_table_comes_back_as_it_was(path: Path, tmp_path: Path) -> None:
    database = sqlite3.connect(path)
    with database:
        fill(database)
        for table in [name for name in rows(path) if not name.startswith("sqlite_")]:
            columns = database.execute(f'PRAGMA table_info("{table}")').fetchall()
            for _, column, *_ in columns:
                (filled,) = database.execute(f'SELECT count("{column}") FROM "{table}"').fetchone()
                assert filled, f"{table}.{column} is empty"
    database.close()
    other, copy = tmp_path / "elsewhere" / "ledger.db", tmp_path / "restored" / "ledger.db"
    file = tmp_path / "export.jsonl"
    file.write_text("\n".join(exported(path, texts=True)) + "\n", encoding="utf-8")
    with file.open("rb") as stream:
        transfer.bring_in(other, transfer.lines_of(stream), LATER, called="the export")
    care.back_up(path, tmp_path / "backup", T0)
    care.restore(copy, tmp_path / "backup", LATER)
    before, after = rows(copy), rows(other)
    before["meta"] = [row for row in before["meta"] if "copied_at" not in str(row)]
    assert after == before


def test_every_line_is_json_and_the_last_one_counts(path: Path) -> None:
    head, *body, end = map(json.loads, exported(path))
    assert (head["twinpost"], head["version"], head["schema"]) == ("ledger", 1, len(migrations()))
    assert end == {"rows": len(body)}
    assert {line["table"] for line in body} >= {"post", "part", "route", "known_id", "meta"}


async def test_with_its_texts_it_comes_back_as_from_a_backup(path: Path, tmp_path: Path) -> None:
    other = tmp_path / "elsewhere" / "ledger.db"
    done = transfer.bring_in(other, exported(path, texts=True), LATER, called="the export")
    assert (done.taken, done.held, done.aside) == (T0, 2, None)
    assert await sources(other) == ["1", "2", "3", "4"]
    assert care.verify(other).findings == ()
    copy = tmp_path / "restored" / "ledger.db"
    care.back_up(path, tmp_path / "backup", T0)
    care.restore(copy, tmp_path / "backup", LATER)
    before, after = rows(copy), rows(other)
    before["meta"] = [row for row in before["meta"] if "copied_at" not in str(row)]
    assert after == before


async def test_without_texts_what_was_unsent_is_kept_back_and_can_be_caught_up_with(
    path: Path, tmp_path: Path
) -> None:
    other = tmp_path / "elsewhere" / "ledger.db"
    transfer.bring_in(other, exported(path), LATER, called="the export")
    assert care.verify(other).findings == ()
    ledger = await open_ledger(other, owner="test", now=LATER, create=False)
    assert await ledger.next_due(OUT, LATER) is None
    assert [record.source for record in await ledger.skipped(OUT)] == ["2", "4"]
    assert await ledger.unproven(OUT) == await ledger.held(OUT) == ()
    await ledger.close()


@pytest.mark.parametrize("number", range(1, len(migrations()) + 1))
async def test_an_export_of_every_released_version_can_be_brought_in(
    tmp_path: Path, number: int
) -> None:
    old, ledger = tmp_path / "old", tmp_path / "state" / "ledger.db"
    database = sqlite3.connect(old)
    specimen = Path(__file__).parent / "schemas" / f"{number:04d}.sql"
    database.executescript(specimen.read_text("utf-8"))
    database.close()
    transfer.bring_in(ledger, exported(old, texts=True), LATER, called="the export")
    assert await sources(ledger) == ["1", "2", "3"]
    assert care.verify(ledger).findings == ()


def without_end(lines: list[str]) -> list[str]:
    return lines[:-1]


def without_a_row(lines: list[str]) -> list[str]:
    return lines[:5] + lines[6:]


def with_a_row_twice(lines: list[str]) -> list[str]:
    return lines[:6] + lines[5:]


def behind_the_end(lines: list[str]) -> list[str]:
    return [*lines, "{}"]


def newer(lines: list[str]) -> list[str]:
    return [json.dumps(json.loads(lines[0]) | {"schema": 999}), *lines[1:]]


def unknown_table(lines: list[str]) -> list[str]:
    return [lines[0], json.dumps({"table": "sqlite_master", "row": {}}), *lines[1:]]


def unknown_column(lines: list[str]) -> list[str]:
    line = json.loads(lines[2])
    line["row"]["x); DROP TABLE post; --"] = 1
    return [*lines[:2], json.dumps(line), *lines[3:]]


def odd_value(lines: list[str]) -> list[str]:
    line = json.loads(lines[2])
    line["row"] = {name: [1] for name in line["row"]}
    return [*lines[:2], json.dumps(line), *lines[3:]]


def huge_number(lines: list[str]) -> list[str]:
    return [line.replace(": 1,", f": {10**30},", 1) for line in lines]


def nothing(lines: list[str]) -> list[str]:
    assert lines
    return []


@pytest.mark.parametrize(
    "harm",
    [
        without_end, without_a_row, with_a_row_twice, behind_the_end, newer, unknown_table,
        unknown_column, odd_value, huge_number, nothing,
    ],
)  # fmt: skip
def test_what_is_not_whole_changes_nothing(
    path: Path, harm: Callable[[list[str]], list[str]]
) -> None:
    lines, before = exported(path), path.read_bytes()
    with pytest.raises(LedgerDamaged):
        transfer.bring_in(path, harm(lines), LATER, called="the export")
    assert path.read_bytes() == before
    assert not path.with_name("ledger.db.restoring").exists()


def test_nothing_is_brought_in_while_a_process_writes(path: Path) -> None:
    lines = exported(path)
    with daemon(path, "daemon") as child:
        assert child.says() == "open"
        with pytest.raises(LedgerInUse):
            transfer.bring_in(path, lines, LATER, called="the export")


texts = st.text(st.characters(codec="utf-8"), max_size=30)


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.lists(st.tuples(texts, texts), max_size=8, unique_by=lambda pair: pair[0]))
def test_whatever_it_holds_comes_back_as_it_was(
    tmp_path_factory: pytest.TempPathFactory, values: list[tuple[str, str]]
) -> None:
    folder = tmp_path_factory.mktemp("round")
    old, new, again = folder / "old", folder / "new" / "ledger.db", folder / "again" / "ledger.db"
    database = sqlite3.connect(old)
    newest = Path(__file__).parent / "schemas" / f"{len(migrations()):04d}.sql"
    database.executescript(newest.read_text("utf-8"))
    for name, value in values:
        database.execute("INSERT INTO meta VALUES (?, ?)", (f"x {name}", value))
        database.execute("INSERT INTO baseline VALUES (?, 1)", (name,))
        database.execute("UPDATE post SET detail = ? WHERE id = 3", (value,))
    database.commit()
    database.close()
    transfer.bring_in(new, exported(old, texts=True), LATER, called="the export")
    transfer.bring_in(again, exported(new, texts=True), LATER, called="the export")
    first, second = rows(new), rows(again)
    assert set(rows(old)["baseline"]) == set(first["baseline"]) == set(second["baseline"])
    assert set(rows(old)["meta"]) <= set(first["meta"])
    assert {name: found for name, found in first.items() if name != "part"} == {
        name: found for name, found in second.items() if name != "part"
    }
