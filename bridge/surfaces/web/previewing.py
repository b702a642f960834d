"""The preview: what a text, or an own post, would be on the other network, and what it would cost.

Translates to `engine.preview`. What is typed costs nothing to show; an own post of X is read only
when its owner presses a button for it. Must not send anything.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from aiohttp import web

from bridge.core.address import id_in, network_of
from bridge.core.errors import NetworkError
from bridge.core.model import Post
from bridge.engine.preview import Preview, preview, typed
from bridge.engine.route import RoutePlan
from bridge.net.bodies import form, is_json, json_object
from bridge.surfaces.web.site import Site

LONGEST_TEXT: Final = 30_000
"""Characters; more than the longest post that either network takes."""

_LONGEST_WARNING: Final = 2_000
MOST_BYTES: Final = 384 * 1024
"""Of a form: every character of the longest text and its warning may be twelve, escaped."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What is to be previewed: a text with its warning, or the address of an own post."""

    route: str = ""
    text: str = ""
    warning: str = ""
    address: str = ""
    csrf: str = ""


class Previewing:
    """The handlers."""

    def __init__(self, site: Site) -> None:
        self._site = site

    async def page(self, request: web.Request) -> web.Response:
        """The empty page."""
        return self._shown(request, Asked(), None, "")

    async def preview(self, request: web.Request) -> web.Response:
        """What would be sent; the same page for the script, which takes what it needs of it."""
        asked = await _asked(request)
        if not self._site.allowed(request, asked.csrf):
            raise web.HTTPForbidden
        plan = self._plan(asked)
        if plan is None:
            return self._shown(request, asked, None, "preview.no-route")
        now = self._site.bridge.clock.now()
        try:
            if asked.address:
                post = await _looked_up(plan, asked.address)
                if post is None:
                    return self._shown(request, asked, None, "preview.not-found")
            else:
                post = typed(plan.source.network, asked.text, now, warning=asked.warning)
            if not asked.address and not asked.text.strip():
                return self._shown(request, asked, None, "")
            found = await preview(plan, post, now, self._site.bridge.view)
        except NetworkError as error:
            return self._shown(request, asked, None, "preview.unreachable", error.detail)
        return self._shown(request, asked, (plan, found), "")

    def _plans(self) -> list[RoutePlan]:
        return [lane.plan for lane in self._site.bridge.daemon.lanes]

    def _plan(self, asked: Asked) -> RoutePlan | None:
        """The direction that was chosen; of an address the one that it can belong to."""
        plans = self._plans()
        if asked.address:
            network = network_of(asked.address)
            fitting = [plan for plan in plans if network in {None, plan.source.network}]
        else:
            fitting = plans
        chosen = [plan for plan in fitting if str(plan.route) == asked.route]
        return next(iter(chosen or fitting), None)

    def _shown(
        self,
        request: web.Request,
        asked: Asked,
        found: tuple[RoutePlan, Preview] | None,
        problem: str,
        words: str = "",
    ) -> web.Response:
        return self._site.page(
            request,
            "preview.html",
            {
                "asked": asked,
                "plans": self._plans(),
                "plan": found[0] if found else None,
                "found": found[1] if found else None,
                "problem": problem,
                "words": words,
                "longest": LONGEST_TEXT,
            },
            status=422 if problem else 200,
        )


async def _asked(request: web.Request) -> Asked:
    """What the form, or the script as JSON, has sent."""
    read = json_object if is_json(request) else form
    given: Mapping[str, object] = await read(request, MOST_BYTES)

    def text(name: str, longest: int) -> str:
        value = given.get(name, "")
        return value[:longest] if isinstance(value, str) else ""

    return Asked(
        route=text("route", 200),
        # A form sends line breaks as it was told to in the days of teletypes.
        text=text("text", LONGEST_TEXT).replace("\r\n", "\n"),
        warning=text("warning", _LONGEST_WARNING),
        address=text("address", _LONGEST_WARNING).strip(),
        csrf=text("csrf", 200),
    )


async def _looked_up(plan: RoutePlan, address: str) -> Post | None:
    named = id_in(address)
    return await plan.source.look_up(named) if named else None
