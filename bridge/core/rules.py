"""The decision about one post: mirror it, skip it, or hold it for its owner, and why.

One pure function over a post, the rules of its route, and what the ledger knows. Must not compose,
send or store anything.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from bridge.core import guards
from bridge.core.delivery import PostState
from bridge.core.model import Kind, Post, PostId, Visibility
from bridge.core.twins import Twin
from bridge.core.verdict import Action, Reason, Verdict


@dataclass(frozen=True, slots=True)
class Rules:
    """What the owner wants of one route. `audiences` are the visibilities that may cross."""

    audiences: frozenset[Visibility]

    def __post_init__(self) -> None:
        if self.audiences & guards.NEVER_WIDENED:
            raise ValueError("followers-only, direct and unknown audiences can never be listed")


@dataclass(frozen=True, slots=True)
class History:
    """What is known that bears on one post.

    `parent` is the state of the own post that it replies to, None where there is no record of one.
    `parent_is_mirror` says that the parent is a mirror made by the bridge, `parent_has_twin` that
    its author put it on the other side too. `twin` is the same for the post itself.
    """

    echo_of: PostId | None = None
    baseline: bool = False
    floor: datetime | None = None
    parent: PostState | None = None
    parent_is_mirror: bool = False
    parent_has_twin: bool = False
    twin: Twin | None = None


_WITHOUT_MIRROR = frozenset({PostState.SKIPPED, PostState.FAILED, PostState.DROPPED})


def continues_own_thread(post: Post, history: History) -> bool:
    """Whether `post` replies to a post of the same author.

    The network may not name the parent's author; a parent that stands in the own ledger is own.
    """
    if post.kind is Kind.THREAD:
        return True
    known = history.parent is not None or history.parent_is_mirror
    return post.in_reply_to is not None and post.in_reply_to.account is None and known


def decide(post: Post, rules: Rules, history: History) -> Verdict:
    """What happens to `post`. The guards speak first; no rule can overrule them."""
    stopped = (
        guards.echo(history.echo_of)
        or guards.flood(post, floor=history.floor, baseline=history.baseline)
        or guards.audience(post, rules.audiences)
        or guards.foreign_mirror(post)
    )
    if stopped is not None:
        return stopped
    if post.kind is Kind.REPOST:
        return Verdict(Action.SKIP, Reason.REPOST)
    if post.in_reply_to is not None:
        if not continues_own_thread(post, history):
            return Verdict(Action.SKIP, Reason.REPLY)
        parent_has_none = history.parent is None or history.parent in _WITHOUT_MIRROR
        stands_there = history.parent_is_mirror or history.parent_has_twin
        if parent_has_none and not stands_there:
            return Verdict(Action.SKIP, Reason.PARENT_NOT_MIRRORED)
    if not (post.text.plain.strip() or post.spoiler or post.poll):
        return Verdict(Action.SKIP, Reason.NOTHING_TO_CARRY, _what_it_has(post))
    return guards.same_post(history.twin) or Verdict(Action.MIRROR, Reason.ALLOWED)


def _what_it_has(post: Post) -> str:
    return f"{len(post.media)} attached media" if post.media else "an empty post"
