"""OAuth 2.0 tokens on X: renewed in time, once, on disk before use, and never in a storm.

Bars of docs/reliability.md: R12.
"""

import asyncio
from base64 import b64decode
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from aiohttp import web

from bridge.core.errors import Throttled, Transient, Unauthorised, Unpaid
from bridge.networks.x.settings import OAuth2Credentials
from bridge.vault import FileVault
from tests.conformance.networks.contract import EVER, part
from tests.fakes import VirtualClock
from tests.networks.x_stage import (
    CREATE,
    ME,
    TIMELINE,
    TOKEN,
    OddX,
    Shelf,
    adapter_for,
    oauth2_of,
    odd_x,
    old_post,
    page,
    problem,
    served_x,
)

FIRST = OAuth2Credentials("client-1", "access-1-canary", "refresh-1-canary", "secret-1-canary")
USER = {"id": "7", "username": "ada", "protected": False}


@pytest.fixture
async def odd() -> AsyncIterator[OddX]:
    """A server that accepts only the access token ``access-2``, and gives it once."""
    async with odd_x() as server:

        async def me(request: web.Request) -> web.Response:
            good = request.headers["Authorization"] == "Bearer access-2"
            return problem(200, data=USER) if good else problem(401, title="Unauthorized")

        server.says(ME, me)
        server.says(TOKEN, tokens(2), web.json_response(DEAD, status=400))
        yield server


DEAD: dict[str, str] = {
    "error": "invalid_request",
    "error_description": "Value passed for the token was invalid.",
}


def tokens(number: int, expires_in: object = 7200) -> web.Response:
    return web.json_response(
        {
            "token_type": "bearer",
            "access_token": f"access-{number}",
            "refresh_token": f"refresh-{number}",
            "expires_in": expires_in,
        }
    )


async def test_a_refused_token_is_renewed_once_and_the_request_repeated_once(odd: OddX) -> None:
    shelf = Shelf()
    async with adapter_for(odd.url, FIRST, store=shelf) as adapter:
        assert (await adapter.account()).handle == "ada"
    assert len(odd.asked(ME)) == 2
    assert len(odd.asked(TOKEN)) == 1
    (saved,) = shelf.saves
    assert (saved["access"], saved["refresh"]) == ("access-2", "refresh-2")
    assert saved["previous"] == "refresh-1-canary"
    assert "refresh-1-canary" not in saved["origin"]


async def test_many_at_once_renew_once(odd: OddX) -> None:
    async with adapter_for(odd.url, FIRST) as adapter:
        await asyncio.gather(*(adapter.account() for _ in range(8)))
    assert len(odd.asked(TOKEN)) == 1


async def test_a_creation_with_a_stale_token_is_sent_again_once_after_the_renewal() -> None:
    async with served_x() as served:
        shelf = Shelf()
        stale = replace(oauth2_of(served.account), access_token="expired-long-ago")
        async with adapter_for(served.url, stale, store=shelf) as adapter:
            await adapter.publish(part("once"), reply_to=None, key="k")
            assert len((await adapter.recent(EVER)).posts) == 1
        assert len(shelf.saves) == 1


async def test_new_tokens_are_on_disk_before_they_are_used(odd: OddX) -> None:
    shelf = Shelf(full=True)
    async with adapter_for(odd.url, FIRST, store=shelf) as adapter:
        for _ in range(2):
            with pytest.raises(Transient, match="No space left on device"):
                await adapter.account()
        used = {each.headers["Authorization"] for each in odd.asked(ME)}
        assert used == {"Bearer access-1-canary"}
        shelf.full = False
        await adapter.account()
    assert len(odd.asked(TOKEN)) == 1
    assert shelf.saved["x"]["refresh"] == "refresh-2"


async def test_a_token_is_renewed_a_minute_before_its_end(odd: OddX) -> None:
    clock = VirtualClock()
    odd.says(ME, problem(200, data=USER))
    odd.says(TIMELINE, page(old_post(1)))
    odd.says(TOKEN, tokens(2), tokens(3))
    origin = Shelf()
    async with adapter_for(odd.url, FIRST, clock=clock, store=origin) as adapter:
        odd.says(ME, problem(401), problem(200, data=USER))
        await adapter.account()
        clock.pass_time(7200 - 61)
        await adapter.recent(EVER)
        assert len(odd.asked(TOKEN)) == 1
        clock.pass_time(2)
        await adapter.recent(EVER)
    assert len(odd.asked(TOKEN)) == 2
    assert odd.asked(TIMELINE)[-1].headers["Authorization"] == "Bearer access-3"


async def test_stored_tokens_win_over_the_ones_they_descend_from(odd: OddX) -> None:
    shelf = Shelf()
    for _ in range(2):
        async with adapter_for(odd.url, FIRST, store=shelf) as adapter:
            await adapter.account()
    assert len(odd.asked(TOKEN)) == 1


