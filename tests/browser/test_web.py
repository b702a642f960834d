"""The bridge's page in a real browser, over a real daemon; skipped where there is no browser."""

from __future__ import annotations

import asyncio
import os
import re
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from urllib.parse import urlencode

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, Route, expect

from bridge.core.events import RoutePaused
from tests.browser.chromium import (
    AUDIT,
    PHONE,
    needs_browser,
    opened,
)
from tests.fixtures.world import SHARED_MACHINE, World, made_world
from tests.surfaces.web.stage import (
    BACK,
    PASSWORD,
    a_month,
    configured,
    furnish,
    seeded,
    served,
)

SCREENSHOTS = os.environ.get("TWINPOST_SCREENSHOTS")
DOCS = Path(__file__).parents[2] / "docs"
SOON = 8000 * SHARED_MACHINE

pytestmark = [needs_browser, pytest.mark.asyncio(loop_scope="session")]
DETAILS = "/post?bridge=personal&direction=mastodon_to_x&id=1007"

TURN = """
(hidden) => {
  Object.defineProperty(document, 'hidden', {value: hidden, configurable: true});
  document.dispatchEvent(new Event('visibilitychange'));
}
"""
"""Leaves a tab for another, or comes back to it."""


@dataclass
class Site:
    """The page of a running daemon, and what the browser complained about."""

    url: str
    world: World
    complaints: list[str] = field(default_factory=list)


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def site(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Site]:
    """A daemon in a process of its own, with a month behind it."""
    async with made_world(tmp_path_factory.mktemp("web")) as world:
        configured(world)
        # Before it is sent after all it is read once more, and sent as it stands there.
        status = world.mastodon.write(
            world.mastodon_account, "A word that the other side does not like."
        )
        await seeded(world, a_month, partial(furnish, failed=status.id), standing=True)
        process = await world.start("run")
        assert process.stderr is not None
        said = b""
        async with asyncio.timeout(30):
            while not (found := re.search(rb"web page is at (http://127\.0\.0\.1:\d+)/", said)):
                said += await process.stderr.readline()
        drained = asyncio.create_task(process.stderr.read())
        yield Site(found[1].decode(), world)
        process.terminate()
        await asyncio.wait_for(process.wait(), 15)
        await drained


@pytest_asyncio.fixture(loop_scope="session")
async def page(site: Site, browser: Browser) -> AsyncIterator[Page]:
    site.complaints.clear()
    async with AsyncExitStack() as stack:
        yield await opened(browser, stack, site.complaints, viewport={"width": 1280, "height": 900})
    assert site.complaints == []


async def read_once(site: Site, page: Page) -> None:
    await page.goto(site.url)
    # A daemon that has only just begun, beside a browser that has as well.
    await expect(page.locator(".route .state", has_text="Not read yet")).to_have_count(
        0, timeout=5 * SOON
    )


async def test_one_glance_says_whether_all_is_well(site: Site, page: Page) -> None:
    await read_once(site, page)
    await expect(page.locator("h1")).to_have_text("2 posts need you")
    held = page.locator("[data-live=held] .pair")
    await expect(held).to_have_count(2)
    await expect(held.first).to_contain_text("Storm warning")
    await expect(page.locator(".route").nth(1)).to_contain_text("Up to date")
    await expect(page.locator(".route").first).to_contain_text("Needs you: 2 parts")
    assert await page.locator(".chart rect").count() > 20
    await expect(page.locator("[data-live=figures]")).to_contain_text("$")


async def test_times_are_the_readers_own(site: Site, page: Page) -> None:
    await page.goto(f"{site.url}/posts")
    shown = page.locator("time[datetime]").first
    assert "UTC" not in await shown.inner_text()
    utc = await shown.get_attribute("datetime") or ""
    minutes = (int(utc[14:16]) + 45) % 60
    assert f":{minutes:02}" in await shown.inner_text(), "Nepal is five hours and 45 minutes ahead"


