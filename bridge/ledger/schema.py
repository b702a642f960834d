"""The schema, as numbered migrations, and whether a file is a ledger that we can read.

A migration is one file ``NNNN_name.sql``, applied whole in one transaction together with its number
(`user_version`). Released migrations never change. Must not know what the tables mean.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Final

from bridge.core.errors import LedgerDamaged
from bridge.ledger.transaction import damaged, in_transaction

APPLICATION_ID: Final = 0x7477696E
"""``twin``, in the file's header: no other program's database is taken for a ledger."""

FULL_CHECK_UP_TO: Final = 32 * 1024 * 1024
"""Bytes up to which indexes are compared with their tables too; beyond, it would take seconds."""


@dataclass(frozen=True, slots=True)
class Migration:
    """One step from the schema before to `number`."""

    number: int
    statements: tuple[str, ...]


@cache
def migrations() -> tuple[Migration, ...]:
    """Every migration there is, in order."""
    folder = files("bridge.ledger").joinpath("migrations")
    found = sorted(
        (entry.name, entry.read_text("utf-8"))
        for entry in folder.iterdir()
        if entry.name.endswith(".sql")
    )
    steps = tuple(
        Migration(int(name.partition("_")[0]), statements(script)) for name, script in found
    )
    if [step.number for step in steps] != list(range(1, len(steps) + 1)):
        raise RuntimeError("the ledger's migrations are not numbered 1, 2, 3 and so on")
    return steps


def statements(script: str) -> tuple[str, ...]:
    """The statements of an SQL script, in order. Each must end at the end of a line."""
    found: list[str] = []
    pending = ""
    for line in script.splitlines(keepends=True):
        pending += line
        if sqlite3.complete_statement(pending):
            found.append(pending.strip())
            pending = ""
    if pending.strip():
        raise ValueError("the script ends in the middle of a statement")
    return tuple(found)


def version(connection: sqlite3.Connection) -> int:
    """Which migration the ledger stands at; 0 for an empty database."""
    return int(connection.execute("PRAGMA user_version").fetchone()[0])


def require_readable(
    connection: sqlite3.Connection, name: str, steps: Sequence[Migration] | None = None
) -> int:
    """The ledger's version, once it is sure that it is a ledger and not newer than we are.

    Raises `LedgerDamaged`; sqlite3's own errors where the file is no database at all.
    """
    newest = len(migrations() if steps is None else steps)
    application = connection.execute("PRAGMA application_id").fetchone()[0]
    number = version(connection)
    if application != APPLICATION_ID or number < 1:
        raise damaged(name, "it is not a ledger of twinpost")
    if number > newest:
        raise LedgerDamaged(
            f"the ledger {name} was written by a newer version of twinpost (schema {number}, this "
            f"version knows {newest}): install that version again; nothing was changed"
        )
    return number


def migrate(
    connection: sqlite3.Connection,
    *,
    steps: Sequence[Migration] | None = None,
    before_each: Callable[[sqlite3.Connection], object] = lambda _: None,
) -> None:
    """Bring the schema up to date, one transaction a step.

    `before_each` runs first in every step's transaction; what it raises undoes the step. A process
    that dies on the way leaves the ledger at a whole step, and the next one goes on from there.
    """
    for step in migrations() if steps is None else steps:
        if step.number <= version(connection):
            continue

        def apply(connection: sqlite3.Connection, step: Migration = step) -> None:
            if version(connection) != step.number - 1:
                return
            before_each(connection)
            for statement in step.statements:
                connection.execute(statement)
            connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
            connection.execute(f"PRAGMA user_version = {step.number}")

        in_transaction(connection, "WRITE", apply)


def check(connection: sqlite3.Connection, name: str, size: int) -> None:
    """Let SQLite examine the file of `size` bytes. Raises `LedgerDamaged`."""
    small = size <= FULL_CHECK_UP_TO
    pragma = "integrity_check" if small else "quick_check"
    findings = connection.execute(f"PRAGMA {pragma}(1)").fetchall()
    if findings != [("ok",)]:
        raise damaged(name, f"{pragma} fails")
    if small and connection.execute("PRAGMA foreign_key_check").fetchone() is not None:
        raise damaged(name, "rows refer to rows that are not there")
