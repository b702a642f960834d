"""The doctor: what it finds, what it says to do, what it costs, and that it changes nothing."""

from dataclasses import replace
from typing import Any

import pytest
from aiohttp import web

from bridge.cli.check import here
from bridge.cli.check.findings import Finding, Level, exit_code
from bridge.core.model import Microdollars
from bridge.core.prices import X_PRICES
from bridge.net.session import open_session
from bridge.sandbox.faults import Fault
from bridge.sandbox.mastodon import MastodonSandbox
from bridge.sandbox.server import serve
from bridge.signin.mastodon import OUT_OF_BAND, discover, exchange, question, register
from bridge.signin.pkce import Proof
from bridge.vault import FileVault
from tests.fixtures.terminal import agrees, code_shown_at
from tests.fixtures.world import World


@pytest.fixture(autouse=True)
def _no_certificates_of_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SSL_CERT_FILE", raising=False)


async def found(world: World, *, code: int | None = None) -> dict[str, dict[str, Any]]:
    """The findings of ``check --json`` by what was checked."""
    told = await world.twinpost("check", "--json")
    assert code is None or told.code == code, told
    (whole,) = told.rows
    assert set(whole) == {"checks", "worst", "cost_usd"}
    assert whole["cost_usd"] == 0
    for row in whole["checks"]:
        assert set(row) == {"check", "bridge", "level", "detail", "todo"}
    return {row["check"]: row for row in whole["checks"]}


def requests_of(world: World) -> list[str]:
    return [
        f"{entry.method} {entry.path}"
        for faults in (world.x.faults, world.mastodon.faults)
        for entry in faults.requests
    ]


async def test_a_bridge_that_is_well_is_said_to_be_and_nothing_is_paid_or_posted(
    world: World,
) -> None:
    world.config.chmod(0o600)
    told = await world.twinpost("check")
    assert told.code == 0, told
    assert "signed in as @ada" in told.out
    assert "This check cost $0.00." in told.out
    assert world.x.bill() == ()
    assert set(requests_of(world)) == {
        "GET /2/users/me",
        "GET /api/v1/accounts/verify_credentials",
        "GET /api/v1/apps/verify_credentials",
        "GET /api/v1/streaming",
        "GET /api/v2/instance",
    }
    assert not (world.folder / "state").exists()
    for secret in (
        world.mastodon_account.access_token,
        world.x_account.oauth1.access_token_secret,
        world.x_account.oauth1.consumer_secret,
    ):
        assert secret not in told.out + told.err


@pytest.mark.parametrize(
    ("enforced", "level", "words"),
    [
        (["landlock", "seccomp"], "ok", "no files and no network (Landlock, seccomp)"),
        (["seccomp"], "warning", "no Landlock, so that the process that unpacks pictures is conf"),
        (["landlock"], "warning", "no seccomp, so that the process that unpacks pictures is conf"),
        ([], "warning", "no Landlock and no seccomp, so that the process that unpacks pictures is"),
    ],
)
def test_how_far_pictures_are_confined_is_said(
    monkeypatch: pytest.MonkeyPatch, enforced: list[str], level: str, words: str
) -> None:
    monkeypatch.setattr(here, "enforced", lambda: enforced)
    finding = here.pictures()
    assert finding.level == level
    assert words in finding.detail
    assert bool(finding.todo) is (level == "warning")


async def test_what_is_looked_at_has_stable_names(world: World) -> None:
    rows = await found(world, code=0)
    assert set(rows) == {
        "configuration", "state folder", "disk", "ledger", "pictures", "mastodon credentials",
        "x credentials", "mastodon account", "mastodon scopes", "mastodon server",
        "mastodon streaming", "mastodon clock", "x account", "x reading price", "x prices",
        "x scopes", "x clock", "x length",
    }  # fmt: skip
    server = rows["mastodon server"]["detail"]
    assert server.startswith("Mastodon 4.")
    assert server.endswith("; 500 characters, 4 media")
    assert rows["mastodon streaming"]["level"] == "ok"
    price = rows["x reading price"]
    assert "$0.001" in price["detail"]
    assert "X does not tell which" in price["detail"]
    assert "console.x.com as @ada" in price["todo"]


def on_x(world: World, *keys: str) -> None:
    """Add keys to the account on X."""
    added = "".join(f"      {key}\n" for key in keys)
    text = world.config.read_text(encoding="utf-8")
    world.config.write_text(text.replace("      oauth1:", f"{added}      oauth1:"), "utf-8")


