"""An account that was moved, suspended or disabled: every refusal is about it, and not a post."""

from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from bridge.core.errors import Barred, NetworkError, Refused
from bridge.core.model import MediaKind, PostId
from bridge.networks.mastodon.adapter import MastodonAdapter
from bridge.ports import LocalMedia
from bridge.sandbox.mastodon import MastodonSandbox
from bridge.sandbox.mastodon.profiles import ProfileName
from bridge.sandbox.server import serve
from tests.fixtures.mastodon import PNG
from tests.networks.mastodon_servers import ManualClock, adapter_at, part

PROFILES: tuple[ProfileName, ...] = ("mastodon", "gotosocial", "pleroma")
OPERATIONS = ("publish", "revise", "delete", "upload")


async def refused(
    adapter: MastodonAdapter, operation: str, made: PostId, folder: Path
) -> NetworkError:
    file = folder / "a.png"
    file.write_bytes(PNG)
    picture = LocalMedia(file, MediaKind.IMAGE, "image/png", len(PNG))
    ways: dict[str, Callable[[], Awaitable[object]]] = {
        "publish": lambda: adapter.publish(part("two"), reply_to=None, key="2"),
        "revise": lambda: adapter.revise(made, part("changed")),
        "delete": lambda: adapter.delete(made),
        "upload": lambda: adapter.upload(picture),
    }
    with pytest.raises(NetworkError) as caught:
        await ways[operation]()
    return caught.value


@pytest.mark.parametrize("operation", OPERATIONS)
@pytest.mark.parametrize("how", ["moved", "suspended", "disabled"])
@pytest.mark.parametrize("profile", PROFILES)
async def test_it_is_the_account_that_is_named_and_the_way_out(
    tmp_path: Path, profile: ProfileName, how: str, operation: str
) -> None:
    if (profile, how) == ("pleroma", "disabled"):
        pytest.skip("such a server says so nowhere")
    sandbox, clock = MastodonSandbox(profile), ManualClock()
    me = sandbox.add_account("me")
    async with (
        serve(sandbox.app) as url,
        adapter_at(url, clock, token=me.access_token) as adapter,
    ):
        await adapter.account()
        made = (await adapter.publish(part("one"), reply_to=None, key="1")).id
        elsewhere = sandbox.add_account("me@new.example") if how == "moved" else None
        sandbox.shut_out(me, how, elsewhere)
        error = await refused(adapter, operation, made, tmp_path)
        assert isinstance(error, Barred)
        assert "twinpost login" not in error.detail
        if how == "moved":
            assert "moved to me@new.example and can no longer post" in error.detail
            assert "under a new bridge name" in error.detail
        sandbox.shut_out(me, "")
        await adapter.publish(part("three"), reply_to=None, key="3")


@pytest.mark.parametrize("how", ["", "limited"])
async def test_what_is_wrong_with_a_post_stays_the_posts(how: str) -> None:
    sandbox, clock = MastodonSandbox(), ManualClock()
    me = sandbox.add_account("me")
    sandbox.shut_out(me, how)
    async with (
        serve(sandbox.app) as url,
        adapter_at(url, clock, token=me.access_token) as adapter,
    ):
        with pytest.raises(Refused):
            await adapter.publish(part("a" * 501), reply_to=None, key="1")
        await adapter.publish(part("short"), reply_to=None, key="2")
