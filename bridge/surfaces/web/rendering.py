"""Templates to pages: everything that is put into one is escaped, in every language.

The one place that imports the template engine. What comes from a network is text, never markup: its
control characters are made visible, its addresses are links only where they lead to the web.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, date, datetime
from functools import cache, partial
from typing import Any, Final
from urllib.parse import urlsplit

from jinja2 import ChoiceLoader, Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape

from bridge.core.model import Microdollars
from bridge.core.prices import in_dollars
from bridge.surfaces.web.catalogues import Catalogue
from bridge.surfaces.web.statics import address

_CONTROL: Final = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]")
_PICTURES: Final = 0x2400
"""Where the signs begin that stand for control characters."""


def visible(value: object) -> object:
    """A text with its control characters as signs; anything else, and markup, as it is."""
    if isinstance(value, Markup) or not isinstance(value, str):
        return value
    return _CONTROL.sub(_sign, value)


def _sign(match: re.Match[str]) -> str:
    code = ord(match[0])
    if code <= 0x1F:  # noqa: PLR2004 - ASCII's own border
        return chr(_PICTURES + code)
    return "\u2421" if code == 0x7F else "\ufffd"  # noqa: PLR2004 - delete


def web_address(url: str | None) -> str | None:
    """`url`, where a browser may be led there; None for every scheme but http and https."""
    if not url or any(ord(sign) <= 0x20 or ord(sign) == 0x7F for sign in url):  # noqa: PLR2004
        return None
    try:
        parts = urlsplit(url)
    except ValueError:
        return None
    return url if parts.scheme in {"http", "https"} and parts.hostname else None


def moment(at: datetime | None, otherwise: str = "") -> Markup | str:
    """A time that the script turns into the reader's own; without script it is UTC."""
    if at is None:
        return otherwise
    utc = at.astimezone(UTC)
    return Markup('<time datetime="{}" dir="ltr">{} UTC</time>').format(
        utc.strftime("%Y-%m-%dT%H:%M:%SZ"), utc.strftime("%Y-%m-%d %H:%M")
    )


def day(value: date) -> Markup:
    """A day of UTC."""
    return Markup('<time datetime="{0}" dir="ltr">{0}</time>').format(value.isoformat())


def money(amount: int) -> Markup:
    """Dollars, in one piece whichever way the text around them runs."""
    return Markup('<bdi dir="ltr" class="money">{}</bdi>').format(in_dollars(Microdollars(amount)))


def command(text: str) -> Markup:
    """A command to be typed."""
    return Markup('<code dir="ltr">{}</code>').format(text)


def foreign(text: str) -> Markup:
    """Words from elsewhere inside of a sentence: they cannot turn it around."""
    return Markup('<bdi dir="auto">{}</bdi>').format(visible(text))


def ticked(text: str) -> Markup:
    """A sentence of ours with what stands between backticks as something to be typed."""
    pieces = text.split("`")
    return Markup("").join(
        command(piece) if place % 2 and place < len(pieces) - 1 else piece
        for place, piece in enumerate(pieces)
    )


@cache
def _environment(*packages: str) -> Environment:
    """The templates of `packages`, compiled once a process: a reload need not wait for that."""
    made = Environment(
        loader=ChoiceLoader([PackageLoader(name, "templates") for name in packages]),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=visible,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    made.globals.update(
        moment=moment,
        day=day,
        money=money,
        command=command,
        foreign=foreign,
        ticked=ticked,
        static=address,
    )
    made.filters["web_address"] = web_address
    return made


class Renderer:
    """Renders the templates of this package, and of `others` that draw with the same parts."""

    def __init__(self, *others: str) -> None:
        self._environment = _environment("bridge.surfaces.web", *others)

    def page(self, name: str, language: Catalogue, facts: Mapping[str, Any]) -> bytes:
        """The document `name` as UTF-8."""
        text = self._environment.get_template(name).render(
            {**facts, "t": partial(_said, language), "language": language}
        )
        return text.encode("utf-8", "replace")


def _said(language: Catalogue, key: str, /, **values: object) -> Markup:
    return language.say(key, **{name: escape(visible(value)) for name, value in values.items()})
