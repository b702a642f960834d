"""What nobody writes but to do harm takes no longer than what people write.

Times are those of the processor, the best of a few: what else the machine does must not decide.
Short forms run with every test run, with much room; long ones in `make soak`, with little.

Bars of docs/reliability.md: S4, S18.
"""

import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest

from bridge.core.capabilities import Capabilities
from bridge.core.compose import MAX_CHARACTERS, compose
from bridge.core.entities import mastodon_entities, x_entities
from bridge.core.errors import UnfitError
from bridge.core.fingerprint import canonical
from bridge.core.lengths import mastodon_length, x_length
from bridge.core.model import AccountId
from bridge.core.policy import Policy
from bridge.core.split import split
from bridge.core.text import Text
from bridge.networks.mastodon.normalise import html_to_text, status_to_post
from bridge.networks.x.normalise import page_to_posts
from tests.core.test_compose import CONTEXT, MASTODON, X, toot, tweet
from tests.soak.hostile import SHAPES

ROOT = Path(__file__).parents[2]
MEGABYTE = 1 << 20
MARKUP = {
    **{name: shape.text(MEGABYTE) for name, shape in SHAPES.items()},
    "tags": "<p>" * (MEGABYTE // 3),
    "ends of tags": "</p>" * (MEGABYTE // 4),
    "links in markup": '<a href="https://a.co/">a</a> ' * (MEGABYTE // 30),
    "links without an end": '<a href="https://a.co/' * (MEGABYTE // 22),
    "attributes": "<a " + "b " * (MEGABYTE // 2),
    "references": "&#x41" * (MEGABYTE // 5),
    "marks without a tag": "<!" * (MEGABYTE // 2),
    "lists in lists": "<ul><li>" * (MEGABYTE // 8),
    "quotes in quotes": "<blockquote>" * (MEGABYTE // 12),
}
TEMPTING = (
    "flag letters", "flags", "combining marks out of order", "dots behind a link", "bare links",
    "accidental links", "names that are links", "random characters", "brackets in many addresses",
    "labels", "labels that are top-level domains", "punycode", "addresses of mail",
    "names in broken links", "one word",
)  # fmt: skip
"""Shapes that once took a second or more."""


def best(work: Callable[[], object], enough: float, tries: int = 5) -> float:
    """Seconds of the processor that `work` takes at best; the first time below `enough` will do."""
    least = float("inf")
    for _ in range(tries):
        begun = time.process_time()
        work()
        least = min(least, time.process_time() - begun)
        if least < enough:
            break
    return least


def composed(text: str, to: Capabilities) -> None:
    post = replace(toot() if to is X else tweet(), text=Text(text))
    try:
        compose(post, to, Policy(), CONTEXT)
    except UnfitError as error:
        assert "113" in str(error)  # noqa: PT017 - whatever it is, it names the post


def read(text: str) -> None:
    """As X's answer, with entities that are all wrong, and as a Mastodon server's."""
    places = [{"start": i, "end": i + 5, "url": "https://t.co/a"} for i in range(3000)]
    named = [{"start": i, "end": i + 5, "username": "a"} for i in range(3000)]
    item = {"id": "1", "text": text, "entities": {"urls": places, "mentions": named}}
    page_to_posts({"data": [item]}, me=AccountId("1"), handle="ada", protected=False)


@pytest.mark.parametrize("name", TEMPTING)
def test_a_hostile_text_is_soon_composed(name: str) -> None:
    text = SHAPES[name].text(12_000)
    for to in (X, MASTODON):
        assert best(lambda to=to: composed(text, to), 0.3) < 0.3  # type: ignore[misc] # bound early


@pytest.mark.parametrize("name", ["comments", "references", "brackets", "links", "&", "tags"])
def test_a_megabyte_of_hostile_markup_is_soon_read(name: str) -> None:
    html = MARKUP.get(name, name * MEGABYTE)
    assert best(lambda: html_to_text(html), 0.4) < 0.4
    assert best(lambda: read(html), 0.6) < 0.6


def test_the_modules_that_handle_text_add_little_memory() -> None:
    if not Path("/proc/self/statm").exists():
        pytest.skip("memory is read from /proc, which is not here")
    command = [sys.executable, "-m", "tools.text_memory"]
    added = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    # What a page more or less is depends on the machine, hence not 5.8.
    assert 2 < float(added.stdout) <= 6


def cut(text: str) -> None:
    with suppress(UnfitError):
        split(text, 280, x_length, gather_links=True)


def figures(name: str, seconds: dict[str, float], capsys: pytest.CaptureFixture[str]) -> None:
    slowest = sorted(seconds.items(), key=lambda pair: -pair[1])[:4]
    row = ", ".join(f"{shape} {took * 1e3:.0f} ms" for shape, took in slowest)
    with capsys.disabled():
        print(f"\n{name:50}{row}", end="")  # noqa: T201 - figures are for people


WORK: dict[str, tuple[Callable[[str], object], int, float]] = {
    "x_length": (x_length, 25_000, 0.2),
    "mastodon_length": (mastodon_length, 25_000, 0.2),
    "x_entities": (x_entities, 25_000, 0.2),
    "mastodon_entities": (mastodon_entities, 25_000, 0.2),
    "html_to_text": (html_to_text, MEGABYTE, 0.2),
    "a page of X": (read, MEGABYTE, 0.2),
    "a source": (
        lambda text: status_to_post(
            {"id": "1", "content": "<p>a</p>"}, host="h.example", source={"id": "1", "text": text}
        ),
        MEGABYTE,
        0.2,
    ),
    "canonical": (lambda text: canonical(Text(text)), MAX_CHARACTERS, 0.2),
    # The longest post on either network; then twice that, in time too, as what is linear takes.
    "compose for X": (lambda text: composed(text, X), 25_000, 0.2),
    "compose for Mastodon": (lambda text: composed(text, MASTODON), 25_000, 0.2),
    "compose for X, longest": (lambda text: composed(text, X), MAX_CHARACTERS, 0.4),
    "compose for Mastodon, longest": (lambda text: composed(text, MASTODON), MAX_CHARACTERS, 0.4),
    "split for X, twice the longest": (cut, 2 * MAX_CHARACTERS, 0.8),
}


@pytest.mark.soak
@pytest.mark.timeout(900)
@pytest.mark.parametrize("work", WORK)
def test_no_shape_takes_long_at_the_cap_that_applies(
    work: str, capsys: pytest.CaptureFixture[str]
) -> None:
    do, length, bound = WORK[work]
    # Twice and a half the bound, for a machine with other things to do: nothing that is quadratic
    # comes near it.
    room = 2.5 * bound
    texts = MARKUP if length == MEGABYTE else {n: s.text(length) for n, s in SHAPES.items()}
    seconds = {}
    for name, text in texts.items():
        seconds[name] = best(lambda text=text: do(text), bound, 3)  # type: ignore[misc] # as above
    figures(f"{work}, {length:,} characters", seconds, capsys)
    assert {name: took for name, took in seconds.items() if took > room} == {}
