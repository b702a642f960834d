"""The adapter against servers of three makes: what is written on one side is read on the other."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import pytest

from bridge.core.errors import InDoubt, Refused, Throttled, Unauthorised
from bridge.core.model import Kind, PostId, Visibility
from bridge.core.record import Cursor
from bridge.networks.mastodon.adapter import MastodonAdapter
from bridge.sandbox.faults import Fault
from bridge.sandbox.mastodon import MastodonAccount, MastodonSandbox
from bridge.sandbox.mastodon.profiles import PROFILES, ProfileName
from bridge.sandbox.server import serve
from tests.networks.mastodon_servers import START, adapter_at, knowing, part

CREATE = ("POST", "/api/v1/statuses$")
SEVERAL: list[ProfileName] = ["mastodon", "gotosocial", "minimal"]


@dataclass
class Scene:
    sandbox: MastodonSandbox
    me: MastodonAccount
    adapter: MastodonAdapter
    url: str


@asynccontextmanager
async def on(profile: ProfileName) -> AsyncIterator[Scene]:
    sandbox = MastodonSandbox(profile)
    me = sandbox.add_account("me", default_visibility="private")
    async with serve(sandbox.app) as url, adapter_at(url, token=me.access_token) as adapter:
        yield Scene(sandbox, me, adapter, url)


@pytest.mark.parametrize("profile", SEVERAL)
async def test_the_account_is_named_with_its_host(profile: ProfileName) -> None:
    async with on(profile) as scene:
        account = await scene.adapter.account()
    assert account.handle == f"me@{scene.url.removeprefix('http://')}"
    assert account.id == scene.me.id


@pytest.mark.parametrize("profile", SEVERAL)
async def test_the_limits_are_those_of_the_server(profile: ProfileName) -> None:
    async with on(profile) as scene:
        limits = await scene.adapter.capabilities()
    stated = PROFILES[profile]
    assert limits.counting == stated.counting
    assert limits.max_length == stated.max_characters - (stated.counting == "unknown")
    assert limits.max_media == stated.max_media


@pytest.mark.parametrize("profile", SEVERAL)
async def test_what_is_asked_for_is_what_stands_there_whatever_the_account_s_defaults(
    profile: ProfileName,
) -> None:
    async with on(profile) as scene:
        first = await scene.adapter.publish(part("one", spoiler="cw"), reply_to=None, key="1")
        second = await scene.adapter.publish(part("two"), reply_to=first.id, key="2")
        one, two = (await scene.adapter.recent(START)).posts
    assert [one.id, two.id] == [first.id, second.id]
    assert (one.text.plain, one.spoiler, one.sensitive) == ("one", "cw", True)
    assert (one.visibility, two.visibility) == (Visibility.PUBLIC, Visibility.PUBLIC)
    assert not two.sensitive
    assert two.kind is Kind.THREAD
    assert first.url == one.url


@pytest.mark.parametrize("profile", SEVERAL)
async def test_every_audience_is_read_as_it_is(profile: ProfileName) -> None:
    async with on(profile) as scene:
        for visibility in ("public", "private", "direct"):
            scene.sandbox.write(scene.me, visibility, visibility=visibility)
        posts = (await scene.adapter.read_after(Cursor(), knowing(()))).posts
    public = [post.text.plain for post in posts if post.visibility is Visibility.PUBLIC]
    assert public == ["public"]
    assert len(posts) == 3


@pytest.mark.parametrize("profile", SEVERAL)
async def test_an_edit_is_not_read_as_a_second_post(profile: ProfileName) -> None:
    async with on(profile) as scene:
        first = scene.sandbox.write(scene.me, "first")
        (post,) = (await scene.adapter.read_after(Cursor(), knowing(()))).posts
        scene.sandbox.write(scene.me, "first, corrected", edit_of=first.id)
        cursor = Cursor().past(post)
        assert (await scene.adapter.read_after(cursor, knowing([post.id]))).posts == ()


@pytest.mark.parametrize("profile", SEVERAL)
async def test_more_than_one_server_page_of_posts_is_carried_on_from_a_baseline(
    profile: ProfileName,
) -> None:
    async with on(profile) as scene:
        for number in range(25):
            scene.sandbox.write(scene.me, f"old {number}", visibility="private")
        baseline = await scene.adapter.baseline()
        written = [
            scene.sandbox.write(scene.me, f"new {number}", visibility="private").id
            for number in range(90)
        ]
        cursor, found = baseline.cursor, list[PostId]()
        while True:
            reading = await scene.adapter.read_after(cursor, knowing([*baseline.ids, *found]))
            for post in reading.posts:
                cursor = cursor.past(post)
                found.append(post.id)
            if not (reading.more and reading.posts):
                break
    assert found == written


async def test_mastodon_gives_the_text_as_it_was_typed() -> None:
    async with on("mastodon") as scene:
        typed = "two  spaces\n\n\nthree lines https://example.com/a?b=c&d=e #tag"
        scene.sandbox.write(scene.me, typed)
        (post,) = (await scene.adapter.read_after(Cursor(), knowing(()))).posts
    assert post.text.plain == typed


async def test_a_repeated_key_gives_the_first_post_again() -> None:
    async with on("mastodon") as scene:
        first = await scene.adapter.publish(part("once"), reply_to=None, key="k")
        again = await scene.adapter.publish(part("once"), reply_to=None, key="k")
        assert first == again
        assert len(scene.sandbox.timeline(scene.me)) == 1


async def test_releases_that_answer_500_to_a_repeated_key_leave_doubt_and_one_post() -> None:
    async with on("mastodon") as scene:
        scene.sandbox.idempotency_bug = True
        scene.sandbox.faults.add(Fault("accept-then-reset", *CREATE))
        for _ in range(3):
            with pytest.raises(InDoubt):
                await scene.adapter.publish(part("once"), reply_to=None, key="k")
        (post,) = (await scene.adapter.recent(START)).posts
    assert post.text.plain == "once"


@pytest.mark.parametrize("profile", SEVERAL)
async def test_a_parent_that_is_gone_is_said_to_be_missing(profile: ProfileName) -> None:
    async with on(profile) as scene:
        parent = await scene.adapter.publish(part("parent"), reply_to=None, key="1")
        scene.sandbox.remove(parent.id)
        with pytest.raises(Refused) as caught:
            await scene.adapter.publish(part("child"), reply_to=parent.id, key="2")
        assert caught.value.missing
        assert not caught.value.too_long


@pytest.mark.parametrize("profile", SEVERAL)
async def test_what_is_too_long_is_refused_as_such(profile: ProfileName) -> None:
    async with on(profile) as scene:
        limit = PROFILES[profile].max_characters
        with pytest.raises(Refused) as caught:
            await scene.adapter.publish(part("x" * (limit + 1)), reply_to=None, key="1")
    assert caught.value.too_long


async def test_a_revoked_token_stops_everything_and_says_so() -> None:
    async with on("mastodon") as scene:
        await scene.adapter.account()
        scene.sandbox.revoke(scene.me.access_token)
        with pytest.raises(Unauthorised):
            await scene.adapter.publish(part(), reply_to=None, key="1")
        with pytest.raises(Unauthorised):
            await scene.adapter.read_after(Cursor(), knowing(()))
        with pytest.raises(Unauthorised):
            await scene.adapter.recent(START)


async def test_a_token_without_the_right_to_write_is_the_owner_s_business() -> None:
    sandbox = MastodonSandbox()
    me = sandbox.add_account("me")
    token = sandbox.token(me, "read")
    async with serve(sandbox.app) as url, adapter_at(url, token=token) as adapter:
        with pytest.raises(Unauthorised):
            await adapter.publish(part(), reply_to=None, key="1")


async def test_a_used_up_limit_is_not_probed_by_the_adapter_itself() -> None:
    async with on("mastodon") as scene:
        scene.sandbox.faults.add(Fault("refuse-then-429", *CREATE))
        with pytest.raises(Throttled) as caught:
            await scene.adapter.publish(part(), reply_to=None, key="1")
        created = [one for one in scene.sandbox.faults.requests if one.method == "POST"]
    assert caught.value.until is not None
    assert len(created) == 1


async def test_unlisted_comes_back_narrower_from_a_server_without_it_and_that_is_fine() -> None:
    async with on("minimal") as scene:
        receipt = await scene.adapter.publish(
            part(visibility=Visibility.UNLISTED), reply_to=None, key="1"
        )
        (status,) = scene.sandbox.timeline(scene.me)
    assert receipt.id == PostId(status.id)
