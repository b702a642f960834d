"""The writing endpoints: create a post, delete one.

What is allowed is `rules`' business; what it costs, `meter`'s.
"""

from __future__ import annotations

from aiohttp import web

from bridge.sandbox.x.accounts import XAccount
from bridge.sandbox.x.problems import NOT_YOURS, Refusal, forbidden
from bridge.sandbox.x.queries import checked_id
from bridge.sandbox.x.rules import judged
from bridge.sandbox.x.schema import CREATE_POST, parsed
from bridge.sandbox.x.service import Answer
from bridge.sandbox.x.state import XState, has_link, put_up


class Writing:
    """The endpoints."""

    def __init__(self, state: XState) -> None:
        self._state = state

    async def create(self, request: web.Request, account: XAccount) -> Answer:
        """``POST /2/tweets``: answers in the old spelling whatever else is spoken.

        The edit history holds one empty string, as the live service sends it.
        """
        state = self._state
        if request.content_type != "application/json":
            raise state.problems.invalid("The Content-Type must be application/json.")
        try:
            body = parsed(await request.read(), CREATE_POST)
        except ValueError as error:
            raise state.problems.invalid(str(error)) from None
        post = put_up(state, account, judged(state, account, body))
        state.meter.created(account.id, post.id, state.clock.now(), has_link=has_link(post))
        data = {
            "id": post.id,
            "text": post.rendering.short.text,
            "edit_history_tweet_ids": [""],
        }
        return Answer(201, {"data": data})

    async def delete(self, request: web.Request, account: XAccount) -> Answer:
        """``DELETE /2/tweets/:id``: the post with all its versions."""
        state = self._state
        post_id = checked_id(request.match_info["id"], "id", state.problems)
        post = state.posts.get(post_id)
        if post is None:
            raise Refusal(404, {**state.problems.not_found("tweet", "id", post_id), "status": 404})
        if post.author.id != account.id:
            raise forbidden(NOT_YOURS)
        state.posts.remove(post_id)
        state.meter.deleted(account.id, post_id, state.clock.now())
        return Answer(200, {"data": {"deleted": True}})
