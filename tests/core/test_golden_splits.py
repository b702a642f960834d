"""Every cut of every text of the corpus, at many limits, as it was when somebody read it.

A change of a cut shows as a change of `golden_splits.json`. To rewrite it after reading the threads
that differ (`make corpus`): TWINPOST_GOLDEN=1 make test ARGS=tests/core/test_golden_splits.py
"""

import json
import os
from collections.abc import Callable
from pathlib import Path

from bridge.core.entities import mastodon_entities, x_entities
from bridge.core.errors import UnfitError
from bridge.core.lengths import mastodon_length, x_length
from bridge.core.split import split

CORPUS = Path(__file__).parents[1] / "corpus" / "split"
GOLDEN = Path(__file__).with_name("golden_splits.json")
TEXTS = {path.stem: path.read_text("utf-8") for path in sorted(CORPUS.glob("*.txt"))} | {
    "links in pairs": "One https://a.example two https://b.example/x three. " * 6,
    "one long word": "w" * 130 + " and some words after it, until the end.",
    "long words in a row": ("v" * 45 + " ") * 6,
    "breaks off": "no sentence ends here and " * 12,
    "ends in a scrap": "A sentence of some words. " * 10 + "Ok.",
    "blank before the ellipsis": "words https://a.example/path words @somebody words #tag " * 6,
    "author's ellipses": "one two three… four five six …seven eight nine. " * 6,
    "clauses": "One clause, a second clause; a third clause: a fourth - a fifth, " * 6,
}
WAYS: dict[str, Callable[[str], list[str]]] = {
    "x 280": lambda text: split(text, 280, x_length),
    "x 280, links gathered": lambda text: split(text, 280, x_length, gather_links=True),
    "x 140": lambda text: split(text, 140, x_length),
    "x 60": lambda text: split(text, 60, x_length),
    "x 41, no numbers": lambda text: split(text, 41, x_length, numbering=False),
    "x 41": lambda text: split(text, 41, x_length),
    "mastodon 500": lambda text: split(text, 500, mastodon_length, atoms=mastodon_entities),
    "mastodon 100": lambda text: split(text, 100, mastodon_length, atoms=mastodon_entities),
    "characters 30": lambda text: split(text, 30, len, atoms=x_entities),
    "characters 12, no numbers": lambda text: split(text, 12, len, numbering=False),
}


def cuts(text: str, way: Callable[[str], list[str]]) -> list[str] | str:
    """How each part begins and ends, and how long it is; or why there are none."""
    try:
        parts = way(text)
    except UnfitError as error:
        return str(error)
    return [f"{len(part)} {part[:6]}|{part[-9:]}" for part in parts]


def test_no_cut_of_the_corpus_has_moved() -> None:
    found = {
        name: {called: cuts(text, way) for called, way in WAYS.items()}
        for name, text in TEXTS.items()
    }
    if os.environ.get("TWINPOST_GOLDEN"):
        lines = json.dumps(found, ensure_ascii=False, indent=1) + "\n"
        GOLDEN.write_text(lines, encoding="utf-8")
    golden = json.loads(GOLDEN.read_text("utf-8"))
    assert found.keys() == golden.keys()
    for name, ways in found.items():
        for called, parts in ways.items():
            assert parts == golden[name][called], f"{name}, {called}"
