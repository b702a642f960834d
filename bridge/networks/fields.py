"""Reading fields out of JSON that may be missing, null, or of another type than documented.

Every reader returns a plain value or None and never raises, so that one odd field costs that
field and not the post. Must not know what any field means.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime

UNKNOWN_ID = "unknown"
"""Stands for an id that a server withheld although the thing it names exists."""

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
"""The date of a post without a readable one: older than any start, so nothing old pours out."""

_SURROGATE = re.compile("[\ud800-\udfff]")
_UNPRINTABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ufeff\ufffe\uffff]")
_WEB = re.compile(r"https?://[^/?#\s]+", re.IGNORECASE)
_UNSAFE_IN_ADDRESS = {ord(" "): "%20", ord('"'): "%22", ord("<"): "%3C", ord(">"): "%3E"}
_LONGEST_DATE = 64
_LARGEST_NUMBER = 2**53


def text_at(data: Mapping[str, object], key: str) -> str:
    """The string at `key`, or empty. Lone surrogates become U+FFFD, one for one."""
    value = data.get(key)
    return _SURROGATE.sub("\ufffd", value) if isinstance(value, str) else ""


def id_at(data: Mapping[str, object], key: str) -> str | None:
    """The id at `key`, given as string or integer; None for anything else, the empty id too."""
    return as_id(data.get(key))


def as_id(value: object) -> str | None:
    """An id as an opaque string. A float has lost digits already, so it names nothing."""
    if isinstance(value, str):
        return readable(value).strip() or None
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**128:
        return str(value)
    return None


def ids_at(data: Mapping[str, object], key: str) -> tuple[str, ...]:
    """The ids listed at `key`, each once, in order; empty ones are left out."""
    found = (as_id(value) for value in list_at(data, key))
    return tuple(dict.fromkeys(each for each in found if each is not None))


def flag_at(data: Mapping[str, object], key: str) -> bool | None:
    """The boolean at `key`; None where it is anything else."""
    value = data.get(key)
    return value if isinstance(value, bool) else None


def number_at(data: Mapping[str, object], key: str) -> int | None:
    """The non-negative integer at `key`, whole floats included; None where it is anything else."""
    value = data.get(key)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return int(value) if 0 <= value < _LARGEST_NUMBER and value == int(value) else None


def mapping_at(data: Mapping[str, object], key: str) -> Mapping[str, object]:
    """The object at `key`, or an empty one."""
    value = data.get(key)
    return value if isinstance(value, Mapping) else {}


def list_at(data: Mapping[str, object], key: str) -> tuple[object, ...]:
    """The array at `key`, or an empty one."""
    value = data.get(key)
    return tuple(value) if isinstance(value, list | tuple) else ()


def mappings_at(data: Mapping[str, object], key: str) -> tuple[Mapping[str, object], ...]:
    """The objects in the array at `key`; what is no object is left out."""
    return tuple(item for item in list_at(data, key) if isinstance(item, Mapping))


def moment_at(data: Mapping[str, object], key: str) -> datetime | None:
    """The date at `key` as aware UTC, from ISO 8601 or a `datetime`; None where unreadable.

    Both APIs speak UTC, so that is what a date without a zone is taken for.
    """
    value = data.get(key)
    try:
        if isinstance(value, str) and len(value) <= _LONGEST_DATE:
            value = datetime.fromisoformat(value.strip())
        if isinstance(value, datetime):
            aware = value if value.tzinfo else value.replace(tzinfo=UTC)
            return aware.astimezone(UTC)
    except (ValueError, OverflowError):
        pass
    return None


def web_address(value: object) -> str | None:
    """An http(s) address, cleaned as browsers clean it; None for any other scheme or value."""
    if not isinstance(value, str):
        return None
    address = readable(value).strip()
    if address.startswith("//"):
        address = f"https:{address}"
    if not _WEB.match(address):
        return None
    return re.sub(r"\s+", "", address.replace(" ", "%20")).translate(_UNSAFE_IN_ADDRESS)


def readable(text: str) -> str:
    """Text without control characters, byte order marks and noncharacters; line ends as LF.

    Lone surrogates, which nothing could write down, become U+FFFD.
    """
    if text.isprintable():
        # Nearly every piece of every post; none of what is removed below is printable.
        return text
    folded = text.replace("\r\n", "\n").replace("\r", "\n")
    return _SURROGATE.sub("\ufffd", _UNPRINTABLE.sub("", folded))
