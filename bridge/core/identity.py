"""Whose account it is: what the ledger keeps of it, and what shows that it is still the same one.

Pure. Must not ask a network, and must not decide what follows.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Protocol
from urllib.parse import urlsplit

from bridge.core.address import X_HOSTS
from bridge.core.model import Account, AccountId, BridgeName, Network, Post, PostId, Route

EXACT = timedelta(seconds=1)
"""How far two tellings of one creation time may differ; networks round it."""

_LONGEST = 200
_DEFAULT_PORTS = {"http": 80, "https": 443}
_NOBODY = "i"
"""What stands in the place of a handle in an address on X that names none."""


@dataclass(frozen=True, slots=True)
class Identity:
    """One account. `server` is the host of its address, by its network's own word."""

    id: AccountId
    server: str
    handle: str
    created_at: datetime | None = None

    def __str__(self) -> str:
        """For people."""
        return f"@{self.handle} (account {self.id} on {self.server})"


@dataclass(frozen=True, slots=True)
class Trace:
    """A post of the account that the ledger knows of, be it written there or a mirror.

    It was created at `at`, give or take `slack`; None where that is not known.
    """

    id: PostId
    url: str | None = None
    at: datetime | None = None
    slack: timedelta = EXACT


@dataclass(frozen=True, slots=True)
class Rebound:
    """What became of a bridge that was told to start over: `aside` is what it is called now.

    `posts` are kept under that name; `unsent` parts of theirs are not sent any more.
    """

    aside: BridgeName
    posts: int
    unsent: int


class IdentitiesView(Protocol):
    """What the ledger knows of the accounts of a bridge, for those who only look."""

    async def identity(self, bridge: BridgeName, network: Network) -> Identity | None:
        """The account that `bridge` has on `network`; None before their first contact."""
        ...

    async def traces(self, bridge: BridgeName, network: Network) -> tuple[Trace, ...]:
        """Some posts that `bridge` read from, or made on, `network`, newest first."""
        ...


class Identities(IdentitiesView, Protocol):
    """For the daemon and for its owner's word."""

    async def note_identity(
        self, bridge: BridgeName, network: Network, found: Identity, now: datetime
    ) -> None:
        """Remember whose account it is, instead of what was known."""
        ...

    async def rebind(self, bridge: BridgeName, now: datetime) -> Rebound:
        """Keep all that is known of `bridge` under another name, and let it start over.

        The accounts signed in next are its accounts. Nothing that is written before its next pass
        is mirrored, and nothing that was mirrored before is sent, edited or deleted any more.
        """
        ...

    async def is_rebound(self, route: Route) -> bool:
        """Whether `route` was told to start over with other accounts."""
        ...


def identity_of(account: Account) -> Identity:
    """What is kept of an account as its network tells it."""
    return Identity(
        AccountId(_printable(account.id)),
        _printable(server_of(account.url)),
        _printable(account.handle),
        account.created_at,
    )


def server_of(address: str | None) -> str:
    """The server behind an address: its host, with the port unless that is the usual one.

    Spellings of one host are the same server, and so are the names of X.
    """
    try:
        parts = urlsplit(address or "")
        host, port = (parts.hostname or "").rstrip("."), parts.port
    except ValueError:
        return ""
    if host in X_HOSTS:
        return "x.com"
    host = host.removeprefix("www.")
    return host if port in {None, _DEFAULT_PORTS.get(parts.scheme)} else f"{host}:{port}"


def is_the_same(known: Identity, found: Identity) -> bool:
    """Whether both are one account, by what they say themselves; its handle may be another.

    Small ids occur on every server. Under another address it is the same only if it was created at
    the very same time, under the same name; a mere date is no such time.
    """
    if known.id != found.id:
        return False
    if known.server == found.server:
        return True
    return (
        known.created_at is not None
        and known.created_at.time() != time.min
        and known.created_at == found.created_at
        and known.handle.casefold() == found.handle.casefold()
    )


def shows(trace: Trace, post: Post | None, account: AccountId, *, server_is_known: bool) -> bool:
    """Whether `post`, asked for by the id of `trace`, shows that the account wrote that very one.

    Another server may have a post of the same id, of an account of the same id: there only the time
    at which it was written shows anything.
    """
    if post is None or post.author != account:
        return False
    if trace.at is None:
        return server_is_known
    return abs(post.created_at - trace.at) <= trace.slack


def fits_addresses(traces: Sequence[Trace], found: Identity) -> bool:
    """Whether an address that the ledger knows is one of this account's; true where none tells.

    One is enough: the address of a boost may be that of the post that was boosted.
    """
    told = [(_name_in(trace.url), server_of(trace.url)) for trace in traces if trace.url]
    named = [each for each in told if each[0] is not None]
    own = found.handle.partition("@")[0].casefold()
    if named:
        return any(name.casefold() == own and at == found.server for name, at in named if name)
    return not told or any(at == found.server for _, at in told)


def _name_in(address: str | None) -> str | None:
    """The account that the address of a post names, without ``@``; None for none."""
    try:
        steps = [step for step in urlsplit(address or "").path.split("/") if step]
    except ValueError:
        return None
    for before, step in zip(["", *steps], steps, strict=False):
        if step.startswith("@"):
            return step[1:].partition("@")[0]
        if before == "users":
            return step
        if step in {"status", "statuses"} and before not in {"", _NOBODY, "web"}:
            return before
    return None


def _printable(text: str) -> str:
    """Text of a network's that goes into messages: on one line, of a bounded length."""
    return "".join(each for each in text if each.isprintable())[:_LONGEST]
