"""`pause`, `resume`, `sync-now`, `resolve`, `retry`, `drop`: the owner's word to the bridge.

A running daemon is told through its socket; where none runs, the ledger is, and the next pass finds
it there. Must not decide anything: `engine.commands` does.
"""

from __future__ import annotations

import argparse
import asyncio

from bridge.app.steering import steering
from bridge.cli.exits import Exit
from bridge.config import Settings, load, locate
from bridge.surfaces.socket import NotRunning, ask


def pause(arguments: argparse.Namespace) -> int:
    """Stop reading and sending until resumed."""
    return _steered(arguments, do="pause")


def resume(arguments: argparse.Namespace) -> int:
    """Go on after a pause."""
    return _steered(arguments, do="resume")


def sync_now(arguments: argparse.Namespace) -> int:
    """Read at once."""
    return _steered(arguments, do="sync-now")


def resolve(arguments: argparse.Namespace) -> int:
    """Say of a part in doubt whether it was sent."""
    return _steered(arguments, do="resolve", post=arguments.id, sent=arguments.sent)


def retry(arguments: argparse.Namespace) -> int:
    """Send a failed or held post after all."""
    return _steered(arguments, do="retry", post=arguments.id)


def drop(arguments: argparse.Namespace) -> int:
    """Let a post be."""
    return _steered(arguments, do="drop", post=arguments.id)


def release(arguments: argparse.Namespace) -> int:
    """Let go what waits for money."""
    return _steered(arguments, do="release", post=arguments.id)


def _steered(arguments: argparse.Namespace, **asked: str | None) -> int:
    settings = load(locate(arguments.config))
    asked |= {name: getattr(arguments, name, None) for name in ("bridge", "direction")}
    try:
        said = ask(settings.state, **asked)
    except NotRunning:
        said = asyncio.run(_on_the_ledger(settings, asked))
    print(said)
    return Exit.FINE


async def _on_the_ledger(settings: Settings, asked: dict[str, str | None]) -> str:
    async with steering(settings) as commands:
        return await commands.obey(asked)
