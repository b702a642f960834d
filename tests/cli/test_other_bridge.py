"""A second bridge on the same accounts, with its own ledger, shows in log, status and check."""

from dataclasses import replace
from pathlib import Path

from bridge.cli.exits import Exit
from tests.fixtures.world import World


def bridge_in(world: World, folder: Path) -> World:
    """A bridge of its own in `folder`, signed in as `twinpost login` does it."""
    folder.mkdir()
    made = replace(world, folder=folder)
    made.configure()
    given = world.mastodon_account.access_token
    token = world.mastodon.token(world.mastodon_account, "read write", "twinpost")
    text = made.config.read_text(encoding="utf-8")
    made.config.write_text(text.replace(given, token), encoding="utf-8")
    return made


async def test_a_second_bridge_shows_in_the_log_and_in_status_and_check(
    world: World, tmp_path: Path
) -> None:
    ours, theirs = bridge_in(world, tmp_path / "ours"), bridge_in(world, tmp_path / "theirs")
    for one in (ours, theirs):
        assert (await one.twinpost("once")).code == Exit.FINE
    world.x.write(world.x_account, "What nobody had read before")
    assert (await theirs.twinpost("once")).code == Exit.FINE
    mirror = world.mastodon.timeline(world.mastodon_account)[0]
    passed = await ours.twinpost("once")
    assert "another bridge or tool mirrors the same accounts" in passed.err

    told = await ours.twinpost("status")
    assert told.code == Exit.ATTENTION
    assert f"{mirror.id} was not made by this bridge" in told.out
    rows = (await ours.twinpost("status", "--json")).rows
    assert {row["direction"] for row in rows if row["other_sender"]} == {"x_to_mastodon"}
    checked = await ours.twinpost("check")
    assert "other bridge" in checked.out
    assert "stop the other one" in checked.out

    assert (await theirs.twinpost("status")).code == Exit.FINE
    assert "other bridge" not in (await theirs.twinpost("check")).out
