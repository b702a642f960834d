"""Everything the X sandbox remembers, in one place, and how a post comes to stand.

Must not know HTTP, nor what X allows: `rules` judges, `reading` and `writing` answer.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime

from bridge.core.prices import PriceTable
from bridge.core.text import SpanKind
from bridge.sandbox.clock import SandboxClock
from bridge.sandbox.x.accounts import XAccount
from bridge.sandbox.x.consent import ConsentDesk
from bridge.sandbox.x.dialect import Dialect
from bridge.sandbox.x.limits import Limit, Limiter
from bridge.sandbox.x.meter import Meter
from bridge.sandbox.x.oauth1 import SignatureCheck
from bridge.sandbox.x.oauth2 import TokenDesk
from bridge.sandbox.x.posts import Posts, StoredPoll, StoredPost, XPoll
from bridge.sandbox.x.problems import Problems
from bridge.sandbox.x.rendering import Rendering, Trailer, language, normalised, rendered
from bridge.sandbox.x.uploads import Medium, Uploads

_REPOST_LENGTH = 140
COMMUNITY_ID = "1500000000000000000"


@dataclass(slots=True)
class Switches:
    """What a test or a rehearsal turns on."""

    out_of_credits: bool = False
    spend_cap_reset: date | None = None


class XState:
    """The sandbox's memory. Each part of it is bounded."""

    def __init__(
        self,
        clock: SandboxClock,
        prices: PriceTable,
        dialect: Dialect,
        limits: Mapping[str, Limit],
    ) -> None:
        self.clock = clock
        self.dialect = dialect
        self.problems = Problems(old=dialect is Dialect.TWEET)
        self.accounts: dict[str, XAccount] = {}
        self.posts = Posts(clock)
        self.uploads = Uploads(self.posts.new_id)
        self.meter = Meter(prices)
        self.limiter = Limiter(limits)
        self.signatures = SignatureCheck()
        self.consents = ConsentDesk(clock, lambda: self.accounts)
        self.tokens = TokenDesk(clock, self.consents)
        self.switches = Switches()

    def enrol(self, account: XAccount) -> None:
        """Let `account` in. Raises `ValueError` where the handle is taken."""
        if self.by_handle(account.handle) is not None:
            raise ValueError(f"the handle {account.handle} is taken")
        self.accounts[account.id] = account
        self.signatures.add(account)
        self.tokens.add(account)

    def by_handle(self, handle: str) -> XAccount | None:
        """The account of that handle, which X reads without regard to case."""
        wanted = handle.removeprefix("@").lower()
        found = (one for one in self.accounts.values() if one.handle.lower() == wanted)
        return next(found, None)

    def reset(self) -> None:
        """Everything as it was when the last account was let in, but time."""
        for part in (self.posts, self.uploads, self.meter, self.limiter, self.tokens):
            part.reset()
        self.uploads.processing_fails = False
        self.switches = Switches()
        for account in self.accounts.values():
            self.tokens.add(account)


@dataclass(frozen=True, slots=True, kw_only=True)
class NewPost:
    """What is to be posted, whoever asked for it. Ids name posts that stand."""

    text: str
    reply_to: str | None = None
    quote: str | None = None
    edit_of: str | None = None
    media: Sequence[Medium] | None = None
    """None for none; where an own app edits, for those that are there."""
    poll: XPoll | None = None
    community_id: str | None = None
    reply_settings: str = "everyone"
    created_at: datetime | None = None
    hidden_prefix: str = field(default="")
    post_id: str | None = None
    """The id it had in an earlier life of the sandbox; None for a new one."""


def put_up(state: XState, author: XAccount, new: NewPost) -> StoredPost:
    """Make a post and keep it."""
    posts, now = state.posts, new.created_at or state.clock.now()
    post_id = new.post_id or posts.new_id(now)
    edited = posts.latest(new.edit_of) if new.edit_of else None
    parent = posts.get(new.reply_to) if new.reply_to else None
    quoted = posts.get(new.quote) if new.quote else None
    reply_to = edited.reply_to if edited else new.reply_to
    in_reply_to_user_id = parent.author.id if parent else None
    text = normalised(new.text)
    url = f"{author.url}/status/{post_id}"
    trailers: list[Trailer] = []
    if quoted is not None:
        trailers.append(Trailer((quoted.url,)))
    media = tuple(new.media if new.media is not None else (edited.media if edited else ()))
    if media:
        kind = "photo" if media[0].kind == "photo" else "video"
        addresses = tuple(f"{url}/{kind}/{number}" for number in range(1, len(media) + 1))
        trailers.append(Trailer(addresses, tuple(medium.key for medium in media)))
    whole = new.hidden_prefix + text
    poll = None
    if new.poll is not None:
        asked = new.poll
        votes = asked.votes or (0,) * len(asked.options)
        poll = StoredPoll(posts.new_id(now), asked.options, asked.duration_minutes, votes)
    post = StoredPost(
        id=post_id,
        author=author,
        text=text,
        rendering=rendered(
            whole,
            post_url=f"https://x.com/i/web/status/{post_id}",
            trailers=trailers,
            hidden_prefix=len(new.hidden_prefix),
        ),
        created_at=now,
        first_created_at=edited.first_created_at if edited else now,
        conversation_id=_conversation(post_id, edited, parent),
        versions=(*edited.versions, edited.id) if edited else (),
        reply_to=reply_to,
        in_reply_to_user_id=edited.in_reply_to_user_id if edited else in_reply_to_user_id,
        quote=new.quote,
        media=media,
        poll=poll,
        community_id=new.community_id,
        reply_settings=new.reply_settings,
        lang=language(text),
    )
    posts.add(post)
    return post


def put_up_repost(
    state: XState, author: XAccount, original: StoredPost, created_at: datetime | None
) -> StoredPost:
    """Repost `original` as `author`: ``RT @handle:`` and a text that is cut."""
    now = created_at or state.clock.now()
    post_id = state.posts.new_id(now)
    text = f"RT @{original.author.handle}: {original.text}"
    if len(text) > _REPOST_LENGTH:
        text = text[: _REPOST_LENGTH - 1] + "…"
    rendering = rendered(text, post_url=original.url)
    post = StoredPost(
        id=post_id,
        author=author,
        text=text,
        rendering=Rendering(rendering.short, rendering.shown),
        created_at=now,
        first_created_at=now,
        conversation_id=post_id,
        repost_of=original.id,
        lang=original.lang,
    )
    state.posts.add(post)
    return post


def has_link(post: StoredPost) -> bool:
    """Whether X found a link in what the author wrote: media links and quotes are none."""
    body = post.rendering.note or post.rendering.short
    own = (url for url in body.urls if not url.media_key)
    if post.quote is None:
        return any(own)
    return sum(1 for _ in own) > 1


def mentioned(post: StoredPost) -> frozenset[str]:
    """The handles that `post` mentions, in lower case."""
    body = post.rendering.note or post.rendering.short
    return frozenset(one.name.lower() for one in body.names if one.kind is SpanKind.MENTION)


def _conversation(post_id: str, edited: StoredPost | None, parent: StoredPost | None) -> str:
    if edited is not None:
        return edited.conversation_id
    return parent.conversation_id if parent is not None else post_id
