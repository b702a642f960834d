"""Figures of the parts whose speed matters: `make bench`, `make bench ARGS="--posts 50000"`.

Each bench is a function in `BENCHES` that returns rows of (what, how often, figures). Must not
decide whether a figure is good enough; tests do that where it matters.
"""

from __future__ import annotations

import argparse
import asyncio
import sqlite3
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from bridge.core.capabilities import Capabilities
from bridge.core.compose import Context, compose
from bridge.core.delivery import PartEvent, PostState
from bridge.core.draft import Draft, DraftPart
from bridge.core.listing import Wanted
from bridge.core.model import (
    AccountId,
    BridgeName,
    Direction,
    Microdollars,
    Network,
    Post,
    PostId,
    ReplyRef,
    Route,
    Visibility,
)
from bridge.core.policy import Policy
from bridge.core.prices import X_PRICES
from bridge.core.record import Cursor, Decision, PartKey, Receipt
from bridge.core.text import Text
from bridge.core.verdict import Action, Reason, Verdict
from bridge.ledger.sqlite import SqliteLedger, open_ledger, open_reader
from tools.text_memory import SAMPLE

ROOT = Path(__file__).resolve().parent.parent
START = datetime(2026, 1, 1, tzinfo=UTC)
OUT = Route(BridgeName("bench"), Direction.MASTODON_TO_X)
BACK = Route(BridgeName("bench"), Direction.X_TO_MASTODON)
_HELD = frozenset({PostState.HELD, PostState.FAILED, PostState.PARTIAL})
_DELIVERED, _SKIPPED = frozenset({PostState.DELIVERED}), frozenset({PostState.SKIPPED})
TEXT = "Some two hundred characters of ordinary text, as people write it, with a name or two. " * 2


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table; times in milliseconds."""

    what: str
    times: int
    median: float
    slowest: float

    @classmethod
    def of(cls, what: str, seconds: list[float]) -> Row:
        """A row of single measurements in seconds."""
        ordered = sorted(seconds)
        return cls(what, len(ordered), ordered[len(ordered) // 2] * 1e3, ordered[-1] * 1e3)


async def measured(what: str, times: int, work: Callable[[int], Awaitable[object]]) -> Row:
    """`work(0)`, `work(1)` and so on, each on its own clock."""
    seconds = []
    for number in range(times):
        begun = time.perf_counter()
        await work(number)
        seconds.append(time.perf_counter() - begun)
    return Row.of(what, seconds)


def _post(number: int, *, parent: int | None = None) -> Post:
    return Post(
        network=OUT.direction.source,
        id=PostId(f"{110_000_000_000_000_000 + number}"),
        author=AccountId("1"),
        created_at=START + timedelta(seconds=30 * number),
        text=Text(TEXT),
        visibility=Visibility.PUBLIC,
        url=f"https://mastodon.example/@me/{110_000_000_000_000_000 + number}",
        in_reply_to=None if parent is None else ReplyRef(_post(parent).id, AccountId("1")),
    )


def _decision(post: Post) -> Decision:
    parts = (DraftPart(0, TEXT, Microdollars(15_000)),)
    return Decision(post, Verdict(Action.MIRROR, Reason.ALLOWED), post.created_at, Draft(parts))


def _fill(path: Path, posts: int) -> None:
    """Delivered posts, written straight into the tables: a million would take an hour otherwise."""
    connection = sqlite3.connect(path, isolation_level=None)
    connection.executescript("PRAGMA synchronous = OFF; PRAGMA cache_size = -200000; BEGIN;")
    connection.execute(
        "INSERT INTO route (id, bridge, direction) VALUES (1, 'bench', 'mastodon_to_x')"
    )
    connection.execute("INSERT INTO route_cursor VALUES (1, NULL, NULL, NULL)")
    body = (
        '{"version":1,"text":"' + TEXT + '","spoiler":"","sensitive":false,"language":null,'
        '"visibility":"public","media":[]}'
    )
    for number in range(posts):
        post = _post(number)
        at = int(post.created_at.timestamp()) * 1_000_000
        row = number + 1
        connection.execute(
            "INSERT INTO post (id, route_id, source, source_url, created_at, seen_at, changed_at, "
            "action, reason, detail, notes, parent, waits_for, answers) "
            "VALUES (?, 1, ?, ?, ?, ?, ?, 'mirror', 'allowed', '', '[]', NULL, NULL, NULL)",
            (row, post.id, post.url, at, at, at),
        )
        connection.execute("INSERT INTO known_id VALUES (?, 1, ?)", (post.id, row))
        connection.execute(
            "INSERT INTO part (post_id, idx, route_id, state, body, price, not_before, attempts, "
            "attempted_at, body_hash, target_id, target_url, cost, detail) "
            "VALUES (?, 0, 1, 'delivered', ?, 15000, ?, 1, ?, 'hash', ?, ?, 15000, '')",
            (row, body, at, at, f"x{number}", f"https://x.example/me/status/x{number}"),
        )
        connection.execute(
            "INSERT INTO attempt_log VALUES (?, ?, 0, ?, 'receipt', 'delivered', NULL, '')",
            (row, row, at),
        )
    connection.execute("INSERT INTO spend VALUES (1, '2026-01-01', 'delivery', ?, 0)", (posts,))
    connection.execute("COMMIT")
    connection.close()


async def _questions(ledger: SqliteLedger, posts: int, now: datetime) -> list[Row]:
    newest, middle = _post(posts - 1), _post(posts // 2)
    mirror = Post(
        network=BACK.direction.source,
        id=PostId(f"x{posts // 2}"),
        author=AccountId("2"),
        created_at=now,
        text=Text(TEXT),
        visibility=Visibility.PUBLIC,
        url="https://elsewhere.example/1",
    )
    reply = _post(posts + 1, parent=posts // 2)
    page = [_post(number).id for number in range(posts - 40, posts)]
    questions: dict[str, Callable[[int], Awaitable[object]]] = {
        "known, 40 ids": lambda _: ledger.known(OUT, page),
        "facts of an echo": lambda _: ledger.facts(BACK, mirror),
        "facts of a reply": lambda _: ledger.facts(OUT, reply),
        "next_due": lambda _: ledger.next_due(OUT, now),
        "due_at": lambda _: ledger.due_at(OUT),
        "unproven": lambda _: ledger.unproven(OUT),
        "find by id": lambda _: ledger.find(middle.id),
        "find by address": lambda _: ledger.find(newest.url or ""),
        "find nothing": lambda _: ledger.find("https://nowhere.example/@me/0"),
        "history of 50": lambda _: ledger.history(limit=50),
        "history of 50, one bridge": lambda _: ledger.history(bridge=OUT.bridge, limit=50),
        "status": lambda _: ledger.status(OUT, now),
        "a page of posts": lambda _: ledger.listing(Wanted()),
        "a page of posts, deep": lambda _: ledger.listing(Wanted(before=posts // 2)),
        "a page of one direction": lambda _: ledger.listing(Wanted(direction=OUT.direction)),
        "a page of those held": lambda _: ledger.listing(Wanted(states=_HELD)),
        "a page of those delivered": lambda _: ledger.listing(Wanted(states=_DELIVERED)),
        "a page of those skipped": lambda _: ledger.listing(Wanted(states=_SKIPPED)),
        "words that stand nowhere": lambda _: ledger.listing(Wanted(words=("nowhere", "at"))),
        "words of another script": lambda _: ledger.listing(Wanted(words=("Überall",))),
        "words that stand everywhere": lambda _: ledger.listing(Wanted(words=("ordinary",))),
        "the log of a post": lambda _: ledger.moves(OUT, middle.id),
        "figures of 30 days": lambda _: ledger.days(now.date() - timedelta(days=30)),
    }
    return [await measured(what, 50, work) for what, work in questions.items()]


async def _cycle(ledger: SqliteLedger, first: int, times: int) -> list[Row]:
    posts = [_post(first + number) for number in range(times)]
    keys = [PartKey(OUT, post.id, 0) for post in posts]

    async def t1(number: int) -> None:
        await ledger.record(OUT, _decision(posts[number]), Cursor().past(posts[number]))

    async def t2(number: int) -> None:
        await ledger.claim(keys[number], posts[number].created_at, "hash")

    async def t3(number: int) -> None:
        sent = Receipt(PostId(f"y{number}"), f"https://x.example/y{number}", Microdollars(15_000))
        at = posts[number].created_at
        await ledger.settle(keys[number], PartEvent.RECEIPT, at, receipt=sent)

    rows = [await measured("T1 record", times, t1)]
    rows.append(await measured("next_due among the planned", times, lambda _: _due(ledger, posts)))
    rows.append(await measured("T2 claim", times, t2))
    rows.append(await measured("T3 settle", times, t3))
    return rows


async def _due(ledger: SqliteLedger, posts: list[Post]) -> None:
    if await ledger.next_due(OUT, posts[-1].created_at) is None:
        raise RuntimeError("nothing is due")


async def ledger(options: argparse.Namespace) -> list[Row]:
    """The three transactions of a post, and every question, on a ledger of many posts."""
    posts: int = options.posts
    with tempfile.TemporaryDirectory(dir=options.folder) as folder:
        path = Path(folder) / "ledger.db"
        now = START + timedelta(seconds=30 * posts)
        await (await open_ledger(path, owner="bench", now=now, create=True)).close()
        _fill(path, posts)
        size = path.stat().st_size / 2**20
        print(f"a ledger of {posts:,} delivered posts, {size:,.0f} MiB")
        begun = time.perf_counter()
        opened = await open_ledger(path, owner="bench", now=now, create=False)
        rows = [Row.of("open for writing, checks included", [time.perf_counter() - begun])]
        begun = time.perf_counter()
        reader = await open_reader(path)
        rows.append(Row.of("open for reading", [time.perf_counter() - begun]))
        await reader.close()
        rows += await _questions(opened, posts, now)
        rows += await _cycle(opened, posts, 200)
        await opened.close()
    return rows


async def text(_options: argparse.Namespace) -> list[Row]:
    """What the handling of text adds to memory, and how long it takes to compose posts."""
    command = (sys.executable, "-m", "tools.text_memory")
    measuring = await asyncio.create_subprocess_exec(
        *command, cwd=ROOT, stdout=asyncio.subprocess.PIPE
    )
    added, _ = await measuring.communicate()
    print(f"all modules that handle text, used: {added.decode().strip()} MiB on top of aiohttp")
    x = Capabilities(Network.X, "x", 280, prices=X_PRICES)
    mastodon = Capabilities(Network.MASTODON, "mastodon", 500, spoiler=True)
    rows = []
    for length, times in ((200, 200), (2_000, 50), (25_000, 10)):
        post = replace(_post(0), text=Text((SAMPLE * (length // len(SAMPLE) + 1))[:length]))
        for to in (x, mastodon):
            seconds = []
            for _ in range(times):
                begun = time.process_time()
                compose(post, to, Policy(), Context(post.created_at))
                seconds.append(time.process_time() - begun)
            rows.append(Row.of(f"compose {length:,} characters for {to.network}", seconds))
    return rows


BENCHES: dict[str, Callable[[argparse.Namespace], Coroutine[None, None, list[Row]]]] = {
    "ledger": ledger,
    "text": text,
}


def main() -> int:
    """Run the benches named, or all of them, and print their tables."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("bench", nargs="*", choices=[[], *BENCHES], help="which; all by default")
    parser.add_argument("--posts", type=int, default=1_000_000, help="size of the ledger")
    parser.add_argument("--folder", type=Path, help="where to put it (default: the temporary one)")
    options = parser.parse_args()
    for name in options.bench or BENCHES:
        for row in asyncio.run(BENCHES[name](options)):
            print(f"{row.what:36}{row.times:6} x {row.median:10.2f} ms {row.slowest:10.2f} ms max")
    return 0


if __name__ == "__main__":
    sys.exit(main())
