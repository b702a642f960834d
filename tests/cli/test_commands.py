"""The commands, as a user types them: against real servers, in a real process."""

import asyncio
import json
import re
import signal
import subprocess
import time
from datetime import timedelta

import pytest

from bridge.cli.parser import build_parser
from bridge.sandbox.faults import Fault
from tests.fixtures.world import SHARED_MACHINE, TWINPOST, World, until

COMMANDS = (
    "costs", "release", "demo", "sandbox", "run", "once", "check-config", "history", "why",
    "status", "resolve", "retry", "drop", "pause", "resume", "sync-now", "preview", "init", "login",
    "check", "completion", "manual", "ledger", "catch-up", "link",
)  # fmt: skip
POST_KEYS = {
    "bridge", "direction", "source_id", "source_url", "state", "verdict", "reason", "cost_usd",
    "at", "parts",
}  # fmt: skip
PART_KEYS = {"index", "state", "target_id", "target_url", "cost_usd"}


def texts_on_x(world: World) -> list[str]:
    return [post.text for post in world.x.timeline(world.x_account)][::-1]


def texts_on_mastodon(world: World) -> list[str]:
    return [status.text for status in world.mastodon.timeline(world.mastodon_account)][::-1]


@pytest.mark.parametrize("command", COMMANDS)
def test_every_help_page_fits_a_screen_and_shows_an_example(command: str) -> None:
    page = subprocess.run(
        [*TWINPOST, command, "--help"], capture_output=True, text=True, check=True
    ).stdout
    assert len(page.splitlines()) <= 24
    assert all(len(line) <= 80 for line in page.splitlines())
    assert f"example: twinpost {command}" in page
    assert "exit codes" in page


@pytest.mark.parametrize("command", COMMANDS)
def test_every_help_page_shows_what_has_to_be_typed(command: str) -> None:
    (group,) = [a for a in build_parser()._actions if a.metavar == "COMMAND"]
    assert isinstance(group.choices, dict)
    page = group.choices[command].format_help()
    for action in group.choices[command]._actions:
        if not action.option_strings:
            assert all(str(choice) in page for choice in action.choices or [])
            assert re.search(rf"^  {action.metavar} +\w", page, re.MULTILINE), action.dest


def test_the_list_of_commands_has_a_line_for_each() -> None:
    page = subprocess.run([*TWINPOST, "--help"], capture_output=True, text=True, check=True).stdout
    assert len(page.splitlines()) <= len(COMMANDS) + 14
    assert all(command in page for command in COMMANDS)


def test_a_wrong_command_is_a_usage_error() -> None:
    assert subprocess.run([*TWINPOST, "florble"], capture_output=True, check=False).returncode == 2


async def test_once_mirrors_both_ways_and_history_says_what_and_why(world: World) -> None:
    assert (await world.twinpost("once")).code == 0
    toot = world.mastodon.write(world.mastodon_account, "From Mastodon")
    tweet = world.x.write(world.x_account, "From X")
    secret = world.mastodon.write(world.mastodon_account, "Psst", visibility="private")
    assert (await world.twinpost("once")).code == 0
    assert (await world.twinpost("once")).code == 0
    assert texts_on_x(world) == ["From X", "From Mastodon"]
    assert sorted(texts_on_mastodon(world)) == ["From Mastodon", "From X", "Psst"]

    rows = (await world.twinpost("history", "--json")).rows
    assert all(set(row) == POST_KEYS for row in rows)
    assert all(set(part) == PART_KEYS for row in rows for part in row["parts"])
    by_source = {row["source_id"]: row for row in rows}
    mirrored = by_source[toot.id]
    assert (mirrored["direction"], mirrored["state"]) == ("mastodon_to_x", "delivered")
    assert mirrored["cost_usd"] == 0.015
    assert by_source[tweet.id]["cost_usd"] == 0
    assert by_source[secret.id]["verdict"] == "skip"
    assert by_source[secret.id]["reason"].startswith("audience: ")
    assert set(by_source) == {toot.id, tweet.id, secret.id}, "each mirror is told of by its post"
    everything = (await world.twinpost("history", "--json", "--all")).rows
    assert [row["reason"][:5] for row in everything if row not in rows] == ["echo:"] * 2


async def test_why_takes_ids_and_addresses_of_either_side(world: World) -> None:
    await world.twinpost("once")
    toot = world.mastodon.write(world.mastodon_account, "Tell me why")
    await world.twinpost("once")
    (row,) = [r for r in (await world.twinpost("history", "--json")).rows if r["parts"]]
    part = row["parts"][0]
    for name in (toot.id, row["source_url"], part["target_id"], part["target_url"]):
        found = (await world.twinpost("why", name, "--json")).rows
        assert toot.id in {r["source_id"] for r in found}
    told = await world.twinpost("why", toot.id)
    assert "delivered" in told.out
    assert "mirrored by the rules" in told.out


async def test_why_of_an_unknown_post_says_so(world: World) -> None:
    await world.twinpost("once")
    told = await world.twinpost("why", "12345")
    assert told.code == 2
    assert "no post is known by 12345" in told.err


async def test_status_counts_and_exits_with_1_when_something_is_held_or_failed(
    world: World,
) -> None:
    await world.twinpost("once")
    world.mastodon.write(world.mastodon_account, "Fine")
    await world.twinpost("once")
    fine = await world.twinpost("status", "--json")
    assert fine.code == 0
    assert [row["delivered"] for row in fine.rows] == [1, 0]
    world.x.faults.add(Fault("refuse-then-400", method="POST", path="/2/tweets"))
    world.mastodon.write(world.mastodon_account, "Refused")
    assert (await world.twinpost("once")).code == 1
    assert (await world.twinpost("status")).code == 1


