"""One browser for all tests of this folder that run in one process."""

from collections.abc import AsyncIterator

import pytest_asyncio
from playwright.async_api import Browser, async_playwright, expect

from tests.browser.chromium import CHROMIUM, QUIET
from tests.fixtures.world import SHARED_MACHINE

# In milliseconds: twice what is usual, and more where tests share the machine with each other.
expect.set_options(timeout=10_000 * SHARED_MACHINE)


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def browser() -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=list(QUIET))
        yield browser
        await browser.close()
