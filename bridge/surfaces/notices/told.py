"""Who was told of what, and when: a small private file that outlives the process.

Must not decide whether to tell. A file that is damaged is as good as none: better told twice.
"""

from __future__ import annotations

import json
import os
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

NAME = "notices.json"
_LARGEST = 1024 * 1024


@dataclass(slots=True)
class Told:
    """One cause as one way has told it; `title` is what it was called."""

    first: datetime
    last: datetime
    title: str
    bridge: str
    kind: str


Memory = dict[str, dict[str, Told]]
"""By way, and by cause."""


def recall(folder: Path) -> Memory:
    """What was told before; nothing where that cannot be read."""
    try:
        file = os.open(folder / NAME, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
        with os.fdopen(file, "rb") as stream:
            rows = json.loads(stream.read(_LARGEST))
        return {
            str(way): {
                str(key): Told(
                    _time(row["first"]),
                    _time(row["last"]),
                    str(row["title"]),
                    str(row["bridge"]),
                    str(row["kind"]),
                )
                for key, row in causes.items()
            }
            for way, causes in rows.items()
        }
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return {}


def remember(folder: Path, memory: Memory) -> None:
    """Put `memory` in the place of what was written before, all or nothing. Raises `OSError`."""
    rows = {
        way: {
            key: {
                "first": told.first.isoformat(),
                "last": told.last.isoformat(),
                "title": told.title,
                "bridge": told.bridge,
                "kind": told.kind,
            }
            for key, told in causes.items()
        }
        for way, causes in memory.items()
    }
    fresh = folder / f".{NAME}.{secrets.token_hex(4)}"
    try:
        file = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        with os.fdopen(file, "w", encoding="utf-8") as stream:
            json.dump(rows, stream, indent=1)
            stream.flush()
            os.fsync(stream.fileno())
        fresh.replace(folder / NAME)
    except OSError:
        fresh.unlink(missing_ok=True)
        raise


def _time(text: str) -> datetime:
    at = datetime.fromisoformat(text)
    return at if at.tzinfo is not None else at.replace(tzinfo=UTC)
