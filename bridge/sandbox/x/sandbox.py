"""X, embedded: what tests, the demo and rehearsals hold in their hands.

Wires the parts together. Must not decide anything itself.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime

from aiohttp import web

from bridge.core.lengths import x_length
from bridge.core.prices import X_PRICES, PriceTable
from bridge.sandbox.clock import SandboxClock
from bridge.sandbox.faults import FaultPlan
from bridge.sandbox.x.accounts import SCOPES, XAccount, new_account
from bridge.sandbox.x.control import control_routes
from bridge.sandbox.x.dialect import Dialect
from bridge.sandbox.x.files import recognised
from bridge.sandbox.x.limits import X_LIMITS, Limit
from bridge.sandbox.x.media_routes import MediaRoutes
from bridge.sandbox.x.meter import Charge, price_list
from bridge.sandbox.x.posts import StoredPost, XChange, XPoll
from bridge.sandbox.x.problems import XWording
from bridge.sandbox.x.reading import Reading
from bridge.sandbox.x.rendering import normalised
from bridge.sandbox.x.rules import may_stand_together
from bridge.sandbox.x.service import Door, in_problem_form
from bridge.sandbox.x.state import COMMUNITY_ID, NewPost, XState, put_up, put_up_repost
from bridge.sandbox.x.uploads import Medium, XFile
from bridge.sandbox.x.writing import Writing

_MAX_REQUEST = 32 * 1024 * 1024


class XSandbox:
    """One X, with its own state. `app` is its aiohttp application, to be served once.

    `dialect` is ``post`` (OpenAPI 2.167), ``tweet`` (2.166) or ``both``. `limits` may replace the
    published rate limits, by endpoint, as in `X_LIMITS`.
    """

    def __init__(
        self,
        clock: SandboxClock | None = None,
        prices: PriceTable = X_PRICES,
        dialect: str = "both",
        limits: Mapping[str, Limit] = X_LIMITS,
    ) -> None:
        self.clock = clock or SandboxClock()
        self.listed_prices = prices
        self.faults = FaultPlan(self.clock, XWording(self.clock))
        self._state = XState(self.clock, prices, Dialect(dialect), {**X_LIMITS, **limits})
        self.app = self._application()

    def add_account(
        self,
        handle: str,
        name: str,
        *,
        premium: bool = False,
        protected: bool = False,
        confidential: bool = True,
        read_only: bool = False,
        scopes: str = SCOPES,
    ) -> XAccount:
        """A new person with a developer app; its OAuth 2.0 client is public unless `confidential`.

        `read_only` keys of OAuth 1.0a may not write; `scopes` are those of the OAuth 2.0 tokens.
        Raises `ValueError` for a handle that is taken or not allowed.
        """
        now = self.clock.now()
        account = new_account(
            self._state.posts.new_id(now),
            handle,
            name,
            now,
            premium=premium,
            protected=protected,
            confidential=confidential,
        )
        account = replace(account, read_only=read_only, scopes=scopes)
        self._state.enrol(account)
        return account

    def allow_callback(self, account: XAccount, address: str) -> None:
        """Add a callback address to the settings of the app that `account` owns."""
        self._state.consents.allow(account.oauth2.client_id, address)

    def accounts(self) -> tuple[XAccount, ...]:
        """Everybody, in the order they came."""
        return tuple(self._state.accounts.values())

    def account(self, handle: str) -> XAccount:
        """The account of that handle. Raises `KeyError` where there is none."""
        found = self._state.by_handle(handle)
        if found is None:
            raise KeyError(handle)
        return found

    def write(
        self,
        account: XAccount,
        text: str,
        *,
        reply_to: str | None = None,
        quote: str | None = None,
        repost_of: str | None = None,
        edit_of: str | None = None,
        media: Sequence[XFile] = (),
        poll: XPoll | None = None,
        community: bool = False,
        created_at: datetime | None = None,
        post_id: str | None = None,
    ) -> StoredPost:
        """Post as a person does in X's own app: not charged, and free of the apps' rules.

        Ids are those of posts. A repost takes no text. Raises `ValueError` for what X's own app
        would not let through: too long, empty, unknown or foreign ids, files that do not go
        together. `created_at` may lie in the past; an edit may come at any time. `post_id` puts a
        post of an earlier sandbox back under the id that it had there.
        """
        posts = self._state.posts
        for named in (reply_to, quote, repost_of, edit_of):
            if named is not None and posts.get(named) is None:
                raise ValueError(f"no post has the id {named}")
        if repost_of is not None and (original := posts.get(repost_of)) is not None:
            if text or media or poll or reply_to or quote or edit_of:
                raise ValueError("a repost has nothing of its own")
            earlier = posts.repost_by(account.id, original)
            return earlier or put_up_repost(self._state, account, original, created_at)
        self._check_text(account, text, empty=bool(media))
        self._check_edit(account, edit_of)
        new = NewPost(
            text=text,
            reply_to=reply_to,
            quote=quote,
            edit_of=edit_of,
            media=self._attached(account, media, created_at) if media else None,
            poll=_checked(poll) if poll else None,
            community_id=COMMUNITY_ID if community else None,
            created_at=created_at,
            hidden_prefix=self._prefix(account, text, reply_to),
            post_id=post_id,
        )
        return put_up(self._state, account, new)

    def remove(self, post_id: str) -> None:
        """Delete a post, all its versions included, as its author. Raises `KeyError`."""
        if self._state.posts.remove(post_id) is None:
            raise KeyError(post_id)

    def post(self, post_id: str) -> StoredPost | None:
        """The very version that has this id, if it stands."""
        return self._state.posts.get(post_id)

    def file(self, key: str) -> bytes | None:
        """The content of a medium by its key, while it is kept."""
        found = self._state.uploads.file(key)
        return None if found is None else found[1]

    def timeline(self, account: XAccount) -> tuple[StoredPost, ...]:
        """An account's posts, newest first, each in its latest version."""
        return tuple(self._state.posts.newest_first(account.id))

    def subscribe(self, callback: Callable[[XChange], None]) -> Callable[[], None]:
        """Call `callback` at every change, on the event loop; returns what ends that."""
        return self._state.posts.subscribe(callback)

    def bill(self) -> tuple[Charge, ...]:
        """Everything that was charged, oldest first."""
        return self._state.meter.charges()

    def reset(self) -> None:
        """Forget posts, media, bill, limits, log and faults; accounts get their first tokens back.

        The clock, which may be shared, stays as it is.
        """
        self.faults.reset()
        self._state.reset()

    @property
    def out_of_credits(self) -> bool:
        """Whether every request is answered with 402."""
        return self._state.switches.out_of_credits

    @out_of_credits.setter
    def out_of_credits(self, value: bool) -> None:
        self._state.switches.out_of_credits = value

    @property
    def spend_cap_reset(self) -> date | None:
        """Until when every request is answered with 403 SpendCapReached."""
        return self._state.switches.spend_cap_reset

    @spend_cap_reset.setter
    def spend_cap_reset(self, value: date | None) -> None:
        self._state.switches.spend_cap_reset = value

    @property
    def processing_seconds(self) -> float:
        """How long a video or GIF is processed, in sandbox time."""
        return self._state.uploads.processing_seconds

    @processing_seconds.setter
    def processing_seconds(self, value: float) -> None:
        self._state.uploads.processing_seconds = value

    @property
    def processing_fails(self) -> bool:
        """Whether the processing of a video or GIF uploaded from now on fails in the end."""
        return self._state.uploads.processing_fails

    @processing_fails.setter
    def processing_fails(self, value: bool) -> None:
        self._state.uploads.processing_fails = value

    async def _price_list(self, _request: web.Request) -> web.Response:
        """As X's console lists its prices: in dollars, for anybody, uncharged."""
        return web.json_response(price_list(self.listed_prices))

    def _check_text(self, account: XAccount, text: str, *, empty: bool) -> None:
        if any("\ud800" <= character <= "\udfff" for character in text):
            raise ValueError("half of a surrogate pair is no text")
        length = x_length(normalised(text))
        if not length and not empty:
            raise ValueError("a post needs a text or media")
        if length > account.max_length:
            raise ValueError(f"{length} of {account.max_length} weighted characters")

    def _check_edit(self, account: XAccount, edit_of: str | None) -> None:
        if edit_of is None:
            return
        latest = self._state.posts.latest(edit_of)
        if latest is None or latest.author.id != account.id:
            raise ValueError("only an own post can be edited")
        if not latest.may_be_edited or not latest.edits_remaining:
            raise ValueError("this post can not be edited any more")

    def _attached(
        self, account: XAccount, files: Sequence[XFile], created_at: datetime | None
    ) -> list[Medium]:
        now = created_at or self.clock.now()
        uploads, media = self._state.uploads, []
        for one in files:
            mime_type = recognised(one.content)
            kind = "video" if mime_type.startswith("video/") else "photo"
            if mime_type == "image/gif" or one.animation:
                kind = "animated_gif"
            medium = uploads.add(account.id, kind, one.content, now, about=one)
            if medium.duration_ms > account.max_video_ms:
                raise ValueError(f"a video of {account.max_video_ms // 60_000} minutes at most")
            media.append(medium)
        if not may_stand_together(media):
            raise ValueError("one post carries up to 4 photos, or one video, or one GIF")
        return media

    def _prefix(self, account: XAccount, text: str, reply_to: str | None) -> str:
        """X's own app puts the name of whom one answers before the text."""
        parent = self._state.posts.get(reply_to) if reply_to else None
        if parent is None or parent.author.id == account.id:
            return ""
        name = f"@{parent.author.handle}"
        return "" if text.lower().startswith(name.lower()) else f"{name} "

    def _application(self) -> web.Application:
        app = web.Application(
            middlewares=[in_problem_form, self.faults.middleware], client_max_size=_MAX_REQUEST
        )
        state = self._state
        door, reading, writing = Door(state), Reading(state), Writing(state)
        media = MediaRoutes(state)
        endpoints = {
            "GET /2/users/me": reading.me,
            "GET /2/users/:id/tweets": reading.timeline,
            "GET /2/tweets": reading.posts,
            "GET /2/tweets/:id": reading.post,
            "POST /2/tweets": writing.create,
            "DELETE /2/tweets/:id": writing.delete,
            "POST /2/users/:id/retweets": writing.repost,
            "DELETE /2/users/:id/retweets/:source": writing.take_back,
            "POST /2/media/upload/initialize": media.initialize,
            "POST /2/media/upload/:id/append": media.append,
            "POST /2/media/upload/:id/finalize": media.finalize,
            "POST /2/media/upload": media.one_shot,
            "GET /2/media/upload": media.status,
            "POST /2/media/metadata": media.metadata,
        }
        app.add_routes(door.route(name, endpoint) for name, endpoint in endpoints.items())
        app.add_routes(
            [
                web.get("/i/oauth2/authorize", state.consents.ask),
                web.post("/i/oauth2/authorize", state.consents.decide),
                web.post("/2/oauth2/token", state.tokens.token),
                web.get("/api/credits/pricing", self._price_list),
                web.get("/media/{key}", media.file),
                web.get("/media/{key}/{rendition:preview|playlist|small}", media.file),
                *self.faults.routes(state.reset),
                *control_routes(self),
            ]
        )
        return app


def _checked(poll: XPoll) -> XPoll:
    if not 2 <= len(poll.options) <= 4 or not all(1 <= len(one) <= 25 for one in poll.options):  # noqa: PLR2004 - X's own figures
        raise ValueError("a poll has 2 to 4 options of 1 to 25 characters")
    if poll.votes and len(poll.votes) != len(poll.options):
        raise ValueError("a poll has one number of votes for each option, or none at all")
    return poll
