"""What a scalar may mean: durations, times, addresses, audiences, each read from its text.

Every function takes the text and returns the value, or raises `ValueError` with a sentence that
says what is expected. Pure; must not know where a text came from.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from ipaddress import ip_address
from urllib.parse import urlsplit

from bridge.core.model import Microdollars, Visibility
from bridge.core.switches import LONGEST_MARKER, Marker, marker
from bridge.core.timing import Cron, Every, FromBeginning, FromDate, FromNow, Interval, Start

_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
_DURATION = re.compile(r"(?:\d+(?:\.\d+)?[smhd])+", re.ASCII)
_PIECE = re.compile(r"(\d+(?:\.\d+)?)([smhd])", re.ASCII)
_WEEKDAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_CRON_FIELDS = ((0, 59, ()), (0, 23, ()), (1, 31, ()), (1, 12, _MONTHS), (0, 7, _WEEKDAYS))
_QUOTES = frozenset("\"'`“”‘’„‚«»")
_ASSIGNED = re.compile(r"(?:export\s++|set\s++)?([A-Za-z]\w*+)\s*+=\s*+(?=[^=\s])", re.ASCII)
_ASSIGNABLE = frozenset({"token", "secret", "key"})
_BEARER = re.compile(r"bearer\s", re.IGNORECASE)
LONGEST = timedelta(days=366)
PREMIUM_LENGTH = 25_000


def boolean(text: str) -> bool:
    """``true`` or ``false``, also ``yes``, ``no``, ``on``, ``off``."""
    word = text.lower()
    if word in {"true", "yes", "on"}:
        return True
    if word in {"false", "no", "off"}:
        return False
    raise ValueError("expected true or false")


def duration(text: str) -> timedelta:
    """``90s``, ``5m``, ``1h30m``, ``2d``; a bare ``0`` too."""
    if text == "0":
        return timedelta(0)
    if not _DURATION.fullmatch(text):
        raise ValueError("expected a duration such as 30s, 5m, 1h30m or 2d")
    seconds = sum(float(number) * _UNITS[unit] for number, unit in _PIECE.findall(text))
    if seconds > LONGEST.total_seconds():
        raise ValueError("longer than a year")
    return timedelta(seconds=seconds)


def at_least(least: str, zero: str = "") -> Callable[[str], timedelta]:
    """A reader for durations from `least` on, and for the word `zero`, which stands for none."""
    shortest = duration(least)
    expected = f"expected at least {least}" + (f", or {zero}" if zero else "")

    def read(text: str) -> timedelta:
        if zero and text == zero:
            return timedelta(0)
        period = duration(text)
        if period < shortest:
            raise ValueError(expected)
        return period

    return read


def whole(low: int, high: int, zero: str = "") -> Callable[[str], int]:
    """A reader for numbers from `low` to `high`, and for the word `zero`, which stands for 0."""
    expected = f"expected a number from {low} to {high}" + (f", or {zero}" if zero else "")

    def read(text: str) -> int:
        if zero and text == zero:
            return 0
        if not _is_number(text, low, high):
            raise ValueError(expected)
        return int(text)

    return read


def every(text: str) -> Every:
    """A duration of at least one second, or a cron expression of five fields (UTC)."""
    if len(text.split()) > 1 or text.startswith("*"):
        return _cron(text)
    return Interval(at_least("1s")(text))


def _cron(text: str) -> Cron:
    fields = text.split()
    if len(fields) != len(_CRON_FIELDS):
        raise ValueError("expected a duration, or a cron expression of five fields")
    chosen = [
        _cron_field(field, *limits) for field, limits in zip(fields, _CRON_FIELDS, strict=True)
    ]
    if fields[4] != "*":
        # By name, since schedulers disagree on which day of the week is 0; to cron it is Sunday.
        fields[4] = ",".join(_WEEKDAYS[day] for day in sorted({day % 7 for day in chosen[4]}))
    return Cron(" ".join(fields))


def _cron_field(field: str, low: int, high: int, names: tuple[str, ...]) -> list[int]:
    """Every number that a field stands for."""
    numbers: list[int] = []
    for item in field.split(","):
        span, slash, step = item.partition("/")
        if slash and not _is_number(step, 1, high):
            raise ValueError(f"{item} is no cron field: expected a step from 1 to {high}")
        first, dash, last = span.partition("-")
        if span == "*":
            begin, end = low, high
        else:
            begin = _cron_number(first, low, high, names)
            end = _cron_number(last, low, high, names) if dash else begin
        if end < begin:
            raise ValueError(f"{item} is no cron field: {last} comes before {first}")
        numbers += range(begin, (high if slash and not dash else end) + 1, int(step or 1))
    return numbers


def _cron_number(text: str, low: int, high: int, names: tuple[str, ...]) -> int:
    if text.lower() in names:
        return names.index(text.lower()) + low
    if not _is_number(text, low, high):
        raise ValueError(f"{text} is no cron field between {low} and {high}")
    return int(text)


def _is_number(text: str, low: int, high: int) -> bool:
    return text.isascii() and text.isdigit() and low <= int(text) <= high


def start(text: str) -> Start:
    """``now``, ``beginning``, or an ISO date or time (UTC where it names no zone)."""
    if text == "now":
        return FromNow()
    if text == "beginning":
        return FromBeginning()
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        try:
            at = datetime.combine(date.fromisoformat(text), datetime.min.time())
        except ValueError:
            raise ValueError("expected now, beginning, or a date such as 2026-11-22") from None
    return FromDate(at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC))


def url(text: str) -> str:
    """An ``https`` address without path, or plain ``http`` on this machine only."""
    try:
        parts = urlsplit(text)
        host, port = parts.hostname, parts.port
    except ValueError:
        raise ValueError("expected an address such as https://mastodon.example") from None
    if parts.scheme not in {"http", "https"} or not host:
        raise ValueError("expected an address such as https://mastodon.example")
    if parts.username is not None or parts.password is not None:
        raise ValueError("expected an address without a name or password in it")
    if parts.path.strip("/") or parts.query or parts.fragment:
        raise ValueError("expected the server's address alone, without a path")
    if parts.scheme == "http" and not _is_loopback(host):
        raise ValueError("expected https: plain http is for this machine (127.0.0.1) only")
    shown = f"[{host}]" if ":" in host else host
    return f"{parts.scheme}://{shown}" + (f":{port}" if port else "")


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def source_audience(text: str) -> Visibility:
    """An audience that may cross from Mastodon."""
    if text in {"private", "direct"}:
        raise ValueError(f"{text} posts never cross: X would show them to everybody")
    if text not in {"public", "unlisted"}:
        raise ValueError("expected public or unlisted")
    return Visibility(text)


def mirror_visibility(text: str) -> Visibility:
    """The visibility of a mirror on Mastodon."""
    if text not in {"public", "unlisted", "private"}:
        raise ValueError("expected public, unlisted or private")
    return Visibility(text)


def bridge_name(text: str) -> str:
    """A short name of small letters, digits, ``-`` and ``_``."""
    if not re.fullmatch(r"[a-z0-9][a-z0-9_-]{0,63}", text):
        raise ValueError("expected a short name of small letters, digits, - and _")
    return text


def x_length_limit(text: str) -> int:
    """A length limit on X: 280, or up to 25000 on Premium."""
    if not _is_number(text, 1, PREMIUM_LENGTH):
        raise ValueError("expected a number from 1 to 25000: 280, or what Premium allows")
    return int(text)


def one_of(*choices: str) -> Callable[[str], str]:
    """A reader for one of a few words."""

    def read(text: str) -> str:
        if text not in choices:
            raise ValueError(f"expected {', '.join(choices[:-1])} or {choices[-1]}")
        return text

    return read


def marked(text: str) -> Marker:
    """What to look for in a post: ``#hashtag``, words, or ``/pattern/``."""
    return marker(text)


