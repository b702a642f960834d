"""A request's parameters as Rails sees them: query, form, multipart and JSON, nested by brackets.

Must not be kinder than Rails: a list where one value is permitted, or one value where a list is,
counts as not sent at all.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping

from aiohttp import web

from bridge.sandbox.mastodon.problems import ApiError

_PART = re.compile(r"\[([^\]]*)\]")
_FALSE = frozenset({"0", "f", "F", "false", "FALSE", "off", "OFF"})
_MAX_DEPTH = 8


class Params:
    """Permitted access to parameters, by the kind that the caller expects."""

    def __init__(self, values: Mapping[str, object]) -> None:
        self._values = values

    def __contains__(self, name: str) -> bool:
        return name in self._values

    def text(self, name: str) -> str | None:
        """The one value under `name` as text; None if absent, null or no single value."""
        value = self._values.get(name)
        if isinstance(value, bool):
            return "true" if value else "false"
        if isinstance(value, (str, int, float)):
            return str(value)
        return None

    def flag(self, name: str) -> bool | None:
        """The value as Rails casts it to a boolean: empty is None, and ``"False"`` is true."""
        text = self.text(name)
        return None if text is None or not text else text not in _FALSE

    def number(self, name: str) -> int | None:
        """The value as Ruby's `to_i` reads it: leading digits, else 0; None if absent or empty."""
        text = self.text(name)
        if text is None or not text:
            return None
        digits = re.match(r"\s*(-?\d{1,18})", text)
        return int(digits.group(1)) if digits else 0

    def texts(self, name: str) -> tuple[str, ...] | None:
        """The list under `name` (`name[]` in a form); None if absent or no list of plain values."""
        value = self._values.get(name)
        if not isinstance(value, list):
            return None
        return tuple(str(item) for item in value if isinstance(item, (str, int, float)))

    def group(self, name: str) -> Params | None:
        """The nested parameters under `name` (`name[key]` in a form)."""
        value = self._values.get(name)
        return Params(value) if isinstance(value, dict) else None

    def groups(self, name: str) -> tuple[Params, ...]:
        """The nested lists of parameters under `name` (`name[][key]` in a form)."""
        value = self._values.get(name)
        if isinstance(value, dict):
            value = list(value.values())
        if not isinstance(value, list):
            return ()
        return tuple(Params(item) for item in value if isinstance(item, dict))

    def file(self, name: str) -> web.FileField | None:
        """The uploaded file under `name`."""
        value = self._values.get(name)
        return value if isinstance(value, web.FileField) else None


async def read_params(request: web.Request) -> Params:
    """Query and body together, the body's value winning. Raises `ApiError` 400 if unreadable."""
    values = nested(request.query.items())
    if request.content_type == "application/json":
        values.update(await _json(request))
    elif request.content_type in {"application/x-www-form-urlencoded", "multipart/form-data"}:
        try:
            form = await request.post()
        except ValueError:
            raise ApiError(400, "Bad Request") from None
        values.update(nested(form.items()))
    return Params(values)


def nested(pairs: Iterable[tuple[str, object]]) -> dict[str, object]:
    """Names with brackets as Rack nests them; of one name given twice the last counts."""
    root: dict[str, object] = {}
    for name, value in pairs:
        head, _, rest = name.partition("[")
        keys = [head, *_PART.findall(f"[{rest}")] if rest else [head]
        if head and len(keys) <= _MAX_DEPTH:
            _put(root, keys, value)
    return root


async def _json(request: web.Request) -> dict[str, object]:
    raw = await request.read()
    if not raw.strip():
        return {}
    try:
        value = json.loads(raw)
    except (ValueError, RecursionError):
        raise ApiError(400, "There was a problem in the JSON you submitted") from None
    try:
        # Half a surrogate pair is no text: neither Ruby nor a database takes it.
        json.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        raise ApiError(400, "There was a problem in the JSON you submitted") from None
    return value if isinstance(value, dict) else {}


def _put(into: dict[str, object], keys: list[str], value: object) -> None:
    key, rest = keys[0], keys[1:]
    if not rest:
        into[key] = value
    elif rest[0]:
        below = into.get(key)
        if not isinstance(below, dict):
            below = into[key] = {}
        _put(below, rest, value)
    else:
        line = into.get(key)
        if not isinstance(line, list):
            line = into[key] = []
        _append(line, rest[1:], value)


def _append(line: list[object], keys: list[str], value: object) -> None:
    if not keys:
        line.append(value)
        return
    last = line[-1] if line else None
    # A key that the last group has already begins the next group, unless it is a list itself.
    if not isinstance(last, dict) or (len(keys) == 1 and keys[0] in last):
        last = {}
        line.append(last)
    _put(last, keys, value)
