"""Rows as lines and sentences for a person at a terminal. The only module that imports rich.

Remote text is escaped before it is printed: nothing in it may steer a terminal.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich.console import Console
from rich.markup import escape
from rich.padding import Padding

from bridge.core.model import Microdollars
from bridge.core.prices import in_dollars
from bridge.engine.control import PostRow, StatusRow
from bridge.engine.preview import PartPreview, PreviewRow
from bridge.log import escaped

_COLOURS = {
    "delivered": "green",
    "up to date": "green",
    "held": "red",
    "failed": "red",
    "partial": "red",
    "needs you": "red",
    "sign in again": "red",
    "unpaid": "red",
    "disk full": "red",
    "media waits": "red",
    "unreachable": "yellow",
    "rate limit": "yellow",
    "waiting": "yellow",
    "over budget": "red",
    "reading missed posts": "yellow",
    "in-doubt": "yellow",
    "in doubt": "yellow",
}
_VERDICTS = {
    "mirror": "[green]would be mirrored[/green]",
    "skip": "[yellow]would stay where it is[/yellow]",
    "hold": "[red]would be held for you[/red]",
}
_ARROWS = {"mastodon_to_x": "Mastodon → X", "x_to_mastodon": "X → Mastodon"}


def history_list(rows: Sequence[PostRow]) -> None:
    """Posts, newest first; addresses whole, so that they can be copied."""
    console = _console()
    if not rows:
        console.print("Nothing yet: no post was read since the bridge started.")
    for row in rows:
        head = (
            f"{_time(row['at'])}  {row['bridge']}  {_ARROWS[row['direction']]}  "
            f"{_state(row['state'])}"
        )
        cost = f"  {_cost(row['cost_usd'])}" if row["cost_usd"] else ""
        console.print(head + cost, soft_wrap=True)
        console.print(f"    {_text(row['source_url'] or row['source_id'])}", soft_wrap=True)
        console.print(Padding(_text(row["reason"]), (0, 0, 0, 4), expand=False))


def explain(row: PostRow) -> None:
    """One post in full sentences."""
    console = _console()
    console.print(
        f"{_ARROWS[row['direction']]}, bridge {row['bridge']}: {_state(row['state'])}",
        soft_wrap=True,
    )
    facts = [
        ("post", row["source_url"] or row["source_id"]),
        ("verdict", f"{row['verdict']}, {row['reason']}"),
        ("last change", _time(row["at"])),
        ("cost", _cost(row["cost_usd"])),
    ]
    for name, value in facts:
        console.print(f"  {name:<12}{_text(value)}", soft_wrap=True)
    for part in row["parts"]:
        where = part["target_url"] or part["target_id"] or "not sent"
        cost = f"{_cost(part['cost_usd'])} " if part["cost_usd"] else ""
        console.print(
            f"  part {part['index'] + 1:<7}{_state(part['state'])} {cost}{_text(where)}",
            soft_wrap=True,
        )


def show_preview(row: PreviewRow) -> None:
    """The parts as they would stand, each with what it measures and costs, and every choice."""
    console = _console()
    console.print(
        f"{row['bridge']}  {_ARROWS[row['direction']]}: {_VERDICTS[row['verdict']]}",
        soft_wrap=True,
    )
    console.print(Padding(_text(row["reason"]), (0, 0, 0, 4), expand=False))
    for change in row["changes"]:
        console.print(Padding(f"- {_text(change)}", (0, 0, 0, 4), expand=False))
    for part in row["parts"]:
        head = f"part {part['index'] + 1} of {len(row['parts'])}"
        size = f"{part['length']} of {part['limit']} characters, {_cost(part['price_usd'])}"
        console.print(f"\n{head}: {size}", style="bold", soft_wrap=True)
        for line in _beside(part):
            console.print(f"    ({_text(line)})", soft_wrap=True)
        for line in part["text"].split("\n"):
            console.print(f"  {_text(line)}".rstrip(), soft_wrap=True)
    if row["parts"]:
        console.print(f"\nnothing was sent; sending it would cost {_cost(row['price_usd'])}")


def _beside(part: PartPreview) -> Iterator[str]:
    """What goes along with the text of a part."""
    if part["content_warning"]:
        yield f"content warning: {part['content_warning']}"
    elif part["sensitive"]:
        yield "marked as sensitive"
    for medium in part["media"]:
        yield f"{medium['kind']}: {medium['alt'] or 'without a description'}"
    for option in part["poll"]:
        yield f"poll: {option}"
    if part["quotes"]:
        yield f"quotes {part['quotes']}"
    if part["repeats"]:
        yield f"boosts {part['repeats']}"


def status_list(rows: Sequence[StatusRow]) -> None:
    """Routes, a few lines each."""
    console = _console()
    for row in rows:
        state = _state(row["state"])
        console.print(f"{row['bridge']}  {_ARROWS[row['direction']]}: {state}", soft_wrap=True)
        if row["detail"]:
            until = f" (until {_time(row['waits_until'])})" if row["waits_until"] else ""
            console.print(f"    {_text(row['detail'])}{until}", soft_wrap=True)
        if row["other_sender"]:
            console.print(f"    {_text(row['other_sender'])}", soft_wrap=True)
        read, mirrored = _time(row["last_read_at"]), _time(row["last_mirrored_at"])
        console.print(f"    last read {read}, last mirrored {mirrored}", soft_wrap=True)
        console.print(
            f"    mirrored {row['delivered']}, waiting {row['planned']}, "
            f"in doubt {row['in_doubt']}, held {row['held']}, failed {row['failed']}; "
            f"this month {_cost(row['spent_month_usd'])}",
            soft_wrap=True,
        )
        if row["checked_since"]:
            console.print(
                f"    deletions are followed of posts since {_time(row['checked_since'])}; older "
                "ones are beyond `recheck.window`",
                soft_wrap=True,
            )
        if row["waiting_for_money"]:
            console.print(
                f"    {row['waiting_for_money']} post(s) wait for the next month, over the budget; "
                "to send them now: twinpost release",
                soft_wrap=True,
            )
    for bridge, (spent, budget) in {
        row["bridge"]: (row["bridge_month_usd"], row["budget_month_usd"]) for row in rows
    }.items():
        bound = "without a budget" if budget is None else f"of this month's {_cost(budget)}"
        console.print(f"{bridge}: {_cost(spent)} spent {bound} (UTC); twinpost costs")


def _console() -> Console:
    return Console(highlight=False)


def _time(at: str | None) -> str:
    return "never" if at is None else at.replace("T", " ").replace("Z", " UTC")


def _state(state: str) -> str:
    colour = _COLOURS.get(state)
    return f"[{colour}]{state}[/{colour}]" if colour else state


def _cost(amount: float) -> str:
    return in_dollars(Microdollars(round(amount * 1_000_000)))


def _text(text: str) -> str:
    return escape(escaped(text))
