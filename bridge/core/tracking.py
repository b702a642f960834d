"""What the ledger remembers of the checks whether mirrored posts still stand as they did.

A protocol, like `core.purse`: part of the ledger's port.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Protocol

from bridge.core.model import Post, PostId, Route
from bridge.core.record import Absence, Tracked


class Tracking(Protocol):
    """Which mirrors follow their posts: what to look up next, and what waits for the owner."""

    async def tracked(self, route: Route, names: Collection[PostId]) -> Mapping[PostId, Tracked]:
        """Those of `names` that are posts of `route` whose mirrors are followed.

        So are skipped posts that an edit may let cross.
        """
        ...

    async def next_to_check(
        self, route: Route, before: datetime | None, limit: int
    ) -> tuple[Tracked, ...]:
        """The next posts of the round, written at `before` or earlier; empty at its end."""
        ...

    async def note_checked(self, route: Route, last: PostId) -> None:
        """Remember that the round has come to `last`, so that a restart goes on behind it."""
        ...

    async def note_round(self, route: Route, at: datetime) -> None:
        """Remember that the round has ended; the next one begins with the first post."""
        ...

    async def round_ended_at(self, route: Route) -> datetime | None:
        """When the last round ended; None where one is under way, and before the first."""
        ...

    async def missing(self, route: Route) -> tuple[Tracked, ...]:
        """Posts that are gone whose mirrors wait for the owner, the longest not asked for first."""
        ...

    async def note_missing(
        self, route: Route, sources: Collection[PostId], at: datetime | None
    ) -> None:
        """Remember that these were found gone at `at`; with None, that they stand after all."""
        ...

    async def count_tracked(self, route: Route) -> int:
        """How many mirrors of `route` are followed."""
        ...

    async def count_gone(self, route: Route, since: datetime) -> int:
        """How many posts were found deleted since then, and since the owner confirmed deletions."""
        ...

    async def note_vouched(self, route: Route, at: datetime) -> None:
        """Remember that the owner has confirmed what was found deleted until now."""
        ...

    async def note_reach(self, route: Route, oldest: datetime | None) -> None:
        """Remember how far back the source was compared; None for all of it."""
        ...

    async def edited(self, route: Route, posts: Sequence[Post]) -> tuple[Post, ...]:
        """Those of `posts`, just read, that are mirrored and show something else than they did."""
        ...

    async def absent(self, route: Route, posts: Sequence[Post], *, whole: bool = False) -> Absence:
        """Which mirrored posts a stretch of the source's timeline does not have.

        Only what is newer than the oldest of `posts` can be found absent, unless they are the
        `whole` timeline.
        """
        ...

    async def watches(self, route: Route, since: datetime | None, *, skipped: bool = False) -> bool:
        """Whether a post as new as `since` has a mirror that edits or deletions would concern.

        With `skipped`, also whether there is a skipped post that an edit may let cross.
        """
        ...

    async def rechecked_at(self, route: Route) -> datetime | None:
        """When `note_recheck` was last told of."""
        ...

    async def note_recheck(self, route: Route, at: datetime) -> None:
        """Remember when the source was last compared."""
        ...
