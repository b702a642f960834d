"""The ledger looked after from the command line, and posts that were kept back."""

import json
import sqlite3
from datetime import timedelta
from pathlib import Path

from bridge.config import load
from bridge.ledger.sqlite import open_reader
from tests.fixtures.world import World, until


def state(world: World) -> Path:
    return world.folder / "state"


def on_x(world: World) -> list[str]:
    return [post.text for post in world.x.timeline(world.x_account)][::-1]


def on_mastodon(world: World) -> list[str]:
    return [status.text for status in world.mastodon.timeline(world.mastodon_account)][::-1]


def made(path: Path, content: str) -> str:
    path.write_text(content, encoding="utf-8")
    return str(path)


def mode(path: Path) -> int:
    return path.stat().st_mode & 0o777


def harmed(world: World) -> None:
    database = sqlite3.connect(state(world) / "ledger.sqlite3")
    database.execute("UPDATE part SET state = 'planned', target_id = NULL")
    database.commit()
    database.close()


def backups(world: World) -> list[Path]:
    return sorted((state(world) / "backups").glob("*.sqlite3"))


async def mirrored(world: World, text: str) -> str:
    """A toot that stands on X too."""
    toot = world.mastodon.write(world.mastodon_account, text)
    assert (await world.twinpost("once")).code == 0
    assert text in on_x(world)
    return toot.id


async def reasons(world: World) -> dict[str, str]:
    rows = (await world.twinpost("history", "--json")).rows
    return {row["source_id"]: row["reason"].partition(":")[0] for row in rows}


async def test_a_whole_ledger_is_said_to_be_and_a_damaged_one_says_what_to_do(
    world: World,
) -> None:
    await world.twinpost("once")
    await mirrored(world, "Hello")
    told = await world.twinpost("ledger", "verify")
    assert told.code == 0
    assert "The ledger is whole." in told.out
    harmed(world)
    told = await world.twinpost("ledger", "verify")
    assert told.code == 4
    assert "its last move led to delivered" in told.out
    assert f"twinpost ledger restore {backups(world)[-1]}" in told.out


async def test_a_ledger_that_is_not_there_is_a_fault_of_the_ledger(world: World) -> None:
    for action in (("verify",), ("backup",), ("export",)):
        told = await world.twinpost("ledger", *action)
        assert told.code == 4, told
        assert "Traceback" not in told.err
    told = await world.twinpost("ledger", "restore")
    assert (told.code, "name the backup" in told.err) == (2, True)
    assert not state(world).exists()


async def test_a_backup_is_made_beside_the_daemon_and_put_back_only_without_it(
    world: World,
) -> None:
    await world.twinpost("once")
    await mirrored(world, "Before")
    target = world.folder / "copy.sqlite3"
    async with world.running():
        told = await world.twinpost("ledger", "backup", "--to", str(target))
        assert told.code == 0, told
        assert mode(target) == 0o600
        told = await world.twinpost("ledger", "restore", str(target))
        assert (told.code, "in use" in told.err) == (4, True)
        world.mastodon.write(world.mastodon_account, "After")
        await until(lambda: "After" in on_x(world))
    told = await world.twinpost("ledger", "restore", str(target))
    assert told.code == 0, told
    assert "twinpost catch-up" in told.out
    assert "is kept as" in told.out
    for _ in range(3):
        await world.twinpost("once")
    assert on_x(world) == ["Before", "After"]
    assert on_mastodon(world) == ["Before", "After"]
    assert set((await reasons(world)).values()) <= {"allowed", "echo", "restored", "same-post"}
    shown = await world.twinpost("catch-up", "--yes")
    assert shown.code == 0, shown
    assert "0 post(s) can be sent" in shown.out
    await world.twinpost("once")
    assert on_x(world) == ["Before", "After"]


async def test_one_backup_a_day_is_made_by_itself_and_says_what_it_is(world: World) -> None:
    for _ in range(2):
        await world.twinpost("once")
    (backup,) = backups(world)
    assert mode(backup) == 0o600
    assert mode(backup.parent) == 0o700
    assert (await world.twinpost("ledger", "backup")).code == 0
    assert len(backups(world)) == 2
    reader = await open_reader(backup)
    await reader.close()


async def test_what_was_written_before_a_restore_goes_out_if_its_owner_wants_it(
    world: World,
) -> None:
    await world.twinpost("once")
    await mirrored(world, "Before")
    target = world.folder / "copy.sqlite3"
    await world.twinpost("ledger", "backup", "--to", str(target))
    await mirrored(world, "Mirrored since")
    world.mastodon.write(world.mastodon_account, "Never mirrored")
    await world.twinpost("ledger", "restore", str(target))
    await world.twinpost("once")
    assert "Never mirrored" not in on_x(world)
    shown = await world.twinpost("catch-up", "--direction", "mastodon_to_x", "--dry-run")
    assert "1 post(s) can be sent, for $0.015" in shown.out
    assert "same-post" in shown.out
    refused = await world.twinpost("catch-up")
    assert (refused.code, "--yes" in refused.err) == (2, True)
    async with world.running():
        told = await world.twinpost("catch-up", "--direction", "mastodon_to_x", "--yes")
        assert told.code == 0, told
        await until(lambda: "Never mirrored" in on_x(world))
    assert sorted(on_x(world)) == ["Before", "Mirrored since", "Never mirrored"]
    again = await world.twinpost("catch-up", "--dry-run")
    assert "0 post(s) can be sent" in again.out


