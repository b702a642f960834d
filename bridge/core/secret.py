"""A value that must not be shown: every way of printing it prints stars.

Must not compare or hash by content in a way that leaks it into a message.
"""

from __future__ import annotations


class Secret:
    """Holds a token or key. Only `reveal` gives it, at the place where it is sent."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        """The value itself."""
        return self._value

    def __repr__(self) -> str:
        return "Secret(***)"

    def __str__(self) -> str:
        return "***"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and self._value == other._value

    def __hash__(self) -> int:
        return hash(self._value)