async def test_prices_of_ones_own_are_those_that_are_told(world: World) -> None:
    on_x(world, "prices: {owned_read: 0.002, post_read: 0.007, create: 0.03}")
    rows = await found(world, code=0)
    assert rows["x reading price"]["detail"].startswith("$0.002 for a post where @ada owns")
    assert "else $0.007;" in rows["x reading price"]["detail"]
    assert rows["x prices"]["level"] == "ok"
    assert rows["x prices"]["detail"].endswith(
        "; by x.prices owned_read $0.002, post_read $0.007, create $0.03"
    )
    assert world.x.bill() == ()


async def test_where_reading_costs_the_same_by_every_app_nothing_is_left_to_do(
    world: World,
) -> None:
    on_x(world, "prices: {owned_read: 0.005}")
    row = (await found(world, code=0))["x reading price"]
    assert (row["level"], row["todo"]) == ("ok", None)
    assert row["detail"] == "$0.005 for a post, whoever owns the developer app"


async def test_prices_that_x_lists_otherwise_are_a_warning_with_the_key(world: World) -> None:
    on_x(world, f"price_list: {world.x_url}/api/credits/pricing")
    row = (await found(world, code=0))["x prices"]
    assert row["level"] == "ok"
    assert row["detail"].endswith("; X lists the same")
    world.x.listed_prices = replace(X_PRICES, create=Microdollars(20_000))
    row = (await found(world, code=0))["x prices"]
    assert row["level"] == "warning"
    assert "X lists $0.02 for what is counted as $0.015 here" in row["detail"]
    assert "x.prices.create: 0.02" in row["detail"]


async def test_a_price_list_that_cannot_be_had_is_nobodys_fault(world: World) -> None:
    on_x(world, f"price_list: {world.x_url}/no/such/list")
    row = (await found(world, code=0))["x prices"]
    assert row["level"] == "ok"
    assert "X's own list: HTTP 404" in row["detail"]


async def test_refused_credentials_are_a_fault_with_the_command_and_exit_3(world: World) -> None:
    world.mastodon.revoke(world.mastodon_account.access_token)
    rows = await found(world, code=3)
    assert rows["mastodon account"]["level"] == "fault"
    assert "twinpost login mastodon" in rows["mastodon account"]["detail"]
    assert rows["x account"]["level"] == "ok"


async def test_an_app_without_credit_is_a_fault_that_says_so(world: World) -> None:
    world.x.out_of_credits = True
    rows = await found(world, code=1)
    assert "buy some in X's developer console" in rows["x account"]["detail"]
    assert "no login helps" in rows["x account"]["todo"]


async def test_an_account_that_nobody_signed_in_on_names_the_command(world: World) -> None:
    text = world.config.read_text()
    token = f", access_token: {world.mastodon_account.access_token}"
    world.config.write_text(text.replace(token, ""))
    rows = await found(world, code=3)
    assert rows["mastodon credentials"]["todo"] == "twinpost login mastodon"
    assert "mastodon account" not in rows
    assert rows["x account"]["level"] == "ok"


async def test_a_token_with_too_few_rights_is_a_fault(world: World) -> None:
    async with open_session(user_agent="twinpost-tests") as session:
        where, proof = await discover(session, world.mastodon_url), Proof()
        app = await register(session, where, OUT_OF_BAND, "read:accounts read:statuses")
        code = await code_shown_at(await agrees(question(where, app, proof)))
        narrow = await exchange(session, where, app, code, proof)
    text = world.config.read_text()
    world.config.write_text(text.replace(world.mastodon_account.access_token, narrow.access_token))
    rows = await found(world, code=3)
    assert rows["mastodon scopes"]["detail"] == "write:statuses, write:media missing"


async def test_a_server_out_of_reach_is_a_fault_that_exits_with_1(world: World) -> None:
    world.config.write_text(world.config.read_text().replace(world.x_url, "http://127.0.0.1:1"))
    rows = await found(world, code=1)
    assert rows["x account"]["level"] == "fault"
    assert "cannot be reached" in rows["x account"]["detail"]
    assert rows["mastodon account"]["level"] == "ok"


async def test_a_clock_that_is_wrong_is_said_by_how_much(world: World) -> None:
    async def answer(_request: web.Request) -> web.Response:
        return web.Response(headers={"Date": "Sun, 01 Nov 2026 12:00:00 GMT"})

    app = web.Application()
    app.router.add_get("/2/users/me", answer)
    async with serve(app) as url:
        world.config.write_text(world.config.read_text().replace(world.x_url, url))
        rows = await found(world)
    assert rows["x clock"]["level"] == "fault"
    assert "clock is" in rows["x clock"]["detail"]
    assert "timedatectl" in rows["x clock"]["todo"]


