"""The page on moving, done: every command on it, in its order, and every claim about switches."""

import json
import re
import shlex
import shutil
import sqlite3
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from bridge.cli.keeping import FORMATS
from bridge.cli.parser import build_parser
from bridge.config import load
from bridge.ledger.takeover import Format
from tests.fixtures.world import Ended, World

PAGE = (Path(__file__).parents[2] / "docs" / "moving.md").read_text(encoding="utf-8")
TOOT, TWEET = "https://mastodon.example/@ada/113", "https://x.com/ada/status/20"
BLOCKS = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def section(heading: str) -> str:
    """What stands under a heading, those below it included."""
    level, _ = heading.split(" ", 1)
    begun = PAGE.split(f"\n{heading}\n", 1)[1]
    return re.split(rf"\n#{{2,{len(level)}}} ", begun, maxsplit=1)[0]


def typed(text: str) -> Iterator[list[str]]:
    """Every command line in the blocks of `text`, in order."""
    for kind, block in BLOCKS.findall(text):
        if not kind:
            for line in block.splitlines():
                yield shlex.split(line)


def imports() -> list[list[str]]:
    """Every import of another tool's memory, in the order of the page."""
    every = typed(section("## From another cross-poster"))
    return [command for command in every if command[1:3] == ["ledger", "import"]]


def switches() -> list[str]:
    """The blocks of configuration, from staying on both to having left one."""
    return [
        block for kind, block in BLOCKS.findall(section("## Leaving one network for the other"))
        if kind == "yaml"
    ]  # fmt: skip


def memories(world: World, toot: str, tweet: str) -> None:
    """Put the file of every tool, as each writes it, where the page has it imported from."""
    server = world.mastodon_url.removeprefix("http://")
    pair = {"origin": "mastodon", "services": {"mastodon": {"id": toot}, "twitter": {"id": tweet}}}
    for name, content in {
        "poster.sql": (
            "COPY public.mastodon_clients (id, domain) FROM stdin;\n"
            f"1\t{server}\n\\.\n"
            "COPY public.statuses (id, mastodon_client_id, masto_id, tweet_id) FROM stdin;\n"
            f"1\t1\t{toot}\t{tweet}\n\\.\n"
        ),
        "posts.json": json.dumps({world.mastodon_url: {tweet: toot}}),
        "database.json": json.dumps(pair) + "\n",
        "mtt_status_associations.json": json.dumps({toot: tweet}),
    }.items():
        (world.folder / name).write_text(content, encoding="utf-8")
    database = sqlite3.connect(world.folder / "moa.db", isolation_level=None)
    database.execute(
        "CREATE TABLE mapping (id INTEGER PRIMARY KEY, mastodon_id BIGINT, twitter_id BIGINT, "
        "created DATETIME)"
    )
    database.execute("INSERT INTO mapping VALUES (1, ?, ?, NULL)", (toot, tweet))
    database.close()


def on_x(world: World) -> list[str]:
    return [post.text for post in world.x.timeline(world.x_account)][::-1]


def on_mastodon(world: World) -> list[str]:
    return [status.text for status in world.mastodon.timeline(world.mastodon_account)][::-1]


def reads_of_x(world: World) -> int:
    """How often a timeline on X was asked for."""
    return sum(
        each.method == "GET" and re.fullmatch(r"/2/users/\d+/(tweets|posts)", each.path) is not None
        for each in world.x.faults.requests
    )


def done_in(folder: Path, command: list[str]) -> None:
    """Do what is no command of twinpost."""
    subprocess.run(command, cwd=folder, check=True)


async def reason(world: World, post: str) -> str:
    rows = (await world.twinpost("why", post, "--json")).rows
    return str(rows[0]["reason"]).partition(":")[0]


async def do(world: World, command: list[str], **instead: str) -> Ended:
    """Type a command of the page, with other addresses than the page's."""
    assert command[0] == "twinpost", command
    return await world.twinpost(*(instead.get(word, word) for word in command[1:]))


def test_every_tool_that_can_be_imported_is_named_with_its_file() -> None:
    table = re.findall(r"^\|.*$", section("### What it remembers"), re.MULTILINE)[2:]
    rows = [row.split("|")[1:3] for row in table]
    assert [tool.split()[0].partition("/")[2] or tool.split()[0] for tool, _ in rows] == [
        "MastodonToTwitter" if each is Format.MTT else each.value for each in Format
    ]
    assert set(FORMATS) - {"twinpost"} == set(Format)
    files = {re.findall(r"`(.*?)`", file)[0] for _, file in rows}
    assert {command[3] for command in imports()} == files


