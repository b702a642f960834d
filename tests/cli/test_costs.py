"""`twinpost costs` and `twinpost release`, as a user types them; prices that X lists otherwise."""

import json
import re
from dataclasses import replace
from datetime import datetime

import aiohttp
import pytest
from aiohttp import web

from bridge.core.budget import month_of
from bridge.core.errors import Transient
from bridge.core.model import Microdollars
from bridge.core.prices import X_PRICES
from bridge.networks.x.pricelist import compared, differences
from bridge.sandbox.server import serve
from bridge.sandbox.x import XSandbox
from tests.fixtures.world import World, until

KEYS = {
    "bridge", "month", "spent_usd", "budget_usd", "forecast_usd", "posts", "per_post_usd", "kinds",
    "dearest", "links_usd",
}  # fmt: skip


def bounded(world: World, **keys: str) -> None:
    """Set a budget."""
    text = world.config.read_text(encoding="utf-8")
    budget = ", ".join(f"{name}: {value}" for name, value in keys.items())
    world.config.write_text(
        text.replace("      oauth1:", f"      budget: {{{budget}}}\n      oauth1:"),
        encoding="utf-8",
    )


def asked_for_prices(world: World) -> int:
    """How often X's price list was asked for."""
    return sum(entry.path == "/api/credits/pricing" for entry in world.x.faults.requests)


async def test_costs_are_those_that_x_has_charged(special_date: datetime, world: World) -> None:
    await world.twinpost("once")
    world.mastodon.write(world.mastodon_account, "Plain")
    world.mastodon.write(world.mastodon_account, "See https://example.org/")
    world.x.write(world.x_account, "From X")
    assert (await world.twinpost("once")).code == 0
    (row,) = (await world.twinpost("costs", "--json")).rows
    assert set(row) == KEYS
    assert row["month"] == month_of(special_date)
    assert row["spent_usd"] == sum(charge.amount for charge in world.x.bill()) / 1_000_000
    kinds = {kind["kind"]: (kind["items"], kind["cost_usd"]) for kind in row["kinds"]}
    assert kinds["post"] == (1, 0.015)
    assert kinds["post_with_link"] == (1, 0.2)
    assert [post["cost_usd"] for post in row["dearest"]] == [0.2, 0.015]
    assert row["links_usd"] == {"keep": 0.215, "defuse": 0.03, "drop": 0.03}
    assert row["budget_usd"] == 5.0
    assert row["forecast_usd"] >= row["spent_usd"]
    said = (await world.twinpost("costs")).out
    assert "of a budget of $5.00" in said
    lines = [line.strip() for line in said.splitlines()]
    for line in (
        "$0.20  1 post on X with a link",
        "$0.015  1 post on X without a link",
        "$0.1075  on average for each of the 2 posts that were mirrored to X",
        "$0.215  keep, as it is set",
        "$0.03  defuse",
        "$0.03  drop",
    ):
        assert line in lines, said
    (forecast,) = [line for line in lines if "at this pace" in line]
    then = "; what is over the budget will wait" if row["forecast_usd"] > 5 else ""
    # To the cent: more would be pretended.
    cents = r"about \$\d+\.\d\d by 1 [A-Z][a-z]+ \(UTC\), at this pace"
    assert re.fullmatch(cents + then, forecast)
    assert (special_date.day == 1) == bool(then)


async def test_a_month_without_a_link_has_no_choice_to_weigh(
    mid_month: datetime, world: World
) -> None:
    await world.twinpost("once")
    world.mastodon.write(world.mastodon_account, "Plain")
    await world.twinpost("once")
    said = (await world.twinpost("costs")).out
    assert "every choice of `links` in mastodon_to_x would have come to the same" in said
    assert "for the one post that was mirrored to X" in said
    assert "defuse" not in said


async def test_what_made_a_post_dear_is_told_by_its_parts(
    mid_month: datetime, world: World
) -> None:
    await world.twinpost("once")
    toot = world.mastodon.write(world.mastodon_account, f"https://example.org/ {'word ' * 80}")
    await world.twinpost("once")
    said = (await world.twinpost("costs")).out
    assert re.search(rf"\$0\.215  http\S+/{toot.id}, 2 posts on X\n", said)
    assert "twinpost why ID" in said
    told = (await world.twinpost("why", toot.id)).out
    assert "part 1      delivered $0.20 http" in told
    assert "part 2      delivered $0.015 http" in told


async def test_a_month_without_anything_and_what_is_no_month(world: World) -> None:
    await world.twinpost("once")
    told = await world.twinpost("costs", "--month", "2026-01")
    assert (told.code, "nothing was spent" in told.out) == (0, True)
    told = await world.twinpost("costs", "--month", "2199-01")
    assert (told.code, "has not begun" in told.out, "pace" in told.out) == (0, True, False)
    told = await world.twinpost("costs", "--month", "2026-13")
    assert told.code == 2
    assert "expected a month such as" in told.err


