"""Another bridge on the same two accounts is noticed, and nothing else is taken for one."""

import shutil
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from bridge.core.crossposters import OWN_NAME
from bridge.core.errors import Refused
from bridge.core.model import Direction
from bridge.engine.control import Control
from bridge.engine.supervise import Daemon
from bridge.ledger import care, transfer
from tests.engine.conftest import HOME, NAME, OUT, Rig

STORY = "What nobody had read before"
THREAD = " ".join(f"Sentence {number} of a long story." for number in range(15))


@pytest.fixture
async def other(rig: Rig, tmp_path: Path) -> AsyncIterator[Rig]:
    """A second bridge with a ledger of its own; Mastodon tells which application posted."""
    rig.mastodon.app = OWN_NAME
    folder = tmp_path / "other"
    folder.mkdir()
    made = replace(rig, folder=folder, ledger=await Rig.opened(folder, rig.clock), events=[])
    yield made
    await made.ledger.close()


async def told(rig: Rig) -> dict[str, str]:
    rows = await Control(rig.ledger, [OUT, HOME]).status_rows(rig.clock.now())
    return {row["direction"]: row["other_sender"] for row in rows if row["other_sender"]}


def lone(daemon: Daemon) -> Daemon:
    """Its lanes do not look at the other side before they send: so it is within one second."""
    for lane in daemon.lanes:
        lane.opposite = None
    return daemon


async def both_started(rig: Rig, other: Rig) -> tuple[Daemon, Daemon]:
    ours, theirs = await rig.started(), await other.started()
    rig.clock.pass_time(300)
    return ours, theirs


@pytest.mark.parametrize("app", [OWN_NAME, "A token made by hand"])
async def test_a_mirror_by_our_application_that_we_have_not_made_is_told(
    rig: Rig, other: Rig, app: str, caplog: pytest.LogCaptureFixture
) -> None:
    rig.mastodon.app = app
    ours, theirs = await both_started(rig, other)
    # By its own mirrors a bridge knows the name under which it posts.
    rig.x.write("An earlier post")
    await rig.pass_time(ours, 30)
    assert await told(rig) == {}
    await theirs.once()
    caplog.clear()
    rig.clock.pass_time(300)
    rig.x.write(STORY)
    await theirs.once()
    await ours.once()
    (mirror,) = [post for post in rig.mastodon.posts if post.text.plain == STORY]
    assert mirror.url is not None
    words = await told(rig)
    assert list(words) == [Direction.X_TO_MASTODON.value]
    assert mirror.url in words[Direction.X_TO_MASTODON.value]
    assert caplog.text.count("another bridge or tool") == 1
    rig.clock.pass_time(8 * 86400)
    assert await told(rig) == {}


@pytest.mark.parametrize("way", [0, 1], ids=["to x", "to mastodon"])
async def test_a_post_that_was_doubled_within_the_same_second_is_told(
    rig: Rig, other: Rig, way: int
) -> None:
    rig.mastodon.app = None
    ours, theirs = map(lone, await both_started(rig, other))
    (rig.mastodon, rig.x)[way].write(STORY)
    await ours.lanes[way].turn(read=True)
    await theirs.lanes[way].turn(read=True)
    assert len((rig.x, rig.mastodon)[way].published) == 2
    await ours.lanes[1 - way].turn(read=True)
    assert list(await told(rig)) == [(OUT, HOME)[way].direction.value]


async def test_parts_that_this_bridge_has_composed_and_not_sent_are_told(
    rig: Rig, other: Rig
) -> None:
    rig.delay = timedelta(seconds=60)
    ours, theirs = await both_started(rig, other)
    rig.mastodon.write(THREAD)
    await ours.lanes[0].turn(read=True)
    await theirs.lanes[0].turn(read=True)
    rig.clock.pass_time(61)
    await lone(theirs).lanes[0].turn(read=False)
    assert len(rig.x.published) == 2
    await ours.once()
    assert len(rig.x.published) == 2
    assert list(await told(rig)) == [OUT.direction.value]


async def test_a_first_try_that_is_refused_as_a_duplicate_is_told(rig: Rig, other: Rig) -> None:
    ours, theirs = map(lone, await both_started(rig, other))
    rig.mastodon.write(STORY)
    await theirs.lanes[0].turn(read=True)
    rig.x.answers.append(Refused("HTTP 403: duplicate", status=403, duplicate=True))
    await ours.lanes[0].turn(read=True)
    assert list(await told(rig)) == [OUT.direction.value]


async def test_passes_by_a_timer_notice_it_too(rig: Rig, other: Rig) -> None:
    await both_started(rig, other)
    for _ in range(3):
        await rig.restart()
        await rig.daemon().once()
        rig.clock.pass_time(300)
    rig.x.write(STORY)
    await other.daemon().once()
    rig.clock.pass_time(120)
    await rig.restart()
    await rig.daemon().once()
    assert list(await told(rig)) == [HOME.direction.value]


async def test_what_the_author_posts_on_both_sides_by_hand_is_not_told(
    rig: Rig, other: Rig
) -> None:
    rig.delay = timedelta(seconds=60)
    ours, _ = await both_started(rig, other)
    for number in range(5):
        rig.x.write(f"{STORY}, number {number}")
        rig.clock.pass_time(5)
        rig.mastodon.write(f"{STORY}, number {number}")
        await rig.pass_time(ours, 90)
    assert rig.x.published == rig.mastodon.published == []
    assert await told(rig) == {}


@pytest.mark.parametrize("how", ["restored", "imported", "put back with its folder", "lost"])
async def test_mirrors_that_a_ledger_has_forgotten_are_not_told(
    rig: Rig, other: Rig, how: str, tmp_path: Path
) -> None:
    """`other` is the same bridge, before: what it has made is still there."""
    ours = await other.started()
    rig.x.write("In the copy")
    rig.mastodon.write("In the copy, too")
    await other.pass_time(ours, 60)
    ledger, copy = other.folder / "ledger.sqlite3", other.folder / "copy"
    if how == "imported":
        copy.write_text("\n".join(transfer.export(ledger, texts=True, now=rig.clock.now())))
    else:
        care.back_up(ledger, copy, rig.clock.now())
    rig.clock.pass_time(3600)
    for number in range(3):
        rig.x.write(f"{STORY}, number {number}")
        rig.mastodon.write(f"{THREAD} Story {number}.")
    await other.pass_time(ours, 120)
    assert len(rig.mastodon.published) == 4
    rig.clock.pass_time(30)

    again = replace(other, folder=tmp_path / "again", events=[])
    again.folder.mkdir()
    kept = again.folder / "ledger.sqlite3"
    if how == "restored":
        care.restore(kept, copy, rig.clock.now())
    elif how == "imported":
        lines = copy.read_text(encoding="utf-8").splitlines()
        transfer.bring_in(kept, lines, rig.clock.now(), called=str(copy))
    elif how == "put back with its folder":
        shutil.copyfile(copy, kept)
        kept.chmod(0o600)
    again.ledger = await Rig.opened(again.folder, rig.clock)
    await again.pass_time(again.daemon(), 300)
    assert await told(again) == {}
    await again.ledger.close()


async def test_a_sighting_stays_with_its_bridge_and_direction(rig: Rig, other: Rig) -> None:
    ours, theirs = await both_started(rig, other)
    for text in (STORY, f"{STORY}, continued"):
        rig.x.write(text)
        await theirs.once()
        await ours.once()
        rig.clock.pass_time(60)
    (seen,) = await rig.ledger.other_senders()
    assert (seen.route.bridge, seen.route) == (NAME, HOME)