def test_every_command_and_every_anchor_on_the_page_exists() -> None:
    parser = build_parser()
    for command in typed(PAGE):
        if command[0] == "twinpost":
            parser.parse_args(command[1:])
    titles = {
        re.sub(r"[^\w-]", "", title.lower().replace(" ", "-"))
        for title in re.findall(r"^#+ (.*)$", PAGE, re.MULTILINE)
    }
    assert set(re.findall(r"\]\(#([^)]+)\)", PAGE)) <= titles


async def test_moving_in_as_the_page_says_neither_loses_a_post_nor_doubles_one(
    world: World,
) -> None:
    toot = world.mastodon.write(world.mastodon_account, "By hand, long ago")
    tweet = world.x.write(world.x_account, "What another tool made of it, in other words")
    memories(world, toot.id, tweet.id)
    (world.folder / "draft.txt").write_text("A draft", encoding="utf-8")
    steps = list(typed(section("## From another cross-poster").split("\n### ")[0]))
    assert [step[1] for step in steps] == [
        "ledger", "once", "status", "why", "preview", "history", "catch-up"
    ]  # fmt: skip
    said = {}
    for step in steps:
        if step[1] == "once":
            meanwhile = world.mastodon.write(world.mastodon_account, "Written in between")
        ended = await do(world, step, **{TOOT: toot.id})
        assert ended.code == 0, ended
        said[step[1]] = ended.out
    assert "1 posts taken over" in said["ledger"]
    assert "taken-over" in said["why"]
    assert on_x(world) == ["What another tool made of it, in other words"]
    assert "1 post(s) can be sent" in said["catch-up"]
    assert meanwhile.id in said["catch-up"]
    sent = await do(world, ["--yes" if word == "--dry-run" else word for word in steps[-1]])
    assert sent.code == 0, sent
    await world.twinpost("once")
    assert on_x(world)[1:] == ["Written in between"]
    world.mastodon.write(world.mastodon_account, "It goes on", in_reply_to=toot.id)
    await world.twinpost("once")
    assert world.x.timeline(world.x_account)[0].reply_to == tweet.id


async def test_the_memory_of_every_tool_is_taken_over_and_again_nothing_happens(
    world: World,
) -> None:
    toot = world.mastodon.write(world.mastodon_account, "By hand, long ago")
    tweet = world.x.write(world.x_account, "What another tool made of it, in other words")
    memories(world, toot.id, tweet.id)
    said = [(await do(world, each)).out for each in imports()]
    assert [re.findall(r"(\d+) posts taken over", each)[0] for each in said] == list("10000")


async def test_without_a_memory_two_posts_are_tied_and_old_ones_can_be_had(world: World) -> None:
    toot = world.mastodon.write(world.mastodon_account, "The beginning")
    tweet = world.x.write(world.x_account, "It began in other words")
    await world.twinpost("once")
    (link,) = typed(section("### Where it remembers nothing"))
    own = {
        TOOT: f"{world.mastodon_url}/@ada/{toot.id}",
        TWEET: f"https://x.com/ada/status/{tweet.id}",
    }
    assert (await do(world, link, **own)).code == 0
    assert await reason(world, toot.id) == "linked"
    (old,) = typed(section("### Old posts"))
    assert "0 post(s)" in (await do(world, old)).out


async def test_a_state_folder_moves_house_with_all_that_it_knows(world: World) -> None:
    await world.twinpost("once")
    toot = world.mastodon.write(world.mastodon_account, "Before")
    await world.twinpost("once")
    there = world.folder.with_name("elsewhere")
    there.mkdir()
    whole = section("## To another machine").split("**The ledger alone,**")[0]
    pack, unpack, *after = typed(whole)
    done_in(world.folder, pack)
    shutil.move(world.folder / "twinpost.tar.gz", there)
    (world.folder / "state").rename(world.folder / "switched-off")
    done_in(there, unpack)
    moved = World(
        there, world.mastodon, world.mastodon_account, world.mastodon_url,
        world.x, world.x_account, world.x_url,
    )  # fmt: skip
    assert (there / "state").stat().st_mode & 0o777 == 0o700
    world.mastodon.write(world.mastodon_account, "And on", in_reply_to=toot.id)
    for command in after:
        words = ["once" if word == "run" else word for word in command]
        ended = await do(moved, words)
        assert ended.code == 0, ended
    assert on_x(world) == ["Before", "And on"]
    assert on_mastodon(world) == ["Before", "And on"]


