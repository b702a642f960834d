"""Stand-ins for ports, for the engine's tests: a clock that obeys, networks that misbehave."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

from bridge.core.capabilities import Capabilities
from bridge.core.draft import DraftPart
from bridge.core.errors import NetworkError, Refused
from bridge.core.model import (
    Account,
    AccountId,
    MediaId,
    Microdollars,
    Network,
    Post,
    PostId,
    ReplyRef,
    Visibility,
)
from bridge.core.prices import X_PRICES
from bridge.core.record import Cursor, Receipt
from bridge.core.text import Text
from bridge.ports import Baseline, Known, LocalMedia, Reading, Standing, Uploaded


@dataclass
class VirtualClock:
    """Time that moves only when told, or while somebody sleeps."""

    at: datetime = datetime(2026, 11, 22, 12, tzinfo=UTC)
    passed: float = 0.0

    def now(self) -> datetime:
        return self.at

    def monotonic(self) -> float:
        return self.passed

    async def sleep(self, seconds: float) -> None:
        self.pass_time(seconds)
        await asyncio.sleep(0)

    def pass_time(self, seconds: float) -> None:
        self.passed += seconds
        self.at += timedelta(seconds=seconds)


@dataclass
class PatientClock(VirtualClock):
    """Time that moves only when told, also for those who sleep in the background."""

    async def sleep(self, seconds: float) -> None:
        end = self.monotonic() + seconds
        while self.monotonic() < end:  # noqa: ASYNC110 - time passes between two awaits of a test
            await asyncio.sleep(0.001)


@dataclass
class FakeNetwork:
    """One account on a network that lives in memory, and does on order what real ones do by chance.

    `answers` are consumed one a publish: an error to raise before anything is done, or a pair
    ``(True, error)`` to do it and then raise.
    """

    network: Network
    clock: VirtualClock
    max_length: int = 280
    posts: list[Post] = field(default_factory=list)
    published: list[tuple[DraftPart, PostId | None, str]] = field(default_factory=list)
    answers: list[NetworkError | tuple[bool, NetworkError]] = field(default_factory=list)
    read_errors: list[NetworkError] = field(default_factory=list)
    hang: asyncio.Event | None = None
    reads: int = 0
    refuse_at: int | None = None
    """The count of publishes, from 1, at which one is refused for good."""
    _next: int = 100

    def write(
        self,
        text: str,
        *,
        visibility: Visibility = Visibility.PUBLIC,
        reply_to: PostId | None = None,
        by_other: bool = False,
        at: datetime | None = None,
        edit_of: Post | None = None,
    ) -> Post:
        """What the owner does in the network's own app."""
        self._next += 1
        me = AccountId("me")
        parent_author = AccountId("somebody") if by_other else me
        post = Post(
            network=self.network,
            id=PostId(f"{self.network.value}-{self._next}"),
            author=me,
            created_at=at or self.clock.now(),
            text=Text(text),
            visibility=visibility,
            in_reply_to=None if reply_to is None else ReplyRef(reply_to, parent_author),
        )
        post = replace(post, url=f"https://{self.network.value}.example/{post.id}")
        if edit_of is not None:
            post = replace(post, revisions=(*edit_of.ids, post.id), created_at=edit_of.created_at)
            self.posts.remove(edit_of)
        self.posts.append(post)
        return post

    async def account(self) -> Account:
        return Account(
            self.network, AccountId("me"), "me", f"https://{self.network.value}.example/@me"
        )

    async def baseline(self) -> Baseline:
        self._maybe_fail()
        if not self.posts:
            return Baseline(Cursor(), frozenset(), Microdollars(0))
        newest = self.posts[-1]
        cursor = Cursor(newest.id, newest.created_at, newest.created_at)
        return Baseline(cursor, frozenset(p.id for p in self.posts), Microdollars(0))

    async def read_after(self, cursor: Cursor, known: Known) -> Reading:
        self.reads += 1
        self._maybe_fail()
        ids = [post.id for post in self.posts]
        begin = ids.index(cursor.post) + 1 if cursor.post in ids else 0
        after = tuple(self.posts[begin:])
        seen = await known([post.id for post in after])
        return Reading(tuple(post for post in after if post.id not in seen))

    async def recent(self, since: datetime) -> Reading:
        self._maybe_fail()
        return Reading(tuple(post for post in self.posts if post.created_at >= since))

    async def window(self, limit: int) -> Reading:
        self._maybe_fail()
        return Reading(tuple(self.posts[-limit:]))

    async def look_up(self, post: PostId) -> Post | None:
        self._maybe_fail()
        return next((found for found in self.posts if post in found.ids), None)

    async def standing(self, post: PostId) -> Standing:
        found = await self.look_up(post)
        return Standing(found, gone=found is None)

    async def upload(self, medium: LocalMedia) -> Uploaded:
        raise Refused(f"no media yet: {medium.mime}")

    async def revise(
        self, target: PostId, part: DraftPart, *, media: Sequence[MediaId] = ()
    ) -> Receipt:
        raise Refused(f"no edits yet: {target} {part.index} {len(media)}")

    async def delete(self, target: PostId) -> Microdollars:
        raise Refused(f"no deletions yet: {target}")

    async def listen(self, wake: Callable[[], None]) -> None:
        return None

    async def capabilities(self) -> Capabilities:
        prices = X_PRICES if self.network is Network.X else None
        counting = "x" if self.network is Network.X else "mastodon"
        return Capabilities(self.network, counting, self.max_length, prices=prices)  # type: ignore[arg-type] # two literals

    async def publish(
        self,
        part: DraftPart,
        *,
        reply_to: PostId | None,
        key: str,
        media: Sequence[MediaId] = (),
    ) -> Receipt:
        del media
        if self.hang is not None:
            await self.hang.wait()
        if self.refuse_at == len(self.published) + 1:
            self.refuse_at = None
            raise Refused("HTTP 403: not permitted", status=403)
        answer = self.answers.pop(0) if self.answers else None
        if isinstance(answer, NetworkError):
            raise answer
        self.published.append((part, reply_to, key))
        post = self.write(part.text, reply_to=reply_to, visibility=part.visibility)
        if answer is not None:
            raise answer[1]
        return Receipt(post.id, post.url, part.price)

    async def close(self) -> None:
        return None

    def _maybe_fail(self) -> None:
        if self.read_errors:
            raise self.read_errors.pop(0)
