"""Asks whether any locked package has a known hole, and never takes silence for a no.

    python -m tools.audit [--lenient]

pip-audit asks the advisory service. By itself it ends well where that does not know a package, or
was asked through a mirror that has no advisories: here every package that was not answered for is
named. Exit codes: 0 all were asked about, and none has a known hole; 1 some have one; 3 not all
could be asked about, which `--lenient` says, too, but takes for 0.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from tools.locked import DEVELOPS, RUNS_WHOLE, Pinned, pinned, plain_name

HOLES, NOT_ASKED = 1, 3
TIMEOUT = 600
"""Seconds for all of it."""

Ask = Callable[[Sequence[Pinned]], str]
"""Given packages, the JSON that pip-audit answers; anything else where it could not."""


@dataclass(frozen=True, slots=True)
class Hole:
    """A known hole of a package. `mended` are the versions without it."""

    package: Pinned
    name: str
    mended: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Found:
    """What an audit came to; `unasked` are those of which nothing is known."""

    holes: tuple[Hole, ...]
    unasked: tuple[Pinned, ...]


def found(packages: Sequence[Pinned], answer: str) -> Found:
    """What `answer` says of `packages`. What it does not speak of has not been asked about."""
    told = _told(answer)
    holes: list[Hole] = []
    unasked: list[Pinned] = []
    for package in packages:
        advisories = told.get((package.name, package.version))
        if advisories is None:
            unasked.append(package)
            continue
        for advisory in advisories:
            mended = tuple(str(one) for one in advisory.get("fix_versions") or ())
            holes.append(Hole(package, str(advisory.get("id", "an unnamed one")), mended))
    return Found(tuple(holes), tuple(unasked))


def _told(answer: str) -> dict[tuple[str, str], list[dict[str, Any]]]:
    try:
        dependencies = json.loads(answer)["dependencies"]
        return {
            (plain_name(one["name"]), one["version"]): list(one["vulns"])
            for one in dependencies
            if "skip_reason" not in one
        }
    except (ValueError, KeyError, TypeError):
        return {}


def ask_service(packages: Sequence[Pinned]) -> str:
    """Have pip-audit ask about exactly these versions, whatever machine they are for."""
    with tempfile.NamedTemporaryFile("w", suffix=".txt", encoding="utf-8") as file:
        for one in packages:
            hashes = " ".join(f"--hash=sha256:{sha256}" for sha256 in one.hashes)
            print(f"{one.name}=={one.version} {hashes}", file=file)
        file.flush()
        command = [sys.executable, "-m", "pip_audit", "--disable-pip", "--require-hashes"]
        command += ["--progress-spinner=off", "--format=json", f"--requirement={file.name}"]
        try:
            done = subprocess.run(  # noqa: S603 - made here, of what a lock pins
                command, capture_output=True, text=True, check=False, timeout=TIMEOUT
            )
        except subprocess.TimeoutExpired:
            return ""
    return done.stdout


def main(arguments: Sequence[str], ask: Ask = ask_service) -> int:
    """Ask, and say what came of it."""
    packages = pinned(DEVELOPS)
    what = found(packages, ask(packages))
    runs = {package.name for package in pinned(RUNS_WHOLE)}
    for hole in what.holes:
        where = "runs" if hole.package.name in runs else "is for developing alone"
        mended = ", ".join(hole.mended) or "no version yet"
        print(
            f"KNOWN HOLE: {hole.package.name} {hole.package.version} ({where}): {hole.name}; "
            f"mended in {mended}"
        )
    asked = len(packages) - len(what.unasked)
    print(f"{asked} of {len(packages)} locked packages were asked about")
    print(f"known holes in those: {len(what.holes)}")
    if what.unasked:
        names = ", ".join(f"{one.name} {one.version}" for one in what.unasked)
        print(f"NOT ASKED ABOUT, so nothing is known of them: {names}")
        print("The advisory service did not answer for them. Try again where it can be reached.")
    if what.holes:
        return HOLES
    return NOT_ASKED if what.unasked and "--lenient" not in arguments else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
