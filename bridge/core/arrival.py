"""The order in which posts of one reading are dealt with: what a post refers to comes first.

A timeline lists an edited post by its newest id, so behind replies and quotes that name an earlier
one. Must not move a cursor past a post that is not dealt with yet.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from bridge.core.model import Post, PostId


def referred_to(post: Post) -> tuple[PostId, ...]:
    """The ids that `post` names: what it replies to, quotes and repeats."""
    named = (
        post.in_reply_to.post if post.in_reply_to else None,
        post.quote.post if post.quote else None,
        post.repost.post if post.repost else None,
    )
    return tuple(name for name in named if name is not None)


def in_order(posts: Sequence[Post]) -> Iterator[tuple[Post, Sequence[Post]]]:
    """Each of `posts` (oldest first) after those of them that it refers to, under any of their ids.

    Beside each come the posts that the cursor may pass with it: those that it and all before it
    complete, in their own order.
    """
    places = {name: place for place, post in enumerate(posts) for name in post.ids}
    done: set[int] = set()
    passed = 0
    for first in range(len(posts)):
        for place in _before(first, posts, places, done):
            end = passed
            while end in done:
                end += 1
            yield posts[place], posts[passed:end]
            passed = end


def _before(
    first: int, posts: Sequence[Post], places: dict[PostId, int], done: set[int]
) -> Iterator[int]:
    """The place `first`, after those it depends on; each is marked as done when it is given."""
    if first in done:
        return
    stack, entered = [first], {first}
    while stack:
        missing = _missing(posts[stack[-1]], places, done, entered)
        if missing is None:
            done.add(stack[-1])
            yield stack.pop()
        else:
            stack.append(missing)
            entered.add(missing)


def _missing(
    post: Post, places: dict[PostId, int], done: set[int], entered: set[int]
) -> int | None:
    """The place of a post that `post` refers to and that is still to come; None for none.

    One that was entered before and is not done refers back to `post`: only a faulty server says so.
    """
    found = (places.get(name) for name in referred_to(post))
    return next((n for n in found if n is not None and n not in done and n not in entered), None)
