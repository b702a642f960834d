"""Two answers for machines: whether the daemon's loop lives, and whether it can do its work.

They name no account and no reason: everybody who reaches the port may ask. Must not be costly,
however often that is.
"""

from __future__ import annotations

from typing import Final

from aiohttp import web

from bridge.core.errors import LedgerError
from bridge.engine.standing import unreachable
from bridge.surfaces.web.site import Site

STALE: Final = 30.0
"""Seconds without a proof of life after which the loop is taken for dead: three are missing."""

AT_MOST_EVERY: Final = 5.0
"""Seconds between two writes that prove that the ledger takes them."""


class Health:
    """The handlers."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._proven: tuple[float, bool] | None = None

    async def lives(self, _: web.Request) -> web.Response:
        """200 while the daemon's loop turns, else 503."""
        age = self._site.bridge.clock.monotonic() - self._site.alive_at
        return _answer([] if age <= STALE else ["the daemon has shown no sign of life lately"])

    async def ready(self, _: web.Request) -> web.Response:
        """200 while the ledger can be written and no network is out of reach, else 503.

        A network that says no, by a limit or for want of a login, is in reach; so is one that its
        owner has paused.
        """
        faults = [] if await self._writable() else ["the ledger cannot be written"]
        missing = unreachable(self._site.bridge.daemon.lanes)
        faults += [f"{network.called} cannot be reached" for network in sorted(missing)]
        return _answer(faults)

    async def _writable(self) -> bool:
        now = self._site.bridge.clock.monotonic()
        if self._proven is None or now - self._proven[0] >= AT_MOST_EVERY:
            self._proven = (now, True)
            try:
                await self._site.bridge.prove_writable()
            except LedgerError:
                self._proven = (now, False)
        return self._proven[1]


def _answer(faults: list[str]) -> web.Response:
    text = "".join(f"{fault}\n" for fault in faults) or "ok\n"
    return web.Response(text=text, status=503 if faults else 200)
