"""Write the ledger among the tests that stands for the newest schema, from the one before it.

    .venv/bin/python -m tools.specimen

For a schema that is not released yet: those of released ones never change.
"""

from __future__ import annotations

import sqlite3
from pathlib import Path

from bridge.ledger.schema import APPLICATION_ID, migrate, migrations

SCHEMAS = Path(__file__).parents[1] / "tests" / "ledger" / "schemas"


def main() -> None:
    """Bring the last specimen up to date and dump it."""
    newest = len(migrations())
    database = sqlite3.connect(":memory:", isolation_level=None)
    database.executescript((SCHEMAS / f"{newest - 1:04d}.sql").read_text("utf-8"))
    migrate(database)
    head = [f"PRAGMA application_id = {APPLICATION_ID};", f"PRAGMA user_version = {newest};"]
    target = SCHEMAS / f"{newest:04d}.sql"
    target.write_text("\n".join([*head, *database.iterdump()]) + "\n", "utf-8")
    print(f"{target} written")


if __name__ == "__main__":
    main()
