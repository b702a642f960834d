"""The two sandboxes of the demo, their people, and what is written there before anybody comes.

Everything here happens in the networks' own apps, so to speak: the bridge is not asked, nor told.
"""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import AsyncIterator, Iterable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from bridge.cli.demo.picture import DUSK, dusk
from bridge.core.errors import ConfigError
from bridge.core.model import Network
from bridge.engine.control import Control
from bridge.sandbox.mastodon import ApiError, Attachment, MastodonAccount, MastodonSandbox
from bridge.sandbox.server import serve
from bridge.sandbox.x import XAccount, XFile, XSandbox

CONFIG = """\
# Two sandboxes on this machine, and a bridge between them.
state: {state}
bridges:
  - name: {name}
    mastodon:
      url: {mastodon_url}
      access_token: {mastodon_token}
    x:
      url: {x_url}
      oauth1:
        consumer_key: {x.consumer_key}
        consumer_secret: {x.consumer_secret}
        access_token: {x.access_token}
        access_token_secret: {x.access_token_secret}
      budget: {{{x_budget}}}
    # Mastodon streams, so polling it rarely is enough; X has no stream that is worth its price.
    mastodon_to_x: {{every: 30s, delay: 0s}}
    x_to_mastodon: {{every: 1s, delay: 0s}}
"""

KEPT = "timelines.json"

_BEFORE = (
    (Network.MASTODON, "First light over the harbour, and the gulls already know it."),
    (Network.X, "Tea first. Then the inbox."),
    (Network.MASTODON, "صباح الخير من عمّان. القهوة جاهزة والشمس دافئة ☀️"),
    (Network.X, "The old lighthouse lens weighs 12 t & still turns on a bath of mercury."),
)
_LONG = """\
A lighthouse keeper's day begins at dusk. She climbs two hundred and eleven steps with a can of \
oil in each hand, trims the wick, winds the clockwork, and wipes the salt from the glass.

Then she waits. Ships pass that she will never see by day, and every one of them sees her. That \
is the whole of the work: to be in the same place, every night, so that others can be elsewhere.

At dawn she draws the curtains around the lens, and goes down to sleep while the gulls take over."""
_AFTER = (
    (Network.MASTODON, "public", "Hello from Mastodon. The bridge carries this to X by itself."),
    (Network.X, "public", "And hello from X: written here, read there."),
    (Network.MASTODON, "private", "For my followers only: this one stays on Mastodon."),
    (Network.X, "public", "مرحبًا بالجميع! هذا المنشور كُتب على X ويظهر على ماستودون أيضًا."),
    (Network.MASTODON, "public", _LONG),
)


