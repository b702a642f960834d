"""What authors typed, asked for once a version of a post and never where there is nothing to get.

Remembers a few hundred texts, so that a window that is read again and again asks for what is new
in it. Must not parse anything.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from bridge.core.errors import NetworkError
from bridge.core.model import Post, PostId
from bridge.networks.mastodon.client import Client
from bridge.networks.mastodon.errors import is_a_no

log = logging.getLogger(__name__)

REMEMBERED = 200
"""Texts kept."""

_LARGEST = 64 * 1024
"""Characters of a text that is kept; a longer one is asked for again."""

_IN_VAIN = 3
"""Refusals in a row, for as many posts, after which a server has no such thing."""

_ASKED_AGAIN_AFTER = 24 * 3600.0

Typed = Mapping[str, object]


@dataclass(slots=True)
class Sources:
    """The answers of ``GET /statuses/:id/source`` of one account."""

    _texts: dict[tuple[PostId, datetime | None], Typed] = field(default_factory=dict)
    _refused: set[PostId] = field(default_factory=set)
    _not_before: float | None = None

    async def of(self, post: Post, client: Client, now: float) -> Typed | None:
        """What `post` was typed as; None where that cannot be had. `now` is monotonic.

        Raises `NetworkError`s that are no refusals: the HTML says the same, less exactly.
        """
        version = (post.id, post.edited_at)
        if version in self._texts:
            return self._texts[version]
        if self._not_before is not None and now < self._not_before:
            return None
        try:
            source = await client.source(post.id)
        except NetworkError as error:
            if not is_a_no(error):
                raise
            log.debug("no source for post %s: %s", post.id, error)
            self._refusal(post.id, now)
            return None
        self._refused.clear()
        self._keep(version, source)
        return source

    def _refusal(self, post: PostId, now: float) -> None:
        """One refusal may be about one post; several in a row are about the server."""
        self._refused.add(post)
        if len(self._refused) >= _IN_VAIN:
            self._refused.clear()
            self._not_before = now + _ASKED_AGAIN_AFTER

    def _keep(self, version: tuple[PostId, datetime | None], source: Typed) -> None:
        if len(str(source.get("text", ""))) > _LARGEST:
            return
        self._texts[version] = {
            key: source[key] for key in ("id", "text", "content_type") if key in source
        }
        while len(self._texts) > REMEMBERED:
            del self._texts[next(iter(self._texts))]
