"""Parts that were composed before, made to fit what the network takes by now.

For a mirror of which some stands already, or whose post cannot be read again for nothing: what was
composed is all there is. Pure; must not change what fits, nor say anything twice.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import replace
from itertools import zip_longest

from bridge.core.capabilities import Capabilities
from bridge.core.caution import MARK
from bridge.core.draft import DraftMedia, DraftPart, DraftPoll
from bridge.core.fitting import Wanted, counter, fitted
from bridge.core.parts import price_of
from bridge.core.policy import Policy

_NUMBER = re.compile(r"\n[0-9]+/[0-9]+\Z")


def refitted(parts: Sequence[DraftPart], to: Capabilities, policy: Policy) -> tuple[DraftPart, ...]:
    """`parts`, in order, as they are where all of them fit; else as many as it takes.

    Those are not numbered, unless they are of one part: how many there are of the whole has
    changed. Raises `UnfitError` where a text cannot be fitted.
    """
    if all(_fits(part, to) for part in parts):
        return tuple(parts)
    known = frozenset(name.lower() for pair in policy.people.items() for name in pair)
    made = [piece for part in parts for piece in _pieces(part, to, policy, known)]
    if len(parts) > 1:
        made = [replace(piece, text=_NUMBER.sub("", piece.text)) for piece in made]
    return tuple(
        replace(piece, index=index, price=price_of(piece.text, to, piece.media))
        for index, piece in enumerate(made)
    )


def _fits(part: DraftPart, to: Capabilities) -> bool:
    if part.repeat is not None:
        return True
    short = counter(to, part.spoiler)(part.text) <= to.max_length
    return short and len(part.media) <= to.max_media and _can_be_made(part.poll, to)


def _can_be_made(poll: DraftPoll | None, to: Capabilities) -> bool:
    if poll is None:
        return True
    limits = to.polls
    if limits is None or len(poll.options) > limits.max_options:
        return False
    return all(len(option) <= limits.max_option_length for option in poll.options)


def _pieces(
    part: DraftPart, to: Capabilities, policy: Policy, known: AbstractSet[str]
) -> Iterator[DraftPart]:
    if part.repeat is not None:
        yield part
        return
    if not _can_be_made(part.poll, to) and part.poll is not None:
        part = replace(part, text=part.poll.otherwise, poll=None)
    texts: tuple[str, ...] = (part.text,)
    if counter(to, part.spoiler)(part.text) > to.max_length:
        heading, body = _headed(_NUMBER.sub("", part.text), to)
        wanted = Wanted(body, heading=heading, warning=part.spoiler, known=known)
        texts = fitted(wanted, to, policy.long_text).texts
    groups = _groups(part.media, to.max_media)
    for place, (text, media) in enumerate(zip_longest(texts, groups)):
        poll = part.poll if place == 0 else None
        quote = part.quote if place == 0 else None
        yield replace(part, text=text or "", media=media or (), poll=poll, quote=quote)


def _headed(text: str, to: Capabilities) -> tuple[str, str]:
    """The content warning that begins a text, where there is no field for it, and the rest."""
    head, gap, body = text.partition("\n\n")
    if to.spoiler or not gap or not head.startswith(MARK):
        return "", text
    return head + gap, body


def _groups(media: Sequence[DraftMedia], most: int) -> list[tuple[DraftMedia, ...]]:
    return [tuple(media[start : start + most]) for start in range(0, len(media), most)]
