"""Rows as tables and sentences for a person at a terminal. The only module that imports rich.

Remote text is escaped before it is printed: nothing in it may steer a terminal.
"""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from bridge.engine.control import PostRow, StatusRow
from bridge.log import escaped

_COLOURS = {
    "delivered": "green",
    "up to date": "green",
    "held": "red",
    "failed": "red",
    "partial": "red",
    "needs you": "red",
    "in-doubt": "yellow",
    "in doubt": "yellow",
}
_ARROWS = {"mastodon_to_x": "Mastodon → X", "x_to_mastodon": "X → Mastodon"}


def history_table(rows: Sequence[PostRow]) -> None:
    """Posts, newest first, one row each."""
    console = Console(highlight=False)
    if not rows:
        console.print("Nothing yet: no post was read since the bridge started.")
        return
    table = Table(box=None, pad_edge=False)
    for heading in ("when (UTC)", "bridge", "direction", "post", "state", "cost"):
        table.add_column(heading, no_wrap=heading != "post")
    table.add_column("why", ratio=1)
    for row in rows:
        table.add_row(
            row["at"].replace("T", " ").rstrip("Z"),
            row["bridge"],
            _ARROWS[row["direction"]],
            _text(row["source_id"]),
            _state(row["state"]),
            _cost(row["cost_usd"]),
            _text(row["reason"]),
        )
    console.print(table)


def explain(row: PostRow) -> None:
    """One post in full sentences."""
    console = Console(highlight=False)
    console.print(
        f"{_ARROWS[row['direction']]}, bridge {row['bridge']}: {_state(row['state'])}",
        soft_wrap=True,
    )
    facts = [
        ("post", row["source_url"] or row["source_id"]),
        ("verdict", f"{row['verdict']}, {row['reason']}"),
        ("last change", row["at"]),
        ("cost", f"${row['cost_usd']:.3f}"),
    ]
    for name, value in facts:
        console.print(f"  {name:<12}{_text(value)}", soft_wrap=True)
    for part in row["parts"]:
        where = part["target_url"] or part["target_id"] or "not sent"
        console.print(
            f"  part {part['index'] + 1:<7}{_state(part['state'])} {_text(where)}", soft_wrap=True
        )


def status_table(rows: Sequence[StatusRow]) -> None:
    """Routes, one row each."""
    table = Table(box=None, pad_edge=False)
    for heading in ("bridge", "direction", "state", "last read", "last mirrored"):
        table.add_column(heading)
    for heading in ("waiting", "in doubt", "held", "failed", "mirrored", "this month"):
        table.add_column(heading, justify="right")
    for row in rows:
        table.add_row(
            row["bridge"],
            _ARROWS[row["direction"]],
            _state(row["state"]),
            row["last_read_at"] or "never",
            row["last_mirrored_at"] or "never",
            str(row["planned"]),
            str(row["in_doubt"]),
            str(row["held"]),
            str(row["failed"]),
            str(row["delivered"]),
            _cost(row["spent_month_usd"]),
        )
    Console(highlight=False).print(table)


def _state(state: str) -> str:
    colour = _COLOURS.get(state)
    return f"[{colour}]{state}[/{colour}]" if colour else state


def _cost(amount: float) -> str:
    return f"${amount:.3f}" if amount else "-"


def _text(text: str) -> str:
    return escape(escaped(text))
