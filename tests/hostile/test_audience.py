"""S1, promise 3: whatever a server says of an audience, or leaves out, nothing is ever widened.

Through the whole bridge: raw answers of servers, of every make and of none, are normalised, judged,
composed and sent by a real engine on a real ledger. Only what is surely for everybody crosses.
"""

import tempfile
from collections.abc import Iterator
from itertools import product
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from bridge.core.model import AccountId, Kind, Network, Post, Visibility
from bridge.core.rules import History, Rules, decide
from bridge.core.verdict import Action, Reason
from bridge.networks.mastodon.normalise import status_to_post
from bridge.networks.x.normalise import page_to_posts
from tests.engine.conftest import Rig
from tests.fakes import FakeNetwork, PatientClock
from tests.networks.test_mastodon_normalise import ODD

ABSENT = object()
STATED: tuple[object, ...] = (
    *(each.value for each in Visibility),
    *("PUBLIC", " public", "public ", "Public", "local", "list", "mutuals_only", "subscribers", ""),
    *(ABSENT, None, True, 0, ["public"], {"public": True}),
)
"""What may stand where a status says who can see it."""

NARROWED: tuple[dict[str, object], ...] = (
    {},
    {"local_only": True},
    {"limited_scope": "subscriber"},
    {"circle": {"id": "1"}},
    {"circle_id": "1"},
    {"federated": False},
    {"visibility_ex": "mutual"},
    {"visibility_ex": "unlisted"},
)
"""What other makes of servers say besides."""

SCOPED: tuple[dict[str, object], ...] = (
    {},
    {"community_id": "9"},
    {"scopes": {"followers": True}},
)
"""What X says of a post that is not for everybody: a community's, a Circle's or subscribers'."""

ME = AccountId("7")


def status(number: int, stated: object, **fields: object) -> dict[str, Any]:
    made: dict[str, Any] = {
        "id": str(number),
        "created_at": "2026-11-22T12:00:00.000Z",
        "content": f"<p>The tale of number {number}</p>",
        "visibility": stated,
        "account": {"id": ME, "acct": "ada", "url": "https://own.example/@ada"},
        **fields,
    }
    return {key: value for key, value in made.items() if value is not ABSENT}


def statuses() -> Iterator[tuple[bool, Post]]:
    """Every status there can be, and whether it surely is for everybody."""
    for number, (stated, narrowed) in enumerate(product(STATED, NARROWED)):
        post = status_to_post(status(number, stated, **narrowed), host="own.example")
        assert post is not None
        yield stated == "public" and not narrowed, post


def posts_on_x() -> Iterator[tuple[bool, Post]]:
    """The same of posts on X: whether the account is protected is told beside them, or not."""
    told: tuple[tuple[bool | None, dict[str, object]], ...] = (
        (True, {}),
        (False, {}),
        (None, {}),
        (False, {"protected": True}),
    )
    for number, ((protected, author), scoped) in enumerate(product(told, SCOPED)):
        item = {"id": str(number), "text": f"The tale of number {number}", "author_id": ME}
        payload = {
            "data": [{**item, "created_at": "2026-11-22T12:00:00.000Z", **scoped}],
            "includes": {"users": [{"id": ME, "username": "ada", **author}]},
        }
        (post,) = page_to_posts(payload, me=ME, handle="ada", protected=protected)
        yield protected is False and not author and not scoped, post


async def test_s1_promise_3_of_every_status_only_the_plainly_public_ones_cross() -> None:
    await crosses(Network.MASTODON, list(statuses()))


async def test_s1_promise_3_of_every_post_on_x_only_those_of_an_open_account_cross() -> None:
    await crosses(Network.X, list(posts_on_x()))


async def crosses(side: Network, found: list[tuple[bool, Post]]) -> None:
    clock = PatientClock()
    with tempfile.TemporaryDirectory() as folder:
        rig = Rig(
            folder=Path(folder),
            clock=clock,
            mastodon=FakeNetwork(Network.MASTODON, clock, max_length=500),
            x=FakeNetwork(Network.X, clock),
            ledger=await Rig.opened(Path(folder), clock),
        )
        source, target = (
            (rig.mastodon, rig.x) if side is Network.MASTODON else (rig.x, rig.mastodon)
        )
        daemon = await rig.started()
        source.posts.extend(post for _, post in found)
        await rig.pass_time(daemon, 60)
        said = {part.text for part, _, _ in target.published}
        assert said == {post.text.plain for public, post in found if public} != set()
        # And for each that stayed there is a reason.
        for public, post in found:
            (record,) = [one for one in await rig.ledger.find(post.id) if one.source == post.id]
            stayed = {Reason.AUDIENCE, Reason.AUDIENCE_UNKNOWN, Reason.PROTECTED}
            assert public or record.verdict.reason in stayed
        await rig.ledger.close()


WAYS = st.sampled_from([*NARROWED, {"reblog": status(1, "private")}])


@settings(max_examples=300, deadline=None)
@given(
    stated=st.sampled_from(STATED) | ODD,
    narrowed=WAYS,
    also=st.dictionaries(st.sampled_from(["visibility_ex", "local_only", "circle"]), ODD),
    audiences=st.sets(st.sampled_from([Visibility.PUBLIC, Visibility.UNLISTED]), min_size=1),
    boosts=st.sampled_from(["skip", "own", "all"]),
)
def test_s1_promise_3_no_rules_and_no_answer_let_anything_else_across(
    stated: object, narrowed: dict[str, object], also: Any, audiences: set[Visibility], boosts: Any
) -> None:
    post = status_to_post(status(1, stated, **{**narrowed, **also}), host="own.example")
    assert post is not None
    verdict = decide(post, Rules(frozenset(audiences), boosts=boosts), History())
    if verdict.action is Action.MIRROR:
        assert stated in {each.value for each in audiences}
        assert post.kind is not Kind.REPOST
        assert not any((narrowed | also).get(key) for key in ("local_only", "circle"))
