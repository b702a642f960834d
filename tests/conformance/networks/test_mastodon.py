"""The contract of networks, kept by the adapter for Mastodon, against every kind of server."""

from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest

from bridge.core.model import PostId
from bridge.networks.mastodon.adapter import MastodonAdapter
from bridge.sandbox.faults import Fault
from bridge.sandbox.mastodon import MastodonAccount, MastodonSandbox
from bridge.sandbox.server import serve
from tests.conformance.networks.contract import NetworkContract, Side
from tests.networks.mastodon_servers import adapter_at

_FAULTS = {
    "reads": ("GET", r"/accounts/[^/]+/statuses$"),
    "writes": ("POST", r"/api/v1/statuses$"),
}


@dataclass
class MastodonStage:
    adapter: MastodonAdapter
    sandbox: MastodonSandbox
    person: MastodonAccount

    async def write(self, text: str, *, reply_to: PostId | None = None) -> PostId:
        return PostId(self.sandbox.write(self.person, text, in_reply_to=reply_to).id)

    async def remove(self, post: PostId) -> None:
        self.sandbox.remove(post)

    async def posts(self) -> list[str]:
        return [status.text for status in reversed(self.sandbox.timeline(self.person))]

    async def fail(self, name: str, side: Side) -> None:
        method, path = _FAULTS[side]
        self.sandbox.faults.add(Fault(name, method, path))


@pytest.fixture(params=["mastodon", "gotosocial", "minimal", "pleroma", "old"])
async def network(request: pytest.FixtureRequest) -> AsyncIterator[MastodonStage]:
    sandbox = MastodonSandbox(request.param)
    person = sandbox.add_account("ada", "Ada Lovelace")
    async with (
        serve(sandbox.app) as url,
        adapter_at(url, token=person.access_token) as adapter,
    ):
        yield MastodonStage(adapter, sandbox, person)


class TestMastodon(NetworkContract):
    """Mastodon's adapter, against the sandbox."""
