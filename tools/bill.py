"""Writes the bill of materials: what a running twinpost consists of, as CycloneDX 1.6.

    python -m tools.bill FILE

Read from the hashed lock alone, so that it needs no network, and says the same each time that it is
made of the same lock.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from bridge import __version__
from tools.locked import RUNS_WHOLE, Pinned, pinned

OWN = f"pkg:pypi/twinpost@{__version__}"


def bill(packages: Sequence[Pinned]) -> dict[str, Any]:
    """The bill as CycloneDX has it: components with their hashes, and what depends on what."""
    names = {package.name: _url(package) for package in packages}
    needs: dict[str, list[str]] = {OWN: [], **{url: [] for url in names.values()}}
    for package in packages:
        for asker in package.asked_by:
            needs[OWN if asker == "twinpost" else names[asker]].append(names[package.name])
    own = {"type": "application", "bom-ref": OWN, "name": "twinpost", "version": __version__}
    return {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {"component": {**own, "purl": OWN, "licenses": [{"license": {"id": "MIT"}}]}},
        "components": [_component(package) for package in packages],
        "dependencies": [
            {"ref": ref, "dependsOn": sorted(on)} for ref, on in sorted(needs.items())
        ],
    }


def _component(package: Pinned) -> dict[str, Any]:
    found: dict[str, Any] = {
        "type": "library",
        "bom-ref": _url(package),
        "name": package.name,
        "version": package.version,
        "purl": _url(package),
        # One for each file that the index has of this version: any of them may be installed.
        "properties": [{"name": "twinpost:sha256", "value": sha256} for sha256 in package.hashes],
    }
    if package.marker:
        found["scope"] = "optional"
        found["properties"].append({"name": "twinpost:marker", "value": package.marker})
    return found


def _url(package: Pinned) -> str:
    return f"pkg:pypi/{package.name}@{package.version}"


def main(arguments: Sequence[str]) -> int:
    """Write the bill to the file named."""
    (target,) = map(Path, arguments)
    packages = pinned(RUNS_WHOLE)
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(json.dumps(bill(packages), indent=1) + "\n", encoding="utf-8")
    print(f"{target}: {len(packages)} packages, from {RUNS_WHOLE.name}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