_SEEN = "The tower tonight, just before she lights the lamp."
_DEAR = "The keeper's log, page by page, for who wants to read on: https://example.com/log"
"""A link costs more on X than the demo's budget allows for one post, where it has one."""


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
        picture: tuple[bytes, str] | None = None,
    ) -> None:
        """Post as the owner does; `picture` is a file with what it shows.

        Raises `ValueError` with the network's own objection.
        """
        pictures = () if picture is None else (picture,)
        if network is Network.X:
            files = [XFile(*each) for each in pictures]
            self.x.write(self.x_account, text, created_at=created_at, media=files)
            return
        try:
            self.mastodon.write(
                self.mastodon_account,
                text,
                visibility=visibility,
                spoiler_text=warning,
                created_at=created_at,
                media=tuple(Attachment(*each) for each in pictures),
            )
        except ApiError as error:
            raise ValueError(str(error)) from None

    async def play(self, control: Control, *, dear: bool = False) -> None:
        """Once the bridge watches, write a few posts, so that a visitor sees it at work.

        With `dear`, the last one costs more than the demo's owner allows for one.
        """
        if not self.new:
            return
        while any(s.cursor is None for s in await control.status(self.x.clock.now())):  # noqa: ASYNC110 - the ledger offers no event
            await asyncio.sleep(0.05)
        for network, visibility, text in _AFTER:
            self.write(network, text, visibility=visibility)
            await asyncio.sleep(0.2)
        self.write(Network.MASTODON, _SEEN, picture=(dusk(), DUSK))
        if dear:
            self.write(Network.MASTODON, _DEAR)

    def keep(self, file: Path) -> None:
        """Write both timelines down, oldest first."""
        posts = [
            {
                "network": Network.MASTODON,
                "id": status.id,
                "text": status.text,
                "at": status.created_at.isoformat(),
                "reply_to": status.in_reply_to_id,
                "visibility": status.visibility,
                "warning": status.spoiler_text,
                "media": _kept(
                    (self.mastodon.file(medium.id), medium.description or "")
                    for medium in self.mastodon.media(status)
                ),
            }
            for status in reversed(self.mastodon.timeline(self.mastodon_account))
        ] + [
            {
                "network": Network.X,
                "id": post.id,
                "text": post.text,
                "at": post.created_at.isoformat(),
                "reply_to": post.reply_to,
                "media": _kept((self.x.file(medium.key), medium.alt_text) for medium in post.media),
            }
            for post in reversed(self.x.timeline(self.x_account))
        ]
        fresh = file.with_suffix(".new")
        fresh.write_text(json.dumps(posts, ensure_ascii=False, indent=1), encoding="utf-8")
        fresh.replace(file)

    def put_back(self, file: Path) -> None:
        """Bring back what `keep` wrote, under the same ids. Raises `ConfigError` if it cannot."""
        try:
            for post in json.loads(file.read_text(encoding="utf-8")):
                at = datetime.fromisoformat(post["at"])
                media = [
                    (base64.b64decode(each["file"]), each["alt"]) for each in post.get("media", [])
                ]
                if post["network"] == Network.X:
                    self.x.write(
                        self.x_account,
                        post["text"],
                        reply_to=post["reply_to"],
                        created_at=at,
                        post_id=post["id"],
                        media=[XFile(*each) for each in media],
                    )
                else:
                    self.mastodon.write(
                        self.mastodon_account,
                        post["text"],
                        visibility=post["visibility"],
                        spoiler_text=post["warning"],
                        in_reply_to=post["reply_to"],
                        created_at=at,
                        status_id=post["id"],
                        media=tuple(Attachment(*each) for each in media),
                    )
        except (ValueError, KeyError, TypeError, ApiError) as error:
            raise ConfigError(
                f"{file}: not what an earlier demo kept ({error}); remove the folder to start anew"
            ) from None


def _kept(media: Iterable[tuple[bytes | None, str]]) -> list[dict[str, str]]:
    """Media as they are written down, without those that are gone."""
    return [{"file": base64.b64encode(file).decode(), "alt": alt} for file, alt in media if file]


@asynccontextmanager
async def staged(kept: Path | None) -> AsyncIterator[Stage]:
    """Serve both networks; timelines come from `kept`, and go back there, if it is given."""
    x, mastodon = XSandbox(), MastodonSandbox()
    async with AsyncExitStack() as stack:
        stage = Stage(
            mastodon=mastodon,
            mastodon_account=mastodon.add_account("ada", "Ada"),
            mastodon_url=await stack.enter_async_context(serve(mastodon.app)),
            x=x,
            x_account=x.add_account("ada", "Ada"),
            x_url=await stack.enter_async_context(serve(x.app)),
            new=kept is None or not (kept / KEPT).exists(),
        )
        if stage.new:
            for index, (network, text) in enumerate(_BEFORE):
                ago = timedelta(hours=len(_BEFORE) - index)
                stage.write(network, text, created_at=x.clock.now() - ago)
        elif kept is not None:
            stage.put_back(kept / KEPT)
        try:
            yield stage
        finally:
            if kept is not None:
                stage.keep(kept / KEPT)
