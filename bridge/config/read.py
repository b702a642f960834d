"""From a tree of YAML values to typed ones, by the declaration in `keys`.

Collects every fault with its line, key and a suggestion, so that one run mends a whole file. A
value is never repeated in a message where it may be secret.
"""

from __future__ import annotations

import difflib
import os
import re
from collections.abc import Mapping as AnyMapping
from dataclasses import dataclass, field
from pathlib import Path

from bridge.config.declared import Key, Section
from bridge.config.document import REFERENCE, UNFINISHED, Mapping, Node, Scalar, Sequence

_MAX_SECRET_BYTES = 64 * 1024
_NEEDS_QUOTES = 'what begins with # needs quotes, as in ["#noxp"]'
_RUN_SECRETS = Path("/run/secrets")
_MARKS = {
    b"\xef\xbb\xbf": "begins with a byte order mark",
    b"\xff\xfe": "is UTF-16 with a byte order mark",
    b"\xfe\xff": "is UTF-16 with a byte order mark",
}
"""What some editors put before the text, and no server takes for part of a token."""

Values = dict[str, object]


@dataclass(slots=True)
class Reader:
    """Reads one document. `faults` fills up; the caller raises when there are any."""

    path: Path
    environ: AnyMapping[str, str]
    faults: list[tuple[int, str]] = field(default_factory=list)

    def section(self, section: Section, node: Node, where: str = "") -> Values:
        """The values of one mapping by name; defaults filled in, unknown keys reported."""
        if not isinstance(node, Mapping):
            self.fault(node.line, where, f"expected keys such as {section.keys[0].name}:")
            return {}
        for name in node.values:
            if section.child(name) is None:
                self._unknown(section, name, node.lines[name], where)
        found: Values = {}
        for key in section.keys:
            full = f"{where}.{key.name}" if where else key.name
            child = node.values.get(key.name)
            if isinstance(key, Section):
                found[key.name] = self._subsection(key, child, full, node.line)
            elif key.secret:
                found[key.name] = self._secret(key, node, full)
            else:
                found[key.name] = self._value(key, child, full, node.line)
        return found

    def fault(self, line: int, where: str, what: str) -> None:
        """Note a fault for a person."""
        self.faults.append((line, f"{where}: {what}" if where else what))

    def report(self) -> str:
        """All faults in the order of the file, one a line: ``FILE:LINE: KEY: WHAT``."""
        return "\n".join(f"{self.path}:{line}: {fault}" for line, fault in sorted(self.faults))

    def _unknown(self, section: Section, name: str, line: int, where: str) -> None:
        close = difflib.get_close_matches(name, section.names(), n=1)
        hint = f"did you mean {close[0]}?" if close else f"known: {', '.join(section.names())}"
        self.fault(line, f"{where}.{name}" if where else name, f"there is no such key; {hint}")

    def _subsection(self, section: Section, node: Node | None, where: str, line: int) -> object:
        if node is None or (isinstance(node, Scalar) and node.text is None):
            if section.required:
                self.fault(line, where, f"missing. {section.doc}")
            return None
        if not section.many:
            return self.section(section, node, where)
        if not isinstance(node, Sequence) or not node.items:
            self.fault(node.line, where, "expected a list with at least one entry")
            return None
        return [
            (item.line, self.section(section, item, f"{where}[{index}]"))
            for index, item in enumerate(node.items)
        ]

    def _value(self, key: Key, node: Node | None, where: str, line: int) -> object:
        if node is None or (isinstance(node, Scalar) and node.text is None):
            if key.required:
                self.fault(line, where, f"missing. {key.doc}")
            elif node is not None and key.many:
                # An unquoted #hashtag is a comment: what was meant as a bound would bound nothing.
                self.fault(node.line, where, f"empty; {_NEEDS_QUOTES}, and [] says none")
            return None
        if key.mapping:
            return self._mapping(key, node, where)
        if key.many:
            items = node.items if isinstance(node, Sequence) else (node,)
            if not items and not key.may_be_empty:
                self.fault(node.line, where, f"empty; expected one or more of {_choices(key)}")
            return [self._scalar(key, item, where) for item in items]
        return self._scalar(key, node, where)

    def _mapping(self, key: Key, node: Node, where: str) -> dict[object, object]:
        if not isinstance(node, Mapping):
            self.fault(node.line, where, "expected a mapping, one pair on each line")
            return {}
        return {
            self._parsed(key, name, where, node.lines[name]): self._scalar(key, value, where)
            for name, value in node.values.items()
        }

    def _scalar(self, key: Key, node: Node, where: str) -> object:
        if not isinstance(node, Scalar):
            self.fault(node.line, where, "expected a single value")
            return None
        if node.text is None and key.many:
            self.fault(node.line, where, f"empty; {_NEEDS_QUOTES}")
            return None
        text = self._resolved(node, where)
        return None if text is None else self._parsed(key, text, where, node.line)

    def _parsed(self, key: Key, text: str, where: str, line: int) -> object:
        try:
            return key.parse(text.strip())
        except ValueError as error:
            close = difflib.get_close_matches(text, key.choices, n=1, cutoff=0.5)
            hint = f"; did you mean {close[0]}?" if close and close[0] != text else ""
            shown = "" if key.secret else f"{text!r}: "
            self.fault(line, where, f"{shown}{error}{hint}")
            return None

    def _resolved(self, node: Scalar, where: str) -> str | None:
        """The text with ``${NAME}`` and ``${NAME:-default}`` replaced; None after a fault."""
        missing: list[str] = []

        def replace(match: re.Match[str]) -> str:
            value = self.environ.get(match[1])
            if not value and match[2] is not None:
                return match[2]
            if value is None:
                missing.append(match[1])
            return value or ""

        if UNFINISHED.search(REFERENCE.sub("", node.text or "")):
            what = "a reference without its }, or inside another one"
            self.fault(node.line, where, f"{what}; write ${{NAME}} or ${{NAME:-default}}")
            return None
        text = REFERENCE.sub(replace, node.text or "")
        if missing:
            names = ", ".join(missing)
            self.fault(node.line, where, f"the environment variable {names} is not set")
            return None
        return text

    def _secret(self, key: Key, node: Mapping, where: str) -> object:
        file_name = f"{key.name}_file"
        inline, file = node.values.get(key.name), node.values.get(file_name)
        if inline is not None and file is not None:
            self.fault(file.line, where, f"given twice, here and as {file_name}; keep one")
            return None
        if file is None:
            return self._value(key, inline, where, node.line)
        if not isinstance(file, Scalar):
            self.fault(file.line, f"{where}_file", "expected a file's name")
            return None
        name = self._resolved(file, f"{where}_file")
        if name is None:
            return None
        text = self._contents(name, file.line, f"{where}_file")
        return None if text is None else self._parsed(key, text, f"{where}_file", file.line)

    def _contents(self, name: str, line: int, where: str) -> str | None:
        """What a secret's file holds; None after a fault."""
        try:
            places = self._places(Path(name).expanduser())
        except RuntimeError:
            self.fault(line, where, f"{name}: there is no such user on this machine")
            return None
        for place in places:
            try:
                with place.open("rb") as file:
                    content = file.read(_MAX_SECRET_BYTES)
                if mark := _MARKS.get(content[:2]) or _MARKS.get(content[:3]):
                    self.fault(line, where, f"{place} {mark}; save it as plain UTF-8")
                    return None
                return content.decode().strip()
            except (FileNotFoundError, NotADirectoryError):
                continue
            except (OSError, ValueError) as error:
                self.fault(line, where, _unreadable(place, error))
                return None
        folders = ", ".join(str(folder) for folder in self._folders)
        looked = f" in any of these folders: {folders}" if len(places) > 1 else ""
        self.fault(line, where, f"there is no file {name}{looked}")
        return None

    def _places(self, name: Path) -> list[Path]:
        """Where a secret's file may stand, the first that is there counts.

        Never where one happens to stand: a service and a shell would read different files.
        """
        return [name] if name.is_absolute() else [folder / name for folder in self._folders]

    @property
    def _folders(self) -> list[Path]:
        # What the service manager hands out is meant, whatever lies beside the configuration.
        handed = self.environ.get("CREDENTIALS_DIRECTORY")
        beside = self.path.resolve().parent
        return [*([Path(handed)] if handed else []), beside, _RUN_SECRETS]


def _unreadable(place: Path, error: OSError | ValueError) -> str:
    """Why a file that was to hold a secret gives none, in words that never quote it."""
    match error:
        case PermissionError():
            user = f"this user (uid {os.geteuid()})"
            return f"{place}: {user} may not read it; give it that right, or run as its owner"
        case IsADirectoryError():
            return f"{place} is a folder, not a file"
        case UnicodeDecodeError():
            return f"{place} holds no text in UTF-8"
        case OSError():
            return f"{place} cannot be read: {error.strerror}"
        case _:
            return f"{place!s} is no name of a file"


def _choices(key: Key) -> str:
    return ", ".join(key.choices)
