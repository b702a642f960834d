"""What was decided about a post, and why: every reason there is, with its sentence.

Must not decide anything; `bridge.core.guards` and `bridge.core.rules` do.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Action(StrEnum):
    """The three things that can happen to a post that was read."""

    MIRROR = "mirror"
    SKIP = "skip"
    HOLD = "hold"


class Reason(StrEnum):
    """Why. The value is stable and is what programs match on; `SENTENCES` speaks to people."""

    ALLOWED = "allowed"
    ECHO = "echo"
    FOREIGN_MIRROR = "foreign-mirror"
    SAME_POST = "same-post"
    SIMILAR_POST = "similar-post"
    REPEATED_TEXT = "repeated-text"
    REVISION = "revision"
    BEFORE_START = "before-start"
    RESTORED = "restored"
    TOO_OLD = "too-old"
    CAUGHT_UP = "caught-up"
    TAKEN_OVER = "taken-over"
    LINKED = "linked"
    AUDIENCE = "audience"
    AUDIENCE_UNKNOWN = "audience-unknown"
    PROTECTED = "protected-account"
    REPLY = "reply"
    REPOST = "repost"
    PARENT_NOT_MIRRORED = "parent-not-mirrored"
    REPOST_WITHOUT_MIRROR = "repost-without-mirror"
    NEVER_WITH = "never-with"
    ONLY_WITH = "only-with"
    MEDIA_ONLY = "media-only"
    LANGUAGE = "language"
    CONTENT_WARNING = "content-warning"
    TOO_DEAR = "too-dear"
    NOTHING_TO_CARRY = "nothing-to-carry"
    UNFIT = "unfit"
    DELETED = "deleted"
    MEDIA_MISSING = "media-missing"


CATCHABLE = frozenset(
    {Reason.BEFORE_START, Reason.RESTORED, Reason.TOO_OLD, Reason.PARENT_NOT_MIRRORED}
)
"""Reasons for which a post was skipped that its owner may have sent after all."""

UP_TO_ITS_TEXT = frozenset({Reason.NEVER_WITH, Reason.ONLY_WITH, Reason.REPEATED_TEXT})
"""Reasons of skipped posts that their author can change by an edit."""

NOT_OURS = frozenset({Reason.TAKEN_OVER, Reason.LINKED})
"""Reasons of mirrors that the bridge did not write: it neither edits nor deletes them."""

SENTENCES: dict[Reason, str] = {
    Reason.ALLOWED: "mirrored by the rules of this bridge",
    Reason.ECHO: "this is the bridge's own mirror of a post from the other side",
    Reason.FOREIGN_MIRROR: "another cross-poster made it, and mirrors are never mirrored",
    Reason.SAME_POST: "the same post stands on the other network already, and not by this bridge",
    Reason.SIMILAR_POST: (
        "much the same post stands on the other network already; only its author can say whether "
        "this one is to follow"
    ),
    Reason.REPEATED_TEXT: (
        "the other network refused it, since it accepts no text twice, and an earlier post with "
        "the same text is published there; once its text is edited, it is mirrored"
    ),
    Reason.REVISION: "an edit of a post that was dealt with before; it is never posted twice",
    Reason.BEFORE_START: "written before this bridge was told to start",
    Reason.RESTORED: (
        "the ledger was restored from a backup, which cannot say whether this post was mirrored "
        "since; to have it sent if it was not: twinpost catch-up"
    ),
    Reason.TOO_OLD: (
        "it was older than `max_age` when the bridge came back after a time away; to have it sent "
        "after all: twinpost catch-up"
    ),
    Reason.CAUGHT_UP: "sent after all, because its owner said so",
    Reason.TAKEN_OVER: "another cross-poster mirrored it, before this bridge took over from it",
    Reason.LINKED: "its owner said which post its mirror is",
    Reason.AUDIENCE: "its audience is not among those this bridge may mirror; it stays where it is",
    Reason.AUDIENCE_UNKNOWN: "the network did not say who can see it, so it is not mirrored",
    Reason.PROTECTED: "the account is protected: its posts reach approved followers only",
    Reason.REPLY: "a reply to somebody else, or to a post that this bridge has not seen",
    Reason.REPOST: "a repost of another post; `boosts` says which of these are mirrored",
    Reason.PARENT_NOT_MIRRORED: "continues a thread whose earlier post has no mirror",
    Reason.REPOST_WITHOUT_MIRROR: "repeats an own post that has no mirror to be repeated",
    Reason.NEVER_WITH: "it has something that `never_with` names",
    Reason.ONLY_WITH: "it has nothing of what `only_with` names",
    Reason.MEDIA_ONLY: "it has no media, and `media_only` asks for some",
    Reason.LANGUAGE: "it is in a language that `languages` does not name",
    Reason.CONTENT_WARNING: "it has a content warning, and `warnings` says to skip those",
    Reason.TOO_DEAR: (
        "it costs more than one post may, by `x.budget.usd_per_post` or `max_usd_per_post`; to "
        "send it all the same: twinpost release ID; to let it be: twinpost drop ID"
    ),
    Reason.NOTHING_TO_CARRY: "has no text, and what it has cannot be carried over",
    Reason.UNFIT: "cannot be fitted to the other network",
    Reason.DELETED: "its author deleted it before it was mirrored",
    Reason.MEDIA_MISSING: "a medium of it cannot be had, and `media_missing` says to skip it then",
}


@dataclass(frozen=True, slots=True)
class Verdict:
    """What happens to one post. `detail` adds what the reason's sentence cannot know."""

    action: Action
    reason: Reason
    detail: str = ""

    @property
    def sentence(self) -> str:
        """``"audience: its audience is … (followers only)"``: the stable code, then the words."""
        words = SENTENCES[self.reason]
        return f"{self.reason.value}: {words}" + (f" ({self.detail})" if self.detail else "")
