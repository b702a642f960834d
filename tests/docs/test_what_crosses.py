"""The page of what crosses and the configuration say the same: keys, defaults, choices, prices."""

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from bridge.config.crossing import BOTH_WAYS, TO_MASTODON, TO_X
from bridge.config.declared import Key, Section
from bridge.config.keys import BRIDGE, ROOT
from bridge.core.prices import X_PRICES, in_dollars
from tests.core.test_quotes_of_drafts import BOBS
from tests.fixtures.composing import pictures, to_x, toot

PAGE = (Path(__file__).parents[2] / "docs" / "what-crosses.md").read_text(encoding="utf-8")
LONG = "A sentence that is neither short nor long. " * 18
LINK = "https://example.com/a"


def table_after(heading: str) -> dict[str, tuple[str, str]]:
    """Name, default and choices of each row of the first table behind `heading`."""
    rows = re.findall(
        r"^\| `([\w.]+)` \| (.*?) \| (.*?) \|$",
        PAGE.split(heading, 1)[1].split("\n\n")[1],
        re.MULTILINE,
    )
    return {name: (default.strip("`"), choices) for name, default, choices in rows}


def declared(keys: tuple[Key | Section, ...], above: str = "") -> Iterator[tuple[str, Key]]:
    for key in keys:
        if isinstance(key, Section):
            yield from declared(key.keys, f"{key.name}.")
        else:
            yield above + key.name, key


def section(name: str) -> Section:
    found = BRIDGE.child(name)
    assert isinstance(found, Section)
    return found


def visibility(name: str) -> Key:
    found = section(name).child("visibility")
    assert isinstance(found, Key)
    return found


TABLES = {
    "The same in both directions": BOTH_WAYS,
    "Under `mastodon_to_x` alone": (visibility("mastodon_to_x"), *TO_X),
    "Under `x_to_mastodon` alone": (visibility("x_to_mastodon"), *TO_MASTODON),
    "Under `mastodon`:": tuple(k for k in section("mastodon").keys if k.name == "custom_emoji"),
    "Under `x`:": tuple(k for k in section("x").keys if k.name in {"max_length", "premium"}),
}


@pytest.mark.parametrize("heading", TABLES)
def test_every_key_is_on_the_page_with_its_default_and_no_other_is(heading: str) -> None:
    told = {name: default for name, (default, _) in table_after(heading).items()}
    keys = declared(TABLES[heading])
    assert told == {name: "-" if key.default is None else key.default for name, key in keys}


@pytest.mark.parametrize("heading", TABLES)
def test_every_choice_is_on_the_page_and_no_other_is(heading: str) -> None:
    told = table_after(heading)
    for name, key in declared(TABLES[heading]):
        default, choices = told[name]
        if key.choices and key.shape == "string":
            named = {default.strip("[]"), *re.findall(r"`(\w+)`", choices)}
            assert named == set(key.choices), name


def test_both_directions_have_the_keys_that_the_page_promises_them() -> None:
    for name in ("mastodon_to_x", "x_to_mastodon"):
        assert {key.name for key in BOTH_WAYS} <= set(section(name).names())


def test_every_key_that_a_row_names_exists() -> None:
    everywhere = {name.rpartition(".")[2] for name, _ in declared(ROOT.keys)} | {"recheck"}
    rows = PAGE.split("## What becomes of each part")[1].split("Fine points")[0]
    named = {
        key
        for row in re.findall(r"^\|.*\| ([^|]*) \|$", rows, re.MULTILINE)
        for key in re.findall(r"`(\w+)`", row)
    }
    assert len(named) > 20
    assert named <= everywhere


def dollars(what: str) -> str:
    found = re.search(rf"^\| {re.escape(what)} \| (\d+\.\d+) \|$", PAGE, re.MULTILINE)
    assert found, what
    return f"${found[1]}"


def test_prices_are_those_that_the_bridge_reckons_with() -> None:
    assert X_PRICES.as_of.isoformat() in PAGE
    for what, price in {
        "a part": X_PRICES.create,
        "a part with a link, however many": X_PRICES.create_with_link,
        "a picture, video or animation": X_PRICES.media,
        "a description of one": X_PRICES.alt_text,
        "deleting a part": X_PRICES.delete,
        "reading one own post": X_PRICES.owned_read,
        "reading again 20 posts, a day": 20 * X_PRICES.owned_read,
    }.items():
        assert dollars(what) == in_dollars(price), what  # type: ignore[arg-type] # a product


def test_prices_of_choices_are_those_of_drafts() -> None:
    long, quote = toot(LONG), toot("Indeed", quote=BOBS)
    described = tuple(replace(each, alt="A cat.") for each in pictures(4))
    assert len(to_x(long).parts) == 3
    for what, draft in {
        "a text of three parts as a `thread`": to_x(long),
        "the same with `truncate`": to_x(long, long_text="truncate"),
        "the same with `truncate_with_link`": to_x(long, long_text="truncate_with_link"),
        "a quote of another's post with `quotes: link`": to_x(quote),
        "the same with `quotes: text`": to_x(quote, quotes="text"),
        "a post with a link and `links: defuse`": to_x(toot(f"See {LINK}"), links="defuse"),
        "four pictures with descriptions": to_x(toot("See", media=described)),
    }.items():
        assert dollars(what) == in_dollars(draft.price), what
