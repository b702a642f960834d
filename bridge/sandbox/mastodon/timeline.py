"""Pages of an account's posts: cursors with the exact meaning that the server gives them.

After paginable.rb and account_statuses_filter.rb. `since_id` gives the newest above the cursor,
`min_id` the next ones above it, either newest first. Must not render anything.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice
from urllib.parse import urlencode

from bridge.sandbox.mastodon.marks import marks_of
from bridge.sandbox.mastodon.params import Params
from bridge.sandbox.mastodon.profiles import Profile
from bridge.sandbox.mastodon.records import Status
from bridge.sandbox.mastodon.state import State

DEFAULT_LIMIT = 20
MAX_LIMIT = 40
_FLAGS = ("pinned", "only_media", "exclude_replies", "exclude_reblogs", "exclude_direct")


@dataclass(frozen=True, slots=True)
class PageQuery:
    """What was asked for. Cursors are ids as given; empty ones count as not given."""

    limit: int
    max_id: str | None
    since_id: str | None
    min_id: str | None
    flags: frozenset[str]
    tagged: str | None


def page_query(params: Params) -> PageQuery:
    """The query of a request, limits clamped to 1 up to 40."""
    asked = params.number("limit")
    return PageQuery(
        limit=DEFAULT_LIMIT if asked is None else max(1, min(abs(asked), MAX_LIMIT)),
        max_id=params.text("max_id") or None,
        since_id=params.text("since_id") or None,
        min_id=params.text("min_id") or None,
        flags=frozenset(name for name in _FLAGS if params.flag(name)),
        tagged=params.text("tagged") or None,
    )


def page_of(
    state: State, profile: Profile, account_id: str, viewer: str | None, query: PageQuery
) -> list[Status]:
    """The posts of one page, newest first, as far as `viewer` may see them."""
    keeps = _filter(state, profile, account_id, viewer, query)
    if "pinned" in query.flags:
        # Nothing is ever pinned here.
        return []
    newest: Iterator[Status]
    if not profile.cursors:
        below = state.place(query.max_id) if query.max_id else None
        newest = filter(keeps, state.newest_first(account_id, below))
        return list(islice(newest, query.limit))
    top = state.cursor(query.max_id) if query.max_id else None
    if query.min_id:
        above = state.oldest_first(account_id, state.cursor(query.min_id))
        if top is not None:
            above = _until(above, lambda status: state.cursor(status.id) < top)
        return list(islice(filter(keeps, above), query.limit))[::-1]
    newest = state.newest_first(account_id, top)
    if query.since_id:
        bottom = state.cursor(query.since_id)
        newest = _until(newest, lambda status: state.cursor(status.id) > bottom)
    return list(islice(filter(keeps, newest), query.limit))


def link_header(url: str, query: PageQuery, page: list[Status]) -> str | None:
    """The `Link` of a page at `url`: next while it was full, prev unless it was empty."""
    if not page:
        return None
    kept: list[tuple[str, str]] = [(name, "true") for name in _FLAGS if name in query.flags]
    if query.limit != DEFAULT_LIMIT:
        kept.insert(0, ("limit", str(query.limit)))
    if query.tagged:
        kept.append(("tagged", query.tagged))
    links = []
    if len(page) >= query.limit:
        links.append(f'<{url}?{urlencode([*kept, ("max_id", page[-1].id)])}>; rel="next"')
    links.append(f'<{url}?{urlencode([*kept, ("min_id", page[0].id)])}>; rel="prev"')
    return ", ".join(links)


def _filter(
    state: State, profile: Profile, account_id: str, viewer: str | None, query: PageQuery
) -> Callable[[Status], bool]:
    flags = frozenset() if profile.filters == "ignored" else query.flags
    not_replies = {None, account_id} if profile.filters == "threads stay" else {None}

    def keeps(status: Status) -> bool:
        reply = status.in_reply_to_account_id
        return (
            state.can_see(status, viewer)
            and not ("only_media" in flags and not status.media)
            and not ("exclude_replies" in flags and reply not in not_replies)
            and not ("exclude_reblogs" in flags and status.reblog_of is not None)
            and not ("exclude_direct" in flags and status.visibility == "direct")
            and (query.tagged is None or query.tagged.lower() in _tags(status))
        )

    return keeps


def _tags(status: Status) -> set[str]:
    return {mark.value.lower() for mark in marks_of(status.text) if mark.kind == "hashtag"}


def _until(statuses: Iterator[Status], holds: Callable[[Status], bool]) -> Iterator[Status]:
    for status in statuses:
        if not holds(status):
            return
        yield status
