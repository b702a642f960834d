"""The Mastodon half of the sandbox: one server of one kind, as an aiohttp application.

Wires the parts together and is what tests, the demo and rehearsals hold in their hands. Must not
contain any rule of the API itself.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from email.utils import format_datetime

from aiohttp import web
from aiohttp.typedefs import Handler

from bridge.sandbox.clock import SandboxClock
from bridge.sandbox.faults import CONTROL, FaultPlan
from bridge.sandbox.mastodon.accounts import AccountRoutes
from bridge.sandbox.mastodon.control import ControlRoutes
from bridge.sandbox.mastodon.door import Door
from bridge.sandbox.mastodon.idempotency import IdempotencyKeys
from bridge.sandbox.mastodon.ids import IdMaker
from bridge.sandbox.mastodon.instance import InstanceRoutes
from bridge.sandbox.mastodon.limits import RateLimits
from bridge.sandbox.mastodon.media import MediaStore, Processing
from bridge.sandbox.mastodon.media_routes import MediaRoutes
from bridge.sandbox.mastodon.oauth import OUT_OF_BAND, Tokens
from bridge.sandbox.mastodon.oauth_routes import OAuthRoutes
from bridge.sandbox.mastodon.pages import PageRoutes
from bridge.sandbox.mastodon.posting import Posting, UnexpectedMentionsError
from bridge.sandbox.mastodon.problems import NOT_FOUND, ApiError, Json, MastodonWording
from bridge.sandbox.mastodon.profiles import PROFILES, Profile, ProfileName
from bridge.sandbox.mastodon.records import (
    Attachment,
    Change,
    MastodonAccount,
    Medium,
    PollDraft,
    Scheduled,
    Status,
    StatusDraft,
)
from bridge.sandbox.mastodon.serialise import Serialiser
from bridge.sandbox.mastodon.state import State
from bridge.sandbox.mastodon.statuses import StatusRoutes
from bridge.sandbox.mastodon.streaming import Heartbeats, Streaming

MAX_UPLOAD = 128 * 1024 * 1024
_USERNAME = re.compile(r"[a-z0-9_]+([.-]+[a-z0-9_]+)*", re.IGNORECASE)


class MastodonSandbox:
    """One server. Serve `app` with `bridge.sandbox.server.serve`.

    `profile` names one of `profiles.PROFILES`; `clock` may be shared with another sandbox;
    `max_characters` and `alt_least` override the profile's. Everything lives in one event loop.
    A server that is not `rate_limited` answers as fast as it is asked: for long runs, where hours
    of a real server's windows would have to pass.
    """

    def __init__(
        self,
        profile: ProfileName = "mastodon",
        *,
        clock: SandboxClock | None = None,
        max_characters: int | None = None,
        alt_least: int | None = None,
        rate_limited: bool = True,
        websocket: bool = True,
    ) -> None:
        chosen: Profile = PROFILES[profile]
        if not websocket:
            chosen = replace(chosen, websocket=False)
        if not rate_limited:
            chosen = replace(chosen, limits="none")
        if max_characters is not None:
            chosen = replace(chosen, max_characters=max_characters)
        if alt_least is not None:
            chosen = replace(chosen, media=replace(chosen.media, alt_least=alt_least))
        self.profile = chosen
        self.clock = clock or SandboxClock()
        self.faults = FaultPlan(self.clock, MastodonWording(self.clock))
        self._state = State(self.clock, IdMaker(chosen.ids))
        self._media = MediaStore(self._state, chosen, self.clock)
        self._tokens = Tokens(self.clock)
        self._posting = Posting(self._state, self._media, chosen, self.clock)
        self._show = Serialiser(self._state, self._media, chosen, self.clock)
        self._limits = RateLimits(chosen, self.clock)
        self._keys = IdempotencyKeys(self.clock, chosen.key_hours)
        self._door = Door(
            profile=chosen,
            clock=self.clock,
            state=self._state,
            media=self._media,
            tokens=self._tokens,
            posting=self._posting,
            show=self._show,
            limits=self._limits,
        )
        self._statuses = StatusRoutes(self._door, self._keys)
        self.streaming = Streaming(self._door)
        self.app = self._application()

    @property
    def idempotency_bug(self) -> bool:
        """Whether a repeated Idempotency-Key is answered by HTTP 500, as some releases did."""
        return self._statuses.idempotency_bug

    @idempotency_bug.setter
    def idempotency_bug(self, value: bool) -> None:
        self._statuses.idempotency_bug = value

    @property
    def processing(self) -> Processing:
        """How long the server works on video, audio and GIFs; may be changed."""
        return self._media.processing

    @property
    def heartbeats(self) -> Heartbeats:
        """The seconds between signs of life on a stream; may be changed before it is opened."""
        return self.streaming.heartbeats

    def add_account(
        self,
        username: str,
        display_name: str = "",
        *,
        locked: bool = False,
        default_visibility: str | None = None,
    ) -> MastodonAccount:
        """A new account and its token; ``name@host`` makes one of another server, without token.

        `default_visibility` is the server's own default where None. Raises `ValueError` for a
        name that is none, or taken.
        """
        name, _, domain = username.partition("@")
        if not _USERNAME.fullmatch(name):
            raise ValueError(f"{username!r} is no username")
        now = self.clock.now()
        account = MastodonAccount(
            id=self._state.new_id(now),
            username=name,
            access_token="",
            display_name=display_name,
            locked=locked,
            default_visibility=default_visibility or self.profile.default_visibility,
            domain=domain.lower(),
            created_at=now,
        )
        if not domain:
            token = self.token(account, self.profile.scopes, "Bridge")
            account = replace(account, access_token=token, scopes=self.profile.scopes)
        self._state.add_account(account)
        return account

    def shut_out(
        self, account: MastodonAccount, how: str, moved_to: MastodonAccount | None = None
    ) -> None:
        """Have an account be ``moved``, ``suspended``, ``disabled`` or ``limited``; "" for none."""
        self._state.shut_out(account.id, how, moved_to)

    def account(self, username: str) -> MastodonAccount | None:
        """The account of this name."""
        return self._state.account_named(username)

    def token(self, account: MastodonAccount, scopes: str, app_name: str = "Other app") -> str:
        """A further token of `account` with space-separated `scopes`, for another application."""
        allowed = tuple(scopes.split())
        application = self._tokens.register(app_name, None, (OUT_OF_BAND,), allowed)
        return self._tokens.issue(account.id, allowed, application).secret

    def revoke(self, token: str) -> None:
        """End a token, as its owner does in the settings."""
        self._tokens.revoke(token)

    def follow(self, follower: MastodonAccount, followed: MastodonAccount) -> None:
        """Let one account follow another, so that its posts reach the follower's home feed."""
        self._state.follow(follower.id, followed.id)

    def write(
        self,
        account: MastodonAccount,
        text: str = "",
        *,
        visibility: str = "public",
        spoiler_text: str = "",
        in_reply_to: str | None = None,
        reblog_of: str | None = None,
        quote_of: str | None = None,
        edit_of: str | None = None,
        sensitive: bool = False,
        language: str | None = None,
        poll: PollDraft | None = None,
        media: tuple[Attachment | str, ...] = (),
        created_at: datetime | None = None,
        application: str | None = "Web",
        status_id: str | None = None,
    ) -> Status:
        """What a person does in the web client: post, reply, quote, boost or edit.

        Checked like any other post, but free of rate limits, at `created_at` and under
        `status_id` if those are given. `media` are files to attach, or ids of files that the post
        has already. Raises `ApiError` where the server refuses.
        """
        if reblog_of is not None:
            return self._boost(account, reblog_of, visibility, created_at, application)
        draft = StatusDraft(
            text=text,
            spoiler_text=spoiler_text,
            visibility=visibility,
            sensitive=sensitive,
            language=language,
            in_reply_to=in_reply_to,
            quote_of=quote_of,
            media=tuple(self._attached(account, one) for one in media),
            poll=poll,
            application=application,
            website=None,
        )
        if edit_of is not None:
            status = self._state.get(edit_of)
            if status is None or status.account_id != account.id:
                raise ApiError(404, NOT_FOUND)
            return self._posting.edit(account, status, draft)
        made = self._posting.post(account, draft, created_at=created_at, status_id=status_id)
        if isinstance(made, Scheduled):
            raise TypeError("a post without a time was put aside")
        return made

    def remove(self, status_id: str) -> bool:
        """Delete a post, as its author does; false where there is none."""
        status = self._state.get(status_id)
        if status is None:
            return False
        self._posting.delete(status)
        return True

    def expire(self, account: MastodonAccount, before: datetime, *, at_most: int = 5) -> int:
        """One run of the automatic deletion of posts from before then; how many are gone by it.

        The oldest go first, and few in one run, as on Mastodon.
        """
        old = [each for each in self.timeline(account) if each.created_at < before]
        for status in old[::-1][:at_most]:
            self._posting.delete(status)
        return min(len(old), at_most)

    def vote(self, status_id: str, votes: tuple[int, ...]) -> None:
        """Let people have voted in the poll of a post: so many for each of its answers."""
        status = self._state.get(status_id)
        if status is None or status.poll is None or len(votes) != len(status.poll.options):
            raise ValueError(f"{status_id} has no poll of {len(votes)} answers")
        changed = replace(status, poll=replace(status.poll, votes=votes))
        self._state.update(changed, quietly=True)

    def answer_quote(self, status_id: str, state: str) -> None:
        """Let whoever is quoted by a post take that back, in the API's words (``revoked``)."""
        status = self._state.get(status_id)
        if status is None or status.quote_of is None:
            raise ValueError(f"{status_id} quotes nothing")
        self._state.update(replace(status, quote_state=state), quietly=True)

    def file(self, medium_id: str) -> bytes | None:
        """The bytes of an uploaded file; None where there is none, or no more."""
        return self._media.content(medium_id)

    def media(self, status: Status) -> tuple[Medium, ...]:
        """The files of a post, in order."""
        return self._media.of(status.media)

    def get(self, status_id: str) -> Status | None:
        """The post with this id, whoever may see it."""
        return self._state.get(status_id)

    def timeline(self, account: MastodonAccount) -> tuple[Status, ...]:
        """Every post of an account, whatever its visibility, newest first."""
        return tuple(self._state.newest_first(account.id))

    def as_json(self, status: Status, origin: str) -> Json:
        """A post as its author's API shows it, on a server at `origin`."""
        return self._show.status(status, status.account_id, origin)

    def subscribe(self, callback: Callable[[Change], None]) -> Callable[[], None]:
        """Call `callback` on every change of any post; the returned function ends it."""
        return self._state.subscribe(callback)

    def reset(self) -> None:
        """Back to the beginning: posts, files, keys and counters go, accounts and tokens stay."""
        self._state.clear()
        self._media.clear()
        self._keys.clear()
        self._limits.clear()
        self.idempotency_bug = False

    def _attached(self, account: MastodonAccount, one: Attachment | str) -> str:
        if isinstance(one, str):
            return one
        return self._media.add(account.id, one.data, one.description, wait=False).id

    def _boost(
        self,
        account: MastodonAccount,
        original_id: str,
        visibility: str,
        created_at: datetime | None,
        application: str | None,
    ) -> Status:
        original = self._state.visible(original_id, account.id)
        if original is None:
            raise ApiError(404, NOT_FOUND)
        return self._posting.boost(
            account,
            original,
            visibility=visibility,
            created_at=created_at,
            application=application,
        )

    def _application(self) -> web.Application:
        app = web.Application(
            middlewares=[self._dated, self.faults.middleware, self._answering],
            client_max_size=MAX_UPLOAD,
        )
        app.add_routes(self.faults.routes(self.reset))
        for part in (
            ControlRoutes(self),
            AccountRoutes(self._door),
            self._statuses,
            MediaRoutes(self._door),
            InstanceRoutes(self._door),
            OAuthRoutes(self._door),
            PageRoutes(self._door),
            self.streaming,
        ):
            app.add_routes(part.routes())

        async def hang_up(_app: web.Application) -> None:
            self.streaming.hang_up()

        app.on_shutdown.append(hang_up)
        return app

    @web.middleware
    async def _answering(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Limits first, then the handler; refusals as JSON, limits' headers on every answer."""
        limits: dict[str, str] = {}
        caller = self._door.caller(request)
        counted = not request.path.startswith(CONTROL)
        try:
            if counted:
                self._posting.publish_due()
                limits = self._limits.admit(request, caller)
            response = await handler(request)
        except ApiError as error:
            response = error.response()
        except UnexpectedMentionsError as error:
            response = ApiError(422, str(error)).response()
        except web.HTTPException as error:
            if error.status not in {404, 405}:
                raise
            response = ApiError(404, NOT_FOUND).response()
        if counted and limits and not response.prepared:
            response.headers.update(self._limits.nearest(limits, request, caller))
        return response

    @web.middleware
    async def _dated(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Answers carry the sandbox's time: clients measure resets against it."""
        response = await handler(request)
        if not response.prepared:
            response.headers["Date"] = format_datetime(self.clock.now(), usegmt=True)
        return response
