"""What becomes of the posts of the corpus on the other network, in plain terms.

The keys of a file are read as a configuration, and its post is judged and composed as the engine
would do it.
"""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

from bridge.config import load
from bridge.config.choices import policy_of, rules_of
from bridge.core.compose import Context, compose
from bridge.core.delivery import PostState
from bridge.core.draft import DraftMedia, DraftPart
from bridge.core.model import Direction, Post, PostId, Visibility
from bridge.core.policy import Policy
from bridge.core.prices import in_dollars
from bridge.core.record import Mirror
from bridge.core.rules import History, Rules, decide, too_dear
from bridge.core.verdict import Action
from tests.fixtures.composing import MASTODON, X

_ACCOUNTS = {
    "name": "corpus",
    "mastodon": {"url": "https://own.social", "access_token": "t"},
    "x": {
        "oauth1": dict.fromkeys(
            ("consumer_key", "consumer_secret", "access_token", "access_token_secret"), "t"
        )
    },
}
_SOON = 1
_FILMS_OF_X = "7_"


def configured(direction: Direction, when: dict[str, Any], folder: Path) -> tuple[Rules, Policy]:
    """The rules and the policy that the keys of `when` make."""
    file = folder / "config.yaml"
    file.write_text(json.dumps({"bridges": [_ACCOUNTS | {direction.value: when}]}))
    (bridge,) = load(file, {}).bridges
    return rules_of(bridge, direction), policy_of(bridge, direction)


def crossed(post: Post, given: dict[str, Any], folder: Path) -> dict[str, Any]:
    """What becomes of `post` under what is `given`: why it stays, or its draft in plain terms."""
    to_x = post.network.value == "mastodon"
    direction = Direction.MASTODON_TO_X if to_x else Direction.X_TO_MASTODON
    rules, policy = configured(direction, given.get("when", {}), folder)
    told = given.get("mirror")
    mirror = None if told is None else Mirror(PostId(told["id"]), told.get("url"))
    parent = PostState(given["parent"]) if "parent" in given else None
    verdict = decide(post, rules, History(parent=parent, reposted=mirror is not None))
    if verdict.action is not Action.MIRROR:
        return {"verdict": verdict.reason.value}
    now = post.created_at + timedelta(minutes=given.get("minutes_later", _SOON))
    draft = compose(post, X if to_x else MASTODON, policy, Context(now, mirror, mirror))
    held = too_dear(draft, policy)
    if held is not None:
        return {"verdict": held.reason.value}
    return {
        "parts": [_part(part, language=None if to_x else "en") for part in draft.parts],
        "notes": list(draft.notes),
        "price": in_dollars(draft.price),
    }


def expected(given: dict[str, Any]) -> dict[str, Any]:
    """The part of `given` that says what is to come of it."""
    return {key: given[key] for key in ("verdict", "parts", "notes", "price") if key in given}


def _part(part: DraftPart, *, language: str | None) -> dict[str, Any]:
    """Whatever of a part is not as it is in most: in English, public, with nothing but a text."""
    found: dict[str, Any] = {
        "text": part.text or None,
        "spoiler": part.spoiler or None,
        "sensitive": part.sensitive or None,
        "media": [_medium(each) for each in part.media] or None,
        "poll": None if part.poll is None else list(part.poll.options),
        "quote": part.quote,
        "repeat": part.repeat,
    }
    told = {name: value for name, value in found.items() if value is not None}
    if part.language != language and part.repeat is None:
        told["language"] = part.language
    if part.visibility is not Visibility.PUBLIC:
        told["visibility"] = part.visibility.value
    return told


def _medium(medium: DraftMedia) -> str:
    """``"image 7: its description"``, and whence it comes where that was chosen among several."""
    chosen = medium.id.startswith(_FILMS_OF_X)
    whence = f" from {medium.url}" if chosen else ""
    return f"{medium.kind.value} {medium.id}{whence}" + (f": {medium.alt}" if medium.alt else "")