async def test_a_server_without_streaming_is_a_warning_only(world: World) -> None:
    sandbox = MastodonSandbox("minimal")
    account = sandbox.add_account("ada", "Ada")
    async with serve(sandbox.app) as url:
        text = world.config.read_text().replace(world.mastodon_url, url)
        world.config.write_text(
            text.replace(world.mastodon_account.access_token, account.access_token)
        )
        rows = await found(world, code=0)
    assert rows["mastodon streaming"]["level"] == "warning"
    assert rows["mastodon server"]["detail"].startswith("snac 2")


async def test_folders_and_files_that_others_can_reach_are_found(world: World) -> None:
    assert (await world.twinpost("once")).code == 0
    rows = await found(world, code=0)
    assert rows["ledger"]["detail"] == "there, and readable"
    (world.folder / "state").chmod(0o777)
    world.config.chmod(0o644)
    rows = await found(world, code=1)
    assert rows["state folder"]["level"] == "fault"
    assert rows["state folder"]["todo"].startswith("chmod 700")
    assert "others can read it" in rows["configuration"]["detail"]


async def test_tokens_that_others_can_read_are_a_fault_and_are_not_used(world: World) -> None:
    FileVault(world.folder / "state" / "tokens").save("personal-mastodon.login", {"url": "x"})
    file = world.folder / "state" / "tokens" / "personal-mastodon.login.json"
    file.chmod(0o640)
    rows = await found(world, code=1)
    assert f"chmod 600 {file}" in rows["credentials"]["detail"]
    assert requests_of(world) == []


async def test_a_ledger_that_is_damaged_is_a_fault(world: World) -> None:
    assert (await world.twinpost("once")).code == 0
    (world.folder / "state" / "ledger.sqlite3").write_bytes(b"")
    rows = await found(world, code=1)
    assert rows["ledger"]["level"] == "fault"


async def test_a_proxy_is_named_without_its_password(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://user:canary@127.0.0.1:9")
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    rows = await found(world, code=0)
    assert rows["proxy"]["detail"] == "127.0.0.1 directly (NO_PROXY)"
    monkeypatch.delenv("NO_PROXY")
    told = await world.twinpost("check", "--json")
    assert told.code == 1
    assert "127.0.0.1 through 127.0.0.1:9" in told.out
    assert "canary" not in told.out + told.err


async def test_a_wrong_file_ends_with_2(world: World) -> None:
    world.config.write_text("bridges: nonsense")
    assert (await world.twinpost("check")).code == 2


async def test_a_server_that_hangs_or_fails_does_not_end_the_check(world: World) -> None:
    world.mastodon.faults.add(Fault("refuse-then-503", path="", times=None))
    rows = await found(world, code=1)
    assert "503" in rows["mastodon account"]["detail"]
    assert rows["x account"]["level"] == "ok"


def test_exit_codes_are_those_that_are_documented() -> None:
    fine, warning = Finding("a", Level.OK, ""), Finding("b", Level.WARNING, "")
    fault = Finding("c", Level.FAULT, "")
    shut_out = Finding("d", Level.FAULT, "", shut_out=True)
    assert [exit_code(each) for each in ([fine], [fine, warning])] == [0, 0]
    assert exit_code([fine, fault, warning]) == 1
    assert exit_code([fault, shut_out]) == 3


async def test_what_the_keys_of_x_may_do_is_told_by_x_itself(world: World) -> None:
    rows = await found(world, code=0)
    assert (rows["x scopes"]["level"], rows["x scopes"]["detail"]) == ("ok", "Read and write")
    reader = world.x.add_account("reader", "Reader", read_only=True)
    replace(world, x_account=reader).configure()
    rows = await found(world, code=3)
    assert rows["x scopes"]["level"] == "fault"
    assert "may only read" in rows["x scopes"]["detail"]
    assert "Read and write" in rows["x scopes"]["todo"]


async def test_a_length_that_takes_premium_is_told_where_there_is_none(world: World) -> None:
    on_x(world, "max_length: 4000")
    rows = await found(world, code=0)
    assert rows["x length"]["level"] == "warning"
    assert "no Premium: 280 is kept" in rows["x length"]["detail"]
