"""Finding what stands on both sides: what both routes of a bridge have read lately.

What the ledger knows by fingerprint is known for ever; what only a comparison of texts can tell is
known of the posts read lately, whose texts are kept in memory and nowhere else. Must not judge:
`core.twins` does, and `intake` acts on it.
"""

from __future__ import annotations

from collections import defaultdict, deque
from datetime import timedelta

from bridge.core.crossposters import OWN_NAME
from bridge.core.draft import Draft
from bridge.core.fingerprint import Match, canonical, compared
from bridge.core.model import BridgeName, Direction, Post, PostId, Route
from bridge.core.text import Text
from bridge.core.twins import Sighting, Twin, likely, sighting, twin
from bridge.ports import Ledger

MOST = 100
"""So many posts a route are remembered; who writes more in two days is not found by likeness."""


class Desk:
    """What both routes of one bridge judge their posts by, one post at a time.

    Were both to judge at once, each would find the other side empty, and both would mirror: the
    turn of the bridge is held from the question to the record.
    """

    def __init__(self) -> None:
        self._seen: defaultdict[Direction, deque[Sighting]] = defaultdict(
            lambda: deque(maxlen=MOST)
        )
        self.applications = {OWN_NAME}
        """By which our own mirrors go, where a network tells what wrote a post."""
        self._applications: dict[PostId, str] = {}

    async def twin_of(self, post: Post, route: Route, ledger: Ledger) -> Twin | None:
        """The post of the other side that is the same as `post`, or may be; None for none."""
        seen = sighting(post)
        if seen is None:
            return None
        matches = likely(seen, reversed(self._seen[route.direction.reverse]))
        return twin(seen, await ledger.counterparts(route, post, matches.keys()), matches)

    def pieces(self, draft: Draft, post: Post, route: Route) -> dict[int, PostId]:
        """Which posts of the other side are, word for word, the parts of a thread made of `post`.

        Written since it was, so that they are its mirror: one that the ledger has forgotten, if an
        older copy of it was put back.
        """
        if len(draft.parts) == 1:
            return {}
        since = post.created_at - timedelta(minutes=15)
        seen = [one for one in self._seen[route.direction.reverse] if one.at >= since]
        said = {part.index: canonical(Text(part.text)) for part in draft.parts}
        return {
            index: one.id
            for index, what in said.items()
            for one in seen
            if compared(what, one.what) is Match.EXACT
        }

    def note(self, post: Post, route: Route) -> None:
        """Remember what `post` says, now that it is recorded. Not for mirrors made here."""
        seen = sighting(post)
        if seen is not None:
            self._seen[route.direction].append(seen)
        if post.application:
            self._applications[post.id] = post.application
            while len(self._applications) > MOST:
                del self._applications[next(iter(self._applications))]

    def is_ours(self, post: PostId) -> bool:
        """Whether a post that was noted lately was written with the application of our mirrors."""
        return self._applications.get(post) in self.applications


class Desks:
    """The desk of every bridge."""

    def __init__(self) -> None:
        self._desks: defaultdict[BridgeName, Desk] = defaultdict(Desk)

    def of(self, route: Route) -> Desk:
        """The one that `route` shares with its reverse."""
        return self._desks[route.bridge]