async def test_a_ledger_alone_moves_house_and_sends_nothing_by_itself(world: World) -> None:
    await world.twinpost("once")
    world.mastodon.write(world.mastodon_account, "Before")
    await world.twinpost("once")
    alone = section("## To another machine").split("**The ledger alone,**")[1]
    export, bring_in, *login, check = typed(alone)
    assert [c[1] for c in login] == ["login", "login"]
    assert (await do(world, export)).code == 0
    world.mastodon.write(world.mastodon_account, "In between")
    shutil.rmtree(world.folder / "state")
    for command in (bring_in, check):
        assert (await do(world, command)).code == 0
    await world.twinpost("once")
    assert on_x(world) == ["Before"]
    assert "1 post(s) can be sent" in (await world.twinpost("catch-up", "--dry-run")).out


def with_ways(world: World, block: str) -> None:
    """Put a block of the page in the place of both directions."""
    kept = [
        line for line in world.config.read_text().splitlines() if not re.match(r" +\w+_to_", line)
    ]
    hurried = block.replace("{enabled", "{every: 1s, delay: 0s, enabled")
    world.config.write_text("\n".join(kept) + "\n" + hurried, encoding="utf-8")
    load(world.config)


async def test_leaving_a_network_is_a_matter_of_switches_that_can_be_taken_back(
    world: World,
) -> None:
    as_it_was = world.config.read_text()
    both, some, nothing = switches()
    await world.twinpost("once")

    with_ways(world, both)
    world.mastodon.write(world.mastodon_account, "See https://example.com/a")
    world.x.write(world.x_account, "By habit")
    await world.twinpost("once")
    assert "By habit" in on_mastodon(world)
    assert "https://" not in on_x(world)[-1]

    with_ways(world, some)
    reads = reads_of_x(world)
    world.x.write(world.x_account, "Said on X alone")
    world.mastodon.write(world.mastodon_account, "For Mastodon alone")
    matters = world.mastodon.write(world.mastodon_account, "This matters #xp")
    await world.twinpost("once")
    assert on_x(world)[-1] == "This matters"
    assert "Said on X alone" not in on_mastodon(world)
    assert reads_of_x(world) == reads

    with_ways(world, nothing)
    world.mastodon.write(world.mastodon_account, "All alone #xp")
    assert (await world.twinpost("once")).code == 0
    assert on_x(world)[-1] == "This matters"
    assert await reason(world, matters.id) == "allowed"

    world.config.write_text(as_it_was, encoding="utf-8")
    await world.twinpost("once")
    assert "All alone #xp" in on_x(world)


async def test_deletions_still_cross_where_nothing_else_does_and_not_where_a_way_is_off(
    world: World,
) -> None:
    await world.twinpost("once")
    begun = datetime.now(UTC)
    kept, first, second = (
        world.mastodon.write(world.mastodon_account, text, created_at=begun + timedelta(seconds=n))
        for n, text in enumerate(("It stays for ever", "The first goes", "Then goes another"))
    )
    await world.twinpost("once")
    assert len(on_x(world)) == 3
    _, _, nothing = switches()
    with_ways(world, nothing)
    world.mastodon.remove(first.id)
    await world.twinpost("once")
    assert len(on_x(world)) == 3
    only = '    mastodon_to_x: {enabled: true, only_with: ["a word never written"]}\n'
    with_ways(world, only + "    x_to_mastodon: {enabled: false}\n")
    world.mastodon.remove(second.id)
    world.mastodon.write(world.mastodon_account, "This does not cross")
    await world.twinpost("once")
    assert on_x(world) == [kept.text]


async def test_another_account_begins_anew_under_a_new_name_and_the_old_one_is_still_known(
    world: World,
) -> None:
    assert "give the bridge a new `name`" in section("## To another account")
    await world.twinpost("once")
    old = world.mastodon.write(world.mastodon_account, "Under the old name")
    await world.twinpost("once")
    text = world.config.read_text()
    world.config.write_text(text.replace("name: personal", "name: moved"), encoding="utf-8")
    assert (await world.twinpost("once")).code == 0
    assert on_x(world) == ["Under the old name"]
    assert on_mastodon(world) == ["Under the old name"]
    assert await reason(world, old.id) == "allowed"
    world.mastodon.write(world.mastodon_account, "Under the new name")
    await world.twinpost("once")
    assert on_x(world) == ["Under the old name", "Under the new name"]
