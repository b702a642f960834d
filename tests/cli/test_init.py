"""From nothing to a configuration: three questions at a terminal, or none at all in a script."""

import stat
from pathlib import Path

import pytest

from bridge.config import load
from tests.fixtures.terminal import at_a_terminal
from tests.fixtures.world import World


@pytest.fixture
def empty(world: World) -> World:
    """A world whose folder holds nothing yet."""
    world.config.unlink()
    return world


def left(folder: Path) -> list[str]:
    return sorted(each.name for each in folder.iterdir())


async def test_three_answers_make_a_file_that_explains_itself(empty: World) -> None:
    async with at_a_terminal(empty.folder, "init", "--x-url", empty.x_url) as terminal:
        await terminal.reads("Server: ")
        terminal.types("host@evil.example")
        await terminal.reads("before the server's own")
        await terminal.reads("Server: ")
        terminal.types(empty.mastodon_url)
        await terminal.reads(r"The server says: Mastodon 4\S+; 500 characters, 4 media")
        await terminal.reads(r"oauth2 or oauth1 \[oauth2\]: ")
        terminal.types("oauth3")
        await terminal.reads("expected oauth2 or oauth1")
        terminal.types("")
        await terminal.reads(r"Directions \[both\]: ")
        terminal.types("mastodon_to_x")
        await terminal.reads("Next: twinpost login mastodon\nThen: twinpost login x\n")
        assert await terminal.ends() == 0
    assert left(empty.folder) == ["config.yaml"]
    assert stat.S_IMODE(empty.config.stat().st_mode) == 0o600
    text = empty.config.read_text()
    assert text.count("#") > 15
    assert "500 characters" in text
    (bridge,) = load(empty.config).bridges
    assert (bridge.mastodon.url, bridge.x.url) == (empty.mastodon_url, empty.x_url)
    assert (bridge.mastodon_to_x.enabled, bridge.x_to_mastodon.enabled) == (True, False)
    assert bridge.mastodon.access_token is None


async def test_a_script_gives_every_answer_as_an_option(empty: World) -> None:
    told = await empty.twinpost(
        "init", "--no-input", "--mastodon-url", empty.mastodon_url, "--x-url", empty.x_url,
        "--name", "work", "--x-keys", "oauth1", "--directions", "x_to_mastodon",
        "--state", "./it's here", "--config", "deep/er/bridge.yaml", config=False,
    )  # fmt: skip
    assert told.code == 0, told
    assert "Then: twinpost login x --oauth1 --config deep/er/bridge.yaml" in told.out
    settings = load(empty.folder / "deep" / "er" / "bridge.yaml")
    assert settings.state.name == "it's here"
    (bridge,) = settings.bridges
    assert bridge.name == "work"
    assert bridge.mastodon_to_x.enabled is False


@pytest.mark.parametrize("key", [b"\x03", b"\x04"])
async def test_leaving_in_the_middle_leaves_nothing(empty: World, key: bytes) -> None:
    async with at_a_terminal(empty.folder, "init") as terminal:
        await terminal.reads("Server: ")
        terminal.types(empty.mastodon_url)
        await terminal.reads("oauth2 or oauth1")
        terminal.presses(key)
        assert await terminal.ends() == (130 if key == b"\x03" else 2)
        assert "Traceback" not in terminal.shown
    assert left(empty.folder) == []


async def test_a_file_that_is_there_is_never_replaced(empty: World) -> None:
    empty.config.write_text("mine")
    for arguments in ((), ("--no-input", "--mastodon-url", empty.mastodon_url)):
        told = await empty.twinpost("init", *arguments, config=False)
        assert told.code == 2
        assert "config.yaml is there already, and is never replaced" in told.err
    assert empty.config.read_text() == "mine"
    empty.config.unlink()
    empty.config.symlink_to("elsewhere")
    assert (await empty.twinpost("init", "--no-input", config=False)).code == 2
    assert left(empty.folder) == ["config.yaml"]


@pytest.mark.parametrize(
    ("server", "said"),
    [
        ("https://192.0.2.1", "not by a number"),
        ("mastodon.social@evil.example", "before the server's own"),
    ],
)
async def test_a_server_that_is_none_is_refused(empty: World, server: str, said: str) -> None:
    told = await empty.twinpost("init", "--no-input", "--mastodon-url", server, config=False)
    assert told.code == 2
    assert said in told.err
    assert left(empty.folder) == []


async def test_what_is_no_server_of_the_kind_is_refused_and_one_out_of_reach_is_believed(
    empty: World,
) -> None:
    told = await empty.twinpost("init", "--no-input", "--mastodon-url", empty.x_url, config=False)
    assert told.code == 2
    assert "does not answer as a server of the Mastodon kind" in told.err
    closed = "http://127.0.0.1:1"
    told = await empty.twinpost("init", "--no-input", "--mastodon-url", closed, config=False)
    assert told.code == 0
    assert "cannot be reached" in told.out
    assert left(empty.folder) == ["config.yaml"]


async def test_without_input_the_server_must_be_given(empty: World) -> None:
    told = await empty.twinpost("init", "--no-input", config=False)
    assert told.code == 2
    assert "--mastodon-url mastodon.social" in told.err
