"""The public conformance suite of X's text library: what is a link, mention, hashtag, cashtag."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from bridge.core import x_marks
from bridge.core.entities import x_entities, x_links
from bridge.core.text import Span, SpanKind
from tests.conftest import SHARED

SUITE = SHARED / "conformance" / "twitter-text"


def _suite(name: str) -> dict[str, Any]:
    path = SUITE / name
    if not path.is_file():
        return {}
    loaded: dict[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))["tests"]
    return loaded


def _cases(suite: str, *sections: str) -> list[Any]:
    groups = _suite(suite)
    return [
        pytest.param(case, id=f"{section}-{index}: {case['description'][:60]}")
        for section in sections
        for index, case in enumerate(groups.get(section, ()))
    ]


def _of(text: str, kind: SpanKind) -> list[Span]:
    return [span for span in x_entities(text) if span.kind is kind]


@pytest.fixture(autouse=True)
def _data(shared_folder: Path) -> None:
    """Skip, saying so, where the suite is absent."""


@pytest.mark.parametrize("case", _cases("extract.yml", "mentions"))
def test_mentions_are_found(case: dict[str, Any]) -> None:
    assert [m.name for m in x_marks.mentions(case["text"]) if not m.slug] == case["expected"]


@pytest.mark.parametrize("case", _cases("extract.yml", "mentions_with_indices"))
def test_mentions_are_found_where_they_are(case: dict[str, Any]) -> None:
    assert [
        {"screen_name": m.name, "indices": [m.start, m.end]}
        for m in x_marks.mentions(case["text"])
        if not m.slug
    ] == case["expected"]


@pytest.mark.parametrize("case", _cases("extract.yml", "mentions_or_lists_with_indices"))
def test_lists_are_told_from_mentions(case: dict[str, Any]) -> None:
    assert [
        {"screen_name": m.name, "list_slug": m.slug, "indices": [m.start, m.end]}
        for m in x_marks.mentions(case["text"])
    ] == case["expected"]


@pytest.mark.parametrize("case", _cases("extract.yml", "replies"))
def test_whom_a_text_addresses_is_found(case: dict[str, Any]) -> None:
    text = case["text"]
    first = next(x_marks.mentions(text), None)
    begins = first is not None and not text[: first.start].strip()
    assert (first.name if first and begins else None) == case["expected"]


@pytest.mark.parametrize("case", _cases("extract.yml", "urls", "tco_urls_with_params"))
def test_links_are_found(case: dict[str, Any]) -> None:
    assert [span.target for span in x_links(case["text"])] == case["expected"]


@pytest.mark.parametrize(
    "case", _cases("extract.yml", "urls_with_indices", "urls_with_directional_markers")
)
def test_links_are_found_where_they_are(case: dict[str, Any]) -> None:
    assert [
        {"url": span.target, "indices": [span.start, span.end]} for span in x_links(case["text"])
    ] == case["expected"]


@pytest.mark.parametrize("case", _cases("extract.yml", "hashtags", "hashtags_from_astral"))
def test_hashtags_are_found(case: dict[str, Any]) -> None:
    assert [s.target for s in _of(case["text"], SpanKind.HASHTAG)] == case["expected"]


@pytest.mark.parametrize("case", _cases("extract.yml", "hashtags_with_indices"))
def test_hashtags_are_found_where_they_are(case: dict[str, Any]) -> None:
    assert [
        {"hashtag": s.target, "indices": [s.start, s.end]}
        for s in _of(case["text"], SpanKind.HASHTAG)
    ] == case["expected"]


@pytest.mark.parametrize("case", _cases("extract.yml", "cashtags"))
def test_cashtags_are_found(case: dict[str, Any]) -> None:
    assert [s.target for s in _of(case["text"], SpanKind.CASHTAG)] == case["expected"]


@pytest.mark.parametrize("case", _cases("extract.yml", "cashtags_with_indices"))
def test_cashtags_are_found_where_they_are(case: dict[str, Any]) -> None:
    assert [
        {"cashtag": s.target, "indices": [s.start, s.end]}
        for s in _of(case["text"], SpanKind.CASHTAG)
    ] == case["expected"]


@pytest.mark.parametrize("group", ["country", "generic"])
def test_every_top_level_domain_of_the_suite_makes_a_link(group: str) -> None:
    cases = _suite("tlds.yml")[group]
    wrong = [
        case["text"]
        for case in cases
        if [span.target for span in x_links(case["text"])] != case["expected"]
    ]
    assert len(cases) > 300
    assert wrong == []


def test_no_section_of_the_suite_is_left_out() -> None:
    assert set(_suite("extract.yml")) == {
        "cashtags",
        "cashtags_with_indices",
        "hashtags",
        "hashtags_from_astral",
        "hashtags_with_indices",
        "mentions",
        "mentions_or_lists_with_indices",
        "mentions_with_indices",
        "replies",
        "tco_urls_with_params",
        "urls",
        "urls_with_directional_markers",
        "urls_with_indices",
    }
