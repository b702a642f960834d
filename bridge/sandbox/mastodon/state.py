"""What is on the server: accounts, posts and who follows whom, in memory and bounded.

Keeps order and consistency (ids, timelines, replies of deleted posts) and tells listeners. Must
not judge whether something may be posted, and knows no JSON, HTML or HTTP.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime
from itertools import islice

from bridge.sandbox.clock import SandboxClock
from bridge.sandbox.mastodon.ids import IdMaker, SortKey
from bridge.sandbox.mastodon.records import Change, MastodonAccount, Scheduled, Status

MAX_STATUSES = 100_000
"""Posts kept; beyond it the oldest posts made are forgotten, without any notice."""

REBLOG_FALLOFF = 40
"""How near to the top of the home feed a post must stand so that its boost is left out."""

OWN_NAMES = frozenset({"localhost", "127.0.0.1"})

Listener = Callable[[Change], None]


class State:
    """The server's memory. One thread; every change is seen by listeners when it is done."""

    def __init__(self, clock: SandboxClock, ids: IdMaker) -> None:
        self._clock = clock
        self._ids = ids
        self._accounts: dict[str, MastodonAccount] = {}
        self._names: dict[str, str] = {}
        self._follows: set[tuple[str, str]] = set()
        self._listeners: list[Listener] = []
        self._statuses: dict[str, Status] = {}
        self._timelines: dict[str, list[tuple[SortKey, str]]] = {}
        self._keys: dict[str, SortKey] = {}
        self._referring: dict[str, list[str]] = {}
        self._made = 0
        self.conditions: dict[str, tuple[str, MastodonAccount | None]] = {}
        self.scheduled: dict[str, Scheduled] = {}

    def clear(self) -> None:
        """Forget every post. Accounts, and who follows whom, stay."""
        self._statuses.clear()
        self._timelines.clear()
        self._keys.clear()
        self._referring.clear()
        self.scheduled.clear()

    def new_id(self, moment: datetime | None = None) -> str:
        """A new id of this server's kind."""
        return self._ids.make(moment or self._clock.now())

    def subscribe(self, listener: Listener) -> Callable[[], None]:
        """Call `listener` on every change of a post; the returned function ends it."""
        self._listeners.append(listener)

        def end() -> None:
            if listener in self._listeners:
                self._listeners.remove(listener)

        return end

    # Accounts

    def add_account(self, account: MastodonAccount) -> None:
        """Take `account` in. Raises `ValueError` where its name is taken."""
        if account.acct.lower() in self._names:
            raise ValueError(f"there is an account {account.acct} already")
        self._accounts[account.id] = account
        self._names[account.acct.lower()] = account.id

    def shut_out(self, account_id: str, how: str, moved_to: MastodonAccount | None = None) -> None:
        """Have an account be ``moved``, ``suspended``, ``disabled`` or ``limited``; "" for none."""
        self.conditions[account_id] = (how, moved_to)

    def condition(self, account_id: str) -> tuple[str, MastodonAccount | None]:
        """What `shut_out` was told last of an account."""
        return self.conditions.get(account_id, ("", None))

    def account(self, account_id: str) -> MastodonAccount | None:
        """The account with this id."""
        return self._accounts.get(account_id)

    def account_named(self, acct: str) -> MastodonAccount | None:
        """The account `name` or `name@host`, in any case."""
        return self._accounts.get(self._names.get(acct.lower(), ""))

    def resolve(self, handle: str) -> MastodonAccount | None:
        """Whom `name` or `name@host` in a text means; this server's own name may be spelt out."""
        name, _, host = handle.partition("@")
        return self.account_named(name if host.lower() in {"", *OWN_NAMES} else handle)

    def accounts(self) -> tuple[MastodonAccount, ...]:
        """Every account, in the order they were added."""
        return tuple(self._accounts.values())

    def follow(self, follower: str, followed: str) -> None:
        """Let one account follow another: its posts reach the follower's home feed."""
        self._follows.add((follower, followed))

    def follows(self, follower: str, followed: str) -> bool:
        """Whether one account follows another."""
        return (follower, followed) in self._follows

    def followers(self, followed: str) -> int:
        """How many local accounts follow this one."""
        return sum(1 for pair in self._follows if pair[1] == followed)

    # Posts

    def get(self, status_id: str) -> Status | None:
        """The post with this id, whoever may see it."""
        return self._statuses.get(status_id)

    def visible(self, status_id: str, viewer: str | None) -> Status | None:
        """The post with this id if the account `viewer` (None: anybody) may see it."""
        status = self._statuses.get(status_id)
        return status if status is not None and self.can_see(status, viewer) else None

    def can_see(self, status: Status, viewer: str | None) -> bool:
        """Whether `viewer` may see `status`."""
        if status.visibility in {"public", "unlisted"} or viewer == status.account_id:
            return True
        if viewer is None:
            return False
        if viewer in status.mentions:
            return True
        return status.visibility == "private" and self.follows(viewer, status.account_id)

    def add(self, status: Status) -> None:
        """Take a new post in, at the place of its account's timeline that its id or time gives."""
        self._made += 1
        key = self._ids.sort_key(status.id, status.created_at, self._made)
        streamed = self._is_streamed(status)
        self._statuses[status.id] = status
        self._keys[status.id] = key
        insort(self._timelines.setdefault(status.account_id, []), (key, status.id))
        for other in (status.in_reply_to_id, status.reblog_of, status.quote_of):
            if other is not None:
                self._referring.setdefault(other, []).append(status.id)
        if len(self._statuses) > MAX_STATUSES:
            self._forget(next(iter(self._statuses)))
        self._tell(Change("update", status, streamed=streamed))

    def update(self, status: Status, *, quietly: bool = False) -> None:
        """Put a changed post in the place of the one with its id."""
        self._statuses[status.id] = status
        if not quietly:
            self._tell(Change("status.update", status))

    def remove(self, status_id: str) -> Status | None:
        """Delete a post and its boosts; replies to it lose their parent. None if there is none."""
        status = self._statuses.get(status_id)
        if status is None:
            return None
        referring = self._referring.get(status_id, ())
        self._forget(status_id)
        for other_id in referring:
            other = self._statuses.get(other_id)
            if other is None:
                continue
            if other.reblog_of == status_id:
                self.remove(other_id)
            elif other.in_reply_to_id == status_id:
                self._statuses[other_id] = replace(other, in_reply_to_id=None)
        self._tell(Change("delete", status))
        return status

    def referring(self, status_id: str) -> Iterator[Status]:
        """Replies to a post, boosts and quotes of it."""
        for other_id in self._referring.get(status_id, ()):
            other = self._statuses.get(other_id)
            if other is not None:
                yield other

    def count(self, account_id: str) -> int:
        """How many posts an account has."""
        return len(self._timelines.get(account_id, ()))

    def newest_first(self, account_id: str, below: SortKey | None = None) -> Iterator[Status]:
        """An account's posts, newest first, beginning below the place `below`."""
        line = self._timelines.get(account_id, [])
        start = len(line) if below is None else bisect_left(line, (below, ""))
        for index in range(start - 1, -1, -1):
            yield self._statuses[line[index][1]]

    def oldest_first(self, account_id: str, above: SortKey) -> Iterator[Status]:
        """An account's posts above the place `above`, the next one first."""
        line = self._timelines.get(account_id, [])
        for index in range(bisect_left(line, (above, "")), len(line)):
            if line[index][0] > above:
                yield self._statuses[line[index][1]]

    def place(self, cursor: str) -> SortKey | None:
        """Where the id `cursor` stands in a timeline; None for an id that has no place here."""
        return self._keys.get(cursor)

    def cursor(self, given: str) -> SortKey:
        """Where `given` would stand, for servers whose ids have an order."""
        return self._ids.cursor(given)

    def _is_streamed(self, status: Status) -> bool:
        if status.reblog_of is None:
            return True
        return not any(
            status.reblog_of in {near.id, near.reblog_of}
            for near in islice(self.newest_first(status.account_id), REBLOG_FALLOFF)
        )

    def _forget(self, status_id: str) -> None:
        status = self._statuses.pop(status_id)
        line = self._timelines[status.account_id]
        index = bisect_left(line, (self._keys.pop(status_id), status_id))
        del line[index]
        self._referring.pop(status_id, None)

    def _tell(self, change: Change) -> None:
        for listener in tuple(self._listeners):
            listener(change)
