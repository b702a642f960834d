"""S12, S19: chance that guards something cannot be guessed, and what is installed is what was read.

Not proven here: that no package in the lock has a known hole. That takes a list which changes
daily, and is asked of `pip-audit -r requirements.lock` before a release.
"""

import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
LINT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["ruff"]["lint"]
LOCKS = tuple(sorted(ROOT.glob("requirements*.lock")))
PINNED = re.compile(r"^[a-z0-9][a-z0-9.\[\]_-]*==[^\s;]+( ; .+)?$", re.IGNORECASE)


def test_s12_guessable_chance_is_refused_by_the_linter_everywhere_in_the_bridge() -> None:
    assert LINT["select"] == ["ALL"]
    waived = [*LINT["ignore"]]
    for where, rules in LINT["per-file-ignores"].items():
        waived += rules if where.startswith("bridge") else []
    assert not [rule for rule in waived if "S311".startswith(rule)]


def test_s12_the_only_guessable_chance_is_how_long_to_wait() -> None:
    guessable = {
        module: [line.strip() for line in text.splitlines() if "random." in line]
        for module in (ROOT / "bridge").rglob("*.py")
        if re.search(r"(?m)^\s*(import random|from random )", text := module.read_text("utf-8"))
    }
    for lines in guessable.values():
        assert lines
        assert all(re.match(r"jitter ?=.* # noqa: S311", line) for line in lines), lines


@pytest.mark.parametrize("lock", LOCKS, ids=lambda lock: lock.name)
def test_s19_every_package_is_pinned_and_has_hashes_and_comes_from_no_named_host(
    lock: Path,
) -> None:
    text = lock.read_text(encoding="utf-8")
    assert "://" not in text
    entries = re.split(r"\n(?=\S)", re.sub(r"(?m)^#.*\n", "", text).strip())
    assert len(entries) > 10
    for entry in entries:
        package, *rest = entry.replace(" \\", "").split("\n")
        assert PINNED.match(package), package
        assert any(re.search(r"--hash=sha256:[0-9a-f]{64}", line) for line in rest), package


def test_s19_what_runs_is_locked_alike_for_those_who_develop_it() -> None:
    run, extras, dev = (
        set(re.findall(r"(?m)^([a-z0-9][^\s=]*==[^\s;]+)", lock.read_text(encoding="utf-8")))
        for lock in (ROOT / f"requirements{kind}.lock" for kind in ("", "-extras", "-dev"))
    )
    assert run < extras < dev


def test_s19_nothing_is_installed_without_its_hash() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    installs = [line for line in makefile.splitlines() if "$(PIP) install" in line]
    assert installs
    assert all("--require-hashes" in line or "--no-deps" in line for line in installs)
