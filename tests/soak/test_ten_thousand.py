"""Ten thousand mixed posts, composed and published over HTTP: no network refuses a single part."""

import html
import random
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from typing import Protocol

import pytest

from bridge.core.compose import Context, compose
from bridge.core.draft import Draft
from bridge.core.entities import mastodon_entities, x_entities
from bridge.core.errors import Refused, UnfitError
from bridge.core.model import Network, Post, PostId
from bridge.core.policy import Policy
from bridge.core.text import SpanKind
from bridge.net.session import open_session
from bridge.networks.x.adapter import XAdapter
from bridge.networks.x.settings import XSettings
from bridge.ports import NetworkPort
from bridge.sandbox.mastodon import MastodonAccount, MastodonSandbox
from bridge.sandbox.mastodon.profiles import ProfileName
from bridge.sandbox.server import serve
from bridge.sandbox.x import X_LIMITS, Limit, XAccount, XSandbox
from tests.networks.mastodon_servers import adapter_at
from tests.networks.x_stage import MachineClock, Shelf, oauth1_of
from tests.soak.mixed_text import Mix

SEED = 20261122
PEOPLE = {"@bob": "@bob@mastodon.social"}
"""Whom the owner knows; `jack` is a stranger on either network."""


class Stage(Protocol):
    """One network to publish on, and what stands there."""

    @property
    def adapter(self) -> NetworkPort:
        """Signed in as the account that publishes."""
        ...

    @property
    def policy(self) -> Policy:
        """What the owner wants of the texts."""
        ...

    def said(self, part: PostId) -> tuple[str, int]:
        """The text that stands there, and how many people it notified."""
        ...

    def clear(self) -> None:
        """Take down everything, so that the next post is no repetition of the last."""
        ...


@dataclass
class XStage:
    adapter: XAdapter
    sandbox: XSandbox
    person: XAccount
    policy: Policy = field(default_factory=Policy)

    def said(self, part: PostId) -> tuple[str, int]:
        post = self.sandbox.post(part)
        assert post is not None
        # X lets nobody be mentioned, so its stand-in would have refused to.
        return post.text, 0

    def clear(self) -> None:
        for post in self.sandbox.timeline(self.person):
            self.sandbox.remove(post.id)


@dataclass
class MastodonStage:
    adapter: NetworkPort
    sandbox: MastodonSandbox
    person: MastodonAccount
    markup: bool = False
    policy: Policy = field(default_factory=lambda: Policy(people=PEOPLE))

    def said(self, part: PostId) -> tuple[str, int]:
        status = self.sandbox.get(part)
        assert status is not None
        text = html.unescape(status.text) if self.markup else status.text
        return text, len(status.mentions)

    def clear(self) -> None:
        for status in self.sandbox.timeline(self.person):
            self.sandbox.remove(status.id)


@asynccontextmanager
async def x_stage(max_length: int) -> AsyncIterator[XStage]:
    sandbox = XSandbox(limits=dict.fromkeys(X_LIMITS, Limit(10**9)))
    person = sandbox.add_account("ada", "Ada Lovelace", premium=max_length > 280)
    for name in ("jack", "bob"):
        sandbox.add_account(name, name)
    async with (
        serve(sandbox.app) as url,
        open_session(user_agent="twinpost-tests", read_timeout=60) as session,
    ):
        adapter = XAdapter(
            XSettings(url, credentials=oauth1_of(person), max_length=max_length),
            session=session,
            clock=MachineClock(),
            tokens=Shelf(),
            token_name="x",
        )
        yield XStage(adapter, sandbox, person)
        await adapter.close()


@asynccontextmanager
async def mastodon_stage(profile: ProfileName) -> AsyncIterator[MastodonStage]:
    sandbox = MastodonSandbox(profile, rate_limited=False)
    person = sandbox.add_account("ada", "Ada Lovelace")
    for name in ("jack", "bob"):
        sandbox.add_account(name, name)
    async with (
        serve(sandbox.app) as url,
        adapter_at(url, token=person.access_token) as adapter,
    ):
        yield MastodonStage(adapter, sandbox, person, markup=profile == "minimal")


