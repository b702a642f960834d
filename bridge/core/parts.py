"""What one part of a mirror costs, and who can see it.

Pure arithmetic over `Capabilities` and the owner's policy. Must not make texts.
"""

from __future__ import annotations

from collections.abc import Sequence

from bridge.core.capabilities import Capabilities
from bridge.core.draft import DraftMedia
from bridge.core.entities import x_entities
from bridge.core.model import Microdollars, Network, Visibility
from bridge.core.policy import Policy
from bridge.core.prices import FREE, creation
from bridge.core.text import SpanKind

_BY_WIDTH = (Visibility.DIRECT, Visibility.FOLLOWERS, Visibility.UNLISTED, Visibility.PUBLIC)


def price_of(text: str, to: Capabilities, media: Sequence[DraftMedia] = ()) -> Microdollars:
    """What creating one post costs, uploads and their descriptions included."""
    if to.prices is None:
        return FREE
    return creation(
        to.prices,
        has_link=any(span.kind is SpanKind.LINK for span in x_entities(text)),
        media=len(media),
        alt_texts=sum(bool(medium.alt) for medium in media),
    )


def visibility(to: Capabilities, policy: Policy) -> Visibility:
    """Who sees a mirror: as configured, and no wider than the account's own default if so told."""
    if to.network is Network.X:
        return Visibility.PUBLIC
    wanted, default = policy.visibility, to.default_visibility
    if not policy.within_default or default not in _BY_WIDTH:
        return wanted
    return min(wanted, default, key=_BY_WIDTH.index)
