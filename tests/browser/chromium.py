"""A real browser, what it complains about, and what somebody who cannot see a page would."""

import shutil
from contextlib import AsyncExitStack
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.async_api import Browser, ConsoleMessage, Page, Request

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
FOREIGN = "bridge.evil.test"
"""A name of somebody else that leads to this machine."""

QUIET = (
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
    f"--host-resolver-rules=MAP {FOREIGN} 127.0.0.1",
)  # fmt: skip
PHONE = 360
"""The width of a narrow one."""

needs_browser = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium is installed here")

TELL_VIOLATIONS = """
addEventListener('securitypolicyviolation', (event) =>
  console.error(`violation: ${event.violatedDirective} ${event.blockedURI}`));
"""

AUDIT = """
() => {
  const faults = [];
  const fault = (what, node) => faults.push(`${what}: ${node.outerHTML.slice(0, 120)}`);
  const all = (selector) => [...document.querySelectorAll(selector)];
  const shown = (node) => node.checkVisibility();

  // Words that are too faint.
  const parse = (colour) => {
    const parts = colour.match(/[\\d.e-]+/g).map(Number.parseFloat);
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
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const node = walker.currentNode.parentElement;
    if (!walker.currentNode.data.trim() || node.closest('.visually-hidden, .skip, [hidden]'))
      continue;
    if (!shown(node)) continue;
    const below = ground(node);
    const ink = over(parse(getComputedStyle(node).color), below);
    const [high, low] = [light(ink), light(below)].sort((a, b) => b - a);
    const ratio = (high + 0.05) / (low + 0.05);
    if (ratio < 4.5) fault(`contrast ${ratio.toFixed(2)}`, node);
  }

  // Names.
  const said = (node) => (node.getAttribute('aria-label') ?? node.textContent).trim();
  for (const node of all('input:not([type=hidden], [hidden]), select, textarea'))
    if (![...node.labels].some(said)) fault('no label', node);
  for (const node of all('a[href], button, summary, th, caption, h1, h2, h3, h4'))
    if (!said(node)) fault('no name', node);
  for (const node of all('svg, img'))
    if (node.getAttribute('aria-hidden') !== 'true'
        && !(node.getAttribute('role') === 'img' && node.getAttribute('aria-label')))
      fault('no description', node);
  for (const node of all('[aria-labelledby]'))
    if (!document.getElementById(node.getAttribute('aria-labelledby'))) fault('dangling', node);
  for (const node of all('section, nav'))
    if (!node.hasAttribute('aria-label') && !node.hasAttribute('aria-labelledby'))
      fault('region without a name', node);
  const ids = all('[id]').map((node) => node.id);
  if (new Set(ids).size !== ids.length) faults.push('an id twice');

  // Order.
  const levels = all('h1, h2, h3, h4, h5, h6').map((node) => Number(node.tagName[1]));
  if (levels[0] !== 1 || levels.filter((level) => level === 1).length !== 1)
    faults.push(`headings ${levels}`);
  levels.forEach((level, place) => {
    if (place && level - levels[place - 1] > 1) faults.push(`headings ${levels}`);
  });
  for (const node of all('[tabindex]')) if (node.tabIndex > 0) fault('out of order', node);
  if (all('main').length !== 1) faults.push('not one main region');
  if (!document.title || !document.documentElement.lang) faults.push('no title or language');
  for (const node of all('li'))
    if (!node.parentElement.matches('ul, ol')) fault('no list around', node);
  for (const node of all('dt, dd')) if (!node.closest('dl')) fault('no list around', node);
  for (const node of all('table')) if (!node.caption) fault('no caption', node);

  // Room: nothing reaches over the edge, and what is touched is large enough to be hit.
  if (document.documentElement.scrollWidth > innerWidth) faults.push('wider than the screen');
  for (const node of all('button, summary, select, input:not([type=hidden])')) {
    const box = node.getBoundingClientRect();
    if (shown(node) && !node.closest('.visually-hidden') && (box.width < 24 || box.height < 24))
      fault(`small ${box.width} x ${box.height}`, node);
  }
  return faults;
}
"""
"""What is wrong with a page for somebody who cannot see it well, or not at all."""

STRANGE = """
() => [
  ...[...document.querySelectorAll('script:not([src]), style, iframe, object, embed, base')],
  ...[...document.querySelectorAll('*')].filter((node) => [...node.attributes]
    .some((each) => each.name.startsWith('on') || each.name === 'style' || each.name === 'srcdoc')),
  ...[...document.links].filter((link) => !['http:', 'https:'].includes(link.protocol)),
  ...(document.title.endsWith('twinpost') ? [] : [document.documentElement]),
].map((node) => node.outerHTML.slice(0, 200))
"""
"""What stands in a page that only a text taken for markup could have put there."""


async def opened(
    browser: Browser, stack: AsyncExitStack, complaints: list[str], **options: Any
) -> Page:
    """A page of a context of its own; what the browser complains about is added to `complaints`."""
    context = await browser.new_context(
        **{"locale": "en-GB", "timezone_id": "Asia/Kathmandu"} | options
    )
    stack.push_async_callback(context.close)
    return await another(await context.new_page(), complaints)


async def another(page: Page, complaints: list[str]) -> Page:
    """`page`, listened to: to what it complains about, and to whom it asks."""
    await page.add_init_script(TELL_VIOLATIONS)

    def complain(message: ConsoleMessage) -> None:
        # A status of 400 and more is told there, too; what the page shows then is looked at.
        if message.type in {"error", "warning"} and "Failed to load resource" not in message.text:
            complaints.append(message.text)

    def look(request: Request) -> None:
        if urlsplit(request.url).hostname not in {"127.0.0.1", FOREIGN}:
            complaints.append(f"asked elsewhere: {request.url}")

    page.on("request", look)
    page.on("console", complain)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    return page
