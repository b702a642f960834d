"""Walking through one's own timeline, newest first, in the vocabulary that the server speaks.

So is looking up one post. Answers are raw JSON objects, for `normalise`. Must not decide which
posts are new.
"""

from __future__ import annotations

import logging
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from dataclasses import replace
from datetime import date
from functools import partial
from urllib.parse import quote

from bridge.core.errors import Refused, Transient
from bridge.core.model import AccountId, PostId
from bridge.core.redaction import Redactor
from bridge.networks.fields import id_at, list_at, mapping_at, number_at, text_at
from bridge.networks.x import ids
from bridge.networks.x.client import AnswerTooLarge, XClient, problem_in_success
from bridge.networks.x.dialects import items_of, missing_everywhere
from bridge.networks.x.query import (
    DECISIVE,
    POST,
    SMALLEST_PAGE,
    TWEET,
    Dialect,
    Stretch,
    other,
    parameters,
    single,
)
from bridge.networks.x.settings import DialectName
from bridge.ports import Clock

log = logging.getLogger(__name__)

MAX_PAGES = 2000
"""More than the 3,200 posts that X gives at most would fill, at the smallest page size."""

_NOT_UNDERSTOOD = 400


class Timeline:
    """The own timeline of one account.

    With the dialect ``auto`` the newer one is tried first. Where a page shows that it was not
    understood, the same page is asked for in the other one, and whichever says more is kept.
    """

    def __init__(self, client: XClient, clock: Clock, dialect: DialectName) -> None:
        self._client = client
        self._clock = clock
        self._dialect = TWEET if dialect == "tweet" else POST
        self._auto = dialect == "auto"
        self._neither_on: date | None = None
        self._warned: frozenset[str] = frozenset()

    async def pages(
        self, owner: AccountId, stretch: Stretch
    ) -> AsyncGenerator[Mapping[str, object], None]:
        """Every page of `stretch`, newest first. Raises `NetworkError`s, never `InDoubt`."""
        token: str | None = None
        seen: set[str] = set()
        for _ in range(MAX_PAGES):
            try:
                payload = await self._understood(partial(self._page, owner, stretch, token))
            except AnswerTooLarge:
                if stretch.page_size == SMALLEST_PAGE:
                    raise
                stretch = replace(stretch, page_size=SMALLEST_PAGE)
                continue
            if not _heeds(payload, stretch.until_id):
                return
            yield payload
            token = text_at(mapping_at(payload, "meta"), "next_token") or None
            if token is None:
                below = _below(payload, stretch)
                if below is None:
                    return
                stretch = replace(stretch, until_id=below)
                continue
            if token in seen:
                break
            seen.add(token)
        raise Transient("the timeline's pages do not come to an end")

    async def single(self, post: PostId) -> Mapping[str, object]:
        """The answer to a look-up of one post, whatever it says. Raises `NetworkError`s.

        That X has no such post is told by `errors.says_gone`, or by a `Refused` that is `missing`.
        """
        path = f"/2/tweets/{quote(post, safe='')}"
        return await self._understood(lambda dialect: self._client.read(path, single(dialect)))

    async def _understood(
        self, ask: Callable[[Dialect], Awaitable[Mapping[str, object]]]
    ) -> Mapping[str, object]:
        dialect = self._dialect
        try:
            payload = await ask(dialect)
        except (Refused, Transient) as refused:
            second = await self._second_opinion(ask, refused)
            if second is None:
                raise
            return self._kept(other(dialect), second)
        missing = missing_everywhere(payload, dialect.telling)
        if missing & DECISIVE:
            second = await self._second_opinion(ask, None)
            if second is not None:
                missing_there = missing_everywhere(second, other(dialect).telling)
                if len(missing_there & DECISIVE) < len(missing & DECISIVE):
                    return self._kept(other(dialect), second)
                self._neither_on = self._clock.now().date()
        return self._kept(dialect, payload)

    def _kept(self, dialect: Dialect, payload: Mapping[str, object]) -> Mapping[str, object]:
        """Stay with `dialect`; say once what it does not bring."""
        if dialect is not self._dialect:
            log.info("X answers to the %s dialect; it is used from now on", dialect.name)
        self._dialect = dialect
        missing = missing_everywhere(payload, dialect.telling) - self._warned
        if missing:
            self._warned |= missing
            log.warning(
                "X left out requested fields from a whole page (%s dialect): %s",
                dialect.name,
                ", ".join(sorted(missing)),
            )
        return payload

    async def _second_opinion(
        self,
        ask: Callable[[Dialect], Awaitable[Mapping[str, object]]],
        refused: Refused | Transient | None,
    ) -> Mapping[str, object] | None:
        """The same in the other dialect; None where it is not to be had.

        Once neither has served, it is not tried again that day: the posts would be billed anew.
        """
        in_vain = self._neither_on == self._clock.now().date()
        if not self._auto or in_vain or (refused and refused.status != _NOT_UNDERSTOOD):
            return None
        try:
            return await ask(other(self._dialect))
        except Refused:
            self._neither_on = self._clock.now().date()
            return None

    def redactor(self) -> Redactor:
        """What no message about an answer may quote."""
        return self._client.redactor()

    async def _page(
        self, owner: AccountId, stretch: Stretch, token: str | None, dialect: Dialect
    ) -> Mapping[str, object]:
        path = f"/2/users/{quote(owner, safe='')}/tweets"
        payload = await self._client.read(path, parameters(dialect, stretch, token))
        problem = problem_in_success(payload, self.redactor())
        if problem is not None:
            raise problem
        # Taking anything else for an empty timeline would make a first pass flood.
        # After a known post an object without a word is harmless: the cursor stays where it is.
        silent = not payload and stretch.since_id is not None
        if not (list_at(payload, "data") or silent or _says_that_it_is_empty(payload)):
            raise Transient("HTTP 200: the answer is not a page of a timeline")
        return payload


def _below(payload: Mapping[str, object], stretch: Stretch) -> str | None:
    """From where to go on after a full page that does not say whether more follow."""
    if len(list_at(payload, "data")) < stretch.page_size:
        return None
    lowest, before = min(_numbers(payload), default=None), ids.number(stretch.until_id)
    if lowest is None or (before is not None and lowest >= before):
        return None
    return str(lowest)


def _heeds(payload: Mapping[str, object], until: str | None) -> bool:
    """Whether a page lies below `until`, which some take to be included.

    One that does not is the newest page once more.
    """
    bound = ids.number(until)
    return bound is None or all(value <= bound for value in _numbers(payload))


def _numbers(payload: Mapping[str, object]) -> list[int]:
    found = (ids.number(id_at(item, "id")) for item in items_of(payload))
    return [value for value in found if value is not None]


def _says_that_it_is_empty(payload: Mapping[str, object]) -> bool:
    """X leaves `data` out and counts nothing; others send an empty list."""
    counted = number_at(mapping_at(payload, "meta"), "result_count")
    return "meta" in payload and not counted and payload.get("data", []) == []
