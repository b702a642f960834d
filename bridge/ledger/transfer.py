"""A ledger as lines of JSON, and back: every row of every table, so that it can move house.

    {"twinpost": "ledger", "version": 1, "schema": 4, "exported_at": "…", "texts": false}
    {"table": "route", "row": {"id": 1, "bridge": "personal", …}}
    …
    {"rows": 123}

The schema's number tells what the columns mean; what an older version wrote is brought up to date.
Texts of posts are left out unless asked for. Must not know what the tables mean, but for that.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import BinaryIO, Final

from bridge.core.errors import LedgerDamaged, LedgerError
from bridge.ledger import care, restoring, schema
from bridge.ledger.care import Approve, Restored, install, private
from bridge.ledger.codec import from_micros, to_micros
from bridge.ledger.store import WORKING_TIMEOUT_MS, connect, ledger_id
from bridge.ledger.transaction import in_transaction, translated

VERSION: Final = 1
LONGEST_LINE: Final = 4 << 20
"""Characters. The longest post, escaped as JSON in every column that holds it, is a third of it."""

_TEXTS: Final = frozenset({("part", "body"), ("post", "pending"), ("awaited", "source")})
"""Columns that hold what posts say."""

_WITHOUT_TEXT: Final = "its text was not in the export; to have it sent: twinpost catch-up"

Row = Mapping[str, str | int | None]


def export(ledger: Path, *, texts: bool, now: datetime) -> Iterator[str]:
    """The lines, without their ends, of a ledger that is in use or not, as of one moment.

    Raises `LedgerError`.
    """
    name = str(ledger)
    with translated(name):
        connection = connect(ledger, mode="ro", timeout_ms=WORKING_TIMEOUT_MS)
        try:
            number = schema.require_readable(connection, name)
            connection.execute("BEGIN")
            head = {
                "twinpost": "ledger",
                "version": VERSION,
                "schema": number,
                "exported_at": to_micros(now),
                "texts": texts,
            }
            yield json.dumps(head)
            count = 0
            for table in _tables(connection):
                cursor = connection.execute(f"SELECT * FROM {_quoted(table)} ORDER BY rowid")  # noqa: S608 - a name out of the schema
                columns = [column[0] for column in cursor.description]
                for values in cursor:
                    row = {
                        column: None if not texts and (table, column) in _TEXTS else value
                        for column, value in zip(columns, values, strict=True)
                    }
                    count += 1
                    yield json.dumps({"table": table, "row": row})
            yield json.dumps({"rows": count})
        finally:
            connection.close()


def is_export(line: str) -> bool:
    """Whether a file that begins with `line` is an export of a ledger."""
    try:
        head = json.loads(line[:LONGEST_LINE])
    except ValueError:
        return False
    return isinstance(head, dict) and head.get("twinpost") == "ledger"


def lines_of(stream: BinaryIO) -> Iterator[str]:
    """The lines of an export, without their ends; one that is too long comes cut, and is refused.

    An export may be larger than memory.
    """
    while line := stream.readline(LONGEST_LINE + 2):
        yield line.decode("utf-8", "replace").rstrip("\r\n")


def bring_in(
    ledger: Path,
    lines: Iterable[str],
    now: datetime,
    *,
    called: str,
    approve: Approve = care.approve_any,
) -> Restored:
    """Make a ledger of the lines of an export, and put it in the place of `ledger`.

    As with a backup: nothing that may have been sent since is sent, what stood there is kept aside.
    Raises `LedgerError` naming the line; nothing is changed then.
    """

    def build(fresh: Path) -> datetime:
        private(fresh)
        with translated(called):
            connection = connect(fresh, mode="rw", timeout_ms=WORKING_TIMEOUT_MS)
            try:
                # Rows refer to rows that come later; whether all are there is examined afterwards.
                connection.execute("PRAGMA foreign_keys = OFF")
                return in_transaction(connection, "WRITE", _filling(lines, called, now))
            finally:
                connection.close()

    return install(ledger, build, now, called=called, approve=approve)


def _filling(
    lines: Iterable[str], called: str, now: datetime
) -> Callable[[sqlite3.Connection], datetime]:
    def fill(connection: sqlite3.Connection) -> datetime:
        numbered = enumerate(lines, 1)
        taken, texts = _begun(connection, numbered, called)
        count, end = 0, False
        for number, line in numbered:
            fields = _object(line, number, called)
            if end:
                raise _wrong(called, number, "there is something behind the last line")
            if "rows" in fields:
                if fields["rows"] != count:
                    raise _wrong(called, number, f"{fields['rows']} rows are promised, not {count}")
                end = True
                continue
            _insert(connection, fields, number, called)
            count += 1
        if not end:
            raise LedgerDamaged(f"{called} is cut off: its last line is missing")
        ledger_id(connection, called)
        if not texts:
            _let_go(connection, now)
        return taken

    return fill


def _begun(
    connection: sqlite3.Connection, numbered: Iterator[tuple[int, str]], called: str
) -> tuple[datetime, bool]:
    """Make the tables that the first line tells of; returns the export's time, and if with text."""
    number, line = next(numbered, (1, ""))
    head = _object(line, number, called)
    newest = len(schema.migrations())
    if head.get("twinpost") != "ledger":
        raise LedgerDamaged(f"{called} is no export of a ledger")
    schema_number = head.get("schema")
    if head.get("version") != VERSION or not isinstance(schema_number, int):
        raise LedgerDamaged(f"{called} was written by a newer version of twinpost; use that one")
    if not 1 <= schema_number <= newest:
        raise LedgerDamaged(
            f"{called} was written by a newer version of twinpost (schema {schema_number}, this "
            f"one knows {newest}); use that one"
        )
    for step in schema.migrations()[:schema_number]:
        for statement in step.statements:
            connection.execute(statement)
    connection.execute(f"PRAGMA application_id = {schema.APPLICATION_ID}")
    connection.execute(f"PRAGMA user_version = {schema_number}")
    at = head.get("exported_at")
    if not isinstance(at, int):
        raise _wrong(called, number, "it does not say when it was written")
    return from_micros(at), head.get("texts") is True


