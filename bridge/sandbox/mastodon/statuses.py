"""Posts over HTTP: create, read, edit, delete, boost, source, history, several at once.

After statuses_controller.rb. Must not know how a post is judged or rendered.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from aiohttp import web

from bridge.sandbox.mastodon.door import Door
from bridge.sandbox.mastodon.drafts import draft_of, new_alt_texts, scheduled_json
from bridge.sandbox.mastodon.idempotency import IdempotencyKeys
from bridge.sandbox.mastodon.params import read_params
from bridge.sandbox.mastodon.posting import UnexpectedMentionsError
from bridge.sandbox.mastodon.problems import NOT_FOUND, ApiError, MastodonWording
from bridge.sandbox.mastodon.records import MastodonAccount, Scheduled, Status

MOST_AT_ONCE = 20
READ = ("read", "read:statuses")
WRITE = ("write", "write:statuses")


class StatusRoutes:
    """The handlers. `idempotency_bug` makes every repeated key a 500, as some releases did."""

    def __init__(self, door: Door, keys: IdempotencyKeys) -> None:
        self._door = door
        self._keys = keys
        self.idempotency_bug = False

    def routes(self) -> list[web.RouteDef]:
        """What is served."""
        base = "/api/v1/statuses"
        one = base + "/{id}"
        listed = [
            web.post(base, self.create),
            web.get(one, self.read),
            web.delete(one, self.delete),
            web.get(one + "/source", self.source),
            web.post(one + "/reblog", self.reblog),
            web.post(one + "/unreblog", self.unreblog),
        ]
        if self._door.profile.editing:
            listed.append(web.put(one, self.edit))
        if self._door.profile.many_by_id:
            listed.append(web.get(base, self.read_many))
        if self._door.profile.history:
            listed.append(web.get(one + "/history", self.history))
        if self._door.profile.scheduling:
            waiting = "/api/v1/scheduled_statuses"
            listed += [
                web.get(waiting, self.list_scheduled),
                web.get(waiting + "/{id}", self.read_scheduled),
                web.delete(waiting + "/{id}", self.cancel_scheduled),
            ]
        return listed

    async def create(self, request: web.Request) -> web.Response:
        """``POST /api/v1/statuses``."""
        door = self._door
        params = await read_params(request)
        account, token = door.enter(request, *WRITE)
        draft = draft_of(params, token)
        waits = draft.scheduled_at is not None and draft.scheduled_at > door.clock.now()
        # A key is ignored for posts that wait: each repetition makes another one.
        key = request.headers.get("Idempotency-Key", "") if not waits else ""
        if not door.profile.idempotency:
            key = ""
        if key and (known := self._keys.find(account.id, key)) is not None:
            return self._repeated(known, account, request)
        try:
            made = door.posting.post(account, draft, admit=self._admit(account))
        except UnexpectedMentionsError as error:
            listed = [door.show.account(one, door.origin(request)) for one in error.accounts]
            raise ApiError(422, str(error), fields={"unexpected_accounts": listed}) from None
        if isinstance(made, Scheduled):
            return web.json_response(self._waiting(made, door.origin(request)))
        if key:
            self._keys.keep(account.id, key, made.id)
        return self._posted(made, account, request)

    async def read(self, request: web.Request) -> web.Response:
        """``GET /api/v1/statuses/:id``."""
        viewer = self._door.look(request, *READ)
        status = self._visible(request, viewer)
        return web.json_response(self._door.show.status(status, viewer, self._door.origin(request)))

    async def read_many(self, request: web.Request) -> web.Response:
        """``GET /api/v1/statuses?id[]=``: what there is of at most 20, in no promised order."""
        viewer = self._door.look(request, *READ)
        params = await read_params(request)
        ids = dict.fromkeys(params.texts("id") or ())
        if len(ids) > MOST_AT_ONCE:
            raise ApiError(422, "Mastodon::ValidationError")
        found = [self._door.state.visible(one, viewer) for one in sorted(ids)]
        origin = self._door.origin(request)
        shown = [self._door.show.status(one, viewer, origin) for one in found if one is not None]
        return web.json_response(shown)

    async def edit(self, request: web.Request) -> web.Response:
        """``PUT /api/v1/statuses/:id``: what is not sent is dropped, but for the language."""
        door = self._door
        params = await read_params(request)
        account, token = door.enter(request, *WRITE)
        status = self._own(request, account)
        if status.reblog_of is not None:
            raise ApiError(404, NOT_FOUND)
        draft = draft_of(params, token)
        edited = door.posting.edit(
            account, status, draft, new_alt_texts(params), admit=self._admit(account)
        )
        return self._posted(edited, account, request)

    async def delete(self, request: web.Request) -> web.Response:
        """``DELETE /api/v1/statuses/:id``: answers the post with its source, to be redrafted."""
        params = await read_params(request)
        account, _ = self._door.enter(request, *WRITE)
        status = self._own(request, account)
        body = self._door.show.deleted(status, account.id, self._door.origin(request))
        self._door.posting.delete(status, delete_media=bool(params.flag("delete_media")))
        return web.json_response(body if self._door.profile.dialect != "minimal" else {})

    async def source(self, request: web.Request) -> web.Response:
        """``GET /api/v1/statuses/:id/source``: the plain text as it was typed."""
        account, _ = self._door.enter(request, *READ)
        status = self._visible(request, account.id)
        body = {"id": status.id, "text": status.text, "spoiler_text": status.spoiler_text}
        return web.json_response(body)

    async def history(self, request: web.Request) -> web.Response:
        """``GET /api/v1/statuses/:id/history``: every state, the original first."""
        viewer = self._door.look(request, *READ)
        status = self._visible(request, viewer)
        return web.json_response(self._door.show.history(status, self._door.origin(request)))

    async def reblog(self, request: web.Request) -> web.Response:
        """``POST /api/v1/statuses/:id/reblog``."""
        params = await read_params(request)
        account, token = self._door.enter(request, *WRITE)
        original = self._visible(request, account.id)
        boost = self._door.posting.boost(
            account,
            original,
            visibility=params.text("visibility"),
            application=token.application,
            admit=self._admit(account),
        )
        return self._posted(boost, account, request)

    async def unreblog(self, request: web.Request) -> web.Response:
        """``POST /api/v1/statuses/:id/unreblog``: answers the post that was boosted."""
        account, _ = self._door.enter(request, *WRITE)
        original = self._visible(request, account.id)
        for other in tuple(self._door.state.referring(original.id)):
            if other.reblog_of == original.id and other.account_id == account.id:
                self._door.posting.delete(other)
        origin = self._door.origin(request)
        return web.json_response(self._door.show.status(original, account.id, origin))

    async def list_scheduled(self, request: web.Request) -> web.Response:
        """``GET /api/v1/scheduled_statuses``."""
        account, _ = self._door.enter(request, *READ)
        origin = self._door.origin(request)
        waiting = [
            one for one in self._door.state.scheduled.values() if one.account_id == account.id
        ]
        return web.json_response([self._waiting(one, origin) for one in waiting])

    async def read_scheduled(self, request: web.Request) -> web.Response:
        """``GET /api/v1/scheduled_statuses/:id``."""
        account, _ = self._door.enter(request, *READ)
        waiting = self._own_scheduled(request, account)
        return web.json_response(self._waiting(waiting, self._door.origin(request)))

    async def cancel_scheduled(self, request: web.Request) -> web.Response:
        """``DELETE /api/v1/scheduled_statuses/:id``."""
        account, _ = self._door.enter(request, *WRITE)
        waiting = self._own_scheduled(request, account)
        del self._door.state.scheduled[waiting.id]
        self._door.media.detach(waiting.id, waiting.draft.media, delete=False)
        return web.json_response({})

    def _admit(self, account: MastodonAccount) -> Callable[[], None]:
        return partial(self._door.limits.record_post, account.id)

    def _repeated(self, known: str, account: MastodonAccount, request: web.Request) -> web.Response:
        if self.idempotency_bug:
            return MastodonWording(self._door.clock).error(500)
        status = self._door.state.get(known)
        if status is None:
            raise ApiError(404, NOT_FOUND)
        return self._posted(status, account, request)

    def _posted(
        self, status: Status, account: MastodonAccount, request: web.Request
    ) -> web.Response:
        shown = self._door.show.status(status, account.id, self._door.origin(request))
        return web.json_response(shown)

    def _waiting(self, waiting: Scheduled, origin: str) -> dict[str, object]:
        media = [
            self._door.media.as_json(medium, origin)
            for medium in self._door.media.of(waiting.draft.media)
        ]
        return scheduled_json(waiting, media)

    def _visible(self, request: web.Request, viewer: str | None) -> Status:
        status = self._door.state.visible(request.match_info["id"], viewer)
        if status is None:
            raise self._gone()
        return status

    def _own(self, request: web.Request, account: MastodonAccount) -> Status:
        status = self._door.state.get(request.match_info["id"])
        if status is None or status.account_id != account.id:
            raise self._gone()
        return status

    def _own_scheduled(self, request: web.Request, account: MastodonAccount) -> Scheduled:
        waiting = self._door.state.scheduled.get(request.match_info["id"])
        if waiting is None or waiting.account_id != account.id:
            raise self._gone()
        return waiting

    def _gone(self) -> ApiError:
        gotosocial = self._door.profile.dialect == "gotosocial"
        return ApiError(404, "Not Found: target status not found" if gotosocial else NOT_FOUND)
