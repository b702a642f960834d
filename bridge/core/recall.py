"""Remembering what was found in a text, for as long as one post is worked on.

The same text is asked about again and again on its way: by what defuses it, cuts it, counts it,
checks the cut and names the price. Outside of `recalling` nothing is kept, so that no post stays
in memory. Must not know what is looked for; what is remembered must never change afterwards.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import wraps
from typing import Any, ParamSpec, TypeVar

Given = ParamSpec("Given")
Found = TypeVar("Found")

_MEMORY: ContextVar[dict[Hashable, Any] | None] = ContextVar("memory", default=None)


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


def recalled(find: Callable[Given, Found]) -> Callable[Given, Found]:
    """`find`, a pure function whose results are immutable and never None, remembering them.

    Only calls by position are remembered, with arguments that can be keys.
    """

    @wraps(find)
    def found(*args: Given.args, **kwargs: Given.kwargs) -> Found:
        memory = _MEMORY.get()
        if memory is None or kwargs:
            return find(*args, **kwargs)
        key = (find, *args)
        known: Found | None = memory.get(key)
        if known is None:
            known = memory[key] = find(*args, **kwargs)
        return known

    return found