def _insert(
    connection: sqlite3.Connection, fields: Mapping[str, object], number: int, called: str
) -> None:
    table, row = fields.get("table"), fields.get("row")
    if not isinstance(table, str) or table not in _tables(connection) or not isinstance(row, dict):
        raise _wrong(called, number, "it is no row of a table that there is")
    columns = [name for (_, name, *_) in connection.execute(f"PRAGMA table_info({_quoted(table)})")]
    if set(row) != set(columns):
        raise _wrong(called, number, f"its columns are not those of {table}")
    if not all(isinstance(value, str | int | None) for value in row.values()):
        raise _wrong(called, number, "a value is neither a text nor a number")
    names, marks = ", ".join(map(_quoted, columns)), ", ".join("?" * len(columns))
    try:
        connection.execute(
            f"INSERT INTO {_quoted(table)} ({names}) VALUES ({marks})",  # noqa: S608 - names out of the schema
            [row[column] for column in columns],
        )
    except (sqlite3.IntegrityError, OverflowError) as error:
        raise _wrong(called, number, f"it does not fit: {type(error).__name__}") from None


def _let_go(connection: sqlite3.Connection, now: datetime) -> None:
    """What was unsent when the export was made cannot be sent without its text: it is kept back."""
    unsent = (
        "SELECT part.post_id FROM part WHERE part.body IS NULL AND part.state IN "
        "('planned', 'attempting', 'in-doubt', 'held', 'failed')"
    )
    at = to_micros(now)
    connection.execute(
        f"UPDATE post SET action = 'skip', reason = 'restored', detail = ?, changed_at = ? "  # noqa: S608 - a constant of ours
        f"WHERE id IN ({unsent}) AND NOT EXISTS (SELECT 1 FROM part AS other "
        "WHERE other.post_id = post.id AND other.target_id IS NOT NULL)",
        (_WITHOUT_TEXT, at),
    )
    connection.execute(
        "INSERT INTO attempt_log (post_id, idx, at, event, state, detail) "
        "SELECT post_id, idx, ?, 'owner-drops', 'dropped', ? FROM part WHERE body IS NULL "
        "AND state IN ('planned', 'attempting', 'in-doubt', 'held', 'failed')",
        (at, _WITHOUT_TEXT),
    )
    connection.execute(
        "UPDATE part SET state = 'dropped', detail = ? WHERE body IS NULL "
        "AND state IN ('planned', 'attempting', 'in-doubt', 'held', 'failed')",
        (_WITHOUT_TEXT,),
    )
    connection.execute(
        "INSERT INTO attempt_log (post_id, idx, at, event, state, detail) "
        "SELECT post_id, idx, ?, 'refusal', 'delivered', ? FROM part WHERE body IS NULL "
        "AND state IN ('outdated', 'revising')",
        (at, restoring.EDITED_SINCE),
    )
    connection.execute(
        "UPDATE part SET state = 'delivered' WHERE body IS NULL "
        "AND state IN ('outdated', 'revising')"
    )


def _tables(connection: sqlite3.Connection) -> list[str]:
    rows = connection.execute(
        "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%' "
        "ORDER BY name"
    )
    return [name for (name,) in rows]


def _quoted(name: str) -> str:
    """An SQL identifier. Columns may be named like keywords (`drop`)."""
    return '"' + name.replace('"', '""') + '"'


def _object(line: str, number: int, called: str) -> dict[str, object]:
    if len(line) > LONGEST_LINE:
        raise _wrong(called, number, "it is too long")
    try:
        fields = json.loads(line)
    except (ValueError, RecursionError):
        raise _wrong(called, number, "it is no JSON") from None
    if not isinstance(fields, dict):
        raise _wrong(called, number, "it is no JSON object")
    return fields


def _wrong(called: str, number: int, what: str) -> LedgerError:
    return LedgerDamaged(f"{called}, line {number}: {what}; nothing was brought in")
