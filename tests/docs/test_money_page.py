"""The page on money: its prices, its defaults, and that what was measured fits what is forecast."""

import re
import subprocess
import sys
from pathlib import Path

from bridge.config.declared import Key, Section
from bridge.config.keys import BRIDGE
from bridge.core.model import Microdollars
from bridge.core.prices import X_PRICES

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "money.md").read_text(encoding="utf-8")


def micros(dollars: str) -> Microdollars:
    return Microdollars(round(float(dollars) * 1_000_000))


def child(section: Section, name: str) -> Section:
    found = section.child(name)
    assert isinstance(found, Section)
    return found


def test_every_price_is_the_one_that_is_reckoned_with_under_the_key_that_overrides_it() -> None:
    rows = re.findall(r"^\| [^|]+ \| (\d+\.\d+) \| `(\w+)` \|$", PAGE, re.MULTILINE)
    keys = {key.name for key in child(child(BRIDGE, "x"), "prices").keys}
    assert {name for _, name in rows} == keys - {"user_read"}
    for dollars, name in rows:
        assert getattr(X_PRICES, name) == micros(dollars), name
    # Told in a sentence, since nothing is expanded.
    assert X_PRICES.user_read == 10 * X_PRICES.owned_read


def test_the_budget_that_is_shown_as_the_default_is_the_default() -> None:
    shown = re.search(r"budget: \{(.*?)\}", PAGE)
    assert shown
    told = dict(part.split(": ") for part in shown[1].split(", "))
    budget = child(child(BRIDGE, "x"), "budget")
    assert told == {key.name: key.default for key in budget.keys if isinstance(key, Key)}


def test_what_was_measured_lies_between_the_forecast_without_and_with_looking_for_edits() -> None:
    script = ROOT / "tools" / "price_of_a_month.py"
    printed = subprocess.run(
        [sys.executable, str(script)], capture_output=True, text=True, check=True, cwd=ROOT
    ).stdout
    forecast = {
        words: float(dollars)
        for dollars, words in re.findall(r"^ +\$(\d+\.\d+)  (.*)$", printed, re.MULTILINE)
    }
    measured = {
        words: float(dollars)
        for words, dollars in re.findall(
            r"^\| ([^|]+) \| \$(\d+\.\d+) \| \$\d+\.\d+ \|$", PAGE, re.MULTILINE
        )
    }
    for plain, edits in (
        ("three posts a day on each side", "looking for edits, with 6 posts a day on X"),
        ("ten posts a day from X only", "looking for edits, with 10 posts a day on X"),
    ):
        (without,) = (
            d for words, d in forecast.items() if words.startswith(plain) and "one" not in words
        )
        assert without <= measured[plain] <= without + forecast[edits] + 0.01
