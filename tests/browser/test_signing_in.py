"""Signing in with a real browser on the same machine: two clicks, and the terminal goes on."""

import shutil
from collections.abc import AsyncIterator

import pytest
from playwright.async_api import Page, async_playwright, expect

from tests.fixtures.terminal import at_a_terminal
from tests.fixtures.world import World

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
QUIET = ("--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking")
ADDRESS = r"\n  (http://\S+)\n"

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium is installed here")


@pytest.fixture
async def page() -> AsyncIterator[Page]:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=list(QUIET))
        yield await browser.new_page()
        await browser.close()


@pytest.mark.parametrize("network", ["mastodon", "x"])
async def test_a_click_on_the_networks_page_signs_in(
    world: World, page: Page, network: str
) -> None:
    keys = world.x_account.oauth2
    (world.folder / "secret").write_text(keys.client_secret)
    world.x.allow_callback(world.x_account, "http://127.0.0.1:8433/callback")
    app = ("--client-id", keys.client_id, "--secret-file", "secret") if network == "x" else ()
    async with at_a_terminal(world.folder, "login", network, "--port", "8433", *app) as terminal:
        await page.goto((await terminal.reads(ADDRESS))[1])
        await page.get_by_role("button", name="Authorize").click()
        await expect(page.get_by_role("heading")).to_have_text("The answer has arrived")
        assert page.url.startswith("http://127.0.0.1:8433/callback?")
        assert await terminal.ends() == 0, terminal.shown
        assert "as @ada" in terminal.shown