STAGES: dict[str, Callable[[], AbstractAsyncContextManager[Stage]]] = {
    "X": lambda: x_stage(280),
    "X Premium": lambda: x_stage(25_000),
    "Mastodon": lambda: mastodon_stage("mastodon"),
    "GoToSocial": lambda: mastodon_stage("gotosocial"),
    "minimal": lambda: mastodon_stage("minimal"),
}


@dataclass
class Figures:
    """What came of the posts sent to one network."""

    posts: int = 0
    parts: int = 0
    longest: int = 0
    blank: int = 0
    refusals: list[str] = field(default_factory=list)
    composing: float = 0.0
    slowest: float = 0.0
    seconds: float = 0.0

    def row(self, name: str) -> str:
        return (
            f"{name:12}{self.posts:6} posts {self.parts:6} parts, {self.longest:4} in the longest, "
            f"{self.blank:3} without text, {len(self.refusals)} refusals; composed in "
            f"{self.composing:5.1f} s CPU ({self.slowest * 1e3:4.0f} ms at most), "
            f"{self.seconds:5.1f} s in all"
        )


async def sent(stage: Stage, posts: int) -> Figures:
    """Compose and publish so many posts, one after the other, as the bridge does."""
    figures = Figures()
    to = await stage.adapter.capabilities()
    from_network = Network.MASTODON if to.network is Network.X else Network.X
    mix = Mix(random.Random(SEED), from_network)
    begun = time.perf_counter()
    for number in range(posts):
        post = mix.post(number)
        started = time.process_time()
        try:
            draft = compose(post, to, stage.policy, Context(post.created_at))
        except UnfitError as error:
            assert "nothing of" in str(error), post  # noqa: PT017 - nothing else may be unfit
            figures.blank += 1
            continue
        finally:
            took = time.process_time() - started
            figures.composing += took
            figures.slowest = max(figures.slowest, took)
        figures.posts += 1
        figures.parts += len(draft.parts)
        figures.longest = max(figures.longest, len(draft.parts))
        await publish(stage, post, draft, figures)
        stage.clear()
    figures.seconds = time.perf_counter() - begun
    return figures


async def publish(stage: Stage, post: Post, draft: Draft, figures: Figures) -> None:
    """Publish all parts as a thread and look at what stands there then."""
    parent: PostId | None = None
    for part in draft.parts:
        key = f"{post.id}/{part.index}"
        try:
            receipt = await stage.adapter.publish(part, reply_to=parent, key=key)
        except Refused as refusal:
            figures.refusals.append(f"{key}: {refusal} {part.text!a}")
            return
        parent = receipt.id
        text, notified = stage.said(receipt.id)
        assert text.strip() == part.text.strip() or not part.text, key
        scan = x_entities if stage.adapter.network is Network.X else mastodon_entities
        mentioned = {s.target for s in scan(text) if s.kind is SpanKind.MENTION}
        assert mentioned <= set(stage.policy.people.values()), key
        assert notified == 0, key


@pytest.mark.timeout(1200)
@pytest.mark.parametrize(
    "posts", [150, pytest.param(10_000, marks=pytest.mark.soak)], ids=["150", "10000"]
)
async def test_no_mixed_post_is_refused_by_the_network_it_was_composed_for(
    posts: int, capsys: pytest.CaptureFixture[str]
) -> None:
    refusals = []
    for name, stage in STAGES.items():
        async with stage() as network:
            figures = await sent(network, posts // len(STAGES))
        refusals += figures.refusals
        with capsys.disabled():
            if posts > 1000:
                print(f"\n{figures.row(name)}", end="")  # noqa: T201 - figures are for people
        assert figures.posts > 0.9 * posts / len(STAGES)
    assert refusals == []
