"""Options by which a command is narrowed to one bridge, or to one of its two directions.

Part of `bridge.cli.parser`. Must not import what the commands import.
"""

from __future__ import annotations

import argparse

WAYS = ("mastodon_to_x", "x_to_mastodon")


def add_bridge(command: argparse.ArgumentParser, says: str = "only this bridge") -> None:
    """``--bridge NAME``."""
    command.add_argument("--bridge", metavar="NAME", help=says)


def add_direction(
    command: argparse.ArgumentParser, says: str = "only mastodon_to_x or x_to_mastodon"
) -> None:
    """``--direction WAY``."""
    command.add_argument("--direction", choices=WAYS, metavar="WAY", help=says)
