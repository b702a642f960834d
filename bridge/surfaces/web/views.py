"""Records as a page shows them: which words, which links, which buttons.

Pure. Must not know templates or HTTP, nor decide what the engine decides: a button that does not
fit is refused by `engine.commands`, with the reason.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final
from urllib.parse import urlencode

from bridge.core.delivery import PartState, PostState
from bridge.core.draft import DraftPart
from bridge.core.model import BridgeName, Direction, Microdollars, Network, Route
from bridge.core.record import PartRecord, PostRecord
from bridge.core.verdict import Reason
from bridge.engine.standing import BAD, Condition, Standing
from bridge.surfaces.web.catalogues import Catalogue, catalogue


class Deed(StrEnum):
    """What an owner can have done with a post; a page has a form for each."""

    RESOLVE = "resolve"
    RELEASE = "release"
    RETRY = "retry"
    DROP = "drop"


class Shown(StrEnum):
    """What a list can be narrowed to."""

    ALL = "all"
    NEEDS = "needs"
    MOVING = "moving"
    MIRRORED = "mirrored"
    SKIPPED = "skipped"
    DROPPED = "dropped"


NEEDS: Final = frozenset({PostState.HELD, PostState.FAILED, PostState.PARTIAL})
STATES: Final[dict[Shown, frozenset[PostState]]] = {
    Shown.ALL: frozenset(),
    Shown.NEEDS: NEEDS,
    Shown.MOVING: frozenset(
        {PostState.PLANNED, PostState.SENDING, PostState.CHANGING, PostState.IN_DOUBT}
    ),
    Shown.MIRRORED: frozenset({PostState.DELIVERED}),
    Shown.SKIPPED: frozenset({PostState.SKIPPED}),
    Shown.DROPPED: frozenset({PostState.DROPPED, PostState.REMOVED}),
}
_TONES: Final = {
    PostState.DELIVERED: "good",
    PostState.HELD: "bad",
    PostState.FAILED: "bad",
    PostState.PARTIAL: "bad",
    PostState.IN_DOUBT: "warn",
    PostState.PLANNED: "warn",
    PostState.SENDING: "warn",
    PostState.CHANGING: "warn",
}


@dataclass(frozen=True, slots=True)
class PartView:
    """One part: `part` is what stands, or will; `kept` is false once its text was forgotten."""

    record: PartRecord
    number: int
    many: bool

    @property
    def part(self) -> DraftPart:
        """What it says."""
        return self.record.part

    @property
    def kept(self) -> bool:
        """Whether the ledger still holds what it says."""
        part = self.part
        return bool(part.text or part.spoiler or part.media or part.poll or part.repeat)

    @property
    def trouble(self) -> str:
        """What went wrong with it last, empty where nothing did."""
        settled = {PartState.DELIVERED, PartState.DROPPED, PartState.GONE}
        return "" if self.record.state in settled else self.record.detail


@dataclass(frozen=True, slots=True)
class PostView:
    """One post: where it comes from, what became of it, and what can be done about it."""

    record: PostRecord
    language: Catalogue

    @property
    def source(self) -> Network:
        """Where it was written."""
        return self.record.route.direction.source

    @property
    def target(self) -> Network:
        """Where its mirror stands."""
        return self.record.route.direction.target

    @property
    def state(self) -> PostState:
        """Where it stands as a whole."""
        return self.record.state

    @property
    def tone(self) -> str:
        """How its state is set off."""
        return _TONES.get(self.state, "calm")

    @property
    def address(self) -> str:
        """The path of its own page."""
        return post_path(self.record)

    @property
    def reason(self) -> str:
        """Why, in the reader's language as far as it is known there."""
        return self.language.reason(self.record.verdict.reason)

    @property
    def explains(self) -> bool:
        """Whether the reason says why it is where it is: what may cross and has not, has others."""
        allowed = self.record.verdict.reason is Reason.ALLOWED
        return not allowed or self.state is PostState.DELIVERED

    @property
    def parts(self) -> tuple[PartView, ...]:
        """Its parts in order, without those that are its mirror's no more."""
        shown = [part for part in self.record.parts if part.state is not PartState.GONE]
        return tuple(
            PartView(part, number, many=len(shown) > 1)
            for number, part in enumerate(shown, start=1)
        )

    @property
    def deeds(self) -> tuple[Deed, ...]:
        """What its owner can have done now, the likeliest first."""
        states = {part.state for part in self.record.parts}
        unclear = any(part.state is PartState.HELD and part.attempts for part in self.record.parts)
        found: list[Deed] = []
        if unclear:
            found.append(Deed.RESOLVE)
        elif PartState.HELD in states and self._is_about_money:
            found.append(Deed.RELEASE)
        elif states & {PartState.HELD, PartState.FAILED}:
            found.append(Deed.RETRY)
        if states & {PartState.HELD, PartState.FAILED, PartState.PLANNED}:
            found.append(Deed.DROP)
        return tuple(found)

    @property
    def _is_about_money(self) -> bool:
        """Whether it is its price that holds it, so that trying again would be in vain."""
        dear = self.record.verdict.reason is Reason.TOO_DEAR
        return dear or any("budget" in part.detail for part in self.record.parts)


