"""The reading endpoints: oneself, a timeline, posts by id.

Must not change anything but the bill.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from aiohttp import web

from bridge.sandbox.x.accounts import XAccount
from bridge.sandbox.x.dialect import (
    Wanted,
    media_json,
    poll_json,
    post_json,
    user_json,
    wanted,
)
from bridge.sandbox.x.posts import StoredPost
from bridge.sandbox.x.problems import Json
from bridge.sandbox.x.queries import (
    asked_ids,
    checked_id,
    known_only,
    page_token,
    timeline_query,
)
from bridge.sandbox.x.service import Answer
from bridge.sandbox.x.state import XState

REACH = 3_200
REACH_WITHOUT_REPLIES = 800


@dataclass(slots=True)
class _Includes:
    """What expansions bring along, each object once and in the order it was met."""

    posts: dict[str, StoredPost] = field(default_factory=dict)
    users: dict[str, XAccount] = field(default_factory=dict)
    media: dict[str, Json] = field(default_factory=dict)
    polls: dict[str, Json] = field(default_factory=dict)
    errors: dict[str, Json] = field(default_factory=dict)


class Reading:
    """The endpoints."""

    def __init__(self, state: XState) -> None:
        self._state = state

    async def me(self, request: web.Request, account: XAccount) -> Answer:
        """``GET /2/users/me``: free."""
        query = known_only(request, self._state.problems)
        asked = wanted(query, self._state.dialect, timeline=False)
        return Answer(200, {"data": self._user(account, asked)})

    async def timeline(self, request: web.Request, account: XAccount) -> Answer:
        """``GET /2/users/:id/tweets``: newest first, latest versions only."""
        state = self._state
        page = timeline_query(request, state.problems)
        user_id = checked_id(request.match_info["id"], "id", state.problems)
        owner = state.accounts.get(user_id)
        if owner is None:
            return Answer(200, {"errors": [state.problems.not_found("user", "id", user_id)]})
        if not self._visible(owner, account):
            return Answer(200, {"errors": [state.problems.not_visible("user", "id", user_id)]})
        reach = REACH_WITHOUT_REPLIES if page.without_replies else REACH
        found: list[StoredPost] = []
        more = False
        for post in state.posts.newest_first(
            owner.id, since=page.since, until=page.until, reach=reach
        ):
            if page.without_replies and post.reply_to is not None:
                continue
            if page.without_reposts and post.repost_of is not None:
                continue
            if len(found) == page.max_results:
                more = True
                break
            found.append(post)
        meta: Json = {"result_count": len(found)}
        if found:
            meta |= {"newest_id": found[0].id, "oldest_id": found[-1].id}
        if more:
            meta["next_token"] = page_token(found[-1].id)
        asked = wanted(dict(request.query), state.dialect, timeline=True)
        body = self._page(request, account, found, asked, owned=owner.id == account.id)
        return Answer(200, {**body, "meta": meta})

    async def posts(self, request: web.Request, account: XAccount) -> Answer:
        """``GET /2/tweets?ids=``: those that stand, and an error for each of the others."""
        query = known_only(request, self._state.problems, "ids")
        return self._lookup(request, account, query, asked_ids(query, self._state.problems), "ids")

    async def post(self, request: web.Request, account: XAccount) -> Answer:
        """``GET /2/tweets/:id``."""
        query = known_only(request, self._state.problems)
        one = checked_id(request.match_info["id"], "id", self._state.problems)
        answer = self._lookup(request, account, query, [one], "id")
        body = dict(answer.body or {})
        data = body.get("data")
        if isinstance(data, list):
            body["data"] = data[0]
        return Answer(200, body)

    def _lookup(
        self,
        request: web.Request,
        account: XAccount,
        query: Mapping[str, str],
        ids: Sequence[str],
        parameter: str,
    ) -> Answer:
        found: list[StoredPost] = []
        errors: list[Json] = []
        for one in ids:
            post = self._state.posts.get(one)
            if post is None:
                errors.append(self._state.problems.not_found("tweet", parameter, one))
            elif not self._visible(post.author, account):
                errors.append(self._state.problems.not_visible("tweet", parameter, one))
            else:
                found.append(post)
        asked = wanted(query, self._state.dialect, timeline=False)
        body = self._page(request, account, found, asked, owned=False)
        if errors:
            inside = body.get("errors", [])
            body["errors"] = [*errors, *inside] if isinstance(inside, list) else errors
        return Answer(200, body)

    def _page(
        self,
        request: web.Request,
        account: XAccount,
        found: Sequence[StoredPost],
        asked: Wanted,
        *,
        owned: bool,
    ) -> Json:
        """`data` and `includes` of posts, charged for; a page without posts has neither."""
        if not found:
            return {}
        body: Json = {"data": [self._post(post, asked, account) for post in found]}
        includes = _Includes()
        for post in found:
            self._expand(request, account, post, asked, includes)
        for post in found:
            includes.posts.pop(post.id, None)
        shown: Json = {}
        if includes.media:
            shown["media"] = list(includes.media.values())
        if includes.polls:
            shown["polls"] = list(includes.polls.values())
        if includes.posts:
            name = "tweets" if asked.old else "posts"
            shown[name] = [self._post(post, asked, account) for post in includes.posts.values()]
        if includes.users:
            shown["users"] = [self._user(user, asked) for user in includes.users.values()]
        if shown:
            body["includes"] = shown
        if includes.errors:
            body["errors"] = list(includes.errors.values())
        self._charge(account, found, includes, owned=owned)
        return body

    def _charge(
        self, app: XAccount, found: Iterable[StoredPost], includes: _Includes, *, owned: bool
    ) -> None:
        meter, now = self._state.meter, self._state.clock.now()
        meter.read_posts(app.id, (post.id for post in found), now, owned=owned)
        for post in includes.posts.values():
            own = owned and post.author.id == app.id
            meter.read_posts(app.id, (post.id,), now, owned=own)
        meter.read_users(app.id, includes.users, now)

    def _expand(
        self,
        request: web.Request,
        account: XAccount,
        post: StoredPost,
        asked: Wanted,
        includes: _Includes,
    ) -> None:
        expansions = asked.expansions
        if "author_id" in expansions:
            includes.users[post.author.id] = post.author
        if "in_reply_to_user_id" in expansions and post.in_reply_to_user_id is not None:
            user = self._state.accounts.get(post.in_reply_to_user_id)
            if user is not None:
                includes.users[user.id] = user
        if "attachments.media_keys" in expansions:
            self._include_media(request, post, asked, includes)
        if "attachments.poll_ids" in expansions and post.poll is not None:
            includes.polls[post.poll.id] = poll_json(post, asked, self._state.clock.now())
        if expansions & {"edit_history_post_ids", "edit_history_tweet_ids"}:
            self._include_posts(account, self._state.posts.chain(post), includes, "")
        if any(name.startswith(("referenced_posts", "referenced_tweets.")) for name in expansions):
            self._include_references(request, account, post, asked, includes)

    def _include_references(
        self,
        request: web.Request,
        account: XAccount,
        post: StoredPost,
        asked: Wanted,
        includes: _Includes,
    ) -> None:
        references = (post.repost_of, post.quote, post.reply_to)
        named = [one for one in references if one is not None]
        parameter = "referenced_tweets.id" if asked.old else "referenced_posts"
        for referenced in self._include_posts(account, named, includes, parameter):
            if "referenced_tweets.id.author_id" in asked.expansions:
                includes.users[referenced.author.id] = referenced.author
            if "referenced_tweets.id.attachments.media_keys" in asked.expansions:
                self._include_media(request, referenced, asked, includes)

    def _include_posts(
        self, account: XAccount, ids: Iterable[str], includes: _Includes, parameter: str
    ) -> list[StoredPost]:
        """Include what stands and may be seen; the rest becomes errors beside the good data."""
        seen: list[StoredPost] = []
        for one in ids:
            post = self._state.posts.get(one)
            if post is None:
                problem = self._state.problems.not_found("tweet", parameter, one)
                includes.errors[one] = problem
            elif not self._visible(post.author, account):
                problem = self._state.problems.not_visible("tweet", parameter, one)
                includes.errors[one] = {**problem, "section": "includes"}
            else:
                includes.posts[one] = post
                seen.append(post)
        return seen

    def _include_media(
        self, request: web.Request, post: StoredPost, asked: Wanted, includes: _Includes
    ) -> None:
        origin = str(request.url.origin())
        for medium in post.media:
            includes.media[medium.key] = media_json(medium, asked, origin)

    def _post(self, post: StoredPost, asked: Wanted, account: XAccount) -> Json:
        return post_json(post, asked, account, self._state.posts.chain(post))

    def _user(self, account: XAccount, asked: Wanted) -> Json:
        return user_json(account, asked, self._state.posts.count(account.id))

    @staticmethod
    def _visible(owner: XAccount, to: XAccount) -> bool:
        return owner.id == to.id or not owner.protected
