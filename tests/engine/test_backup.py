"""A ledger restored from an old backup: what was mirrored since then is not mirrored again.

Bars of docs/reliability.md: R14.
"""

import shutil

import pytest

from tests.engine.conftest import Rig

STORY = (
    "In the first week we measured the river at nine places and wrote it all down. "
    "In the second week it rained, and every figure we had was of another river. "
    "By the third week nobody believed the gauges, so we went down with poles and ropes. "
    "The fourth week brought the old miller, who laughed and showed us his own marks. "
    "His grandfather had cut them into the stone, one for each flood since the great one. "
    "We copied them all, and threw our own tables away without any regret at all. "
)


async def backed_up(rig: Rig) -> None:
    """Take a backup of the ledger as it is."""
    await rig.ledger.close()
    shutil.copy(rig.folder / "ledger.sqlite3", rig.folder / "backup")
    rig.ledger = await rig.opened(rig.folder, rig.clock)


async def back(rig: Rig) -> None:
    """Put the backup in its place, and accept that it is an old one."""
    await rig.ledger.close()
    for name in (*rig.folder.glob("ledger.sqlite3*"), rig.folder / "ledger.id"):
        name.unlink()
    shutil.copy(rig.folder / "backup", rig.folder / "ledger.sqlite3")
    rig.ledger = await rig.opened(rig.folder, rig.clock)


@pytest.mark.parametrize("other_side_first", [False, True])
@pytest.mark.parametrize("text", ["A short one, said in one breath.", STORY], ids=["one", "thread"])
async def test_the_mirror_of_what_the_backup_does_not_know_is_not_mirrored_back(
    rig: Rig, text: str, other_side_first: bool
) -> None:
    await rig.started()
    await backed_up(rig)
    toot = rig.mastodon.write(text)
    await rig.pass_time(rig.daemon(), 60)
    sent = len(rig.x.published)
    assert sent >= 1
    await back(rig)
    daemon = rig.daemon()
    for lane in reversed(daemon.lanes) if other_side_first else daemon.lanes:
        await lane.turn(read=True)
    await rig.pass_time(daemon, 300)
    assert [part.text for part, _, _ in rig.mastodon.published] == []
    assert len(rig.x.published) == sent
    found = [r for r in await rig.ledger.find(toot.id) if r.source == toot.id]
    if sent > 1:
        assert [part.target_id for part in found[0].parts] == [post.id for post in rig.x.posts]
