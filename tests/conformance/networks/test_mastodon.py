"""The contract of networks, kept by the adapter for Mastodon, against every kind of server."""

from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest

from bridge.core.model import PostId
from bridge.networks.mastodon.adapter import MastodonAdapter
from bridge.sandbox.faults import Fault
from bridge.sandbox.mastodon import MastodonAccount, MastodonSandbox
from bridge.sandbox.server import serve
from tests.conformance.networks.carrying import CarryingContract, Deed
from tests.conformance.networks.contract import NetworkContract, Side, failures
from tests.networks.mastodon_servers import adapter_at

_FAULTS = {
    "reads": ("GET", r"/accounts/[^/]+/statuses$"),
    "writes": ("POST", r"/api/v1/statuses$"),
    "look-up": ("GET", r"/api/v1/statuses/[^/]+$"),
    "upload": ("POST", r"/media$"),
    "deletion": ("DELETE", r"/api/v1/statuses/[^/]+$"),
}


@dataclass
class MastodonStage:
    adapter: MastodonAdapter
    sandbox: MastodonSandbox
    person: MastodonAccount
    url: str

    async def write(self, text: str, *, reply_to: PostId | None = None) -> PostId:
        return PostId(self.sandbox.write(self.person, text, in_reply_to=reply_to).id)

    async def remove(self, post: PostId) -> None:
        self.sandbox.remove(post)

    async def edit(self, post: PostId, text: str) -> None:
        self.sandbox.write(self.person, text, edit_of=post)

    async def posts(self) -> list[str]:
        timeline = reversed(self.sandbox.timeline(self.person))
        return [status.text for status in timeline if status.reblog_of is None]

    async def boosted(self) -> list[PostId]:
        timeline = self.sandbox.timeline(self.person)
        return [PostId(status.reblog_of) for status in timeline if status.reblog_of is not None]

    async def alts(self, post: PostId) -> list[str]:
        status = self.sandbox.get(post)
        assert status is not None
        shown = self.sandbox.as_json(status, self.url)["media_attachments"]
        assert isinstance(shown, list)
        return [one["description"] or "" for one in shown]

    async def fail(self, name: str, side: Side) -> None:
        self._add(name, side)

    async def hinder(self, name: str, deed: Deed) -> None:
        self._add(name, deed)

    def _add(self, name: str, what: str) -> None:
        method, path = _FAULTS[what]
        if what == "upload":
            path = "/v2/media$" if self.sandbox.profile.media_v2 else "/v1/media$"
        self.sandbox.faults.add(Fault(name, method, path, times=failures(name, method)))


@pytest.fixture(params=["mastodon", "gotosocial", "minimal", "pleroma", "old"])
async def network(request: pytest.FixtureRequest) -> AsyncIterator[MastodonStage]:
    sandbox = MastodonSandbox(request.param)
    person = sandbox.add_account("ada", "Ada Lovelace")
    async with (
        serve(sandbox.app) as url,
        adapter_at(url, token=person.access_token) as adapter,
    ):
        yield MastodonStage(adapter, sandbox, person, url)


class TestMastodon(NetworkContract, CarryingContract):
    """Mastodon's adapter, against the sandbox."""
