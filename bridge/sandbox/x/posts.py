"""Posts of the X sandbox: what stands, in which order, under which ids.

Keeps and orders; must not judge what may be posted, nor know any spelling of an answer.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from bridge.sandbox.clock import SandboxClock
from bridge.sandbox.x.accounts import XAccount
from bridge.sandbox.x.rendering import Rendering
from bridge.sandbox.x.uploads import Medium

EDIT_WINDOW = timedelta(hours=1)
MAX_EDITS = 5
DUPLICATE_WINDOW = timedelta(hours=24)
"""X publishes no figure; a day is the cautious reading of "recently"."""

MAX_POSTS = 50_000
"""Posts kept of one account; beyond, the oldest are forgotten without a word."""

_SNOWFLAKE_EPOCH = datetime.fromtimestamp(0, UTC) + timedelta(milliseconds=1_288_834_974_657)
_SEQUENCE = 1 << 22


@dataclass(frozen=True, slots=True)
class XPoll:
    """A poll that a person adds to a post: 2 to 4 options of 1 to 25 characters.

    `votes` are how often each is chosen from the start; nobody votes here later. Empty for never.
    """

    options: tuple[str, ...]
    duration_minutes: int = 1440
    votes: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class StoredPoll:
    """A poll as it was asked, one number of votes an option. `id` is digits."""

    id: str
    options: tuple[str, ...]
    duration_minutes: int
    votes: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class StoredPost:
    """One version of one post.

    `text` is what its author wrote; `rendering` what the API shows. `versions` are the ids of its
    earlier versions, oldest first, without its own. `conversation_id` is the id of the thread's
    first post. `in_reply_to_user_id` is kept beside `reply_to`, since the parent may go.
    """

    id: str
    author: XAccount
    text: str
    rendering: Rendering
    created_at: datetime
    first_created_at: datetime
    conversation_id: str
    versions: tuple[str, ...] = ()
    reply_to: str | None = None
    in_reply_to_user_id: str | None = None
    quote: str | None = None
    repost_of: str | None = None
    media: tuple[Medium, ...] = ()
    poll: StoredPoll | None = None
    community_id: str | None = None
    reply_settings: str = "everyone"
    lang: str = "und"

    @property
    def url(self) -> str:
        """Where a browser finds it."""
        return f"{self.author.url}/status/{self.id}"

    @property
    def editable_until(self) -> datetime:
        """The end of the hour in which X lets its author edit it."""
        return self.first_created_at + EDIT_WINDOW

    @property
    def edits_remaining(self) -> int:
        """How many edits are left."""
        return max(0, MAX_EDITS - len(self.versions))

    @property
    def sensitive(self) -> bool:
        """Whether its author warns of any medium in it."""
        return any(medium.sensitive for medium in self.media)

    @property
    def may_be_edited(self) -> bool:
        """Whether X offers edits for this kind of post at all."""
        return self.poll is None and self.repost_of is None


class ChangeKind(StrEnum):
    """What happened to a post."""

    CREATED = "created"
    EDITED = "edited"
    DELETED = "deleted"


@dataclass(frozen=True, slots=True)
class XChange:
    """What a subscriber hears: the post as it stands, or stood."""

    kind: ChangeKind
    post: StoredPost


class Posts:
    """Every post, by id and by author. Ids are snowflakes: their order is that of their times."""

    def __init__(self, clock: SandboxClock) -> None:
        self._clock = clock
        self._posts: dict[str, StoredPost] = {}
        self._latest: dict[str, str] = {}
        self._timelines: dict[str, list[int]] = {}
        self._recent: dict[tuple[str, str], list[str]] = {}
        self._reposts: dict[str, dict[str, str]] = {}
        self._listeners: list[Callable[[XChange], None]] = []
        self._sequence = 0

    def reset(self) -> None:
        """Forget every post; listeners stay."""
        for kept in (self._posts, self._latest, self._timelines, self._recent, self._reposts):
            kept.clear()

    def subscribe(self, listener: Callable[[XChange], None]) -> Callable[[], None]:
        """Call `listener` at every change; returns what ends that."""
        self._listeners.append(listener)

        def stop() -> None:
            if listener in self._listeners:
                self._listeners.remove(listener)

        return stop

    def new_id(self, at: datetime) -> str:
        """A fresh id that belongs to the time `at`. Raises `ValueError` for one before X was."""
        self._sequence = (self._sequence + 1) % _SEQUENCE
        return str(first_id_at(at) + self._sequence)

    def add(self, post: StoredPost) -> None:
        """Keep `post`; one with `versions` takes the place of the latest of them."""
        self._posts[post.id] = post
        timeline = self._timelines.setdefault(post.author.id, [])
        for version in post.versions:
            self._latest[version] = post.id
        if post.versions:
            _discard(timeline, int(post.versions[-1]))
        self._latest[post.id] = post.id
        insort(timeline, int(post.id))
        self._recent.setdefault((post.author.id, post.text), []).append(post.id)
        original = self._posts.get(post.repost_of) if post.repost_of else None
        if original is not None:
            self._reposts.setdefault(_first_id(original), {})[post.author.id] = post.id
        if len(timeline) > MAX_POSTS:
            self._forget(self._posts[str(timeline[0])])
        self._tell(ChangeKind.EDITED if post.versions else ChangeKind.CREATED, post)

    def remove(self, post_id: str) -> StoredPost | None:
        """Remove a post with all its versions and reposts, whichever of its ids is given."""
        latest = self.latest(post_id)
        if latest is None:
            return None
        for repost in tuple(self._reposts.get(_first_id(latest), {}).values()):
            self.remove(repost)
        self._forget(latest)
        self._tell(ChangeKind.DELETED, latest)
        return latest

    def repost_by(self, account_id: str, original: StoredPost) -> StoredPost | None:
        """The repost that an account has made of a post, whichever version of it is given."""
        found = self._reposts.get(_first_id(original), {}).get(account_id)
        return None if found is None else self._posts[found]

    def get(self, post_id: str) -> StoredPost | None:
        """The very version that has this id."""
        return self._posts.get(post_id)

    def latest(self, post_id: str) -> StoredPost | None:
        """The newest version of the post that one of whose ids this is."""
        newest = self._latest.get(post_id)
        return self._posts[newest] if newest is not None else None

    def chain(self, post: StoredPost) -> list[str]:
        """The ids of all versions of `post`, which stands, later ones included, oldest first."""
        latest = self.latest(post.id) or post
        return [*latest.versions, latest.id]

    def newest_first(
        self,
        account_id: str,
        *,
        since: int | None = None,
        until: int | None = None,
        reach: int | None = None,
    ) -> Iterator[StoredPost]:
        """An account's posts, latest versions only, with `since` < id < `until`.

        Only the newest `reach` posts are looked at, where that is given.
        """
        timeline = self._timelines.get(account_id, [])
        first = 0 if since is None else bisect_left(timeline, since + 1)
        if reach is not None:
            first = max(first, len(timeline) - reach)
        end = len(timeline) if until is None else bisect_left(timeline, until)
        return (self._posts[str(timeline[index])] for index in range(end - 1, first - 1, -1))

    def count(self, account_id: str) -> int:
        """How many posts of an account stand."""
        return len(self._timelines.get(account_id, ()))

    def repeats(self, author: XAccount, text: str, *, besides: tuple[str, ...] = ()) -> bool:
        """Whether `author` has posted this very text recently, and it still stands."""
        after = self._clock.now() - DUPLICATE_WINDOW
        same = self._recent.get((author.id, text), ())
        return any(
            self._posts[post_id].created_at > after for post_id in same if post_id not in besides
        )

    def _forget(self, latest: StoredPost) -> None:
        for version in (*latest.versions, latest.id):
            gone = self._posts.pop(version)
            self._latest.pop(version)
            same = self._recent[gone.author.id, gone.text]
            same.remove(version)
            if not same:
                del self._recent[gone.author.id, gone.text]
        _discard(self._timelines[latest.author.id], int(latest.id))
        self._reposts.pop(_first_id(latest), None)
        original = self._posts.get(latest.repost_of) if latest.repost_of else None
        if original is not None:
            self._reposts.get(_first_id(original), {}).pop(latest.author.id, None)

    def _tell(self, kind: ChangeKind, post: StoredPost) -> None:
        for listener in tuple(self._listeners):
            listener(XChange(kind, post))


def first_id_at(moment: datetime) -> int:
    """The lowest id that belongs to `moment` or later. Raises `ValueError` before X had any."""
    milliseconds = (moment - _SNOWFLAKE_EPOCH) // timedelta(milliseconds=1)
    if milliseconds < 0:
        raise ValueError("X had no posts before 4 November 2010")
    return milliseconds * _SEQUENCE


def _first_id(post: StoredPost) -> str:
    return post.versions[0] if post.versions else post.id


def _discard(timeline: list[int], post_id: int) -> None:
    index = bisect_left(timeline, post_id)
    if index < len(timeline) and timeline[index] == post_id:
        del timeline[index]
