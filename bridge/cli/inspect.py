"""`check-config`, `history`, `why`, `status`: looking without touching, for people and for scripts.

Must not change anything; the words and rows come from `engine.control`.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime

from bridge.app.looking import looking, routes
from bridge.cli.choosing import chosen
from bridge.cli.exits import Exit
from bridge.config import Settings, load, locate
from bridge.config.schema import json_schema
from bridge.core.errors import TwinpostError
from bridge.core.model import BridgeName, Direction, Route
from bridge.core.record import BackupState, PostRecord
from bridge.engine.condition import BAD, WORDS, Condition
from bridge.engine.control import PostRow, StatusRow, post_row, waiting_row
from bridge.engine.standing import WaitRow
from bridge.surfaces.socket import NotRunning, ask

_PATIENCE = 3.0
"""Seconds for a daemon to say what it waits for; the rest is known without it."""


def check_config(arguments: argparse.Namespace) -> int:
    """Read the file and say what it would do."""
    if arguments.schema:
        print(json.dumps(json_schema(), indent=2))
        return Exit.FINE
    path = locate(arguments.file or arguments.config)
    settings = load(path)
    print(f"{path}: fine")
    print(f"  state  {settings.state}")
    for bridge in settings.bridges:
        print(f"  bridge {bridge.name}: {bridge.mastodon.url} <-> {bridge.x.url}")
    for route in routes(settings):
        print(f"  route  {route}")
    return Exit.FINE


def history(arguments: argparse.Namespace) -> int:
    """The posts dealt with last."""
    settings = load(locate(arguments.config))
    bridge = chosen(settings, arguments.bridge).name if arguments.bridge else None
    records = asyncio.run(_history(settings, bridge, arguments.limit, echoes=arguments.all))
    if arguments.json:
        _print_json(map(post_row, records))
    else:
        from bridge.cli.wording import history_list  # noqa: PLC0415 - rich, only for people

        history_list([post_row(record) for record in records])
    return Exit.FINE


async def _history(
    settings: Settings, bridge: BridgeName | None, limit: int, *, echoes: bool
) -> tuple[PostRecord, ...]:
    async with looking(settings) as control:
        return await control.history(bridge=bridge, limit=limit, echoes=echoes)


def why(arguments: argparse.Namespace) -> int:
    """Everything known about one post."""
    settings = load(locate(arguments.config))
    records = asyncio.run(_why(settings, arguments.id))
    if not records:
        print(
            f"twinpost: no post is known by {arguments.id}: it was never read, or it is not one of "
            "the accounts' own posts. Ids and addresses of either side will do.",
            file=sys.stderr,
        )
        return Exit.USAGE
    if arguments.json:
        _print_json(map(post_row, records))
    else:
        from bridge.cli.wording import explain  # noqa: PLC0415 - rich, only for people

        for record in records:
            explain(post_row(record))
    return Exit.FINE


async def _why(settings: Settings, wanted: str) -> tuple[PostRecord, ...]:
    async with looking(settings) as control:
        return await control.why(wanted)


def status(arguments: argparse.Namespace) -> int:
    """Where every route stands."""
    settings = load(locate(arguments.config))
    rows = asyncio.run(_status(settings))
    if arguments.json:
        _print_json(rows)
    else:
        from bridge.cli.wording import status_list  # noqa: PLC0415 - rich, only for people

        status_list(rows)
        if (copies := asyncio.run(_copies(settings))).why:
            since = f"{copies.since:%Y-%m-%d %H:%M} UTC"
            print(f"The ledger was not copied since {since}: {copies.why}")
    shut_out = {WORDS[Condition.SIGN_IN], WORDS[Condition.WRONG_ACCOUNT]}
    if any(row["state"] in shut_out for row in rows):
        return Exit.AUTHORISATION
    return Exit.ATTENTION if any(map(_needs_owner, rows)) else Exit.FINE


def _route(row: StatusRow) -> str:
    return str(Route(BridgeName(row["bridge"]), Direction(row["direction"])))


def _needs_owner(row: StatusRow) -> bool:
    waits = row["held"] or row["failed"] or row["in_doubt"] or row["waiting_for_money"]
    bad = {words for condition, words in WORDS.items() if condition in BAD}
    return bool(waits) or bool(row["other_sender"]) or row["state"] in bad


async def _status(settings: Settings) -> list[StatusRow]:
    async with looking(settings) as control:
        rows = await control.status_rows(datetime.now(UTC))
        kept = {str(route): wait for route, wait in (await control.waits()).items()}
    told = _waits(settings)
    waits = {(wait["bridge"], wait["direction"]): wait for wait in told or ()}
    for row in rows:
        if told is None and (last := kept.get(_route(row))) is not None:
            waiting_row(row, last)
        if (wait := waits.get((row["bridge"], row["direction"]))) is not None:
            row["state"] = WORDS[Condition(wait["condition"])]
            row["waits_for"], row["waits_until"] = wait["waits_for"], wait["until"]
            row["detail"] = wait["detail"]
    return rows


def _waits(settings: Settings) -> list[WaitRow] | None:
    """What the running daemon says that it waits for; None where none runs, or none answers."""
    try:
        told = json.loads(ask(settings.state, _PATIENCE, do="waits"))
    except (NotRunning, TwinpostError, OSError, ValueError):
        return None
    known = set(Condition)
    return [wait for wait in told if wait["condition"] in known]


async def _copies(settings: Settings) -> BackupState:
    async with looking(settings) as control:
        return await control.backups()


def _print_json(rows: Iterable[PostRow | StatusRow | Mapping[str, object]]) -> None:
    for row in rows:
        print(json.dumps(row, ensure_ascii=False))
