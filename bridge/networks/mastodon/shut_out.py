"""Whether a refusal is about the account as a whole: moved away, suspended, disabled or limited.

Asks the server about the account, and nothing else. Must not change anything.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from http import HTTPStatus

from bridge.core.errors import Barred, NetworkError, Refused
from bridge.core.model import AccountId
from bridge.core.redaction import Redactor
from bridge.networks.fields import flag_at, mapping_at, text_at
from bridge.networks.mastodon.client import Client
from bridge.networks.outside import from_outside

_MAY_BE_ABOUT_IT = frozenset((HTTPStatus.FORBIDDEN, HTTPStatus.UNPROCESSABLE_ENTITY))
_LONGEST_HANDLE = 100
_AFTERWARDS = "then: twinpost sync-now"


class ShutOut:
    """Explains the refusals of one account's server. `whose` tells the account's id."""

    def __init__(
        self, client: Client, whose: Callable[[], Awaitable[AccountId]], redact: Redactor
    ) -> None:
        self._client = client
        self._whose = whose
        self._redact = redact

    async def explained(self, error: NetworkError) -> NetworkError:
        """`error`, or in its place what the account's own record says against every post."""
        about_the_post = isinstance(error, Refused) and (error.missing or error.duplicate)
        if error.status not in _MAY_BE_ABOUT_IT or about_the_post:
            return error
        forbidden = error.status == HTTPStatus.FORBIDDEN
        why = _why(await self._record(), self._redact, forbidden=forbidden)
        return Barred(f"{error.detail} ({why})", status=error.status) if why else error

    async def _record(self) -> Mapping[str, object]:
        """The account as the server shows it; Mastodon shows a moved one but not to itself."""
        try:
            return await self._client.verify_credentials()
        except NetworkError:
            try:
                return await self._client.account(await self._whose())
            except NetworkError:
                return {}


def _why(account: Mapping[str, object], redact: Redactor, *, forbidden: bool) -> str:
    """Why the account may not post, and what its owner can do; empty where nothing says so."""
    moved = mapping_at(account, "moved")
    if moved:
        told = text_at(moved, "acct") or text_at(moved, "url")
        handle = from_outside(told, _LONGEST_HANDLE, redact)
        return (
            f"this account was moved to {handle or 'another one'} and can no longer post: mirror "
            "to the new account under a new bridge name, or cancel the redirect in the account's "
            f"settings, {_AFTERWARDS}"
        )
    if flag_at(account, "suspended"):
        return f"the server has suspended this account: appeal there, {_AFTERWARDS}"
    if forbidden and flag_at(account, "limited"):
        return f"the server's moderators have limited this account: ask them, {_AFTERWARDS}"
    return ""
