"""What the readers of single formats say: a finding, or that a file is not what it began as."""

from __future__ import annotations

from dataclasses import dataclass

from bridge.core.model import MediaKind


class Odd(Exception):
    """A file is not what its first bytes promise. `str(error)` ends a sentence about it."""


@dataclass(frozen=True, slots=True)
class Found:
    """A type with what its headers say; sizes in pixels (0 for not said), length in ms."""

    mime: str
    kind: MediaKind
    width: int = 0
    height: int = 0
    ms: int | None = None
    moving: bool = False
