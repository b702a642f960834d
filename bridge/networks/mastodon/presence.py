"""Whether a post stands on the server: yes, surely not, or an error.

On this a deletion may follow, so nothing less than the server's own word counts. Must not change
anything.
"""

from __future__ import annotations

import contextlib
from collections.abc import Awaitable, Callable, Mapping

from bridge.core.errors import NetworkError, Refused
from bridge.core.model import AccountId, PostId
from bridge.networks.fields import id_at, mapping_at
from bridge.networks.mastodon.client import Client
from bridge.networks.mastodon.errors import GONE
from bridge.networks.mastodon.outcome import Outcome, read_outcome

_LISTED = 2
"""Own posts asked for to find one that stands: the newest may be the very one that just went."""

_LOOKED_THROUGH = 10
"""Own posts among which a boost is looked for that was made a moment ago."""


class Presence:
    """Looks up posts of one account. `whose` tells the account's id."""

    def __init__(self, client: Client, whose: Callable[[], Awaitable[AccountId]]) -> None:
        self._client = client
        self._whose = whose

    async def status(self, post: PostId) -> Mapping[str, object] | None:
        """A status of the account as it stands now; None where it surely stands no more.

        Raises `Refused` for somebody else's.
        """
        try:
            standing = await self._client.status(post)
        except NetworkError as error:
            if not await self.is_gone(error):
                raise
            return None
        author = id_at(mapping_at(standing, "account"), "id")
        if author is not None and author != await self._whose():
            raise Refused(f"{post} is not a post of this account")
        return standing

    async def boost_of(self, post: PostId) -> Outcome | None:
        """The account's boost of `post`, where it is among the newest that the server lists."""
        listed = await self._client.statuses(await self._whose(), limit=_LOOKED_THROUGH)
        found = (read_outcome(each) for each in listed)
        return next((one for one in found if one is not None and one.repeats == post), None)

    async def is_gone(self, error: NetworkError) -> bool:
        """Whether `error`, about one post, is the server's own word that it is not there.

        A page for 404 may be a proxy's, whose server is down or elsewhere, or be all that the
        server has to say. It is believed where the same question about a post that surely stands
        is answered.
        """
        if isinstance(error, Refused):
            return error.missing
        if error.status not in GONE:
            return False
        listed = await self._client.statuses(await self._whose(), limit=_LISTED)
        for each in (id_at(status, "id") for status in listed):
            if each is not None:
                with contextlib.suppress(NetworkError):
                    return id_at(await self._client.status(PostId(each)), "id") == each
        return False