async def test_posts_are_found_by_words_by_address_and_by_state(site: Site, page: Page) -> None:
    await page.goto(f"{site.url}/posts")
    await page.get_by_role("searchbox").fill("lighthouse keeper")
    await page.get_by_role("searchbox").press("Enter")
    await expect(page.locator(".pair")).to_have_count(1)
    await expect(page.locator(".media")).to_contain_text("A white lighthouse on a rock")
    await page.goto(f"{site.url}/posts?{urlencode({'q': 'https://mastodon.example/@ada/1002'})}")
    await expect(page.locator(".pair")).to_contain_text("followers only")
    await expect(page.locator(".pair")).to_contain_text("Nothing was sent to X")
    await page.goto(f"{site.url}/posts")
    await page.locator(".filters").get_by_text("Needs you").click()
    await expect(page.locator(".pair")).to_have_count(2)
    await page.goto(f"{site.url}/posts?q=nowhere-to-be-found")
    await expect(page.locator(".nothing")).to_contain_text("No post is like that")


async def test_a_long_list_goes_on_page_by_page(site: Site, page: Page) -> None:
    await page.goto(f"{site.url}/posts?state=mirrored")
    seen: list[str] = []
    for _ in range(10):
        seen += [
            str(await link.get_attribute("href"))
            for link in await page.get_by_role("link", name="Details").all()
        ]
        older = page.get_by_role("link", name="Older posts")
        if await older.count() == 0:
            break
        await older.click()
    assert len(seen) == len(set(seen)) > 40


async def test_a_post_tells_everything_that_happened_to_it(site: Site, page: Page) -> None:
    await page.goto(f"{site.url}/posts?q=1007")
    await page.get_by_role("link", name="Details").click()
    timeline = page.locator(".timeline li")
    await expect(timeline).to_have_count(5)
    await expect(timeline.nth(3)).to_contain_text("The answer was lost")
    await expect(timeline.nth(4)).to_contain_text("held for you")


async def test_what_happens_is_shown_at_once(site: Site, page: Page) -> None:
    await read_once(site, page)
    site.world.x.write(site.world.x_account, "Just in: the ferry has landed")
    latest = page.locator("[data-live=latest]")
    await expect(latest).to_contain_text("the ferry has landed", timeout=2 * SOON)
    await expect(latest.locator(".pair").first).to_contain_text("Mirrored", timeout=SOON)


async def test_a_preview_shows_parts_lengths_and_price_as_one_types(site: Site, page: Page) -> None:
    await page.goto(f"{site.url}/preview")
    result = page.locator("#preview-result")
    await page.get_by_label("Your post").fill("A short word.")
    await expect(result).to_contain_text("13 of 280 characters", timeout=SOON)
    await expect(result).to_contain_text("$0.015")
    await page.get_by_label("Your post").fill("See https://example.com/lighthouse")
    await expect(result.locator(".figure")).to_contain_text("$0.20", timeout=SOON)
    await page.get_by_label("Your post").fill("Every sentence is worth a stop. " * 20)
    await expect(result.locator(".post")).to_have_count(3, timeout=SOON)
    await expect(result.locator(".figure")).to_contain_text("in 3 posts")


async def test_an_own_post_is_previewed_by_its_address(site: Site, page: Page) -> None:
    status = site.world.mastodon.write(
        site.world.mastodon_account, "Lit by hand", visibility="unlisted"
    )
    await page.goto(f"{site.url}/preview")
    await page.get_by_label("address of a post").fill(f"{site.world.mastodon_url}/@ada/{status.id}")
    await page.get_by_role("button", name="Read and show").click()
    result = page.locator("#preview-result")
    await expect(result).to_contain_text("Would stay where it is")
    await expect(result).to_contain_text("audience")


