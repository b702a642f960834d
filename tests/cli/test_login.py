"""Signing in, as a person does: at a terminal, with a browser here, elsewhere, or none at all."""

import asyncio
import json
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from bridge.sandbox.faults import Fault
from bridge.sandbox.mastodon import MastodonSandbox
from bridge.sandbox.server import serve
from tests.fixtures.terminal import (
    Terminal,
    agrees,
    at_a_terminal,
    changed,
    code_shown_at,
    visits,
)
from tests.fixtures.world import TWINPOST, World, until

ADDRESS = r"\n  (http://\S+)\n"


@pytest.fixture
def bare(world: World) -> World:
    """A world whose configuration names servers only."""
    world.config.write_text(
        f"""\
state: ./state
bridges:
  - name: personal
    mastodon: {{url: "{world.mastodon_url}"}}
    x: {{url: "{world.x_url}"}}
    mastodon_to_x: {{every: 1s, delay: 0s}}
    x_to_mastodon: {{every: 1s, delay: 0s}}
"""
    )
    return world


def tokens_of(world: World) -> Iterator[Path]:
    return (world.folder / "state" / "tokens").glob("*.json")


def saved(world: World, network: str) -> dict[str, str]:
    file = world.folder / "state" / "tokens" / f"personal-{network}.login.json"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700
    found: dict[str, str] = json.loads(file.read_text())
    return found


def hides_secrets(terminal: Terminal, world: World, *more: str) -> bool:
    """Whether nothing secret was shown; `more` are codes and keys that were typed."""
    kept = [
        value
        for file in tokens_of(world)
        for name, value in json.loads(file.read_text()).items()
        if name.startswith("value.") and name != "value.client_id" and value
    ]
    return not any(secret in terminal.shown for secret in (*kept, *more))


async def put_on_headless_x(terminal: Terminal, world: World) -> str:
    """Answer what `login x` asks on a machine without a browser; gives the address to open."""
    keys = world.x_account.oauth2
    await terminal.reads("Client ID: ")
    terminal.types(keys.client_id)
    await terminal.reads("Client Secret .*: ")
    terminal.types(keys.client_secret)
    return (await terminal.reads(ADDRESS))[1]


async def signed_in_on_mastodon(world: World) -> None:
    async with at_a_terminal(world.folder, "login", "mastodon") as terminal:
        address = (await terminal.reads(ADDRESS))[1]
        await terminal.reads("Type the code")
        terminal.types(await code_shown_at(await agrees(address)))
        assert await terminal.ends() == 0, terminal.shown


async def signed_in_on_x(world: World) -> None:
    async with at_a_terminal(world.folder, "login", "x", "--headless") as terminal:
        address = await put_on_headless_x(terminal, world)
        await terminal.reads("paste it here")
        terminal.types(await agrees(address))
        assert await terminal.ends() == 0, terminal.shown


async def test_mastodon_over_ssh_by_a_code_that_is_typed_unseen(bare: World) -> None:
    async with at_a_terminal(bare.folder, "login", "mastodon") as terminal:
        await terminal.reads(r"profile,\s+read:statuses, write:statuses, write:media")
        address = (await terminal.reads(ADDRESS))[1]
        assert "code_challenge_method=S256" in address
        await terminal.reads("Type the code")
        code = await code_shown_at(await agrees(address))
        await until(lambda: not terminal.echoes)
        terminal.types(code)
        assert await terminal.ends() == 0, terminal.shown
        assert "Signed in on Mastodon as @ada@" in terminal.shown
        assert "Next: twinpost login x" in terminal.shown
        assert terminal.echoes
        assert hides_secrets(terminal, bare, code)
    assert saved(bare, "mastodon")["scopes"] == "profile read:statuses write:statuses write:media"


async def test_mastodon_with_the_browser_on_this_machine(bare: World) -> None:
    async with at_a_terminal(bare.folder, "login", "mastodon", "--port", "8427") as terminal:
        address = (await terminal.reads(ADDRESS))[1]
        await terminal.reads("paste the address")
        back = await agrees(address)
        assert back.startswith("http://127.0.0.1:8427/callback?")
        status, page = await visits(changed(back, state="forged"))
        assert status == 400
        assert "does not belong to the sign-in" in page
        status, page = await visits(back)
        assert (status, "The answer has arrived" in page) == (200, True)
        assert await terminal.ends() == 0, terminal.shown
        assert hides_secrets(terminal, bare)


