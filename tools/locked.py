"""Reads the lock files: which packages are pinned, with which hashes, and what asks for them.

Must not look at what is installed: what is said of a lock must be true wherever it is read.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
RUNS = ROOT / "requirements.lock"
RUNS_WHOLE = ROOT / "requirements-extras.lock"
DEVELOPS = ROOT / "requirements-dev.lock"

_HEAD = re.compile(r"([A-Za-z0-9][A-Za-z0-9._-]*)(?:\[[^]]*\])?==([^\s;\\]+)\s*(?:;\s*([^\\]+))?")
_HASH = re.compile(r"--hash=sha256:([0-9a-f]{64})")


@dataclass(frozen=True, slots=True)
class Pinned:
    """One package of a lock. `marker` says where it is installed; empty for everywhere.

    `asked_by` are the names of the packages that need it; the project's own is ``twinpost``.
    """

    name: str
    version: str
    hashes: tuple[str, ...]
    marker: str = ""
    asked_by: tuple[str, ...] = ()


def pinned(lock: Path) -> tuple[Pinned, ...]:
    """Every package of `lock`, in its order. Raises `ValueError` for what is not pinned."""
    text = re.sub(r"(?m)^#.*\n", "", lock.read_text(encoding="utf-8")).strip()
    return tuple(_package(entry) for entry in re.split(r"\n(?=\S)", text))


def _package(entry: str) -> Pinned:
    head = _HEAD.match(entry)
    if head is None:
        raise ValueError(f"not pinned: {entry.splitlines()[0]}")
    name, version, marker = head.groups()
    told = (line.removeprefix("via").split() for line in re.findall(r"(?m)^\s*#\s*(.*)$", entry))
    # `-c` names a lock that this one agrees with, and needs nothing.
    askers = {plain_name(words[0]) for words in told if words and words[0] != "-c"}
    asked_by = sorted("twinpost" if one.startswith("twinpost") else one for one in askers)
    hashes = tuple(_HASH.findall(entry))
    return Pinned(plain_name(name), version, hashes, (marker or "").strip(), tuple(asked_by))


def plain_name(name: str) -> str:
    """One spelling of a package's name, of the many that mean the same."""
    return re.sub(r"[-_.]+", "-", name.partition("[")[0]).lower()
