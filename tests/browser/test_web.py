"""The bridge's page in a real browser, over a real daemon; skipped where there is no browser."""

from __future__ import annotations

import asyncio
import os
import re
import shutil
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

import pytest
import pytest_asyncio
from playwright.async_api import Browser, ConsoleMessage, Page, async_playwright, expect

from tests.fixtures.world import SHARED_MACHINE, World, made_world
from tests.surfaces.web.stage import (
    HOSTILE,
    OUT,
    a_month,
    configured,
    furnish,
    hostile,
    seeded,
    served,
)

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
QUIET = (
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
)  # fmt: skip
SCREENSHOTS = os.environ.get("TWINPOST_SCREENSHOTS")
DOCS = Path(__file__).parents[2] / "docs"
SOON = 4000 * SHARED_MACHINE

pytestmark = [
    pytest.mark.skipif(CHROMIUM is None, reason="no Chromium is installed here"),
    pytest.mark.asyncio(loop_scope="module"),
]

TELL_VIOLATIONS = """
addEventListener('securitypolicyviolation', (event) =>
  console.error(`violation: ${event.violatedDirective} ${event.blockedURI}`));
"""

TOO_FAINT = """
() => {
  const number = (text) => Number.parseFloat(text);
  const parse = (colour) => {
    const parts = colour.match(/[\\d.e-]+/g).map(number);
    const scale = colour.startsWith('color(') ? 255 : 1;
    return [parts[0] * scale, parts[1] * scale, parts[2] * scale, parts[3] ?? 1];
  };
  const over = (top, below) => top.slice(0, 3)
    .map((value, index) => value * top[3] + below[index] * (1 - top[3])).concat(1);
  const light = (colour) => {
    const [r, g, b] = colour.map((value) => value / 255)
      .map((value) => (value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const ground = (node) => {
    const layers = [];
    for (let each = node; each; each = each.parentElement)
      layers.push(parse(getComputedStyle(each).backgroundColor));
    return layers.reverse().reduce((below, top) => over(top, below), [255, 255, 255, 1]);
  };
  const faint = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const node = walker.currentNode.parentElement;
    const text = walker.currentNode.data.trim();
    if (!text || node.closest('.visually-hidden, .skip, [hidden]')) continue;
    if (!node.checkVisibility()) continue;
    const below = ground(node);
    const ink = over(parse(getComputedStyle(node).color), below);
    const [high, low] = [light(ink), light(below)].sort((a, b) => b - a);
    const ratio = (high + 0.05) / (low + 0.05);
    if (ratio < 4.5) faint.push(`${ratio.toFixed(2)} ${text.slice(0, 40)}`);
  }
  return faint;
}
"""

UNLABELLED = """
() => [...document.querySelectorAll('input:not([type=hidden]), select, textarea')]
  .filter((field) => field.labels.length === 0).map((field) => field.outerHTML)
"""

HEADINGS = """
() => [...document.querySelectorAll('h1, h2, h3, h4, h5, h6')]
  .map((node) => Number(node.tagName[1]))
"""


@dataclass
class Site:
    """The page of a running daemon, and what the browser complained about."""

    url: str
    world: World
    complaints: list[str] = field(default_factory=list)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def browser() -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=list(QUIET))
        yield browser
        await browser.close()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def site(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Site]:
    """A daemon in a process of its own, with a month behind it."""
    async with made_world(tmp_path_factory.mktemp("web")) as world:
        configured(world)
        # It has to stand there still: what is gone is not sent, whoever asks for it.
        status = world.mastodon.write(world.mastodon_account, "A word, and another")
        await seeded(world, a_month, partial(furnish, failed=status.id))
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


async def opened(
    browser: Browser, stack: AsyncExitStack, complaints: list[str], **options: Any
) -> Page:
    context = await browser.new_context(
        **{"locale": "en-GB", "timezone_id": "Asia/Kathmandu"} | options
    )
    stack.push_async_callback(context.close)
    page = await context.new_page()
    await page.add_init_script(TELL_VIOLATIONS)

    def complain(message: ConsoleMessage) -> None:
        # A status of 400 and more is told there, too; what the page shows then is looked at.
        if message.type in {"error", "warning"} and "Failed to load resource" not in message.text:
            complaints.append(message.text)

    page.on("console", complain)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    return page


@pytest_asyncio.fixture(loop_scope="module")
async def page(site: Site, browser: Browser) -> AsyncIterator[Page]:
    site.complaints.clear()
    async with AsyncExitStack() as stack:
        yield await opened(browser, stack, site.complaints, viewport={"width": 1280, "height": 900})
    assert site.complaints == []