async def test_what_was_written_before_the_start_can_be_asked_for_by_date(world: World) -> None:
    old = world.mastodon.write(world.mastodon_account, "From before")
    await world.twinpost("once")
    nothing = await world.twinpost("catch-up", "--dry-run")
    assert "0 post(s)" in nothing.out
    shown = await world.twinpost("catch-up", "--since", "2020-01-01", "--dry-run")
    assert "1 post(s) can be sent" in shown.out, shown
    assert (await world.twinpost("catch-up", "--since", "2020-01-01", "--yes")).code == 0
    assert (await world.twinpost("once")).code == 0
    assert on_x(world) == ["From before"]
    assert (await reasons(world))[old.id] == "caught-up"
    await world.twinpost("once")
    assert on_mastodon(world) == ["From before"]


async def test_an_export_moves_house_and_says_no_text(world: World) -> None:
    await world.twinpost("once")
    await mirrored(world, "Canary in a coal mine")
    file = world.folder / "ledger.jsonl"
    told = await world.twinpost("ledger", "export", str(file))
    assert told.code == 0, told
    assert mode(file) == 0o600
    assert b"Canary" not in file.read_bytes()
    printed = await world.twinpost("ledger", "export")
    assert len(printed.rows) == len(file.read_text().splitlines())
    before = await reasons(world)
    told = await world.twinpost("ledger", "import", str(file))
    assert told.code == 0, told
    assert await reasons(world) == before
    await world.twinpost("once")
    assert on_x(world) == ["Canary in a coal mine"]


async def test_what_another_tool_mirrored_is_taken_over_and_never_comes_twice(
    world: World,
) -> None:
    toot = world.mastodon.write(world.mastodon_account, "By hand, long ago")
    tweet = world.x.write(world.x_account, "Made by another tool of that toot, in other words")
    text = world.config.read_text()
    world.config.write_text(text.replace("delay: 0s}", "delay: 0s, start: beginning}"))
    table = made(world.folder / "old.csv", f"masto_id,tweet_id\n{toot.id},{tweet.id}\nbroken\n")
    refused = await world.twinpost("ledger", "import", table)
    assert (refused.code, "line 3" in refused.err) == (2, True), refused
    told = await world.twinpost("ledger", "import", table, "--skip-unread")
    assert told.code == 0, told
    assert "1 posts taken over" in told.out
    again = await world.twinpost("ledger", "import", table, "--skip-unread")
    assert "0 posts taken over" in again.out
    for _ in range(2):
        assert (await world.twinpost("once")).code == 0
    assert len(on_x(world)) == len(on_mastodon(world)) == 1
    assert (await reasons(world))[toot.id] == "taken-over"
    world.mastodon.write(world.mastodon_account, "And on it goes", in_reply_to=toot.id)
    await world.twinpost("once")
    (reply, _) = world.x.timeline(world.x_account)
    assert reply.text == "And on it goes"
    assert reply.reply_to == tweet.id


async def test_two_posts_can_be_tied_by_hand_and_then_neither_crosses(world: World) -> None:
    await world.twinpost("once")
    async with world.running():
        await world.twinpost("pause")
        toot = world.mastodon.write(world.mastodon_account, "Two ways to say it")
        tweet = world.x.write(world.x_account, "It can be put in quite another manner")
        unclear = await world.twinpost("link", toot.id, tweet.id)
        assert (unclear.code, "--direction" in unclear.err) == (2, True)
        toot_url = f"{world.mastodon_url}/@ada/{toot.id}"
        told = await world.twinpost("link", toot_url, f"https://x.com/ada/status/{tweet.id}")
        assert told.code == 0, told
        assert "neither is mirrored" in told.out
        twice = await world.twinpost("link", toot_url, f"https://x.com/ada/status/{tweet.id}")
        assert (twice.code, "known as post and mirror" in twice.err) == (1, True)
        await world.twinpost("resume")
    assert (await world.twinpost("once")).code == 0
    assert len(on_x(world)) == len(on_mastodon(world)) == 1
    (row,) = [r for r in (await world.twinpost("why", toot.id, "--json")).rows if r["parts"]]
    assert (row["state"], row["parts"][0]["target_id"]) == ("delivered", tweet.id)


async def test_a_damaged_import_changes_nothing(world: World) -> None:
    await world.twinpost("once")
    lines = (await world.twinpost("ledger", "export")).out.splitlines()
    cut = made(world.folder / "cut.jsonl", "\n".join(lines[:-1]))
    told = await world.twinpost("ledger", "import", cut)
    assert (told.code, "cut off" in told.err) == (4, True)
    unknown = made(world.folder / "diary.txt", "Dear diary")
    told = await world.twinpost("ledger", "import", unknown)
    assert (told.code, "--format" in told.err) == (2, True)
    assert json.loads(lines[0])["twinpost"] == "ledger"
    assert (await world.twinpost("ledger", "verify")).code == 0


async def test_copies_that_cannot_be_made_are_shown_by_status_and_check(world: World) -> None:
    await world.twinpost("once")
    (backup,) = backups(world)
    moved = backup.parent.rename(world.folder / "elsewhere")
    made(state(world) / "backups", "in the way")
    told = await world.twinpost("once")
    assert "could not be copied" in told.err
    for command in ("status", "check"):
        assert "not copied since" in (await world.twinpost(command)).out
    (state(world) / "backups").unlink()
    moved.rename(state(world) / "backups")


def test_a_configuration_bounds_age_and_number_by_itself(world: World) -> None:
    bridge = load(world.config).bridges[0]
    for way in (bridge.mastodon_to_x, bridge.x_to_mastodon):
        assert (way.max_age, way.max_per_hour) == (timedelta(hours=24), 0)
