"""What a key and a section are: the terms in which `keys` declares the configuration.

Values only. Must not name any key.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from bridge.config import values

Shape = Literal["string", "boolean", "integer"]


@dataclass(frozen=True, slots=True)
class Key:
    """One value. `parse` turns its text into the setting, or raises `ValueError`.

    `default` is how it would be written; None where there is none. A secret may be given as
    `<name>_file` instead. `many` takes a list, with `may_be_empty` also one of nothing; `mapping`
    takes a mapping of texts.
    """

    name: str
    doc: str
    parse: Callable[[str], object]
    default: str | None = None
    required: bool = False
    secret: bool = False
    many: bool = False
    may_be_empty: bool = False
    mapping: bool = False
    choices: tuple[str, ...] = ()
    shape: Shape = "string"


@dataclass(frozen=True, slots=True)
class Section:
    """A mapping of keys and further sections. `many` makes it a list of such mappings."""

    name: str
    doc: str
    keys: tuple[Key | Section, ...]
    required: bool = False
    many: bool = False

    def child(self, name: str) -> Key | Section | None:
        """The key or section of that name, a secret's ``_file`` form included."""
        for key in self.keys:
            if key.name == name:
                return key
            if isinstance(key, Key) and key.secret and name == f"{key.name}_file":
                return key
        return None

    def names(self) -> tuple[str, ...]:
        """Every name that may stand here."""
        plain = [key.name for key in self.keys]
        files = [f"{k.name}_file" for k in self.keys if isinstance(k, Key) and k.secret]
        return tuple(plain + files)


def switch(name: str, doc: str, *, default: bool | None) -> Key:
    """A key that is true or false; None for no default."""
    return Key(
        name,
        doc,
        values.boolean,
        default=None if default is None else str(default).lower(),
        choices=("true", "false"),
        shape="boolean",
    )


def choice(name: str, doc: str, *choices: str) -> Key:
    """A key with a few values; the first is the default."""
    return Key(name, doc, values.one_of(*choices), default=choices[0], choices=choices)