async def test_what_the_budget_keeps_is_shown_and_released_on_the_ledger(
    special_date: datetime, world: World
) -> None:
    bounded(world, usd_per_month="0.016")
    await world.twinpost("once")
    for text in ("One", "Two"):
        world.mastodon.write(world.mastodon_account, text)
    assert (await world.twinpost("once")).code == 1
    told = await world.twinpost("status")
    assert told.code == 1
    assert "of this month's $0.016" in told.out
    assert "twinpost release" in told.out
    (waiting,) = [
        r for r in (await world.twinpost("history", "--json")).rows if r["state"] == "planned"
    ]
    assert "over this month's budget of $0.016" in waiting["reason"]
    assert (await world.twinpost("release")).code == 0
    assert (await world.twinpost("once")).code == 0
    assert [post.text for post in world.x.timeline(world.x_account)] == ["Two", "One"]
    told = await world.twinpost("costs")
    assert "at this pace; what is over the budget will wait" in told.out
    told = await world.twinpost("release")
    assert told.code == 2
    assert "nothing waits" in told.err


async def test_a_running_daemon_sends_at_once_what_is_released(world: World) -> None:
    bounded(world, usd_per_month="0.016")
    async with world.running():
        for text in ("One", "Two"):
            world.mastodon.write(world.mastodon_account, text)
        await until(lambda: len(world.x.timeline(world.x_account)) == 1)
        rows: list[dict[str, object]] = []
        while not any("over this month" in str(row["reason"]) for row in rows):
            rows = (await world.twinpost("history", "--json")).rows
        told = await world.twinpost("release")
        assert "released: 1 post(s)" in told.out
        await until(lambda: len(world.x.timeline(world.x_account)) == 2)


async def test_a_price_of_ones_own_is_counted_with(world: World) -> None:
    text = world.config.read_text(encoding="utf-8")
    world.config.write_text(
        text.replace("      oauth1:", "      prices: {create: 0.03}\n      oauth1:"),
        encoding="utf-8",
    )
    draft = world.folder / "draft.txt"
    draft.write_text("Plain", encoding="utf-8")
    told = await world.twinpost("preview", str(draft), "--direction", "mastodon_to_x", "--json")
    assert told.rows[0]["price_usd"] == 0.03


async def test_a_daemon_warns_of_prices_that_x_lists_otherwise_and_names_the_key(
    world: World,
) -> None:
    world.x.listed_prices = replace(X_PRICES, create=Microdollars(20_000))
    text = world.config.read_text(encoding="utf-8")
    listed = f"      price_list: {world.x_url}/api/credits/pricing\n      oauth1:"
    world.config.write_text(text.replace("      oauth1:", listed), encoding="utf-8")
    said = ""
    for _ in range(2):
        with (world.folder / "log").open("wb") as file:
            process = await world.start_with_errors(file)
            await world.watching()
            await until(lambda: bool(asked_for_prices(world)))
            process.terminate()
            await process.wait()
        said += (world.folder / "log").read_text(encoding="utf-8")
    assert asked_for_prices(world) == 1
    assert said.count("set x.prices.create: 0.02") == 1


@pytest.mark.parametrize(
    "body", ["", "[]", "null", "<html>", '{"eventTypePricing": 5}', "[" * 100_000, "x" * 300_000]
)
async def test_a_price_list_of_any_shape_does_no_harm(body: str) -> None:
    async def answer(_: web.Request) -> web.Response:
        return web.Response(text=body, content_type="application/json")

    app = web.Application()
    app.add_routes([web.get("/list", answer)])
    async with serve(app) as url, aiohttp.ClientSession() as session:
        found: object = ()
        try:
            found = await differences(session, f"{url}/list", X_PRICES)
        except Transient as error:
            found = str(error)
        assert found in {(), "not JSON", "not a list of prices", "not to be had: BodyTooLarge"}


async def test_the_sandbox_lists_its_own_prices_and_they_are_those_known() -> None:
    async with serve(XSandbox().app) as url, aiohttp.ClientSession() as session:
        assert await differences(session, f"{url}/api/credits/pricing", X_PRICES) == ()


def test_a_difference_names_the_key_that_overrides_it() -> None:
    listed = json.loads(
        '{"eventTypePricing": {"post": "0.005", "User": true, "Like": 1}, "requestTypePricing": '
        '{"contentCreate": 0.02, "MediaMetadata": null, "InteractionDelete": -1}, "defaultCost": 0}'
    )
    (found,) = compared(listed, X_PRICES)
    assert str(found) == (
        "X lists $0.02 for what is counted as $0.015 here; if that is right, set "
        "x.prices.create: 0.02"
    )
