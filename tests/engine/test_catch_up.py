"""What was kept back goes out when its owner asks for it, and never where it stands already."""

from dataclasses import replace
from datetime import timedelta

import pytest

from bridge.core.delivery import PostState
from bridge.core.errors import Transient
from bridge.core.model import Direction, Post, PostId
from bridge.core.record import Mirror
from bridge.core.verdict import Reason
from bridge.engine.catchup import offers
from bridge.engine.commands import Commands
from bridge.engine.mend import NothingToMend
from bridge.engine.supervise import Daemon
from tests.engine.conftest import HOME, NAME, OUT, Rig
from tests.engine.test_coming_back import (
    DAY,
    STORY,
    Guarded,
    backed_up,
    guarded,
    reason,
    restored,
    sent,
)

__all__ = ["guarded"]


async def asked(rig: Rig, daemon: Daemon, *posts: Post, way: Direction = OUT.direction) -> str:
    """The owner says that these are to be sent after all, and time goes by."""
    commands = Commands(daemon._bench, [OUT, HOME], daemon.lanes)
    said = await commands.obey(
        {
            "do": "catch-up",
            "bridge": NAME,
            "direction": way.value,
            "posts": "\n".join(post.id for post in posts),
        }
    )
    await rig.pass_time(daemon, 120)
    return said


async def away(rig: Guarded, *texts: str) -> list[Post]:
    """Posts written during a month away, all of them too old by now."""
    await rig.started()
    await rig.restart()
    posts = [rig.mastodon.write(text) for text in texts]
    rig.clock.pass_time(30 * DAY)
    await rig.pass_time(rig.daemon(), 60)
    assert sent(rig) == []
    return posts


async def test_an_old_post_goes_out_when_its_owner_asks_for_it(guarded: Guarded) -> None:
    old, other = await away(guarded, "Dear all", "Not this one")
    said = await asked(guarded, guarded.daemon(), old)
    assert "1 post(s) are looked at again" in said
    assert sent(guarded) == ["Dear all"]
    assert await reason(guarded, old.id) is Reason.CAUGHT_UP
    assert await reason(guarded, other.id) is Reason.TOO_OLD


async def test_a_thread_that_was_kept_back_is_a_thread_again(guarded: Guarded) -> None:
    await guarded.started()
    await guarded.restart()
    first = guarded.mastodon.write("First")
    second = guarded.mastodon.write("Second", reply_to=first.id)
    guarded.clock.pass_time(30 * DAY)
    await guarded.pass_time(guarded.daemon(), 60)
    assert await reason(guarded, second.id) is Reason.PARENT_NOT_MIRRORED
    await asked(guarded, guarded.daemon(), first, second)
    (_, none, _), (_, reply_to, _) = guarded.x.published
    assert (none, reply_to) == (None, guarded.x.posts[0].id)


async def test_what_is_caught_up_with_leaves_under_the_hourly_bound(guarded: Guarded) -> None:
    guarded.max_per_hour = 2
    posts = await away(guarded, *(f"Number {number}" for number in range(5)))
    daemon = guarded.daemon()
    await asked(guarded, daemon, *posts)
    assert len(sent(guarded)) == 2
    await guarded.pass_time(daemon, 3 * 3600, step=300)
    assert sent(guarded) == [f"Number {number}" for number in range(5)]


async def test_another_long_absence_does_not_undo_what_its_owner_asked_for(
    guarded: Guarded,
) -> None:
    guarded.max_per_hour = 1
    posts = await away(guarded, "One", "Two")
    await asked(guarded, guarded.daemon(), *posts)
    assert sent(guarded) == ["One"]
    await guarded.restart()
    guarded.clock.pass_time(30 * DAY)
    await guarded.pass_time(guarded.daemon(), 60)
    assert sent(guarded) == ["One", "Two"]


async def test_what_its_author_deleted_or_narrowed_meanwhile_is_not_sent(
    guarded: Guarded,
) -> None:
    (old,) = await away(guarded, "Regretted")
    guarded.mastodon.remove(old)
    await asked(guarded, guarded.daemon(), old)
    assert sent(guarded) == []
    assert await reason(guarded, old.id) is Reason.DELETED


async def test_a_source_that_does_not_answer_is_asked_again(guarded: Guarded) -> None:
    (old,) = await away(guarded, "Patience")
    guarded.mastodon.look_up_errors = [Transient("down", unreachable=True)]
    daemon = guarded.daemon()
    await asked(guarded, daemon, old)
    await guarded.pass_time(daemon, 300)
    assert sent(guarded) == ["Patience"]


@pytest.mark.parametrize("text", ["Said in one breath.", STORY], ids=["one", "thread"])
async def test_promise_2_what_was_mirrored_before_a_restore_is_found_and_never_sent_again(
    guarded: Guarded, text: str
) -> None:
    daemon = await guarded.started()
    backup = await backed_up(guarded)
    out, home = guarded.mastodon.write(text), guarded.x.write("From X, in its own words")
    await guarded.pass_time(daemon, 120)
    shown = guarded.x.shown(), guarded.mastodon.shown()
    await restored(guarded, backup)
    again = guarded.daemon()
    await guarded.pass_time(again, 120)
    never = guarded.mastodon.write("Not mirrored before")
    await guarded.pass_time(again, 60)
    on_mastodon = [p for p in guarded.mastodon.posts if p.id != never.id]
    await asked(guarded, again, *on_mastodon)
    on_x = [p for p in guarded.x.posts if p.text.plain != "Not mirrored before"]
    await asked(guarded, again, *on_x, way=HOME.direction)
    assert guarded.x.shown()[: len(shown[0])] == shown[0]
    assert len(guarded.x.shown()) == len(shown[0]) + 1
    assert [s for s in guarded.mastodon.shown() if s[0] != "Not mirrored before"] == shown[1]
    assert {out.id, home.id} <= {p.id for p in (*on_mastodon, *on_x)}


async def test_offers_tell_what_would_become_of_each_and_write_nothing(guarded: Guarded) -> None:
    old, gone = await away(guarded, "Dear all", "Regretted")
    guarded.mastodon.remove(gone)
    by_hand = guarded.mastodon.write("Stands on X already", at=guarded.clock.now())
    plans = {lane.plan.route: lane.plan for lane in guarded.daemon().lanes}
    guarded.x.write("Stands on X already")
    found = await offers(
        plans[OUT],
        plans[HOME],
        guarded.ledger,
        since=guarded.clock.now() - timedelta(days=1),
        now=guarded.clock.now(),
    )
    fates = {one.post.id: (one.verdict.reason, one.parts) for one in found.found}
    assert fates == {by_hand.id: (Reason.SAME_POST, 0)}
    found = await offers(
        plans[OUT], plans[HOME], guarded.ledger, since=None, now=guarded.clock.now()
    )
    (one,) = found.found
    assert (one.post.id, one.kept, one.parts, one.price) == (old.id, Reason.TOO_OLD, 1, 15_000)
    assert found.lost == (gone.id,)
    assert await guarded.ledger.wanted(OUT, 10) == ()


async def test_two_posts_that_cannot_be_tied_are_told_why(guarded: Guarded) -> None:
    daemon = await guarded.started()
    post = guarded.mastodon.write("Mirrored")
    await guarded.pass_time(daemon, 60)
    assert await guarded.state(post.id) is PostState.DELIVERED
    commands = Commands(replace(daemon._bench), [OUT, HOME], daemon.lanes)
    with pytest.raises(NothingToMend, match="another mirror"):
        await commands.link(NAME, OUT.direction, Mirror(post.id), Mirror(PostId("x-9")))
