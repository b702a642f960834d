"""What the tests of X's adapter stand on: clocks, a token shelf, and servers that answer oddly."""

import asyncio
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime


class MachineClock:
    def now(self) -> datetime:
        return datetime.now(UTC)

    def monotonic(self) -> float:
        return time.monotonic()

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


@dataclass
class Shelf:
    """A token store in memory that keeps every version it was given; `full` is a full disk."""

    saved: dict[str, dict[str, str]] = field(default_factory=dict)
    saves: list[dict[str, str]] = field(default_factory=list)
    full: bool = False

    def load(self, name: str) -> dict[str, str] | None:
        return self.saved.get(name)

    def save(self, name: str, values: dict[str, str]) -> None:
        if self.full:
            raise OSError(28, "No space left on device")
        self.saved[name] = dict(values)
        self.saves.append(dict(values))