async def test_a_browser_alone_will_do_where_nobody_can_type(bare: World) -> None:
    process = await asyncio.create_subprocess_exec(
        *TWINPOST, "login", "mastodon", "--port", "8426", "--config", str(bare.config),
        stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    assert process.stdout is not None
    async with asyncio.timeout(20):
        while b"authorize?" not in (shown := await process.stdout.readline()):
            pass
        await visits(await agrees(shown.decode().strip()))
        assert await process.wait() == 0
    assert saved(bare, "mastodon")["kind"] == "token"


async def test_x_on_a_headless_machine_by_pasting_the_address_unseen(bare: World) -> None:
    async with at_a_terminal(bare.folder, "login", "x", "--headless") as terminal:
        await terminal.reads("Callback URI: http://127.0.0.1:8423/callback")
        address = await put_on_headless_x(terminal, bare)
        await terminal.reads("paste it here")
        back = await agrees(address)
        terminal.types(back)
        assert await terminal.ends() == 0, terminal.shown
        assert "Signed in on X as @ada" in terminal.shown
        assert hides_secrets(terminal, bare, back, bare.x_account.oauth2.client_secret)
    assert saved(bare, "x")["scopes"].split()[-1] == "offline.access"


async def test_x_with_the_browser_on_this_machine(bare: World) -> None:
    bare.x.allow_callback(bare.x_account, "http://127.0.0.1:8428/callback")
    async with at_a_terminal(bare.folder, "login", "x", "--port", "8428") as terminal:
        address = await put_on_headless_x(terminal, bare)
        await terminal.reads("goes on by itself")
        assert (await visits(await agrees(address)))[0] == 200
        assert await terminal.ends() == 0, terminal.shown
    assert saved(bare, "x")["account"] == "@ada"


async def test_x_by_the_four_keys_of_the_console_without_an_echo(bare: World) -> None:
    keys = bare.x_account.oauth1
    typed = [keys.consumer_key, keys.consumer_secret, keys.access_token, keys.access_token_secret]
    async with at_a_terminal(bare.folder, "login", "x", "--oauth1") as terminal:
        await terminal.reads("App permissions: Read and write")
        for prompt, key in zip(
            ("API Key .*: ", "API Key Secret: ", "Access Token: ", "Token Secret: "),
            typed,
            strict=True,
        ):
            await terminal.reads(prompt)
            await until(lambda: not terminal.echoes)
            terminal.types(key)
        assert await terminal.ends() == 0, terminal.shown
        assert hides_secrets(terminal, bare, *typed)
    assert saved(bare, "x")["kind"] == "oauth1"


async def test_the_four_keys_may_come_through_a_pipe_one_a_line(bare: World) -> None:
    keys = bare.x_account.oauth1
    lines = [keys.consumer_key, keys.consumer_secret, keys.access_token, keys.access_token_secret]
    for given, code in ((lines, 0), (lines[:3], 2)):
        process = await asyncio.create_subprocess_exec(
            *TWINPOST, "login", "x", "--oauth1", "--config", str(bare.config),
            stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )  # fmt: skip
        said, _ = await process.communicate("".join(f"{line}\n" for line in given).encode())
        assert process.returncode == code, said
        assert not any(line.encode() in said for line in lines)
    assert saved(bare, "x")["value.access_token"] == keys.access_token


async def test_a_login_replaces_tokens_that_stand_in_the_configuration(world: World) -> None:
    text = world.config.read_text()
    world.config.write_text(text.replace(world.mastodon_account.access_token, "worn-out"))
    assert (await world.twinpost("once")).code == 3
    await signed_in_on_mastodon(world)
    assert (await world.twinpost("once")).code == 0
    # What is pasted into the file after that is newer.
    world.config.write_text(text.replace(world.mastodon_account.access_token, "pasted-later"))
    assert (await world.twinpost("once")).code == 3


async def test_the_log_of_a_daemon_shows_nothing_of_a_login(bare: World) -> None:
    await signed_in_on_mastodon(bare)
    await signed_in_on_x(bare)
    process = await bare.start("run", "--verbose")
    await bare.watching()
    bare.x.clock.shift(7300)
    bare.mastodon.write(bare.mastodon_account, "After a renewal")
    await until(lambda: len(bare.x.timeline(bare.x_account)) == 1)
    process.terminate()
    out, err = await asyncio.wait_for(process.communicate(), 10)
    said = (out + err).decode()
    secret = [
        value
        for file in tokens_of(bare)
        for name, value in json.loads(file.read_text()).items()
        if value and name.removeprefix("value.") in {
            "access_token", "refresh_token", "client_secret", "access", "refresh", "previous",
        }
    ]  # fmt: skip
    assert len(secret) == 8
    assert not [each for each in secret if each in said]


async def test_an_answer_to_another_question_is_not_used(bare: World) -> None:
    async with at_a_terminal(bare.folder, "login", "x", "--headless") as terminal:
        address = await put_on_headless_x(terminal, bare)
        await terminal.reads("paste it here")
        back = await agrees(address)
        terminal.types(changed(back, state="forged"))
        await terminal.reads("does not belong to this sign-in")
        await terminal.reads("paste it here")
        terminal.types("nonsense")
        await terminal.reads("copy all of it")
        assert not list(tokens_of(bare))
        await terminal.reads("paste it here")
        terminal.types(back)
        assert await terminal.ends() == 0


async def test_a_code_that_was_used_already_gives_nothing_and_changes_nothing(bare: World) -> None:
    await signed_in_on_x(bare)
    before = saved(bare, "x")
    async with at_a_terminal(bare.folder, "login", "x", "--headless") as terminal:
        address = await put_on_headless_x(terminal, bare)
        await terminal.reads("paste it here")
        back = await agrees(address)
        bare.x.faults.add(Fault("accept-then-reset", path="/2/oauth2/token"))
        terminal.types(back)
        assert await terminal.ends() == 1
        assert "cannot be reached" in terminal.shown
    async with at_a_terminal(bare.folder, "login", "x", "--headless") as terminal:
        address = await put_on_headless_x(terminal, bare)
        await terminal.reads("paste it here")
        back = await agrees(address)
        bare.x.clock.shift(31)
        terminal.types(back)
        assert await terminal.ends() == 3
        assert "for 30 seconds" in terminal.shown
        assert "Traceback" not in terminal.shown
    assert saved(bare, "x") == before


@pytest.mark.parametrize("network", ["mastodon", "x"])
async def test_a_denial_is_said_and_changes_nothing(bare: World, network: str) -> None:
    async with at_a_terminal(bare.folder, "login", network, "--port", "8429") as terminal:
        if network == "x":
            bare.x.allow_callback(bare.x_account, "http://127.0.0.1:8429/callback")
            address = await put_on_headless_x(terminal, bare)
        else:
            address = (await terminal.reads(ADDRESS))[1]
        await terminal.reads("goes on by itself")
        await visits(await agrees(address, decision="deny"))
        assert await terminal.ends() == 3
        assert "denied on the network's page" in terminal.shown
    assert not list(tokens_of(bare))


async def test_a_token_may_be_pasted_or_come_from_a_file_or_a_pipe(bare: World) -> None:
    token = bare.mastodon_account.access_token
    async with at_a_terminal(bare.folder, "login", "mastodon", "--token-file", "-") as terminal:
        await terminal.reads("Paste the access token")
        await until(lambda: not terminal.echoes)
        terminal.types(token)
        assert await terminal.ends() == 0, terminal.shown
        assert hides_secrets(terminal, bare, token)
    (bare.folder / "token").write_text(f"{token}\n")
    assert (await bare.twinpost("login", "mastodon", "--token-file", "token")).code == 0
    told = await bare.twinpost("login", "mastodon", "--token-file", "missing")
    assert told.code == 2
    assert "missing: No such file" in told.err


async def test_a_token_that_is_not_taken_replaces_nothing(bare: World) -> None:
    await signed_in_on_mastodon(bare)
    before = saved(bare, "mastodon")
    (bare.folder / "token").write_text("mistyped-canary")
    told = await bare.twinpost("login", "mastodon", "--token-file", "token")
    assert told.code == 3
    assert "nothing was changed" in told.err
    assert "mistyped-canary" not in told.err + told.out
    assert saved(bare, "mastodon") == before


async def test_a_bridge_is_not_moved_to_another_account_by_mistake(bare: World) -> None:
    await signed_in_on_mastodon(bare)
    bob = bare.mastodon.add_account("bob", "Bob")
    (bare.folder / "token").write_text(bob.access_token)
    told = await bare.twinpost("login", "mastodon", "--token-file", "token")
    assert told.code == 2
    assert "belongs to @ada" in told.err
    assert "signed in as @bob" in told.err
    assert saved(bare, "mastodon")["account"].startswith("@ada")


async def test_a_server_that_goes_by_a_number_is_refused(bare: World) -> None:
    text = bare.config.read_text()
    bare.config.write_text(text.replace(bare.mastodon_url, "https://0x7f.1"))
    told = await bare.twinpost("login", "mastodon")
    assert told.code == 2
    assert "known by its name, not by a number" in told.err


async def test_a_server_without_metadata_is_signed_in_on_without_pkce(tmp_path: Path) -> None:
    sandbox = MastodonSandbox("minimal")
    sandbox.add_account("ada", "Ada")
    async with serve(sandbox.app) as url:
        (tmp_path / "config.yaml").write_text(
            "state: ./state\n"
            f'bridges: [{{name: a, mastodon: {{url: "{url}"}}, x: {{url: "{url}"}}}}]\n'
        )
        async with at_a_terminal(tmp_path, "login", "mastodon") as terminal:
            await terminal.reads("read:accounts, read:statuses")
            address = (await terminal.reads(ADDRESS))[1]
            assert "code_challenge" not in address
            terminal.types(await code_shown_at(await agrees(address)))
            assert await terminal.ends() == 0, terminal.shown


async def test_gotosocial_is_asked_for_what_its_streaming_wants(tmp_path: Path) -> None:
    sandbox = MastodonSandbox("gotosocial")
    sandbox.add_account("ada", "Ada")
    async with serve(sandbox.app) as url:
        (tmp_path / "config.yaml").write_text(
            "state: ./state\n"
            f'bridges: [{{name: a, mastodon: {{url: "{url}"}}, x: {{url: "{url}"}}}}]\n'
        )
        async with at_a_terminal(tmp_path, "login", "mastodon") as terminal:
            await terminal.reads("needs: read, write")
            address = (await terminal.reads(ADDRESS))[1]
            terminal.types(await code_shown_at(await agrees(address)))
            assert await terminal.ends() == 0, terminal.shown


async def test_a_vault_that_others_can_read_is_refused_before_anything_is_asked(
    bare: World,
) -> None:
    await signed_in_on_mastodon(bare)
    (file,) = tokens_of(bare)
    file.chmod(0o644)
    for command in (("login", "mastodon"), ("once",), ("run",)):
        told = await bare.twinpost(*command)
        assert told.code == 2
        assert f"chmod 600 {file}" in told.err


async def test_without_a_login_nothing_starts_and_the_command_is_named(bare: World) -> None:
    for command in ("run", "once"):
        told = await bare.twinpost(command)
        assert told.code == 2
        assert "run: twinpost login mastodon" in told.err
        assert "run: twinpost login x" in told.err
    assert not (bare.folder / "state").exists()


async def test_ctrl_c_leaves_nothing_and_gives_the_terminal_its_echo_back(bare: World) -> None:
    async with at_a_terminal(bare.folder, "login", "mastodon") as terminal:
        await terminal.reads("Type the code")
        await until(lambda: not terminal.echoes)
        terminal.presses(b"\x03")
        assert await terminal.ends() == 130, terminal.shown
        assert terminal.echoes
        assert "Traceback" not in terminal.shown
    assert not list(tokens_of(bare))


def pauses(errors: Path) -> list[str]:
    return [line for line in errors.read_text().splitlines() if " waits " in line]


async def test_a_dead_login_pauses_the_account_is_said_once_and_a_new_one_brings_all_in_order(
    bare: World,
) -> None:
    await signed_in_on_mastodon(bare)
    await signed_in_on_x(bare)
    errors = bare.folder / "errors"
    with errors.open("wb") as file:
        daemon = await bare.start_with_errors(file)
        try:
            await bare.watching()
            bare.x.clock.shift(7300)
            dead = Fault("refuse-then-400", method="POST", path="/2/oauth2/token", times=None)
            bare.x.faults.add(dead)
            for number in range(3):
                bare.mastodon.write(bare.mastodon_account, f"Number {number}")
            await until(lambda: bool(pauses(errors)))
            bare.x.faults.clear()
            await signed_in_on_x(bare)
            await until(lambda: len(bare.x.timeline(bare.x_account)) == 3)
        finally:
            daemon.terminate()
            await daemon.wait()
    texts = [post.text for post in bare.x.timeline(bare.x_account)][::-1]
    assert texts == ["Number 0", "Number 1", "Number 2"]
    (said,) = pauses(errors)
    assert "the login is dead, log in to X again with: twinpost login x" in said
    assert "signed in anew" in errors.read_text()


async def test_a_revoked_token_on_mastodon_stops_that_side_until_somebody_signs_in(
    bare: World,
) -> None:
    await signed_in_on_mastodon(bare)
    await signed_in_on_x(bare)
    errors = bare.folder / "errors"
    with errors.open("wb") as file:
        daemon = await bare.start_with_errors(file)
        try:
            await bare.watching()
            bare.mastodon.revoke(saved(bare, "mastodon")["value.access_token"])
            bare.x.write(bare.x_account, "Waits for a login")
            await until(lambda: bool(pauses(errors)))
            await signed_in_on_mastodon(bare)
            await until(lambda: bool(bare.mastodon.timeline(bare.mastodon_account)))
        finally:
            daemon.terminate()
            await daemon.wait()
    (said,) = pauses(errors)
    assert "sign in again with: twinpost login mastodon" in said


async def test_a_login_that_cannot_be_used_does_not_stop_a_daemon(bare: World) -> None:
    await signed_in_on_mastodon(bare)
    await signed_in_on_x(bare)
    errors = bare.folder / "errors"
    with errors.open("wb") as file:
        daemon = await bare.start_with_errors(file)
        try:
            await bare.watching()
            login = bare.folder / "state" / "tokens" / "personal-x.login.json"
            login.chmod(0o644)
            await until(lambda: "goes on as it was" in errors.read_text())
            assert f"chmod 600 {login}" in errors.read_text()
            bare.x.write(bare.x_account, "All the same")
            await until(lambda: bool(bare.mastodon.timeline(bare.mastodon_account)))
            login.chmod(0o600)
            await until(lambda: "signed in anew" in errors.read_text())
        finally:
            daemon.terminate()
            await daemon.wait()


async def test_a_kill_between_rotation_and_save_costs_a_login_and_nothing_else(bare: World) -> None:
    await signed_in_on_mastodon(bare)
    await signed_in_on_x(bare)
    errors = bare.folder / "errors"
    with errors.open("wb") as file:
        daemon = await bare.start_with_errors(file)
        await bare.watching()
        bare.x.clock.shift(7300)
        bare.x.faults.add(Fault("accept-then-hang", method="POST", path="/2/oauth2/token"))
        bare.mastodon.write(bare.mastodon_account, "Written meanwhile")

        def renewals() -> int:
            return sum(entry.path == "/2/oauth2/token" for entry in bare.x.faults.requests)

        before = renewals()
        await until(lambda: renewals() > before)
        # X has rotated the token, and the answer is on its way.
        daemon.kill()
        await daemon.wait()
        daemon = await bare.start_with_errors(file)
        try:
            await until(lambda: bool(pauses(errors)))
            assert "twinpost login x" in pauses(errors)[0]
            assert renewals() == before + 2
            await signed_in_on_x(bare)
            await until(lambda: len(bare.x.timeline(bare.x_account)) == 1)
        finally:
            daemon.terminate()
            await daemon.wait()
    assert [post.text for post in bare.x.timeline(bare.x_account)] == ["Written meanwhile"]