async def read_once(site: Site, page: Page) -> None:
    await page.goto(site.url)
    await expect(page.locator(".route .state", has_text="Not read yet")).to_have_count(
        0, timeout=SOON
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


async def test_every_page_fits_a_phone_the_dark_and_arabic(site: Site, browser: Browser) -> None:
    details = "/post?bridge=personal&direction=mastodon_to_x&id=1007"
    site.complaints.clear()
    async with AsyncExitStack() as stack:
        for name, locale, scheme, width in (
            ("", "en-GB", "light", 1280),
            ("-phone", "en-GB", "dark", 390),
            ("-arabic", "ar", "light", 1280),
        ):
            page = await opened(
                browser,
                stack,
                site.complaints,
                locale=locale,
                color_scheme=scheme,
                viewport={"width": width, "height": 1000},
            )
            for path in ("/preview", "/nowhere", "/posts", details, "/"):
                await page.goto(site.url + path)
                html = page.locator("html")
                assert await html.get_attribute("lang") == locale[:2]
                assert await html.get_attribute("dir") == ("rtl" if locale == "ar" else "ltr")
                assert await page.evaluate(TOO_FAINT) == [], (path, name)
                assert await page.evaluate(UNLABELLED) == [], path
                levels = await page.evaluate(HEADINGS)
                assert levels[0] == 1
                assert levels.count(1) == 1
                assert all(b - a <= 1 for a, b in pairwise(levels)), levels
                for narrow in {width, 390}:
                    await page.set_viewport_size({"width": narrow, "height": 1000})
                    wide = "document.documentElement.scrollWidth > innerWidth"
                    assert not await page.evaluate(wide), (path, name, narrow)
                await page.set_viewport_size({"width": width, "height": 1000})
            if SCREENSHOTS:
                await pictured(page, site, name, details)
    assert site.complaints == []


async def pictured(page: Page, site: Site, name: str, details: str) -> None:
    """The pictures of the documents."""
    await page.set_viewport_size({"width": 390 if name == "-phone" else 1280, "height": 1640})
    await page.goto(site.url)
    await page.screenshot(path=DOCS / f"web{name}.png")
    if name:
        return
    await page.set_viewport_size({"width": 1280, "height": 900})
    await page.goto(site.url + details)
    await page.screenshot(path=DOCS / "web-post.png")
    await page.goto(f"{site.url}/preview")
    await page.get_by_label("Your post").fill(
        "The lighthouse has been lit by hand for a hundred and forty years, and last week its last "
        "keeper handed over the key. She says that she will miss the fog most of all: in fog, she "
        "says, everybody knew that somebody was awake. What the harbour will do with the lamp "
        "nobody has decided yet. Ideas are welcome at the quay, every morning until ten."
    )
    await page.locator("#preview-result .post").nth(1).wait_for()
    await page.screenshot(path=DOCS / "web-preview.png")
    await page.emulate_media(color_scheme="dark")
    await page.goto(f"{site.url}/posts")
    await page.screenshot(path=DOCS / "web-posts.png")


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


async def test_hostile_text_is_shown_on_every_page_and_never_run(
    browser: Browser, tmp_path: Path
) -> None:
    complaints: list[str] = []
    async with AsyncExitStack() as stack:
        world = await stack.enter_async_context(made_world(tmp_path))
        configured(world)
        await seeded(world, hostile)
        site = await stack.enter_async_context(served(world))
        page = await opened(browser, stack, complaints)
        paths = ["/", "/?said=" + quote(HOSTILE[0]), "/posts", "/posts?state=needs"]
        for number, text in enumerate(HOSTILE):
            sent = text.encode("utf-8", "backslashreplace").decode()
            named = {"bridge": OUT.bridge, "direction": OUT.direction.value}
            kind = "h" if number % 2 else ""
            paths.append("/post?" + urlencode(named | {"id": f"{kind}{number}{sent}"}))
            # Found or not: searches, filters, and errors with the text in the address itself.
            paths += [f"/posts?{urlencode({'q': sent, 'bridge': sent, 'direction': sent})}"]
            paths.append(f"/{quote(sent, safe='')}")
        for path in paths:
            await page.goto(site.url + path, wait_until="domcontentloaded")
            title = await page.title()
            assert title.endswith("· twinpost"), path
        for text in HOSTILE[:3]:
            await page.goto(f"{site.url}/preview")
            await page.get_by_label("Your post").fill(text)
            await page.get_by_label("Content warning").fill(text)
            await expect(page.locator("#preview-result .post")).not_to_have_count(0, timeout=SOON)
            await page.get_by_role("button", name="Show", exact=True).click()
            await expect(page.get_by_label("Your post")).to_have_value(text)
        await page.goto(f"{site.url}/posts?q=%3Cscript%3E")
        assert await page.locator(".text", has_text="<script>").count() > 0, "shown as it is"
        links = await page.evaluate("[...document.links].map((link) => link.protocol)")
        assert set(links) <= {"http:", "https:"}
    assert complaints == []