async def test_what_its_delay_keeps_back_stays_planned_and_is_fine(world: World) -> None:
    world.configure(outward_delay="1h")
    await world.twinpost("once")
    toot = world.mastodon.write(world.mastodon_account, "In an hour")
    assert (await world.twinpost("once")).code == 0
    rows = (await world.twinpost("history", "--json")).rows
    assert [row["state"] for row in rows if row["source_id"] == toot.id] == ["planned"]
    assert texts_on_x(world) == []


async def test_looking_needs_a_ledger_and_does_not_make_one(world: World) -> None:
    for command in (("history",), ("status",), ("why", "1")):
        told = await world.twinpost(*command)
        assert told.code == 4, told
        assert "Traceback" not in told.err
    assert not (world.folder / "state").exists()


async def test_a_wrong_configuration_starts_and_writes_nothing(world: World) -> None:
    world.config.write_text(world.config.read_text().replace("every", "evry"))
    for command in ("run", "once", "check-config", "history"):
        told = await world.twinpost(command)
        assert told.code == 2
        assert re.search(r"config.yaml:\d+: bridges\[0\]\.mastodon_to_x\.evry", told.err)
        assert "did you mean every?" in told.err
    assert not (world.folder / "state").exists()


async def test_check_config_says_what_a_file_would_do(world: World) -> None:
    told = await world.twinpost("check-config", str(world.config), config=False)
    assert told.code == 0
    assert "personal/mastodon_to_x" in told.out
    assert world.mastodon_account.access_token not in told.out
    schema = await world.twinpost("check-config", "--schema", config=False)
    assert json.loads(schema.out)["title"] == "twinpost configuration"


async def test_refused_credentials_end_with_3(world: World) -> None:
    world.mastodon.revoke(world.mastodon_account.access_token)
    told = await world.twinpost("once")
    assert told.code == 3
    assert world.mastodon_account.access_token not in told.err + told.out


async def test_a_second_process_on_one_ledger_is_refused_within_two_seconds(world: World) -> None:
    async with world.running():
        took = []
        # The best of three: what else this machine does at the moment is not the ledger's doing.
        for _ in range(3):
            begun = time.monotonic()
            told = await world.twinpost("once")
            took.append(time.monotonic() - begun)
            assert told.code == 4
            assert "pid" in told.err
            assert "Traceback" not in told.err
        assert min(took) < 2 * SHARED_MACHINE


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_a_signal_stops_the_daemon_cleanly(world: World, number: signal.Signals) -> None:
    process = await world.start("run")
    await world.watching()
    process.send_signal(number)
    out, err = await asyncio.wait_for(process.communicate(), 10)
    assert process.returncode == 0, err.decode()
    assert b"Traceback" not in err + out


async def test_the_daemon_mirrors_within_seconds_and_no_secret_is_logged(world: World) -> None:
    process = await world.start("run", "--verbose")
    await world.watching()
    world.mastodon.write(world.mastodon_account, "Quick")
    await until(lambda: "Quick" in texts_on_x(world))
    world.x.write(world.x_account, "Quick too")
    await until(lambda: "Quick too" in texts_on_mastodon(world))
    process.terminate()
    out, err = await asyncio.wait_for(process.communicate(), 10)
    said = (out + err).decode()
    keys = world.x_account.oauth1
    for secret in (
        world.mastodon_account.access_token,
        keys.consumer_secret,
        keys.access_token,
        keys.access_token_secret,
    ):
        assert secret not in said
    assert "Quick" not in said


async def test_a_reload_takes_the_new_configuration_and_survives_a_broken_one(world: World) -> None:
    async with world.running() as process:
        good = world.config.read_text()
        world.config.write_text("bridges: nonsense\n")
        process.send_signal(signal.SIGHUP)
        world.x.write(world.x_account, "It goes on")
        await until(lambda: "It goes on" in texts_on_mastodon(world))
        world.config.write_text(
            good.replace("mastodon_to_x: {", "mastodon_to_x: {enabled: false, ")
        )
        reads = world.asked_who_it_is()
        process.send_signal(signal.SIGHUP)
        await until(lambda: world.asked_who_it_is() > reads)
        world.mastodon.write(world.mastodon_account, "Not any more")
        world.x.write(world.x_account, "Still this way")
        await until(lambda: "Still this way" in texts_on_mastodon(world))
        assert "Not any more" not in texts_on_x(world)


async def test_once_looks_for_deletions_when_told_to(world: World) -> None:
    await world.twinpost("once")
    kept = world.x.write(world.x_account, "Stays")
    later = kept.created_at + timedelta(seconds=1)
    gone = world.x.write(world.x_account, "Goes", created_at=later)
    await world.twinpost("once", "--recheck")
    assert sorted(texts_on_mastodon(world)) == ["Goes", "Stays"]
    world.x.remove(gone.id)
    await world.twinpost("once")
    assert len(texts_on_mastodon(world)) == 2
    assert (await world.twinpost("once", "--recheck")).code == 0
    assert texts_on_mastodon(world) == ["Stays"]
    (row,) = [r for r in (await world.twinpost("why", gone.id, "--json")).rows if r["parts"]]
    assert row["state"] == "removed"
    assert world.x.post(kept.id) is not None


async def test_an_owner_vouches_only_for_what_a_recheck_finds(world: World) -> None:
    ended = await world.twinpost("once", "--deleted")
    assert ended.code == 2
    assert "--recheck" in ended.err
