"""Remembering what was found in a text, for as long as one post is worked on.

The same text is asked about again and again on its way: by what defuses it, cuts it, counts it,
checks the cut and names the price. Outside of `recalling` nothing is kept, so that no post stays
in memory. Must not know what is looked for; what is remembered must never change afterwards.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import wraps
from typing import TypeVar, cast

Found = TypeVar("Found")

_MEMORY: ContextVar[dict[tuple[object, str], object] | None] = ContextVar("memory", default=None)


@contextmanager
def recalling() -> Iterator[None]:
    """While this lasts, what `recalled` marks looks at each text but once. May be nested."""
    if _MEMORY.get() is not None:
        yield
        return
    token = _MEMORY.set({})
    try:
        yield
    finally:
        _MEMORY.reset(token)


def recalled(find: Callable[[str], Found]) -> Callable[[str], Found]:
    """`find`, a pure function whose results are immutable and never None, remembering them."""

    @wraps(find)
    def found(text: str) -> Found:
        memory = _MEMORY.get()
        if memory is None:
            return find(text)
        known = memory.get((find, text))
        if known is None:
            known = memory[find, text] = find(text)
        return cast("Found", known)

    return found
