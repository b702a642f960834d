"""Files that X has taken, and been paid for, but that were not processed and described to the end.

Known again by their content, so that a later try goes on where the first one broke off. In memory
only, and each once: what comes to nothing twice may be the file's own fault. Must not do I/O.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime

_MOST = 20


@dataclass(frozen=True, slots=True)
class Taken:
    """A file that X has: its id, X's answer about it, when it was begun, and when X drops it."""

    media_id: str
    answer: Mapping[str, object]
    until: datetime
    again: bool = False


class Unfinished:
    """The files of one account that are to be gone on with, by what they are and their digest."""

    def __init__(self) -> None:
        self._kept: OrderedDict[tuple[str, str], Taken] = OrderedDict()

    def __bool__(self) -> bool:
        """Whether there is any: only then is a digest worth its time."""
        return bool(self._kept)

    def keep(self, category: str, digest: str, taken: Taken) -> None:
        """Remember `taken`, unless it was remembered once already."""
        if taken.again:
            return
        self._kept[category, digest] = replace(taken, again=True)
        while len(self._kept) > _MOST:
            self._kept.popitem(last=False)

    def take(self, category: str, digest: str, now: datetime) -> Taken | None:
        """What X has of such a file at `now`, to be gone on with; from now on it is forgotten."""
        found = self._kept.pop((category, digest), None)
        return found if found is not None and now < found.until else None
