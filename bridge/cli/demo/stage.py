"""The two sandboxes of the demo, their people, and what is written there before anybody comes.

Everything here happens in the networks' own apps, so to speak: the bridge is not asked and not told.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from bridge.engine.control import Control
from bridge.core.model import Network
from bridge.sandbox.mastodon import MastodonAccount, MastodonSandbox
from bridge.sandbox.server import serve
from bridge.sandbox.x import XAccount, XSandbox

_BEFORE = (
    (Network.MASTODON, "public", "First light over the harbour, and the gulls already know it."),
    (Network.X, "public", "Tea first. Then the inbox."),
    (Network.MASTODON, "public", "صباح الخير من عمّان. القهوة جاهزة والشمس دافئة ☀️"),
    (
        Network.X,
        "public",
        "The old lighthouse lens weighs 12 t & still turns on a bath of mercury.",
    ),
)
_AFTER = (
    (Network.MASTODON, "public", "Hello from Mastodon. The bridge carries this to X by itself."),
    (Network.X, "public", "And hello from X: written here, read there."),
    (Network.MASTODON, "private", "For my followers only: this one stays on Mastodon."),
    (Network.X, "public", "مرحبًا بالجميع! هذا المنشور كُتب على X ويظهر على ماستودون أيضًا."),
)
_LONG = (
    "A lighthouse keeper's day begins at dusk. She climbs two hundred and eleven steps with a can of "
    "oil in each hand, trims the wick, winds the clockwork, and wipes the salt from the glass.\n\n"
    "Then she waits. Ships pass that she will never see by day, and every one of them sees her. That is "
    "the whole of the work: to be in the same place, every night, so that others can be somewhere else.\n\n"
    "At dawn she draws the curtains around the lens, for the sun would turn it into a burning glass, and "
    "goes down to sleep while the gulls take over."
)


@dataclass(frozen=True, slots=True)
class Stage:
    """Both networks, served, with one account each; ``new`` says that nothing was kept."""

    mastodon: MastodonSandbox
    mastodon_account: MastodonAccount
    mastodon_url: str
    x: XSandbox
    x_account: XAccount
    x_url: str
    new: bool

    def write(
        self,
        network: Network,
        text: str,
        *,
        visibility: str = "public",
        warning: str = "",
        created_at: datetime | None = None,
    ) -> None:
        """Post as the owner does. Raises `ValueError` with the network's own objection."""
        if network is Network.X:
            self.x.write(self.x_account, text, created_at=created_at)
        else:
            self.mastodon.write(
                self.mastodon_account,
                text,
                visibility=visibility,
                spoiler_text=warning,
                created_at=created_at,
            )

    async def play(self, control: Control) -> None:
        """Once the bridge watches, write a few posts, so that a visitor sees it at work."""
        if not self.new:
            return
        while any(s.cursor is None for s in await control.status(self.x.clock.now())):
            await asyncio.sleep(0.05)
        for network, visibility, text in (*_AFTER, (Network.MASTODON, "public", _LONG)):
            self.write(network, text, visibility=visibility)
            await asyncio.sleep(0.2)