def post_path(record: PostRecord) -> str:
    """The path of a post's own page; ids may hold anything, so they stand in the query."""
    route = record.route
    return "/post?" + urlencode(
        {"bridge": route.bridge, "direction": route.direction.value, "id": record.source}
    )


@dataclass(frozen=True, slots=True)
class RouteView:
    """One direction and how it is."""

    standing: Standing
    held: int
    """Posts of it that need their owner, at least."""

    @property
    def route(self) -> Route:
        """Which it is."""
        return self.standing.route

    @property
    def tone(self) -> str:
        """How its state is set off."""
        condition = self.standing.condition
        if condition in BAD:
            return "bad"
        return "good" if condition is Condition.UP_TO_DATE else "warn"

    @property
    def until(self) -> datetime | None:
        """When it goes on by itself, where that is known and worth telling."""
        return self.standing.until

    @property
    def sign_in(self) -> str:
        """The command that signs in anew, empty where nobody has to."""
        standing = self.standing
        if standing.condition is not Condition.SIGN_IN or standing.network is None:
            return ""
        return f"twinpost login {standing.network.value} --bridge {self.route.bridge}"


@dataclass(frozen=True, slots=True)
class BridgeView:
    """One pair of accounts with its directions."""

    name: BridgeName
    routes: tuple[RouteView, ...]

    @property
    def paused(self) -> bool:
        """Whether all of it is paused."""
        return all(each.standing.condition is Condition.PAUSED for each in self.routes)


@dataclass(frozen=True, slots=True)
class Money:
    """What a bridge has cost this month; `limit` is None where nothing bounds it."""

    name: BridgeName
    spent: Microdollars
    limit: Microdollars | None

    @property
    def percent(self) -> int:
        """How much of the bound is spent; more than 100 where it is passed."""
        return self.spent * 100 // self.limit if self.limit else 100

    @property
    def tone(self) -> str:
        """How it is set off."""
        if self.percent >= 100:  # noqa: PLR2004 - all of it
            return "bad"
        return "warn" if self.percent >= 80 else "good"  # noqa: PLR2004 - as the default warning


def bridges(standings: Sequence[Standing]) -> tuple[BridgeView, ...]:
    """Directions gathered by bridge, in their order."""
    names = dict.fromkeys(each.route.bridge for each in standings)
    return tuple(
        BridgeView(
            name,
            tuple(
                RouteView(each, each.figures.held + each.figures.failed)
                for each in standings
                if each.route.bridge == name
            ),
        )
        for name in names
    )


def reasons_with(word: str, languages: Sequence[str]) -> frozenset[Reason]:
    """Reasons whose sentences, in one of the languages, have `word` in them, or their code."""
    wanted = word.casefold()
    return frozenset(
        reason
        for reason in Reason
        if any(wanted in catalogue(code).reason(reason).casefold() for code in languages)
        or wanted in reason.value
    )


def direction_of(text: str) -> Direction | None:
    """A direction by its name; None for none, and for what is no such name."""
    try:
        return Direction(text)
    except ValueError:
        return None