async def test_every_page_fits_a_phone_the_dark_and_arabic_and_those_who_cannot_see_it(
    site: Site, browser: Browser
) -> None:
    site.complaints.clear()
    async with AsyncExitStack() as stack:
        for name, locale, scheme, width in (
            ("", "en-GB", "light", 1280),
            ("-phone", "en-GB", "dark", PHONE),
            ("-arabic", "ar", "light", 1280),
            ("-arabic-phone", "ar", "dark", PHONE),
        ):
            size = {"width": width, "height": 1000}
            page = await opened(
                browser, stack, site.complaints, locale=locale, color_scheme=scheme, viewport=size
            )
            for path in ("/preview", "/nowhere", "/posts", "/posts?q=none-such", DETAILS, "/"):
                await page.goto(site.url + path)
                html = page.locator("html")
                assert await html.get_attribute("lang") == locale[:2]
                assert await html.get_attribute("dir") == ("rtl" if locale == "ar" else "ltr")
                # What is folded is looked at as well.
                await page.evaluate("document.querySelectorAll('details').forEach(x => x.open = 1)")
                assert await page.evaluate(AUDIT) == [], (path, name)
            if SCREENSHOTS and name != "-arabic-phone":
                await pictured(page, site, name)
    assert site.complaints == []


async def pictured(page: Page, site: Site, name: str) -> None:
    """The pictures of the documents."""
    await page.set_viewport_size({"width": PHONE if name == "-phone" else 1280, "height": 1640})
    await page.goto(site.url)
    await page.screenshot(path=DOCS / f"web{name}.png", animations="disabled")
    if name:
        return
    await page.set_viewport_size({"width": 1280, "height": 900})
    await page.goto(site.url + DETAILS)
    await page.screenshot(path=DOCS / "web-post.png", animations="disabled")
    await page.goto(f"{site.url}/preview")
    await page.get_by_label("Your post").fill(
        "The lighthouse has been lit by hand for a hundred and forty years, and last week its last "
        "keeper handed over the key. She says that she will miss the fog most of all: in fog, she "
        "says, everybody knew that somebody was awake. What the harbour will do with the lamp "
        "nobody has decided yet. Ideas are welcome at the quay, every morning until ten."
    )
    await page.locator("#preview-result .post").nth(1).wait_for()
    await page.screenshot(path=DOCS / "web-preview.png", animations="disabled")
    await page.emulate_media(color_scheme="dark")
    await page.goto(f"{site.url}/posts")
    await page.screenshot(path=DOCS / "web-posts.png", animations="disabled")


async def test_another_language_is_a_click_away_and_stays(site: Site, page: Page) -> None:
    await page.goto(f"{site.url}/posts?state=needs")
    await page.get_by_role("button", name="العربية").click()
    await expect(page.locator("h1")).to_have_text("المنشورات")
    assert "state=needs" in page.url
    await page.goto(site.url)
    await expect(page.locator("h1")).to_have_text("منشوران يحتاجان إليك")


async def test_it_can_be_walked_with_the_keyboard_alone(site: Site, page: Page) -> None:
    await page.goto(site.url)
    await page.keyboard.press("Tab")
    assert await page.evaluate("document.activeElement.className") == "skip"
    await page.keyboard.press("Enter")
    assert await page.evaluate("document.activeElement.id") == "main"
    await page.keyboard.press("Tab")
    seen = set()
    for _ in range(30):
        focused = await page.evaluate("document.activeElement.outerHTML.slice(0, 200)")
        outlined = await page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
        assert outlined == "solid", focused
        seen.add(await page.evaluate("document.activeElement.textContent.trim()"))
        await page.keyboard.press("Tab")
    assert {"Try again", "It stands there", "Sync now", "Pause"} <= seen


async def test_one_click_mends_what_is_held_and_what_has_failed(site: Site, page: Page) -> None:
    await read_once(site, page)
    held = page.locator("[data-live=held] .pair", has_text="Storm warning")
    await held.get_by_label("Its address there").fill("https://x.example/ada/status/777")
    await held.get_by_role("button", name="It stands there").click()
    await expect(page.locator(".said")).to_have_text(re.compile("Noted as sent"))
    await expect(page.locator("h1")).to_have_text("One post needs you")
    await page.get_by_role("button", name="Try again").click()
    await expect(page.locator(".said")).to_contain_text("tried again")
    await expect(page.locator("h1")).to_have_text("All is well", timeout=2 * SOON)
    assert any("does not like" in post.text for post in site.world.x.timeline(site.world.x_account))