def words(text: str) -> str:
    """Some words on one line."""
    if not text.strip() or not text.isprintable() or len(text) > LONGEST_MARKER:
        raise ValueError(f"expected some words on one line, {LONGEST_MARKER} characters at most")
    return text.strip()


def language(text: str) -> str:
    """A code of ISO 639, with or without a region: ``en``, ``pt-BR``."""
    if not re.fullmatch(r"[A-Za-z]{2,3}(?:[-_][A-Za-z0-9]{2,8}){0,2}", text):
        raise ValueError("expected a language's code such as en or pt-BR")
    return text


def dollars(text: str) -> Microdollars:
    """An amount of US dollars, with or without the sign: ``0.10``, ``$1``."""
    if not re.fullmatch(r"\$?\d{1,6}(?:\.\d{1,6})?", text, re.ASCII):
        raise ValueError("expected an amount in US dollars such as 0.10")
    return Microdollars(int(Decimal(text.lstrip("$")).scaleb(6)))


def token(text: str) -> str:
    """A secret: anything that can be sent in an HTTP header.

    What copying or an env file has put around it is named, since a server only says that it
    does not know such a token. No message quotes any of it.
    """
    assigned = _ASSIGNED.match(text)
    if assigned and ("_" in assigned[1] or assigned[1].lower() in _ASSIGNABLE):
        what = f"{assigned[1]}=" if assigned[1].isupper() else "a name and ="
        raise ValueError(f"begins with {what}; keep only what follows the =")
    if len(text) > 1 and text[0] in _QUOTES and text[-1] in _QUOTES:
        raise ValueError(
            "is in quotes that are part of the value; remove them (an env file keeps quotes)"
        )
    if _BEARER.match(text):
        raise ValueError("begins with the word Bearer; keep only the token after it")
    for character in text:
        if not (character.isascii() and character.isprintable()):
            name = unicodedata.name(character, "control character").lower()
            raise ValueError(
                f"contains U+{ord(character):04X} ({name}), which no token does; copy it again"
            )
    if not text or " " in text:
        raise ValueError("expected a token: letters, digits and signs without a space")
    return text


def handle(text: str) -> str:
    """``@name`` or ``@name@server``."""
    if not re.fullmatch(r"@[\w.-]+(?:@[\w.-]+)?", text):
        raise ValueError("expected a handle such as @bob@mastodon.social or @bobx")
    return text
