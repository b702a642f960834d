"""The contract of networks, kept by the adapter for X, in each vocabulary and with either OAuth."""

from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest

from bridge.core.model import PostId
from bridge.networks.x.adapter import XAdapter
from bridge.sandbox.faults import Fault
from bridge.sandbox.server import serve
from bridge.sandbox.x import XAccount, XSandbox
from tests.conformance.networks.carrying import CarryingContract, Deed
from tests.conformance.networks.contract import NetworkContract, Side, failures
from tests.networks.x_stage import adapter_for, oauth1_of, oauth2_of

_FAULTS = {
    "reads": ("GET", r"/users/[^/]+/tweets$"),
    "writes": ("POST", r"/2/tweets$"),
    "look-up": ("GET", r"/2/tweets/[^/]+$"),
    "upload": ("POST", r"/2/media/upload$"),
    "deletion": ("DELETE", r"/2/tweets/[^/]+$"),
}


@dataclass
class XStage:
    adapter: XAdapter
    sandbox: XSandbox
    person: XAccount

    async def write(self, text: str, *, reply_to: PostId | None = None) -> PostId:
        return PostId(self.sandbox.write(self.person, text, reply_to=reply_to).id)

    async def edit(self, post: PostId, text: str) -> None:
        self.sandbox.write(self.person, text, edit_of=post)

    async def remove(self, post: PostId) -> None:
        self.sandbox.remove(post)

    async def posts(self) -> list[str]:
        timeline = reversed(self.sandbox.timeline(self.person))
        return [post.text for post in timeline if post.repost_of is None]

    async def boosted(self) -> list[PostId]:
        timeline = self.sandbox.timeline(self.person)
        return [PostId(post.repost_of) for post in timeline if post.repost_of is not None]

    async def alts(self, post: PostId) -> list[str]:
        stored = self.sandbox.post(post)
        assert stored is not None
        return [medium.alt_text for medium in stored.media]

    async def fail(self, name: str, side: Side) -> None:
        self._add(name, side)

    async def hinder(self, name: str, deed: Deed) -> None:
        self._add(name, deed)

    def _add(self, name: str, what: str) -> None:
        method, path = _FAULTS[what]
        self.sandbox.faults.add(Fault(name, method, path, times=failures(name, method)))


@pytest.fixture(params=["both-oauth1", "tweet-oauth2", "post-oauth2-premium"])
async def network(request: pytest.FixtureRequest) -> AsyncIterator[XStage]:
    speaks, oauth, *more = str(request.param).split("-")
    premium = "premium" in more
    sandbox = XSandbox(dialect=speaks)
    person = sandbox.add_account("ada", "Ada Lovelace", premium=premium)
    credentials = oauth1_of(person) if oauth == "oauth1" else oauth2_of(person)
    async with (
        serve(sandbox.app) as url,
        adapter_for(url, credentials, premium=premium) as adapter,
    ):
        yield XStage(adapter, sandbox, person)


class TestX(NetworkContract, CarryingContract):
    """X's adapter, against the sandbox."""