async def test_a_bridge_is_paused_and_goes_on(site: Site, page: Page) -> None:
    await read_once(site, page)
    await page.get_by_role("button", name="Pause", exact=True).click()
    await expect(page.locator(".route .state", has_text="Paused by you")).to_have_count(2)
    await page.get_by_role("button", name="Resume").first.click()
    await expect(page.locator(".said")).to_contain_text("Going on")
    await expect(page.locator(".route .state", has_text="Paused by you")).to_have_count(0)


async def test_everything_works_without_a_script(site: Site, browser: Browser) -> None:
    async with AsyncExitStack() as stack:
        page = await opened(browser, stack, site.complaints, java_script_enabled=False)
        await page.goto(f"{site.url}/preview")
        await page.get_by_label("Your post").fill("Without a script")
        await page.get_by_role("button", name="Show", exact=True).click()
        await expect(page.locator("#preview-result")).to_contain_text("16 of 280")
        await page.goto(site.url)
        await expect(page.locator("time").first).to_contain_text("UTC")
        await page.get_by_role("button", name="Sync now").click()
        await expect(page.locator(".said")).to_contain_text("Reading now")


async def test_what_needs_nobody_and_what_is_empty_says_what_to_do(
    browser: Browser, tmp_path: Path
) -> None:
    complaints: list[str] = []
    async with AsyncExitStack() as stack:
        world = await stack.enter_async_context(made_world(tmp_path))
        site = await stack.enter_async_context(served(world, password=PASSWORD))
        page = await opened(browser, stack, complaints, color_scheme="dark")
        await page.goto(f"{site.url}/preview")
        assert await page.evaluate(AUDIT) == [], "signing in"
        await page.get_by_label("Password").fill("not the password")
        await page.get_by_role("button", name="Sign in").click()
        await expect(page.get_by_role("alert")).to_have_text("That is not the password.")
        await page.get_by_label("Password").fill(PASSWORD)
        await page.get_by_label("Password").press("Enter")
        await expect(page.locator("h1")).to_have_text("Preview")
        assert await page.evaluate(AUDIT) == []
        for path, says in (
            ("/", "Write one on either side, or press Sync now."),
            ("/", "Nothing was sent in the last 30 days."),
            ("/posts", "no post was read since the bridge started"),
        ):
            await page.goto(site.url + path)
            await expect(page.locator("main")).to_contain_text(says)
            assert await page.evaluate(AUDIT) == [], path
        await page.get_by_role("button", name="Sign out").click()
        await expect(page.locator("h1")).to_have_text("Sign in")
    assert complaints == []


async def test_what_happens_while_a_page_is_on_its_way_is_shown_as_well(
    browser: Browser, tmp_path: Path
) -> None:
    """Between the page and the stream that keeps it fresh there is a moment."""
    complaints: list[str] = []
    async with AsyncExitStack() as stack:
        world = await stack.enter_async_context(made_world(tmp_path))
        site = await stack.enter_async_context(served(world))
        page = await opened(browser, stack, complaints)

        async def late(route: Route) -> None:
            site.daemon.lanes[1].paused = True
            site.page.hear(RoutePaused(datetime.now(UTC), BACK, None, "by its owner"))
            await route.continue_()

        await page.route("**/events*", late)
        await page.goto(site.url)
        await expect(page.locator(".route .state", has_text="Paused by you")).to_have_count(1)
    assert complaints == []


async def test_tabs_that_nobody_looks_at_keep_no_connection_and_catch_up_later(
    browser: Browser, tmp_path: Path
) -> None:
    """A browser has some six connections to one host, whatever number of tabs is open."""
    complaints: list[str] = []
    async with AsyncExitStack() as stack:
        world = await stack.enter_async_context(made_world(tmp_path))
        site = await stack.enter_async_context(served(world))
        first = await opened(browser, stack, complaints)
        for page in [first, *[await first.context.new_page() for _ in range(6)]]:
            await page.goto(site.url, timeout=SOON)
            await page.evaluate(TURN, True)
        site.daemon.lanes[1].paused = True
        site.page.hear(RoutePaused(datetime.now(UTC), BACK, None, "by its owner"))
        await first.evaluate(TURN, False)
        paused = first.locator(".route .state", has_text="Paused by you")
        await expect(paused).to_have_count(1, timeout=SOON)
    assert complaints == []