async def test_a_newly_pasted_token_wins_over_stored_ones(odd: OddX) -> None:
    shelf = Shelf()
    async with adapter_for(odd.url, FIRST, store=shelf) as adapter:
        await adapter.account()
    odd.says(TOKEN, tokens(2))
    pasted = replace(FIRST, access_token="access-pasted", refresh_token="refresh-pasted")
    async with adapter_for(odd.url, pasted, store=shelf) as adapter:
        await adapter.account()
    assert [each.headers["Authorization"] for each in odd.asked(ME)][2] == "Bearer access-pasted"
    assert "refresh-pasted" in odd.asked(TOKEN)[1].body
    assert shelf.saved["x"]["previous"] == "refresh-pasted"


@pytest.mark.parametrize("error", ["invalid_request", "invalid_grant"])
async def test_a_dead_refresh_token_asks_for_a_login_and_makes_no_storm(
    odd: OddX, error: str
) -> None:
    clock = VirtualClock()
    odd.says(TOKEN, web.json_response({**DEAD, "error": error}, status=400))
    async with adapter_for(odd.url, FIRST, clock=clock) as adapter:
        for _ in range(5):
            with pytest.raises(Unauthorised, match="log in to X again") as raised:
                await adapter.account()
            assert "canary" not in str(raised.value)
        assert len(odd.asked(TOKEN)) == 1
        clock.pass_time(3600)
        with pytest.raises(Unauthorised):
            await adapter.account()
    assert len(odd.asked(TOKEN)) == 2


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (402, {"title": "CreditsDepleted", "detail": "no credits", "type": "x/credits"}),
        (403, {"title": "SpendCapReached", "detail": "spend cap", "reset_date": "2099-01-01"}),
    ],
)
async def test_a_renewal_that_money_keeps_back_leaves_the_login_alive(
    odd: OddX, status: int, body: dict[str, str]
) -> None:
    odd.says(TOKEN, web.json_response(body, status=status), tokens(2))
    async with adapter_for(odd.url, FIRST) as adapter:
        with pytest.raises(Unpaid) as raised:
            await adapter.account()
        assert "login" not in str(raised.value)
        await adapter.account()
    assert len(odd.asked(TOKEN)) == 2


async def test_without_a_refresh_token_an_expired_login_is_said_so(odd: OddX) -> None:
    short = OAuth2Credentials("client-1", "access-1")
    async with adapter_for(odd.url, short) as adapter:
        with pytest.raises(Unauthorised, match=r"offline\.access"):
            await adapter.account()
    assert odd.asked(TOKEN) == []


@pytest.mark.parametrize(
    "answer",
    [
        problem(503),
        web.Response(status=502, text="<html>"),
        web.Response(text=""),
        web.json_response({"token_type": "bearer"}),
        web.json_response([]),
    ],
)
async def test_a_token_server_out_of_order_is_tried_again_later(
    odd: OddX, answer: web.Response
) -> None:
    odd.says(TOKEN, answer, tokens(2))
    async with adapter_for(odd.url, FIRST) as adapter:
        with pytest.raises(Transient):
            await adapter.account()
        assert len(odd.asked(TOKEN)) == 1
        await adapter.account()


async def test_a_renewal_that_is_throttled_says_so(odd: OddX) -> None:
    odd.says(TOKEN, problem(429))
    async with adapter_for(odd.url, FIRST) as adapter:
        with pytest.raises(Throttled):
            await adapter.account()


async def test_a_failed_renewal_of_a_creation_leaves_nothing_in_doubt(odd: OddX) -> None:
    odd.says(ME, problem(200, data=USER))
    odd.says(CREATE, problem(401))
    odd.says(TOKEN, problem(500))
    async with adapter_for(odd.url, FIRST) as adapter:
        with pytest.raises(Transient):
            await adapter.publish(part("hi"), reply_to=None, key="k")
    assert len(odd.asked(CREATE)) == 1


async def test_a_caller_that_is_cancelled_does_not_lose_the_new_tokens(odd: OddX) -> None:
    asked, go_on = asyncio.Event(), asyncio.Event()

    async def slow(request: web.Request) -> web.Response:
        asked.set()
        await go_on.wait()
        return tokens(2)

    odd.says(TOKEN, slow)
    shelf = Shelf()
    async with adapter_for(odd.url, FIRST, store=shelf) as adapter:
        caller = asyncio.create_task(adapter.account())
        await asked.wait()
        caller.cancel()
        await asyncio.gather(caller, return_exceptions=True)
        go_on.set()
    assert shelf.saved["x"]["refresh"] == "refresh-2"


@pytest.mark.parametrize("confidential", [True, False])
async def test_clients_with_and_without_a_secret_prove_themselves_as_x_wants_it(
    confidential: bool,
) -> None:
    async with served_x(confidential=confidential) as served:
        shelf = Shelf()
        given = oauth2_of(served.account)
        assert (given.client_secret is not None) is confidential
        async with adapter_for(served.url, given, store=shelf) as adapter:
            served.sandbox.clock.shift(7201)
            assert (await adapter.account()).handle == "ada"
            served.sandbox.clock.shift(7201)
            assert (await adapter.recent(EVER)).posts == ()
        assert len(shelf.saves) == 2


