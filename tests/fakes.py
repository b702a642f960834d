"""Stand-ins for ports, for the engine's tests: a clock that obeys, networks that misbehave."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from bridge.core.capabilities import FOREVER, Capabilities, FileLimits, MediaLimits
from bridge.core.draft import DraftMedia, DraftPart
from bridge.core.errors import MediaError, NetworkError, Refused, Transient
from bridge.core.model import (
    Account,
    AccountId,
    Media,
    MediaId,
    MediaKind,
    Microdollars,
    Network,
    Post,
    PostId,
    QuoteRef,
    ReplyRef,
    RepostRef,
    Visibility,
)
from bridge.core.prices import FREE, X_PRICES
from bridge.core.record import Cursor, Receipt
from bridge.core.text import Text
from bridge.ports import (
    Baseline,
    Changed,
    Known,
    LocalMedia,
    Reading,
    Recorded,
    Standing,
    Uploaded,
    ignore,
)

PICTURES = MediaLimits(image=FileLimits(types=frozenset({"image/png"})))
LIFE = timedelta(hours=24)
"""How long an upload lives that no post carries."""

Answer = NetworkError | tuple[bool, NetworkError]
"""An error to raise before anything is done, or, with True, once it has been done."""


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
class FakeStore:
    """A `MediaStore` that makes files of nothing, and knows which of them are left.

    `errors` are consumed one a fetch of the address they are for.
    """

    folder: Path
    errors: dict[str, list[Exception]] = field(default_factory=dict)
    fetched: list[str] = field(default_factory=list)
    sizes: dict[str, int] = field(default_factory=dict)
    """Bytes of a file, by its address; else the length of that."""
    smallest: int = 0
    """Bytes that no file can be made smaller than."""
    during: Callable[[], None] = lambda: None
    _count: int = 0

    async def fetch(self, medium: DraftMedia, limits: MediaLimits) -> LocalMedia:
        self.fetched.append(medium.url)
        self.during()
        if waiting := self.errors.get(medium.url):
            raise waiting.pop(0)
        self._count += 1
        self.folder.mkdir(exist_ok=True)
        path = self.folder / f"{self._count}.png"
        path.write_bytes(medium.url.encode())
        most, size = limits.image.max_bytes, self.sizes.get(medium.url, len(medium.url))
        if most is None or size <= most:
            return LocalMedia(path, medium.kind, "image/png", size)
        if most < self.smallest:
            path.unlink()
            raise MediaError("it cannot be made small enough", lasting=True)
        return LocalMedia(path, medium.kind, "image/png", most, note="made smaller")

    async def discard(self, medium: LocalMedia) -> None:
        medium.path.unlink(missing_ok=True)

    def missing(self, url: str, times: int = 1, *, lasting: bool = False) -> None:
        """Have a medium not be had so many times."""
        error = MediaError("its server says 404", lasting=lasting)
        self.errors.setdefault(url, []).extend([error] * times)

    @property
    def left(self) -> list[Path]:
        """The files that nobody discarded."""
        return sorted(self.folder.iterdir()) if self.folder.exists() else []


@dataclass
class Stored:
    """A medium that a network has: what it shows, what it says, and in which post."""

    what: str
    alt: str
    sensitive: bool
    until: datetime
    post: PostId | None = None


@dataclass
class FakeNetwork:
    """One account on a network that lives in memory, and does on order what real ones do by chance.

    `answers`, `upload_answers`, `edit_answers` and `delete_answers` are consumed one a call. It is
    as strict as the real ones: a medium goes into one post, while it lives; what is not there can
    be neither edited nor deleted by mistake for something else; X gives an edited post a new id,
    takes edits for an hour, and charges.
    """

    network: Network
    clock: VirtualClock
    max_length: int = 280
    premium: bool = True
    protected: bool = False
    app: str | None = None
    """What it tells of the application that published something."""
    posts: list[Post] = field(default_factory=list)
    media: dict[MediaId, Stored] = field(default_factory=dict)
    published: list[tuple[DraftPart, PostId | None, str]] = field(default_factory=list)
    revised: list[tuple[PostId, DraftPart]] = field(default_factory=list)
    deleted: list[PostId] = field(default_factory=list)
    answers: list[Answer] = field(default_factory=list)
    upload_answers: list[NetworkError] = field(default_factory=list)
    uploads_refused: Callable[[LocalMedia], NetworkError | None] = lambda medium: None
    """What every upload meets, where that is not None."""
    edit_answers: list[Answer] = field(default_factory=list)
    delete_answers: list[Answer] = field(default_factory=list)
    read_errors: list[NetworkError] = field(default_factory=list)
    look_up_errors: list[NetworkError] = field(default_factory=list)
    hang: asyncio.Event | None = None
    reached: asyncio.Event = field(default_factory=asyncio.Event)
    """Set once a publish was asked for."""
    on_upload: Callable[[], None] = lambda: None
    reads: int = 0
    windows: int = 0
    look_ups: list[PostId] = field(default_factory=list)
    takes: int | None = None
    """How long a post may really be, where that is no longer what was told; told when asked."""
    media_refused: int = 0
    """How many more posts are refused for the media they name."""
    tried: int = 0
    """How many posts it was asked to create."""
    asked_afresh: int = 0
    """How often it was asked for its limits anew."""
    picture_limits: MediaLimits = PICTURES
    forgotten: int = 0
    """So many of the newest posts a window leaves out, as a server does that lags behind."""
    turn_away_at: set[int] = field(default_factory=set)
    """The counts of calls to publish, from 1, that are answered by `turned_away_by`."""
    turned_away_by: NetworkError = field(
        default_factory=lambda: Transient("HTTP 403: not now", status=403)
    )
    refuses_words: dict[str, NetworkError] = field(default_factory=dict)
    """What is answered, always, to a part that contains such words."""
    calls: int = 0
    """How often publish was called."""
    refuse_at: int | None = None
    """The count of publishes, from 1, at which one is refused for good."""
    refuses_repeats: bool = False
    """Whether a text that it has is refused, as X does."""
    host: str = ""
    """Where its posts are found on the web."""
    owner: str = "me"
    """The account's id, and its handle where `handle` is empty."""
    handle: str = ""
    account_errors: list[NetworkError] = field(default_factory=list)
    asked_who: int = 0
    _next: int = 100

    def __post_init__(self) -> None:
        self.host = self.host or f"{self.network.value}.example"

    def write(
        self,
        text: str,
        *,
        visibility: Visibility = Visibility.PUBLIC,
        reply_to: PostId | None = None,
        by_other: bool = False,
        at: datetime | None = None,
        edit_of: Post | None = None,
        media: Sequence[Media] = (),
        quote: Post | None = None,
        repost: Post | None = None,
    ) -> Post:
        """What the owner does in the network's own app."""
        me = AccountId(self.owner)
        parent_author = AccountId("somebody") if by_other else me
        post = Post(
            network=self.network,
            id=self._new_id(),
            author=me,
            created_at=at or self.clock.now(),
            text=Text(text),
            visibility=visibility,
            in_reply_to=None if reply_to is None else ReplyRef(reply_to, parent_author),
            media=tuple(media),
            quote=None if quote is None else QuoteRef(quote.id, quote.url, own=True),
            repost=None if repost is None else RepostRef(repost.id, repost.url, own=True),
        )
        post = replace(post, url=f"https://{self.host}/{post.id}")
        if edit_of is not None:
            post = replace(post, revisions=(*edit_of.ids, post.id), created_at=edit_of.created_at)
            self.posts.remove(edit_of)
        self.posts.append(post)
        return post

    def picture(self, name: str = "cat", *, alt: str = "") -> Media:
        """A medium that the owner attaches."""
        url = f"https://files.{self.network.value}.example/{name}.png"
        return Media(MediaId(name), MediaKind.IMAGE, url, alt=alt, mime="image/png")

    def edit(self, post: Post, text: str, *, media: Sequence[Media] | None = None) -> Post:
        """What the owner does to a post in the network's own app."""
        return self._edited(post, text, post.media if media is None else tuple(media))

    def remove(self, post: Post) -> None:
        """The owner deletes a post in the network's own app."""
        self.posts.remove(post)

    async def account(self) -> Account:
        self.asked_who += 1
        if self.account_errors:
            raise self.account_errors.pop(0)
        handle = self.handle or self.owner
        return Account(
            self.network, AccountId(self.owner), handle, f"https://{self.host}/@{handle}"
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

    async def check_cursor(self, cursor: Cursor, seen: Recorded) -> Cursor:
        del seen
        return cursor

    async def audit(self, cursor: Cursor, known: Known) -> Reading:
        del cursor, known
        return Reading(())

    async def recent(self, since: datetime) -> Reading:
        self._maybe_fail()
        return Reading(tuple(post for post in self.posts if post.created_at >= since))

    async def window(self, limit: int, *, boosts: bool = True) -> Reading:
        self.windows += 1
        self._maybe_fail()
        wanted = [post for post in self.posts if boosts or post.repost is None]
        shown = sorted(wanted, key=lambda post: post.created_at)
        shown = shown[: len(shown) - self.forgotten]
        more, shown = len(shown) > limit, shown[-limit:]
        cost = X_PRICES.owned_read * len(shown) if self.network is Network.X else 0
        return Reading(tuple(shown), Microdollars(cost), more=more)

    async def look_up(self, post: PostId) -> Post | None:
        self.look_ups.append(post)
        if self.look_up_errors:
            raise self.look_up_errors.pop(0)
        return self._found(post)

    async def standing(self, post: PostId) -> Standing:
        if self.network is Network.X:
            if self.look_up_errors:
                raise self.look_up_errors.pop(0)
            return Standing(audience=Visibility.FOLLOWERS if self.protected else None)
        found = await self.look_up(post)
        return Standing(found, gone=found is None, audience=found.visibility if found else None)

    async def listen(self, wake: Callable[[], None], changed: Changed = ignore) -> None:
        return None

    async def capabilities(self, *, afresh: bool = False) -> Capabilities:
        self.asked_afresh += afresh
        if afresh and self.takes is not None:
            self.max_length = self.takes
        on_x = self.network is Network.X
        edits = timedelta(hours=1) if self.premium else None
        return Capabilities(
            self.network,
            "x" if on_x else "mastodon",
            self.max_length,
            prices=X_PRICES if on_x else None,
            media=self.picture_limits,
            spoiler=not on_x,
            quotes=not on_x,
            edit_within=edits if on_x else FOREVER,
            refuses_repeats=self.refuses_repeats,
            free_edits=not on_x,
        )

    async def upload(self, medium: LocalMedia) -> Uploaded:
        self.on_upload()
        if self.upload_answers:
            raise self.upload_answers.pop(0)
        if (refused := self.uploads_refused(medium)) is not None:
            raise refused
        self._next += 1
        made = MediaId(f"{self.network.value}-media-{self._next}")
        until = self.clock.now() + LIFE
        what = medium.path.read_bytes().decode()
        self.media[made] = Stored(what, medium.alt, medium.sensitive, until)
        if self.network is not Network.X:
            return Uploaded(made, FREE, expires_at=until)
        words = X_PRICES.alt_text if medium.alt else FREE
        cost = Microdollars(X_PRICES.media + words)
        return Uploaded(made, cost, expires_at=until, described=words)

    async def publish(
        self,
        part: DraftPart,
        *,
        reply_to: PostId | None,
        key: str,
        media: Sequence[MediaId] = (),
    ) -> Receipt:
        self.reached.set()
        self.tried += 1
        if self.hang is not None:
            await self.hang.wait()
        self.calls += 1
        if self.calls in self.turn_away_at:
            raise self.turned_away_by
        for words, error in self.refuses_words.items():
            if words in part.text:
                raise error
        if self.refuse_at == len(self.published) + 1:
            self.refuse_at = None
            raise Refused("HTTP 403: not permitted", status=403)
        after = self._answer(self.answers)
        carried = self._carried(media, None)
        if self.refuses_repeats and part.text in {post.text.plain for post in self.posts}:
            raise Refused("HTTP 403: duplicate content", status=403, duplicate=True)
        if not (part.text.strip() or carried or part.repeat):
            raise Refused("HTTP 422: an empty post", status=422)
        self._check_length(part)
        if media and self.media_refused:
            self.media_refused -= 1
            on_x = self.network is Network.X
            raise Refused("HTTP 400: media IDs are invalid", status=400, media=on_x)
        self.published.append((part, reply_to, key))
        repeated = None if part.repeat is None else self._found(part.repeat)
        post = self.write(
            part.text,
            reply_to=reply_to,
            visibility=part.visibility,
            media=carried,
            repost=repeated,
        )
        self._attach(media, post.id)
        self.posts[-1] = replace(post, application=self.app)
        if after is not None:
            raise after
        return Receipt(post.id, post.url, self._created(part))

    async def revise(
        self, target: PostId, part: DraftPart, *, media: Sequence[MediaId] = ()
    ) -> Receipt:
        after = self._answer(self.edit_answers)
        post = self._found(target)
        if post is None:
            raise Refused("HTTP 404: no such post", status=404, missing=True)
        over = self.network is Network.X and (
            not self.premium or self.clock.now() - post.created_at > timedelta(hours=1)
        )
        if over:
            raise Refused("HTTP 403: cannot be edited", status=403)
        carried = self._carried(media, post)
        self._check_length(part)
        self.revised.append((target, part))
        made = self._edited(post, part.text, carried)
        self._attach(media, made.id)
        if after is not None:
            raise after
        return Receipt(made.id, made.url, self._created(part))

    async def delete(self, target: PostId) -> Microdollars:
        after = self._answer(self.delete_answers)
        post = self._found(target)
        if post is not None:
            self.posts.remove(post)
        self.deleted.append(target)
        if after is not None:
            raise after
        return X_PRICES.delete if self.network is Network.X else FREE

    async def close(self) -> None:
        return None

    def shown(self) -> list[tuple[str, tuple[str, ...]]]:
        """What stands there: texts, each with the media that it shows."""
        return [
            (post.text.plain, tuple(self.media[medium.id].what for medium in post.media))
            for post in self.posts
        ]

    def _new_id(self) -> PostId:
        self._next += 1
        return PostId(f"{self.network.value}-{self._next}")

    def _found(self, post: PostId) -> Post | None:
        return next((found for found in self.posts if post in found.ids), None)

    def _edited(self, post: Post, text: str, media: tuple[Media, ...]) -> Post:
        edited = replace(post, text=Text(text), media=media)
        place = self.posts.index(post)
        if self.network is Network.MASTODON:
            edited = replace(edited, edited_at=self.clock.now())
            self.posts[place] = edited
            return edited
        made = self._new_id()
        edited = replace(edited, id=made, revisions=(*post.ids, made))
        edited = replace(edited, url=f"https://{self.host}/{made}")
        # A timeline read from its newest id on has it as the newest.
        del self.posts[place]
        self.posts.append(edited)
        return edited

    def _carried(self, media: Sequence[MediaId], into: Post | None) -> tuple[Media, ...]:
        own = set() if into is None else {medium.id for medium in into.media}
        for name in media:
            stored = self.media.get(name)
            if stored is None or (name not in own and stored.until <= self.clock.now()):
                raise Refused("HTTP 422: no such medium", status=422)
            if name not in own and stored.post is not None:
                raise Refused("HTTP 422: it is in another post", status=422)
        return tuple(Media(name, MediaKind.IMAGE, None) for name in media)

    def _check_length(self, part: DraftPart) -> None:
        if self.takes is not None and len(part.text) > self.takes:
            raise Refused("HTTP 422: too long", status=422, too_long=True)

    def _attach(self, media: Sequence[MediaId], post: PostId) -> None:
        for name in media:
            self.media[name].post = post

    def _created(self, part: DraftPart) -> Microdollars:
        if self.network is not Network.X:
            return FREE
        return X_PRICES.create_with_link if "://" in part.text else X_PRICES.create

    @staticmethod
    def _answer(answers: list[Answer]) -> NetworkError | None:
        """Raises what is to be raised before; returns what is to be raised afterwards."""
        answer = answers.pop(0) if answers else None
        if isinstance(answer, NetworkError):
            raise answer
        return None if answer is None else answer[1]

    def _maybe_fail(self) -> None:
        if self.read_errors:
            raise self.read_errors.pop(0)
