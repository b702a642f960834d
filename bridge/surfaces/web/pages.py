"""The pages that only show: overview, posts, one post. To ask for them changes nothing.

Asks `engine.control` and lays out the answers. Must not write.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final
from urllib.parse import urlencode

from aiohttp import web

from bridge.core.listing import MOST_WORDS, Listing, Wanted
from bridge.core.model import BridgeName, Microdollars, PostId
from bridge.core.record import PostRecord
from bridge.engine.control import StatusRow
from bridge.engine.standing import Standing, standings
from bridge.surfaces.web import chart
from bridge.surfaces.web.catalogues import FALLBACK, Catalogue
from bridge.surfaces.web.site import Site
from bridge.surfaces.web.views import (
    NEEDS,
    STATES,
    Money,
    PostView,
    Shown,
    bridges,
    direction_of,
    reasons_with,
)

PAGE: Final = 25
"""Posts on one page of the list."""

MOST_HELD: Final = 10
"""Posts that need their owner which the overview shows; the list has them all."""

LONGEST_QUERY: Final = 400
LATEST: Final = 5


class Pages:
    """The handlers."""

    def __init__(self, site: Site) -> None:
        self._site = site

    async def overview(self, request: web.Request) -> web.Response:
        """How all is, what needs its owner first."""
        bridge = self._site.bridge
        now = bridge.clock.now()
        language = self._site.language(request)
        found = await standings(bridge.daemon, bridge.control, now)
        held = await bridge.control.listing(Wanted(states=NEEDS, limit=MOST_HELD))
        latest = await bridge.control.listing(Wanted(limit=LATEST + MOST_HELD, echoes=False))
        needy = {(each.route, each.source) for each in held.records}
        others = [each for each in latest.records if (each.route, each.source) not in needy]
        today = now.date()
        figures = await bridge.control.days(chart.since(today))
        drawn = bridges(found)
        return self._site.page(
            request,
            "overview.html",
            {
                "bridges": drawn,
                "calm": all(each.tone == "good" for bridge in drawn for each in bridge.routes),
                "needing": sum(each.held for bridge in drawn for each in bridge.routes),
                "held": _views(held, language),
                "more_held": held.before is not None,
                "latest": _views(Listing(tuple(others[:LATEST])), language),
                "purses": _purses(await bridge.control.status_rows(now)),
                "chart": chart.chart(figures, today),
                "bar_width": chart.BAR_WIDTH,
                "chart_size": (chart.WIDTH, chart.HEIGHT),
                "now": now,
            },
        )

    async def posts(self, request: web.Request) -> web.Response:
        """A page of the list: all, of a state, or what a search finds."""
        asked = request.query
        query = asked.get("q", "").strip()[:LONGEST_QUERY]
        shown = Shown(asked["state"]) if asked.get("state") in set(Shown) else Shown.ALL
        names = [bridge.name for bridge in bridges(await self._standings())]
        bridge = asked.get("bridge", "")
        chosen = BridgeName(bridge) if bridge in names else None
        direction = direction_of(asked.get("direction", ""))
        language = self._site.language(request)
        before = _place(asked.get("before", ""))
        by_name: tuple[PostRecord, ...] = ()
        if query and before is None:
            by_name = (await self._site.bridge.control.why(query))[:PAGE]
        found = Listing(by_name)
        if not by_name:
            words = tuple(query.split()[:MOST_WORDS])
            languages = sorted({FALLBACK, language.code})
            found = await self._site.bridge.control.listing(
                Wanted(
                    chosen,
                    direction,
                    STATES[shown],
                    words,
                    tuple(reasons_with(word, languages) for word in words),
                    before,
                    PAGE,
                    # Asked for by name or by words they are shown, like everything else.
                    echoes=bool(words or STATES[shown]),
                )
            )
        kept = {
            "q": query,
            "state": shown.value if shown is not Shown.ALL else "",
            "bridge": chosen or "",
            "direction": direction.value if direction else "",
        }
        given = {name: value for name, value in kept.items() if value}
        return self._site.page(
            request,
            "posts.html",
            {
                "posts": _views(found, language),
                "reached": found.reached,
                "older": _path(given | {"before": str(found.before)}) if found.before else "",
                "newest": _path(given) if before is not None else "",
                "filters": [
                    (each, _path({k: v for k, v in given.items() if k != "state"} | _state(each)))
                    for each in Shown
                ],
                "shown": shown,
                "query": query,
                "kept": given,
                "names": names,
                "narrowed": bool(given),
            },
        )

    async def post(self, request: web.Request) -> web.Response:
        """One post with everything that happened to it."""
        asked = request.query
        direction = direction_of(asked.get("direction", ""))
        named = PostId(asked.get("id", ""))
        record = next(
            (
                each
                for each in await self._site.bridge.control.why(named)
                if each.route.bridge == asked.get("bridge")
                and each.route.direction is direction
                and each.source == named
            ),
            None,
        )
        if record is None:
            raise web.HTTPNotFound
        moves = await self._site.bridge.control.moves(record)
        return self._site.page(
            request,
            "post.html",
            {"post": PostView(record, self._site.language(request)), "moves": moves},
        )

    async def _standings(self) -> tuple[Standing, ...]:
        bridge = self._site.bridge
        return await standings(bridge.daemon, bridge.control, bridge.clock.now())


def _purses(rows: Sequence[StatusRow]) -> list[Money]:
    """The money of each bridge; both its directions draw on it."""
    found = {BridgeName(row["bridge"]): row for row in rows}
    return [
        Money(name, _micros(row["bridge_month_usd"]), _bound(row["budget_month_usd"]))
        for name, row in found.items()
    ]


def _micros(amount: float) -> Microdollars:
    return Microdollars(round(amount * 1_000_000))


def _bound(amount: float | None) -> Microdollars | None:
    return None if amount is None else _micros(amount)


def _views(found: Listing, language: Catalogue) -> list[PostView]:
    return [PostView(record, language) for record in found.records]


def _place(text: str) -> int | None:
    """Where a page begins, as an earlier one named it; None for anything else."""
    if not (text.isascii() and text.isdigit()) or len(text) > 18:  # noqa: PLR2004 - fits 64 bits
        return None
    return int(text)


def _path(given: dict[str, str]) -> str:
    return "/posts" + (f"?{urlencode(given)}" if given else "")


def _state(shown: Shown) -> dict[str, str]:
    return {} if shown is Shown.ALL else {"state": shown.value}
