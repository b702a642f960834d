"""The contract of networks, kept by the adapter for X, in each vocabulary and with either OAuth."""

from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest

from bridge.core.model import PostId
from bridge.networks.x.adapter import XAdapter
from bridge.sandbox.faults import Fault
from bridge.sandbox.server import serve
from bridge.sandbox.x import XAccount, XSandbox
from tests.conformance.networks.contract import NetworkContract, Side
from tests.networks.x_stage import adapter_for, oauth1_of, oauth2_of

_FAULTS = {"reads": ("GET", r"/users/[^/]+/tweets$"), "writes": ("POST", r"/2/tweets$")}


@dataclass
class XStage:
    adapter: XAdapter
    sandbox: XSandbox
    person: XAccount

    async def write(self, text: str, *, reply_to: PostId | None = None) -> PostId:
        return PostId(self.sandbox.write(self.person, text, reply_to=reply_to).id)

    async def remove(self, post: PostId) -> None:
        self.sandbox.remove(post)

    async def posts(self) -> list[str]:
        return [post.text for post in reversed(self.sandbox.timeline(self.person))]

    async def fail(self, name: str, side: Side) -> None:
        method, path = _FAULTS[side]
        self.sandbox.faults.add(Fault(name, method, path))


@pytest.fixture(params=["both-oauth1", "tweet-oauth2", "post-oauth2"])
async def network(request: pytest.FixtureRequest) -> AsyncIterator[XStage]:
    speaks, _, oauth = str(request.param).partition("-")
    sandbox = XSandbox(dialect=speaks)
    person = sandbox.add_account("ada", "Ada Lovelace")
    credentials = oauth1_of(person) if oauth == "oauth1" else oauth2_of(person)
    async with serve(sandbox.app) as url, adapter_for(url, credentials) as adapter:
        yield XStage(adapter, sandbox, person)


class TestX(NetworkContract):
    """X's adapter, against the sandbox."""
