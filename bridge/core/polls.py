"""Polls: made over there where they fit, else said in words; those that have ended as results.

Pure. Must not fit texts; it is told what a text of its own may be.
"""

from __future__ import annotations

from datetime import datetime

from bridge.core.capabilities import Capabilities
from bridge.core.defuse import clean
from bridge.core.lengths import grapheme_count
from bridge.core.model import Poll

_SIGN = "○"
_FEWEST = 2


def labels(poll: Poll) -> tuple[str, ...]:
    """The answers, each on one line."""
    return tuple(" ".join(clean(option.label).split()) for option in poll.options)


def ended(poll: Poll, now: datetime) -> bool:
    """Whether nobody can vote any more."""
    return poll.closed or (poll.ends_at is not None and poll.ends_at <= now)


def in_words(poll: Poll, *, results: bool) -> str:
    """One line for each answer; with `results`, and where they are told, the share of its votes."""
    votes = [option.votes for option in poll.options]
    counted = [vote for vote in votes if vote is not None]
    total = sum(counted)
    shown = results and len(counted) == len(votes)
    lines = []
    for label, vote in zip(labels(poll), votes, strict=True):
        share = f" – {round(100 * (vote or 0) / total) if total else 0}% ({vote})" if shown else ""
        lines.append(f"{_SIGN} {label}{share}")
    return "\n".join(lines)


def obstacle(poll: Poll, to: Capabilities, now: datetime, *, with_media: bool) -> str:
    """Why `poll` cannot be made on the network of `to`, in words; empty where it can."""
    name, limits = to.network.called, to.polls
    size = grapheme_count if to.counting == "mastodon" else len
    if limits is None:
        return f"{name} makes none"
    answers = labels(poll)
    most, longest = limits.max_options, limits.max_option_length
    left = None if poll.ends_at is None else poll.ends_at - now
    checks = (
        (poll.multiple and not limits.multiple, f"{name} has none with several choices"),
        (with_media and not limits.with_media, f"{name} has none beside media"),
        (not _FEWEST <= len(answers) <= most, f"{name} takes {_FEWEST} to {most} answers"),
        (any(size(each) > longest for each in answers), f"an answer has over {longest} characters"),
        (not all(answers), "an answer is empty"),
        (len({answer.casefold() for answer in answers}) < len(answers), "two answers are the same"),
        (left is None, "it has no end"),
        (left is not None and left < limits.shortest, "too little time is left to vote"),
        (left is not None and left > limits.longest, f"{name} lets none run for so long"),
    )
    return next((why for applies, why in checks if applies), "")
