"""The owner's word on what is held: it decides, and nothing is sent twice because of it."""

import pytest

from bridge.core.delivery import PostState
from bridge.core.errors import Refused
from bridge.core.model import PostId
from bridge.engine.mend import Mend, NothingToMend
from tests.engine.conftest import Rig

LONG = "The bridge keeps its promises, one sentence at a time. " * 12


async def held(rig: Rig, text: str = "In doubt") -> PostId:
    """A toot that X refuses as a duplicate of something that is not to be found."""
    daemon = await rig.started()
    rig.x.answers = [Refused("duplicate content", status=403, duplicate=True)]
    toot = rig.mastodon.write(text)
    await daemon.once()
    assert await rig.state(toot.id) is PostState.HELD
    return toot.id


async def mend(rig: Rig, post: PostId) -> Mend:
    return Mend(rig.ledger, await rig.record(post), rig.clock.now())


async def test_what_the_owner_found_there_is_not_sent_again(rig: Rig) -> None:
    post = await held(rig)
    await (await mend(rig, post)).sent("https://x.example/ada/status/77")
    await rig.pass_time(rig.daemon(), 120)
    record = await rig.record(post)
    assert record.state is PostState.DELIVERED
    assert record.parts[0].target_id == "77"
    assert rig.x.published == []


async def test_the_address_of_a_picture_is_taken_for_that_of_its_post(rig: Rig) -> None:
    post = await held(rig)
    await (await mend(rig, post)).sent("https://x.example/ada/status/77/photo/1")
    assert (await rig.record(post)).parts[0].target_id == "77"


async def test_what_the_owner_did_not_find_is_sent(rig: Rig) -> None:
    post = await held(rig)
    await (await mend(rig, post)).not_sent()
    await rig.pass_time(rig.daemon(), 120)
    assert await rig.state(post) is PostState.DELIVERED
    assert len(rig.x.published) == 1


async def test_a_thread_goes_on_where_it_was_held(rig: Rig) -> None:
    post = await held(rig, LONG)
    await (await mend(rig, post)).sent("https://x.example/ada/status/77")
    await rig.pass_time(rig.daemon(), 120)
    record = await rig.record(post)
    assert record.state is PostState.DELIVERED
    assert len(rig.x.published) == len(record.parts) - 1
    assert rig.x.published[0][1] == "77"


async def test_what_may_stand_there_already_is_not_simply_tried_again(rig: Rig) -> None:
    post = await held(rig)
    with pytest.raises(NothingToMend, match="--not-sent"):
        await (await mend(rig, post)).retry()


async def test_what_is_dropped_is_never_sent(rig: Rig) -> None:
    post = await held(rig, LONG)
    await (await mend(rig, post)).drop()
    await rig.pass_time(rig.daemon(), 120)
    assert await rig.state(post) is PostState.DROPPED
    assert rig.x.published == []


async def test_an_address_without_an_id_is_refused(rig: Rig) -> None:
    post = await held(rig)
    with pytest.raises(NothingToMend, match="does not end in the id"):
        await (await mend(rig, post)).sent("https://x.example/")


async def test_what_failed_below_a_failed_post_is_tried_again_with_it(rig: Rig) -> None:
    daemon = await rig.started()
    parent = rig.mastodon.write("Parent")
    child = rig.mastodon.write("Child", reply_to=parent.id)
    grandchild = rig.mastodon.write("Grandchild", reply_to=child.id)
    rig.x.refuse_at = 1
    await rig.pass_time(daemon, 60)
    family = (parent, child, grandchild)
    assert {await rig.state(post.id) for post in family} == {PostState.FAILED}
    await (await mend(rig, parent.id)).retry()
    await rig.pass_time(daemon, 60)
    assert {await rig.state(post.id) for post in family} == {PostState.DELIVERED}
    assert [part.text for part, _, _ in rig.x.published] == ["Parent", "Child", "Grandchild"]
