"""What can be typed to keep a ledger: its copies, what was kept back, and posts tied by hand.

Part of `bridge.cli.parser`. Must not import what the commands import.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from datetime import UTC, datetime

from bridge.cli.narrowing import add_bridge, add_direction

Later = Callable[[str, str], Callable[[argparse.Namespace], int]]
FORMATS = (
    "twinpost",
    "mastodon-twitter-poster",
    "moa",
    "pleroma-bot",
    "bluesky-crossposter",
    "mastodon-to-twitter",
)


def add_keeping(add: Callable[..., argparse.ArgumentParser], later: Later) -> None:
    """The commands `ledger`, `catch-up` and `link`."""
    ledger = add(
        "ledger",
        "Look after the bridge's memory. Imports another tool's, and rebinds it.",
        "twinpost ledger backup --to /mnt/usb/ledger.sqlite3",
        later("ledger", "run"),
    )
    ledger.add_argument(
        "action",
        metavar="ACTION",
        choices=("verify", "backup", "restore", "export", "import", "rebind"),
        help="verify, backup, restore, export, import or rebind",
    )
    ledger.add_argument("file", nargs="?", metavar="FILE", help="export: - or none to print it")
    ledger.add_argument("--to", metavar="FILE", help="backup: default a new one in backups/")
    ledger.add_argument("--with-text", action="store_true", help="export: texts of posts as well")
    ledger.add_argument(
        "--format", choices=FORMATS, metavar="NAME", help="import: whose file, if it does not tell"
    )
    add_bridge(ledger, "import, rebind: which one, if there are several")
    ledger.add_argument("--skip-unread", action="store_true", help="import: the rest all the same")
    ledger.add_argument(
        "--yes",
        action="store_true",
        help="rebind: ask nothing; others: even of other accounts",
    )

    again = add(
        "catch-up",
        "Send what was kept back after all. Shows posts that were too old, or written before the "
        "start or a restore, with their price. Reading on X costs $0.001 a post.",
        "twinpost catch-up --direction mastodon_to_x --dry-run",
        later("catchup", "run"),
    )
    add_bridge(again)
    add_direction(again)
    again.add_argument("--since", type=_date, metavar="DATE", help="all since then, as 2026-11-22")
    again.add_argument("--dry-run", action="store_true", help="only show them")
    again.add_argument("--yes", action="store_true", help="ask nothing")

    link = add(
        "link",
        "Tie two posts that are there already. The first is the one that was written, the second "
        "its mirror: neither is mirrored any more.",
        "twinpost link https://mastodon.example/@ada/113 https://x.com/ada/status/20",
        later("catchup", "link"),
    )
    link.add_argument("post", metavar="POST", help="an id or URL of the post")
    link.add_argument("mirror", metavar="MIRROR", help="an id or URL of its mirror")
    add_bridge(link, "which one, if there are several")
    add_direction(link)


def _date(text: str) -> datetime:
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError("expected a date such as 2026-11-22") from None
    return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
