"""The public conformance suite of X's text library: weighted lengths, and what is valid."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from bridge.core.entities import x_entities
from bridge.core.lengths import X_LIMIT, x_length, x_valid
from bridge.core.text import SpanKind
from tests.conftest import SHARED

SUITE = SHARED / "conformance" / "twitter-text" / "validate.yml"

OF_THE_TIME_OF_140 = {
    "Invalid Tweet: 141 characters",
    "Invalid Tweet: 141 characters (due to newline)",
}
"""Too long in 2017 and not since; every other verdict of that time still holds."""

WITHOUT_EMOJI_COUNTING = {
    "Count a mix of single byte single word, and double word unicode characters": 7,
    "Count unicode emoji chars outside the basic multilingual plane with skin tone modifiers": 4,
}
"""Configuration 2 counted emoji by code points; X has used configuration 3 since 2018."""

WELL_FORMED_BUT_NO_LINK = {
    "Valid url: port and userinfo",
    "Valid url: ipv4",
    "Valid url: ipv6",
    "Valid url: sub delims and question marks",
}
"""The suite asks here whether an address is well formed. X links none of these, or not all."""


def _sections() -> dict[str, list[dict[str, Any]]]:
    if not SUITE.is_file():
        return {}
    loaded: dict[str, list[dict[str, Any]]] = yaml.safe_load(SUITE.read_text(encoding="utf-8"))[
        "tests"
    ]
    return loaded


def _cases(*sections: str) -> list[Any]:
    groups = _sections()
    return [
        pytest.param(case, id=f"{section}-{index}: {case['description'][:60]}")
        for section in sections
        for index, case in enumerate(groups.get(section, ()))
    ]


@pytest.fixture(autouse=True)
def _data(shared_folder: Path) -> None:
    """Skip, saying so, where the suite is absent."""


@pytest.mark.parametrize(
    "case",
    _cases(
        "WeightedTweetsCounterTest",
        "WeightedTweetsWithDiscountedEmojiCounterTest",
        "UnicodeDirectionalMarkerCounterTest",
    ),
)
def test_weighted_lengths(case: dict[str, Any]) -> None:
    text, expected = case["text"], case["expected"]
    length = x_length(text)
    assert length == WITHOUT_EMOJI_COUNTING.get(case["description"], expected["weightedLength"])
    assert x_valid(text) is expected["valid"]
    if length == expected["weightedLength"]:
        assert length * 1000 // X_LIMIT == expected["permillage"]


@pytest.mark.parametrize("case", _cases("tweets"))
def test_whole_posts(case: dict[str, Any]) -> None:
    now_valid = case["expected"] or case["description"] in OF_THE_TIME_OF_140
    assert x_valid(case["text"]) is now_valid


def _is_one(text: str, kind: SpanKind) -> bool:
    return [(s.start, s.end, s.kind) for s in x_entities(text)] == [(0, len(text), kind)]


@pytest.mark.parametrize("case", _cases("usernames"))
def test_user_names(case: dict[str, Any]) -> None:
    assert _is_one(case["text"], SpanKind.MENTION) is case["expected"]


@pytest.mark.parametrize("case", _cases("lists"))
def test_lists(case: dict[str, Any]) -> None:
    is_list = _is_one(case["text"], SpanKind.MENTION) and "/" in case["text"]
    assert is_list is case["expected"]


@pytest.mark.parametrize("case", _cases("hashtags"))
def test_hashtags(case: dict[str, Any]) -> None:
    assert _is_one(case["text"], SpanKind.HASHTAG) is case["expected"]


@pytest.mark.parametrize("case", _cases("urls", "urls_without_protocol"))
def test_addresses(case: dict[str, Any]) -> None:
    linked = case["expected"] and case["description"] not in WELL_FORMED_BUT_NO_LINK
    assert _is_one(case["text"], SpanKind.LINK) is linked


def test_no_section_of_the_suite_is_left_out() -> None:
    assert set(_sections()) == {
        "UnicodeDirectionalMarkerCounterTest",
        "WeightedTweetsCounterTest",
        "WeightedTweetsWithDiscountedEmojiCounterTest",
        "hashtags",
        "lists",
        "tweets",
        "urls",
        "urls_without_protocol",
        "usernames",
    }
