"""The way of somebody new: the commands of docs/setup.md, in its order, typed at a terminal."""

import re
from pathlib import Path

from tests.fixtures.terminal import agrees, at_a_terminal, code_shown_at
from tests.fixtures.world import World, until

ADDRESS = r"\n  (http://\S+)\n"
GUIDE = Path(__file__).parents[2] / "docs" / "setup.md"


def commands() -> list[list[str]]:
    block = re.search(r"```\n(twinpost init .*?)```", GUIDE.read_text(encoding="utf-8"), re.DOTALL)
    assert block
    lines = (line.partition("#")[0].split() for line in block[1].splitlines())
    return [words[1:] for words in lines]


async def test_ten_minutes_from_nothing_to_a_running_bridge(world: World) -> None:
    world.config.unlink()
    folder, keys = world.folder, world.x_account.oauth2
    init, login_mastodon, login_x, check, run = commands()
    assert (init[0], check[0], run[0]) == ("init", "check", "run")

    async with at_a_terminal(folder, *init, "--x-url", world.x_url) as terminal:
        await terminal.reads("Server: ")
        terminal.types(world.mastodon_url)
        await terminal.reads("oauth2 or oauth1 ")
        terminal.types("")
        await terminal.reads("Directions ")
        terminal.types("")
        told = await terminal.reads("Next: twinpost (.*)\n")
        assert told[1].split() == login_mastodon
        assert await terminal.ends() == 0

    async with at_a_terminal(folder, *login_mastodon) as terminal:
        address = (await terminal.reads(ADDRESS))[1]
        await terminal.reads("Type the code")
        terminal.types(await code_shown_at(await agrees(address)))
        told = await terminal.reads("Next: twinpost (.*)\n")
        assert told[1].split() == login_x
        assert await terminal.ends() == 0

    async with at_a_terminal(folder, *login_x, "--headless") as terminal:
        await terminal.reads("Client ID: ")
        terminal.types(keys.client_id)
        await terminal.reads("Client Secret .*: ")
        terminal.types(keys.client_secret)
        address = (await terminal.reads(ADDRESS))[1]
        await terminal.reads("press Enter: ")
        terminal.types(await agrees(address))
        await terminal.reads(f"Next: twinpost {check[0]}")
        assert await terminal.ends() == 0

    async with at_a_terminal(folder, *check) as terminal:
        assert await terminal.ends() == 0, terminal.shown
        assert "fault" not in terminal.shown
        assert "This check cost $0.00." in terminal.shown

    # As somebody in a hurry does, who does not want to wait for a minute.
    text = world.config.read_text().replace("every: 60s", "every: 1s").replace("30s", "0s")
    world.config.write_text(text)
    async with at_a_terminal(folder, *run) as terminal:
        await terminal.reads("running 1 bridge")
        await world.watching()
        world.mastodon.write(world.mastodon_account, "From Mastodon")
        world.x.write(world.x_account, "From X")
        await until(lambda: len(world.x.timeline(world.x_account)) == 2)
        await until(lambda: len(world.mastodon.timeline(world.mastodon_account)) == 2)
        terminal.presses(b"\x03")
        assert await terminal.ends() == 0
        assert "Traceback" not in terminal.shown
    assert world.config.stat().st_mode & 0o777 == 0o600


def test_the_guide_names_the_scopes_the_callback_and_the_codes_that_the_program_has() -> None:
    from bridge.signin.loopback import HOST, PATH
    from bridge.signin.mastodon import scopes_for
    from bridge.signin.x import PORT

    guide = GUIDE.read_text(encoding="utf-8")
    assert f"`http://{HOST}:{PORT}{PATH}`" in guide
    narrow = {"profile", "read:statuses", "write:statuses", "write:media"}
    for known in (frozenset[str](), frozenset(narrow)):
        assert all(f"`{scope}`" in guide for scope in scopes_for("mastodon", known).split())
    assert all(f"`{scope}`" in guide for scope in scopes_for("gotosocial", frozenset()).split())
