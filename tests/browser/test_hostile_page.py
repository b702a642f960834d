"""S13 and S14: what other sites try, and hostile text on every page, in a real browser."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from pathlib import Path
from urllib.parse import quote, urlencode

import pytest
from aiohttp import web
from playwright.async_api import Browser, Page, expect

from bridge.core.errors import Throttled, Unauthorised
from bridge.sandbox.server import serve
from tests.browser.chromium import FOREIGN, STRANGE, another, needs_browser, opened
from tests.fixtures.world import SHARED_MACHINE, made_world
from tests.surfaces.web.stage import (
    HOSTILE,
    OUT,
    PASSWORD,
    furnish,
    hostile,
    seeded,
    served,
)

SOON = 8000 * SHARED_MACHINE
pytestmark = [needs_browser, pytest.mark.asyncio(loop_scope="session")]


async def test_s13_a_name_that_was_pointed_here_shows_nothing_even_in_a_browser(
    browser: Browser, tmp_path: Path
) -> None:
    """Rebinding: the name is somebody else's, the address is ours."""
    async with AsyncExitStack() as stack:
        world = await stack.enter_async_context(made_world(tmp_path))
        await seeded(world, furnish)
        site = await stack.enter_async_context(served(world))
        page = await opened(browser, stack, [])
        port = site.url.rpartition(":")[2]
        for path in ("/", "/posts", "/" + quote(HOSTILE[0], safe="")):
            answer = await page.goto(f"http://{FOREIGN}:{port}{path}")
            assert answer is not None
            assert answer.status == 403
            await expect(page.locator("h1")).to_have_text("This is not my name")
            assert await page.evaluate(STRANGE) == []
            assert await page.locator("[data-events]").count() == 0
            assert "personal" not in await page.content()
            # Nor does it get what is not shown: as it would read it with a script of its own.
            asked = "fetch('/posts').then((answer) => answer.status)"
            assert await page.evaluate(asked) == 403


async def test_s13_another_site_can_have_nothing_done_and_load_nothing(
    browser: Browser, tmp_path: Path
) -> None:
    evil = web.Application()

    async def trap(request: web.Request) -> web.Response:
        own = request.query["of"]
        forms = "".join(
            f"""<form id=f{number} method=post action="{own}{path}" enctype="{kind}" target=_blank>
            <input name=do value=pause><input name=language value=ar></form>"""
            for number, (path, kind) in enumerate(
                (path, kind)
                for path in ("/do", "/language", "/logout")
                for kind in ("application/x-www-form-urlencoded", "text/plain")
            )
        )
        text = f"""<!doctype html><title>trap</title>{forms}
        <img src="{own}/do?do=pause"><iframe src="{own}/"></iframe><script src="{own}/"></script>"""
        return web.Response(text=text, content_type="text/html")

    evil.router.add_get("/", trap)
    async with AsyncExitStack() as stack:
        world = await stack.enter_async_context(made_world(tmp_path))
        site = await stack.enter_async_context(served(world))
        away = await stack.enter_async_context(serve(evil))
        page = await opened(browser, stack, [])
        told: list[tuple[str, int]] = []
        page.context.on("response", lambda each: told.append((each.url, each.status)))
        # A name of its own: another site, although it is the same machine.
        place = away.replace("127.0.0.1", FOREIGN)
        await page.goto(f"{place}/?of={quote(site.url)}")
        for number in range(6):
            async with page.expect_popup() as opening:
                await page.evaluate(f"document.getElementById('f{number}').submit()")
            popup = await opening.value
            await expect(popup.locator("h1")).to_have_text("Turned away")
            await popup.close()
        read = await page.evaluate(
            "(own) => Promise.all(['/', '/events', '/healthz'].map((path) =>"
            " fetch(own + path, {credentials: 'include'}).then(() => 'read', () => 'not read')))",
            site.url,
        )
        assert read == ["not read"] * 3
        ours = [each for each in told if each[0].startswith(site.url)]
        shown = [status for url, status in ours if "/static/" not in url]
        assert len(shown) >= 6
        assert set(shown) == {403}, "forms, picture, frame, script"
        assert not any(lane.paused for lane in site.daemon.lanes)
        await page.goto(site.url)
        await expect(page.locator("html")).to_have_attribute("lang", "en")


FORM = """
([path, fields]) => {
  const form = document.createElement('form');
  Object.assign(form, {method: 'post', action: path});
  for (const [name, value] of Object.entries(fields)) {
    const field = document.createElement('textarea');
    Object.assign(field, {name, value});
    form.append(field);
  }
  document.body.append(form);
  form.submit();
}
"""


