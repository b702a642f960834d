"""What the demo says, in every language, and what it says where it cannot be drawn."""

import json
import re
import string
import subprocess
import sys
from pathlib import Path

import pytest

import bridge.cli.demo as package
from bridge.cli.demo.page import words
from bridge.surfaces.web.catalogues import FALLBACK, LANGUAGES, catalogue

HERE = Path(str(package.__file__)).parent
TEMPLATE = (HERE / "templates" / "demo.html").read_text(encoding="utf-8")
RAW = {
    code: json.loads((HERE / "catalogues" / f"{code}.json").read_text(encoding="utf-8"))
    for code in LANGUAGES
}


def placeholders(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


@pytest.mark.parametrize("code", LANGUAGES)
def test_the_demo_speaks_every_language_of_the_bridges_page(code: str) -> None:
    assert {key: placeholders(text) for key, text in RAW[code].items()} == {
        key: placeholders(text) for key, text in RAW[FALLBACK].items()
    }
    assert not set(RAW[code]) & set(catalogue(code).texts), "none of the page's own is replaced"


def test_every_key_that_the_demo_names_is_there_and_none_is_left_over() -> None:
    sources = TEMPLATE + (HERE / "page.py").read_text(encoding="utf-8")
    named = set(re.findall(r"""["']((?:demo|audience)\.[a-z-]+)["']""", sources))
    audiences = {f"audience.{each}" for each in ("public", "unlisted", "private", "direct")}
    files = {"demo.html", "demo.css", "demo.js"}
    assert (named | audiences) - files == set(RAW[FALLBACK])
    called = set(re.findall(r"""\bt\(["']([a-z.-]+)["'][,)]""", TEMPLATE))
    assert called <= set(words(FALLBACK).texts)


def test_the_demos_template_has_no_word_of_its_own_and_trusts_nothing() -> None:
    text = re.sub(r"\{#.*?#\}|\{%.*?%\}|\{\{.*?\}\}", "", TEMPLATE, flags=re.DOTALL)
    assert re.findall(r"[^\W\d_]{2,}", re.sub(r"<[^>]*>", "", text)) == []
    assert not re.search(r"\|\s*safe|autoescape|\sstyle=|\son[a-z]+=|javascript:|<style", TEMPLATE)
    assert re.findall(r"<script(?! src=)", TEMPLATE) == []


def test_where_the_page_cannot_be_drawn_the_demo_says_what_to_install() -> None:
    program = (
        "import sys; sys.modules['jinja2'] = None; sys.argv[1:] = ['demo', '--headless'];"
        "from bridge.__main__ import main; sys.exit(main())"
    )
    ended = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=30, check=False
    )
    assert ended.returncode == 2
    assert 'pip install "twinpost[web]"' in ended.stderr
    assert "Traceback" not in ended.stderr