async def test_the_client_secret_travels_by_basic_and_encoded(odd: OddX) -> None:
    given = replace(FIRST, client_id="cl:ient", client_secret="s/ecret")
    async with adapter_for(odd.url, given) as adapter:
        await adapter.account()
    (asked,) = odd.asked(TOKEN)
    scheme, _, pair = asked.headers["Authorization"].partition(" ")
    assert (scheme, b64decode(pair)) == ("Basic", b"cl%3Aient:s%2Fecret")
    assert "ecret" not in asked.body


@pytest.mark.parametrize("expires_in", [None, -5, "soon", 1e300, 2**80])
async def test_an_odd_lifetime_does_not_break_the_renewal(odd: OddX, expires_in: object) -> None:
    odd.says(TOKEN, tokens(2, expires_in))
    async with adapter_for(odd.url, FIRST) as adapter:
        assert (await adapter.account()).handle == "ada"


async def test_tokens_are_in_no_repr(odd: OddX) -> None:
    shelf = Shelf()
    async with adapter_for(odd.url, FIRST, store=shelf) as adapter:
        await adapter.account()
        shown = [repr(FIRST), repr(adapter._tokens), repr(adapter._client), repr(adapter)]
        assert adapter._tokens is not None
        shown.append(repr(adapter._tokens._tokens))
    assert not any("canary" in each or "access-2" in each for each in shown)


async def test_the_store_is_trusted_only_as_far_as_it_is_whole(odd: OddX) -> None:
    shelf = Shelf()
    async with adapter_for(odd.url, FIRST, store=shelf) as adapter:
        await adapter.account()
    odd.says(TOKEN, tokens(2))
    del shelf.saved["x"]["refresh"]
    async with adapter_for(odd.url, FIRST, store=shelf) as adapter:
        await adapter.account()
    assert len(odd.asked(TOKEN)) == 2


async def test_a_stored_date_that_cannot_be_read_does_not_lock_anybody_out(odd: OddX) -> None:
    shelf = Shelf()
    async with adapter_for(odd.url, FIRST, store=shelf) as adapter:
        await adapter.account()
    shelf.saved["x"]["expires_at"] = "yesterday"
    clock = VirtualClock(VirtualClock().at + timedelta(days=1))
    async with adapter_for(odd.url, FIRST, store=shelf, clock=clock) as adapter:
        await adapter.account()
    assert len(odd.asked(TOKEN)) == 1


async def test_processes_that_share_a_login_renew_it_once_between_them(
    odd: OddX, tmp_path: Path
) -> None:
    stale = replace(FIRST, access_token="access-stale")
    asking, go_on = asyncio.Event(), asyncio.Event()

    async def slow(request: web.Request) -> web.Response:
        asking.set()
        await go_on.wait()
        return tokens(2)

    odd.says(TOKEN, slow, web.json_response(DEAD, status=400))
    async with AsyncExitStack() as stack:
        # A store each, as in two processes: only the folder is shared.
        daemon, check = [
            await stack.enter_async_context(
                adapter_for(odd.url, stale, store=FileVault(tmp_path / "tokens"))
            )
            for _ in range(2)
        ]
        first = asyncio.create_task(daemon.account())
        await asking.wait()
        second = asyncio.create_task(check.account())
        await asyncio.sleep(0.2)
        go_on.set()
        assert {(await first).handle, (await second).handle} == {"ada"}
    assert len(odd.asked(TOKEN)) == 1


async def test_what_a_killed_process_did_not_save_is_lost_and_asks_for_a_login(odd: OddX) -> None:
    """The rotation was processed; its answer never reached the disk."""
    shelf = Shelf()
    async with adapter_for(odd.url, FIRST, store=shelf) as adapter:
        await adapter.account()
    assert shelf.saves
    # As after a kill between the answer and the disk.
    shelf.saved.clear()
    async with adapter_for(odd.url, FIRST, store=shelf) as adapter:
        for _ in range(3):
            with pytest.raises(Unauthorised, match="twinpost login x"):
                await adapter.account()
    assert len(odd.asked(TOKEN)) == 2
    # A login brings a new pair, and the dead one is never offered again.
    odd.says(TOKEN, tokens(2))
    again = replace(FIRST, access_token="access-3", refresh_token="refresh-new")
    async with adapter_for(odd.url, again, store=shelf) as adapter:
        assert (await adapter.account()).handle == "ada"
    assert "refresh-new" in odd.asked(TOKEN)[2].body


async def test_a_vault_that_was_opened_to_others_pauses_the_account_until_it_is_closed(
    odd: OddX, tmp_path: Path
) -> None:
    vault = FileVault(tmp_path / "tokens")
    async with adapter_for(odd.url, FIRST, store=vault) as adapter:
        await adapter.account()
    (tmp_path / "tokens" / "x.json").chmod(0o644)
    async with adapter_for(odd.url, FIRST, store=vault) as adapter:
        with pytest.raises(Transient, match="chmod 600"):
            await adapter.account()
        (tmp_path / "tokens" / "x.json").chmod(0o600)
        assert (await adapter.account()).handle == "ada"
    assert len(odd.asked(TOKEN)) == 1
