"""The words of the interface in every language that it speaks, and which one a reader wants.

A catalogue is a JSON file: a key, and its sentence or, where a number decides, a sentence for each
form of that number. Must not know any page.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Final

from markupsafe import Markup, escape

from bridge.core.verdict import SENTENCES, Reason

FALLBACK: Final = "en"
MOST_PREFERENCES: Final = 20
"""Languages of one `Accept-Language` that are looked at."""


def _english(count: int) -> str:
    return "one" if count == 1 else "other"


def _arabic(count: int) -> str:
    """The rule of CLDR for whole numbers."""
    if count in {0, 1, 2}:
        return ("zero", "one", "two")[count]
    rest = count % 100
    if 3 <= rest <= 10:  # noqa: PLR2004 - the rule's own figures
        return "few"
    return "many" if 11 <= rest <= 99 else "other"  # noqa: PLR2004 - the rule's own figures


FORMS: Final[Mapping[str, tuple[Callable[[int], str], tuple[str, ...]]]] = {
    "en": (_english, ("one", "other")),
    "ar": (_arabic, ("zero", "one", "two", "few", "many", "other")),
}
"""How each language chooses the form of a number, and which forms it has."""

LANGUAGES: Final = tuple(FORMS)
_RIGHT_TO_LEFT: Final = frozenset({"ar"})


@dataclass(frozen=True, slots=True)
class Catalogue:
    """One language: its code, its own name, and its sentences."""

    code: str
    texts: Mapping[str, str | Mapping[str, str]]

    @property
    def direction(self) -> str:
        """``rtl`` or ``ltr``."""
        return "rtl" if self.code in _RIGHT_TO_LEFT else "ltr"

    @property
    def name(self) -> str:
        """What the language calls itself."""
        return str(self.texts["language.name"])

    def say(self, key: str, /, **values: object) -> Markup:
        """The sentence of `key`, with `values` in their places, each of them escaped.

        Where its form depends on a number, that is the value `count`. Raises `KeyError` for a key
        that there is not.
        """
        found = self.texts[key]
        if not isinstance(found, str):
            choose, _ = FORMS[self.code]
            found = found[choose(int(str(values.get("count", 0))))]
        return Markup(escape(found)).format(**values)  # noqa: S704 - escaped before it is marked

    def reason(self, reason: Reason) -> str:
        """Why a post is where it is; the core's own sentence where no other was written."""
        found = self.texts.get(f"reason.{reason.value}")
        return found if isinstance(found, str) else SENTENCES[reason]


@cache
def catalogue(code: str) -> Catalogue:
    """The catalogue of one of `LANGUAGES`."""
    folder = files("bridge.surfaces.web") / "catalogues"
    return Catalogue(code, json.loads((folder / f"{code}.json").read_text(encoding="utf-8")))


def chosen(asked: str | None, accepted: str) -> Catalogue:
    """The language that a reader has `asked` for, else the best that the browser accepts."""
    if asked in LANGUAGES:
        return catalogue(asked)
    best, best_weight = FALLBACK, 0.0
    for item in accepted.split(",")[:MOST_PREFERENCES]:
        name, _, parameter = item.strip().partition(";")
        code = name.strip().lower().partition("-")[0]
        weight = _weight(parameter)
        if code in LANGUAGES and weight > best_weight:
            best, best_weight = code, weight
    return catalogue(best)


def _weight(parameter: str) -> float:
    name, _, value = parameter.strip().partition("=")
    if name != "q":
        return 1.0
    try:
        return min(max(float(value), 0.0), 1.0)
    except ValueError:
        return 0.0
