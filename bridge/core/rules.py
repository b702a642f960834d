"""The decision about one post: mirror it, skip it, or hold it for its owner, and why.

One pure function over a post, the rules of its route, and what the ledger knows, and one over the
price of its draft. Must not compose, send or store anything.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from bridge.core import guards
from bridge.core.caution import warning_of
from bridge.core.delivery import PostState
from bridge.core.draft import Draft
from bridge.core.model import Kind, Post, PostId, Visibility
from bridge.core.policy import Policy
from bridge.core.prices import in_dollars
from bridge.core.switches import Marker, speaks
from bridge.core.twins import Twin
from bridge.core.verdict import Action, Reason, Verdict

Boosts = Literal["skip", "own", "all"]
"""Which reposts cross: none, those of own posts that have a mirror, or others' too, by address."""
Threads = Literal["skip", "root"]
"""What becomes of a post that continues a thread whose earlier post has no mirror."""

NOXP = Marker("#noxp")


@dataclass(frozen=True, slots=True)
class Rules:
    """What the owner wants of one route. `audiences` are the visibilities that may cross.

    A post with any of `never_with` stays where it is; where `only_with` names anything, so does one
    with none of them, unless it goes on with a thread that crossed. `languages` are codes, none for
    all. `skip_warned` keeps posts with a content warning, their own or one that `warn_about` calls
    for.
    """

    audiences: frozenset[Visibility]
    boosts: Boosts = "skip"
    threads: Threads = "skip"
    only_with: tuple[Marker, ...] = ()
    never_with: tuple[Marker, ...] = (NOXP,)
    media_only: bool = False
    languages: frozenset[str] = frozenset()
    skip_warned: bool = False
    warn_about: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.audiences & guards.NEVER_WIDENED:
            raise ValueError("followers-only, direct and unknown audiences can never be listed")


@dataclass(frozen=True, slots=True)
class History:
    """What is known that bears on one post.

    `parent` is the state of the own post that it replies to, None where there is no record of one.
    `parent_is_mirror` says that the parent is a mirror made by the bridge, `parent_has_twin` that
    its author put it on the other side too, `parent_with_others` that it belongs to a conversation
    with somebody else. `twin` is the same for the post itself. `reposted`
    says that the own post which it repeats has a mirror. `late` is what `guards.late` says of it.
    """

    echo_of: PostId | None = None
    baseline: bool = False
    floor: datetime | None = None
    parent: PostState | None = None
    parent_is_mirror: bool = False
    parent_has_twin: bool = False
    parent_with_others: bool = False
    twin: Twin | None = None
    reposted: bool = False
    late: Verdict | None = None


_WITHOUT_MIRROR = frozenset(
    {PostState.SKIPPED, PostState.FAILED, PostState.DROPPED, PostState.REMOVED}
)


def continues_own_thread(post: Post, history: History) -> bool:
    """Whether `post` replies to a post of the same author.

    The network may not name the parent's author; a parent that stands in the own ledger is own.
    """
    if post.kind is Kind.THREAD:
        return True
    known = history.parent is not None or history.parent_is_mirror
    return post.in_reply_to is not None and post.in_reply_to.account is None and known


def is_with_others(post: Post, history: History) -> bool:
    """Whether `post` belongs to a conversation with somebody else.

    It replies to them, or to an own post, however far above, that does.
    """
    if post.in_reply_to is None:
        return False
    return not continues_own_thread(post, history) or history.parent_with_others


def continues_mirror(post: Post, history: History) -> bool:
    """Whether `post` goes on with an own thread of which there is something over there."""
    if not continues_own_thread(post, history):
        return False
    parent_has_none = history.parent is None or history.parent in _WITHOUT_MIRROR
    # Written by hand on both sides, it is still a conversation with somebody else, on each.
    has_twin = history.parent_has_twin and not history.parent_with_others
    return not parent_has_none or history.parent_is_mirror or has_twin


def decide(post: Post, rules: Rules, history: History) -> Verdict:
    """What happens to `post`. The guards speak first; no rule can overrule them."""
    stopped = (
        guards.echo(history.echo_of)
        or guards.flood(post, floor=history.floor, baseline=history.baseline)
        or guards.audience(post, rules.audiences)
        or guards.foreign_mirror(post)
        or (_repost if post.kind is Kind.REPOST else _own_writing)(post, rules, history)
    )
    verdict = stopped or guards.same_post(history.twin) or Verdict(Action.MIRROR, Reason.ALLOWED)
    # Last, so that only what would leave otherwise is said to come too late.
    return verdict if verdict.action is Action.SKIP else history.late or verdict


def too_dear(draft: Draft, policy: Policy) -> Verdict | None:
    """Hold a post whose draft, cheapened as far as may be, costs more than its owner allows."""
    bound = policy.most_per_post
    if bound is None or draft.price <= bound:
        return None
    price = f"{in_dollars(draft.price)} and not {in_dollars(bound)} at most"
    return Verdict(Action.HOLD, Reason.TOO_DEAR, price)


def _repost(post: Post, rules: Rules, history: History) -> Verdict | None:
    repost = post.repost
    if rules.boosts == "skip" or repost is None:
        return Verdict(Action.SKIP, Reason.REPOST)
    if repost.own or history.reposted:
        return None if history.reposted else Verdict(Action.SKIP, Reason.REPOST_WITHOUT_MIRROR)
    if rules.boosts == "own":
        return Verdict(Action.SKIP, Reason.REPOST, "somebody else's")
    if repost.url is None:
        return Verdict(Action.SKIP, Reason.NOTHING_TO_CARRY, "its address is not known")
    return _switched_off(post, rules, goes_on=False)


def _own_writing(post: Post, rules: Rules, history: History) -> Verdict | None:
    goes_on, own_thread = continues_mirror(post, history), continues_own_thread(post, history)
    if post.in_reply_to is not None and not goes_on:
        if is_with_others(post, history):
            detail = "a conversation with somebody else" if own_thread else ""
            return Verdict(Action.SKIP, Reason.REPLY, detail)
        if rules.threads == "skip":
            return Verdict(Action.SKIP, Reason.PARENT_NOT_MIRRORED)
    has_words = post.text.plain.strip() or post.spoiler
    if not (has_words or post.poll or post.media or post.quote):
        return Verdict(Action.SKIP, Reason.NOTHING_TO_CARRY, "an empty post")
    return _switched_off(post, rules, goes_on=goes_on)


def _switched_off(post: Post, rules: Rules, *, goes_on: bool) -> Verdict | None:
    """What the owner said of single posts; `goes_on` with a thread that crossed."""
    found = next((each for each in rules.never_with if each.is_in(post)), None)
    if found is not None:
        return Verdict(Action.SKIP, Reason.NEVER_WITH, found.written)
    wanted = rules.only_with
    if wanted and not goes_on and not any(each.is_in(post) for each in wanted):
        return Verdict(Action.SKIP, Reason.ONLY_WITH, ", ".join(each.written for each in wanted))
    if rules.media_only and not post.media:
        return Verdict(Action.SKIP, Reason.MEDIA_ONLY)
    if not speaks(post, rules.languages):
        return Verdict(Action.SKIP, Reason.LANGUAGE, post.language or "")
    if rules.skip_warned and (warning := warning_of(post, {}, rules.warn_about)):
        return Verdict(Action.SKIP, Reason.CONTENT_WARNING, warning)
    return None
