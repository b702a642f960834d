"""YAML as a tree of values that remember their line. Must not know any key.

Only what configuration needs is accepted: mappings, sequences and scalars; no aliases, no tags, no
duplicate keys, and a cap on size and depth, so that a hostile file costs no more than a good one.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import yaml

from bridge.core.errors import ConfigError

REFERENCE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)(?::-((?:[^}\n$]|\$(?!\{))*+))?\}")
"""``${NAME}`` or ``${NAME:-default}``: group 1 is the name, group 2 the default.

A default ends where another reference begins: matching stays linear however often one begins.
"""

UNFINISHED = re.compile(r"\$\{[A-Za-z_]")
"""What is left of a reference that does not end, or has another one inside."""

_OPEN, _CLOSE = "\ue000", "\ue001"
MAX_BYTES = 256 * 1024
MAX_DEPTH = 12


@dataclass(frozen=True, slots=True)
class Scalar:
    """A value as it was written; `text` is None for an empty or null one. Lines count from 1."""

    line: int
    text: str | None


@dataclass(frozen=True, slots=True)
class Sequence:
    """A list."""

    line: int
    items: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Mapping:
    """A mapping in the order it was written; `lines` tells where each key stands."""

    line: int
    values: dict[str, Node]
    lines: dict[str, int]


Node = Scalar | Sequence | Mapping


def parse(text: str, path: Path) -> Node:
    """The tree of a document. Raises `ConfigError` naming file and line."""
    if len(text.encode("utf-8", "replace")) > MAX_BYTES:
        raise ConfigError(f"{path}: larger than {MAX_BYTES // 1024} KiB, which no configuration is")
    if _OPEN in text or _CLOSE in text:
        raise ConfigError(f"{path}: holds private-use characters, which have no meaning here")
    # Braces end a plain value inside {…}, where references are written all the same.
    sheltered = REFERENCE.sub(lambda match: f"{_OPEN}{match[0][2:-1]}{_CLOSE}", text)
    try:
        _no_aliases(sheltered, path)
        root = yaml.compose(sheltered, Loader=yaml.SafeLoader)
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise ConfigError(f"{path}:{line}: not valid YAML: {error.problem}") from None
    except (yaml.YAMLError, RecursionError):
        raise ConfigError(f"{path}: not valid YAML") from None
    if root is None:
        raise ConfigError(f"{path}: the file is empty; config.example.yaml shows what belongs here")
    return _convert(root, path, 1)


def _as_written(text: str) -> str:
    return text.replace(_OPEN, "${").replace(_CLOSE, "}")


def _no_aliases(text: str, path: Path) -> None:
    depth = 0
    for event in yaml.parse(text, Loader=yaml.SafeLoader):
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
            raise ConfigError(f"{path}:{_line(event)}: anchors and aliases are not used")
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
            if depth > MAX_DEPTH:
                raise ConfigError(f"{path}:{_line(event)}: nested too deeply")
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1


def _line(place: yaml.Event | yaml.Node) -> int:
    return place.start_mark.line + 1 if place.start_mark else 1


def _convert(node: yaml.Node, path: Path, depth: int) -> Node:
    line = _line(node)
    if isinstance(node, yaml.ScalarNode):
        if not node.tag.startswith("tag:yaml.org,2002:"):
            raise ConfigError(f"{path}:{line}: the tag {node.tag} is not used here")
        is_null = node.tag == "tag:yaml.org,2002:null"
        return Scalar(line, None if is_null else _as_written(str(node.value)))
    if isinstance(node, yaml.SequenceNode):
        return Sequence(line, tuple(_convert(item, path, depth + 1) for item in node.value))
    values: dict[str, Node] = {}
    lines: dict[str, int] = {}
    for key_node, value_node in node.value:
        key_line = _line(key_node)
        if not isinstance(key_node, yaml.ScalarNode):
            raise ConfigError(f"{path}:{key_line}: a key must be a plain word")
        key = str(key_node.value)
        if key in values:
            raise ConfigError(f"{path}:{key_line}: {key} stands twice, first on line {lines[key]}")
        values[key] = _convert(value_node, path, depth + 1)
        lines[key] = key_line
    return Mapping(line, values, lines)
