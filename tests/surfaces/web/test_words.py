"""Every word of the interface stands in a catalogue, in every language, in every form."""

import json
import re
import string
from pathlib import Path

import pytest

import bridge.surfaces.web as package
from bridge.core.delivery import PartEvent, PartState, PostState
from bridge.core.model import Direction, MediaKind, Network
from bridge.core.verdict import Action, Reason
from bridge.engine.standing import Condition
from bridge.surfaces.web.acting import DEEDS
from bridge.surfaces.web.catalogues import FALLBACK, FORMS, LANGUAGES, catalogue, chosen
from bridge.surfaces.web.views import Shown

HERE = Path(str(package.__file__)).parent
TEMPLATES = sorted((HERE / "templates").glob("*.html"))
RAW = {
    code: json.loads((HERE / "catalogues" / f"{code}.json").read_text(encoding="utf-8"))
    for code in LANGUAGES
}
OWN_ERRORS = ("host", "foreign", "too-large", "broke", "other")
COMPUTED = {
    *(f"state.{each}" for each in PostState),
    *(f"part-state.{each}" for each in PartState),
    *(f"move.{each}" for each in PartEvent),
    *(f"verdict.{each}" for each in Action),
    *(f"would.{each}" for each in Action),
    *(f"media.{each}" for each in MediaKind),
    *(f"network.{each}" for each in Network),
    *(f"direction.{each}" for each in Direction),
    *(f"condition.{each}" for each in Condition),
    *(f"filter.{each}" for each in Shown),
    *(f"said.{each}" for each in DEEDS),
    *(f"error.status-{status}{do}" for status in (403, 404, 405, 422, 429) for do in ("", ".do")),
    *(f"error.{key}{do}" for key in OWN_ERRORS for do in ("", ".do")),
    "said.not-sent",
}  # fmt: skip


def placeholders(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


@pytest.mark.parametrize("code", LANGUAGES)
def test_every_language_has_every_key(code: str) -> None:
    here = {key for key in RAW[code] if not key.startswith("reason.")}
    assert here == set(RAW[FALLBACK])
    assert here >= COMPUTED


@pytest.mark.parametrize("code", [code for code in LANGUAGES if code != FALLBACK])
def test_every_reason_is_told_in_every_language(code: str) -> None:
    """English has the core's own sentences."""
    told = {key.removeprefix("reason.") for key in RAW[code] if key.startswith("reason.")}
    assert told == {reason.value for reason in Reason}


@pytest.mark.parametrize("code", LANGUAGES)
def test_what_depends_on_a_number_has_every_form(code: str) -> None:
    choose, forms = FORMS[code]
    for key, text in RAW[code].items():
        english = RAW[FALLBACK].get(key, "")
        assert isinstance(text, str) is isinstance(english, str), key
        if isinstance(text, str):
            if english:
                assert placeholders(text) == placeholders(english), key
        else:
            assert tuple(text) == forms, key
            wanted = set().union(*(placeholders(each) for each in english.values()))
            assert all(placeholders(each) <= wanted for each in text.values()), key
    assert {choose(number) for number in range(200)} == set(forms)


@pytest.mark.parametrize(
    ("number", "form"),
    [(0, "zero"), (1, "one"), (2, "two"), (3, "few"), (10, "few"), (11, "many"), (99, "many"),
     (100, "other"), (102, "other"), (103, "few"), (111, "many")],
)  # fmt: skip
def test_arabic_counts_as_cldr_says(number: int, form: str) -> None:
    assert FORMS["ar"][0](number) == form


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda path: path.name)
def test_no_template_has_a_word_of_its_own(template: Path) -> None:
    text = re.sub(
        r"\{#.*?#\}|\{%.*?%\}|\{\{.*?\}\}", "", template.read_text("utf-8"), flags=re.DOTALL
    )
    for name in ("aria-label", "placeholder", "title", "alt", "data-words"):
        for value in re.findall(rf'\s{name}="([^"]*)"', text):
            assert value in {"", "https://"}, value
    shown = re.sub(r"<!doctype html>|<[^>]*>", "", text)
    words = re.findall(r"[^\W\d_]{2,}", shown)
    assert set(words) <= {"twinpost", "HTTP"}, words


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda path: path.name)
def test_no_template_trusts_anything_or_needs_an_inline_script(template: Path) -> None:
    text = template.read_text("utf-8")
    assert not re.search(r"\|\s*safe|autoescape|\sstyle=|\son[a-z]+=|javascript:|<style", text)
    assert re.findall(r"<script(?! src=)", text) == []


def test_every_key_that_a_template_names_is_there_and_none_is_left_over() -> None:
    sources = [*TEMPLATES, *HERE.glob("*.py")]
    text = "\n".join(path.read_text("utf-8") for path in sources)
    named = set(re.findall(r"""["']([a-z-]+(?:\.[a-z0-9-]+)*)["']""", text))
    called = set(re.findall(r"""\bt\(["']([^"']+)["'][,)]""", text))
    assert called <= set(RAW[FALLBACK])
    assert set(RAW[FALLBACK]) - COMPUTED <= named


@pytest.mark.parametrize(
    ("header", "code"),
    [
        ("", "en"),
        ("ar", "ar"),
        ("ar-EG,ar;q=0.9,en;q=0.8", "ar"),
        ("en-GB,ar;q=0.9", "en"),
        ("fr,de;q=0.8", "en"),
        ("fr,ar;q=0.2", "ar"),
        ("en;q=0.1,ar;q=0.9", "ar"),
        ("ar;q=0", "en"),
        ("ar;q=x", "en"),
        (";;,,=", "en"),
        ("x," * 10_000 + "ar", "en"),
    ],
)
def test_the_browser_says_which_language(header: str, code: str) -> None:
    assert chosen(None, header).code == code
    assert chosen("ar", header).code == "ar"
    assert chosen("xx", header).code == code


def test_what_is_put_into_a_sentence_is_escaped() -> None:
    said = catalogue("en").say("part.quotes", post="<b>{count}</b>")
    assert str(said) == "Quotes &lt;b&gt;{count}&lt;/b&gt;"
