"""`preview`: what a post would look like on the other network, and what it would cost.

Sends nothing and writes nothing. Must not decide anything: `engine.preview` does.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
from datetime import UTC, datetime
from pathlib import Path

from bridge.app.wiring import rehearsing
from bridge.cli.exits import Exit
from bridge.config import Settings, load, locate
from bridge.core.address import id_in, network_of
from bridge.core.errors import ConfigError, NetworkError, TwinpostError, WrongAccount
from bridge.core.model import Direction, Network, Post
from bridge.engine.preview import PreviewRow, preview, preview_row, typed
from bridge.engine.route import RoutePlan

LONGEST_TEXT = 1_000_000
"""Characters that are read of a file or of what is typed; no post is longer."""


def run(arguments: argparse.Namespace) -> int:
    """Show what would be sent for a file, a typed text, or an own post."""
    settings = load(locate(arguments.config))
    row = asyncio.run(_previewed(settings, arguments))
    if arguments.json:
        print(json.dumps(row, ensure_ascii=False))
    else:
        from bridge.cli.wording import show_preview  # noqa: PLC0415 - rich, only for people

        show_preview(row)
    return Exit.FINE if row["verdict"] == "mirror" else Exit.ATTENTION


async def _previewed(settings: Settings, arguments: argparse.Namespace) -> PreviewRow:
    now = datetime.now(UTC)
    async with rehearsing(settings) as (plans, view):
        text = _typed_text(arguments.post)
        source = network_of(arguments.post) if text is None else None
        plan = _plan(plans, arguments, source)
        if text is None:
            post = await _looked_up(plan, arguments.post)
        else:
            post = typed(plan.source.network, text, now, warning=arguments.warning)
        return preview_row(plan, await preview(plan, post, now, view))


def _typed_text(given: str) -> str | None:
    """What was typed, or stands in the file of that name; None where a post is meant."""
    if given == "-":
        return sys.stdin.read(LONGEST_TEXT).rstrip("\n")
    file = Path(given)
    if not file.is_file():
        return None
    try:
        with file.open(encoding="utf-8") as opened:
            return opened.read(LONGEST_TEXT).rstrip("\n")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{file}: cannot be read as text: {type(error).__name__}") from None


def _plan(
    plans: list[RoutePlan], arguments: argparse.Namespace, source: Network | None
) -> RoutePlan:
    """The first route that fits what was asked for."""
    direction = Direction(arguments.direction) if arguments.direction else None
    for plan in plans:
        named = arguments.bridge in {None, plan.route.bridge}
        asked = direction in {None, plan.route.direction}
        if named and asked and source in {None, plan.source.network}:
            return plan
    known = ", ".join(str(plan.route) for plan in plans)
    raise ConfigError(f"no direction that is switched on fits that; there are: {known}")


async def _looked_up(plan: RoutePlan, given: str) -> Post:
    """An own post, asked for from its network."""
    post_id = id_in(given)
    try:
        post = await plan.source.look_up(post_id) if post_id else None
    except WrongAccount:
        raise
    except NetworkError as error:
        where = plan.source.network.value
        raise TwinpostError(f"{given} could not be read from {where}: {error}") from error
    if post is None:
        raise ConfigError(
            f"{given} is neither a file nor a post of yours on {plan.source.network.value}; for a "
            "text of your own, give a file, or - and type it"
        )
    return post