async def sent(page: Page, path: str, **fields: str) -> int:
    """What becomes of a form, shown in the browser."""
    async with page.expect_navigation(wait_until="domcontentloaded") as going:
        await page.evaluate(FORM, [path, {name: shown(text) for name, text in fields.items()}])
    return (await going.value).status


def shown(text: str) -> str:
    """As much of a text as an address can carry."""
    return text.encode("utf-8", "backslashreplace").decode()


async def harmless(page: Page, where: str) -> None:
    assert await page.evaluate(STRANGE) == [], where


async def walk(page: Page, url: str, paths: list[str]) -> None:
    for path in paths:
        await page.goto(url + path, wait_until="domcontentloaded")
        await harmless(page, path)


@pytest.mark.timeout(120)
async def test_s14_hostile_text_is_shown_on_every_page_and_never_run(
    browser: Browser, tmp_path: Path
) -> None:
    complaints: list[str] = []
    async with AsyncExitStack() as stack:
        world = await stack.enter_async_context(made_world(tmp_path))
        await seeded(world, hostile)
        site = await stack.enter_async_context(served(world, password=PASSWORD))
        # What a network says of itself while it is waited for.
        out, back = site.daemon.lanes
        out._sending.failed(Throttled(f"HTTP 429: {HOSTILE[0]}"))
        back._reading.failed(Unauthorised(f"HTTP 401: {HOSTILE[1]}"))
        page = await opened(browser, stack, complaints)

        # Before anybody has signed in.
        for text in (HOSTILE[0], HOSTILE[2], "".join(HOSTILE)):
            await page.goto(f"{site.url}/login?{urlencode({'back': '/' + shown(text)})}")
            await harmless(page, f"login {text!r}")
        assert await sent(page, "/login", password=HOSTILE[0], back=HOSTILE[1]) == 403
        await harmless(page, "a wrong password")
        assert await sent(page, "/login", password=PASSWORD, back="/") == 200
        csrf = str(await page.locator("body").get_attribute("data-csrf"))

        # Every page, and every error that an address can lead to.
        paths = ["/", "/posts", "/posts?state=needs", "/posts?state=skipped", "/do?do=<script>"]
        for number, text in enumerate(HOSTILE):
            named = {"bridge": OUT.bridge, "direction": OUT.direction.value}
            kind = "h" if number % 2 else ""
            paths.append("/post?" + urlencode(named | {"id": f"{kind}{number}{shown(text)}"}))
        # Found or not: searches, filters, and errors with the texts in the address itself.
        for texts in (HOSTILE[:4], HOSTILE[4:8], HOSTILE[8:]):
            said = shown("".join(texts))
            paths.append("/posts?" + urlencode({"q": said, "bridge": said, "direction": said}))
            paths.append(f"/{quote(said, safe='')}?{urlencode({'said': said})}")

        beside = await another(await page.context.new_page(), complaints)
        await asyncio.gather(walk(page, site.url, paths[::2]), walk(beside, site.url, paths[1::2]))

        # What is answered to a form: refused, not understood, too much, not ours, not found.
        for text in (HOSTILE[0], HOSTILE[2], HOSTILE[8]):
            given = {"csrf": csrf, "bridge": text, "direction": text, "post": text, "back": text}
            for status, fields in (
                (422, given | {"do": text}),
                (200, given | {"do": "retry", "bridge": "", "direction": ""}),
                (403, given | {"do": "retry", "csrf": text}),
            ):
                await page.goto(f"{site.url}/nowhere")
                assert await sent(page, "/do", **fields) == status
                await harmless(page, f"{status} {fields}")
            await page.goto(f"{site.url}/nowhere")
            await sent(page, "/preview", csrf=csrf, address=text, route=text)
            await harmless(page, "an address that is none")
        await page.goto(f"{site.url}/nowhere")
        assert await sent(page, "/preview", csrf=csrf, text=HOSTILE[0] * 20_000) == 413
        await harmless(page, "too much")

        # The preview, as one types and by its button.
        for text in HOSTILE[:3]:
            await page.goto(f"{site.url}/preview")
            await page.get_by_label("Your post").fill(text)
            await page.get_by_label("Content warning").fill(text)
            await expect(page.locator("#preview-result .post")).not_to_have_count(0, timeout=SOON)
            await harmless(page, "as one types")
            await page.get_by_role("button", name="Show", exact=True).click()
            await expect(page.get_by_label("Your post")).to_have_value(text)
            await harmless(page, "by its button")

        await page.goto(f"{site.url}/posts?q=%3Cscript%3E")
        assert await page.locator(".text", has_text="<script>").count() > 0, "shown as it is"
        await page.goto(site.url)
        await expect(page.locator(".route").first).to_contain_text(HOSTILE[0])
    assert complaints == []
