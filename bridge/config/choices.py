"""From settings to the core's own terms: which posts cross, and in what form.

Pure. Must not read anything, nor decide what the core decides.
"""

from __future__ import annotations

from bridge.config.settings import BridgeSettings, Crossing
from bridge.core.model import Direction, Visibility
from bridge.core.policy import Policy
from bridge.core.rules import Rules


def rules_of(bridge: BridgeSettings, direction: Direction) -> Rules:
    """Which posts of one direction may cross."""
    outward = direction is Direction.MASTODON_TO_X
    given = _crossing(bridge, direction)
    return Rules(
        bridge.mastodon_to_x.visibility if outward else frozenset({Visibility.PUBLIC}),
        boosts=given.boosts,
        threads=given.threads,
        only_with=given.only_with,
        never_with=given.never_with,
        media_only=given.media_only,
        languages=frozenset(given.languages),
        skip_warned=outward and bridge.mastodon_to_x.warnings == "skip",
        warn_about=given.warn_about,
    )


def policy_of(bridge: BridgeSettings, direction: Direction) -> Policy:
    """The form of the mirrors of one direction."""
    given, outward, homeward = (
        _crossing(bridge, direction),
        bridge.mastodon_to_x,
        bridge.x_to_mastodon,
    )
    to_x = direction is Direction.MASTODON_TO_X
    hidden = [each.tag.casefold() for each in given.only_with if given.hide_markers]
    return Policy(
        visibility=Visibility.PUBLIC if to_x else homeward.visibility,
        within_default=not to_x and homeward.never_wider_than_default,
        people=dict(bridge.people) | {there: here for here, there in bridge.people.items()},
        long_text=given.long_text,
        links=outward.links if to_x else "keep",
        max_usd_per_post=outward.max_usd_per_post if to_x else None,
        held_above=bridge.x.money.most_per_post if to_x else None,
        warnings=outward.warnings if to_x else "prefix",
        warning_words=given.warning_words,
        warn_about=given.warn_about,
        sensitive=outward.sensitive if to_x else "send",
        alt_text=given.alt_text,
        video=given.video,
        audio=outward.audio if to_x else "skip",
        polls=given.polls,
        quotes=given.quotes,
        edits=given.edits,
        reposting=given.edits_by_reposting,
        deletes=given.deletes,
        media_missing=given.media_missing,
        hidden_tags=frozenset(filter(None, hidden)),
    )


def _crossing(bridge: BridgeSettings, direction: Direction) -> Crossing:
    outward = direction is Direction.MASTODON_TO_X
    return bridge.mastodon_to_x if outward else bridge.x_to_mastodon
