"""The contract of networks, kept by the adapter for X, in each vocabulary and with either OAuth."""

from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest

from bridge.core.model import PostId
from bridge.net.session import open_session
from bridge.networks.x.adapter import XAdapter
from bridge.networks.x.settings import OAuth1Credentials, OAuth2Credentials, XSettings
from bridge.sandbox.faults import Fault
from bridge.sandbox.server import serve
from bridge.sandbox.x import XAccount, XSandbox
from tests.conformance.networks.contract import NetworkContract, Side
from tests.networks.x_stage import MachineClock, Shelf

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
    one, two = person.oauth1, person.oauth2
    credentials: OAuth1Credentials | OAuth2Credentials = OAuth1Credentials(
        one.consumer_key, one.consumer_secret, one.access_token, one.access_token_secret
    )
    if oauth == "oauth2":
        credentials = OAuth2Credentials(
            two.client_id, two.access_token, two.refresh_token, two.client_secret
        )
    async with serve(sandbox.app) as url, open_session(user_agent="twinpost-tests") as session:
        adapter = XAdapter(
            XSettings(url, credentials=credentials),
            session=session,
            clock=MachineClock(),
            tokens=Shelf(),
            token_name="x",
        )
        yield XStage(adapter, sandbox, person)
        await adapter.close()


class TestX(NetworkContract):
    """X's adapter, against the sandbox."""
