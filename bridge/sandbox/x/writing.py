"""The writing endpoints: create a post, delete one, repeat one and take that back.

What is allowed is `rules`' business; what it costs, `meter`'s.
"""

from __future__ import annotations

from aiohttp import web

from bridge.sandbox.x.accounts import XAccount
from bridge.sandbox.x.dialect import Dialect
from bridge.sandbox.x.posts import StoredPost
from bridge.sandbox.x.problems import (
    NOT_PERMITTED,
    NOT_YOURS,
    USER_MISMATCH,
    Json,
    Refusal,
    forbidden,
)
from bridge.sandbox.x.queries import checked_id
from bridge.sandbox.x.rules import judged
from bridge.sandbox.x.schema import CREATE_POST, REPOST, Schema, parsed
from bridge.sandbox.x.service import Answer
from bridge.sandbox.x.state import XState, has_link, put_up, put_up_repost


class Writing:
    """The endpoints."""

    def __init__(self, state: XState) -> None:
        self._state = state

    async def create(self, request: web.Request, account: XAccount) -> Answer:
        """``POST /2/tweets``: answers in the old spelling whatever else is spoken.

        The edit history holds one empty string, as the live service sends it.
        """
        state = self._state
        body = await self._json(request, CREATE_POST)
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
        post = self._standing(post_id, "id")
        if post.author.id != account.id:
            raise forbidden(NOT_YOURS)
        state.posts.remove(post_id)
        state.meter.deleted(account.id, post_id, state.clock.now())
        return Answer(200, {"data": {"deleted": True}})

    async def repost(self, request: web.Request, account: XAccount) -> Answer:
        """``POST /2/users/:id/retweets``: once; asked again, it stays as it is.

        Names the post that is repeated, and not the repost.
        """
        state = self._state
        self._check_self(request, account)
        body = await self._json(request, REPOST)
        original = self._standing(str(body["tweet_id"]), "tweet_id")
        if original.repost_of is not None and (inner := state.posts.get(original.repost_of)):
            original = inner
        if original.author.protected:
            raise forbidden(NOT_PERMITTED)
        if state.posts.repost_by(account.id, original) is None:
            put_up_repost(state, account, original, None)
        state.meter.reposted(account.id, original.id, state.clock.now())
        name = "id" if state.dialect is Dialect.TWEET else "rest_id"
        return Answer(200, {"data": {name: original.id, "retweeted": True}})

    async def take_back(self, request: web.Request, account: XAccount) -> Answer:
        """``DELETE /2/users/:id/retweets/:source_tweet_id``: says so whether there was one or not.

        A post that is gone has no reposts left.
        """
        state = self._state
        self._check_self(request, account)
        source = checked_id(request.match_info["source"], "source_tweet_id", state.problems)
        original = self._standing(source, "source_tweet_id")
        repost = state.posts.repost_by(account.id, original)
        if repost is not None:
            state.posts.remove(repost.id)
        state.meter.deleted(account.id, source, state.clock.now())
        return Answer(200, {"data": {"retweeted": False}})

    def _standing(self, post_id: str, parameter: str) -> StoredPost:
        post = self._state.posts.get(post_id)
        if post is None:
            problem = self._state.problems.not_found("tweet", parameter, post_id)
            raise Refusal(404, {**problem, "status": 404})
        return post

    def _check_self(self, request: web.Request, account: XAccount) -> None:
        user = checked_id(request.match_info["id"], "id", self._state.problems)
        if user != account.id:
            message = USER_MISMATCH.format(user, account.id)
            raise self._state.problems.invalid(message, "id", user)

    async def _json(self, request: web.Request, schema: Schema) -> Json:
        problems = self._state.problems
        if request.content_type != "application/json":
            raise problems.invalid("The Content-Type must be application/json.")
        try:
            return parsed(await request.read(), schema)
        except ValueError as error:
            raise problems.invalid(str(error)) from None
