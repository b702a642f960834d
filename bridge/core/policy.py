"""The owner's choices about the form of mirrors, as data. Must not decide anything.

What may cross at all is not in here: that is `bridge.core.rules`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Literal

from bridge.core.model import Microdollars, Visibility

LongText = Literal["thread", "truncate", "truncate_with_link"]
Links = Literal["keep", "drop", "defuse"]
Warnings = Literal["prefix", "only", "skip"]
Sensitive = Literal["send", "leave_out"]
Unfitting = Literal["link", "thumbnail", "skip"]
"""What becomes of a video that the other network does not take."""
Audio = Literal["link", "skip"]
Polls = Literal["native", "text"]
Quotes = Literal["link", "text"]
"""What stands for a quoted post that cannot be quoted: its address, or words alone."""
Edits = Literal["replace", "note", "ignore"]
Deletes = Literal["mirror", "ignore"]
MediaMissing = Literal["hold", "send_without", "skip"]

HOLD_FOR_MEDIA = timedelta(hours=1)
"""How long a post waits for a medium that cannot be had, under `hold`, before it goes without."""


@dataclass(frozen=True, slots=True)
class Policy:
    """How one direction writes.

    `visibility` is that of the mirror, where the network has it. `people` maps handles of one
    network to handles of the other, in either direction. `warning_words` replaces a content warning
    that equals a key, case aside, by its value. `warn_about` gives a post that contains a key as a
    word the content warning that is its value. `max_usd_per_post` is None for no bound: where a
    draft costs more, what makes it dear (links first) is made cheaper. `held_above` is the budget's
    own bound: what costs more than either is held as it is then. `reposting` lets an edit
    that the network cannot carry be made by deleting the mirror and posting it again.
    `within_default` keeps a mirror from being wider than what the target account is set to post as.
    `hidden_tags` are hashtags that the mirror goes without.
    """

    visibility: Visibility = Visibility.PUBLIC
    within_default: bool = False
    people: Mapping[str, str] = field(default_factory=dict)
    long_text: LongText = "thread"
    links: Links = "keep"
    max_usd_per_post: Microdollars | None = None
    held_above: Microdollars | None = None
    warnings: Warnings = "prefix"
    warning_words: Mapping[str, str] = field(default_factory=dict)
    warn_about: Mapping[str, str] = field(default_factory=dict)
    sensitive: Sensitive = "send"
    alt_text: bool = True
    video: Unfitting = "thumbnail"
    audio: Audio = "skip"
    polls: Polls = "native"
    quotes: Quotes = "link"
    edits: Edits = "replace"
    reposting: bool = False
    deletes: Deletes = "mirror"
    media_missing: MediaMissing = "hold"
    hidden_tags: frozenset[str] = frozenset()

    @property
    def most_per_post(self) -> Microdollars | None:
        """What no mirror may cost more than, unless its owner lets it go; None for no bound."""
        bounds = (self.max_usd_per_post, self.held_above)
        return min((each for each in bounds if each is not None), default=None)
