"""How many small changes of the modules that decide go unnoticed by the tests of the core.

    python -m tools.mutants [--least PERCENT]

Changes one operator or value at a time (see [tool.mutmut] in pyproject.toml), runs the tests that
reach it, and ends with 1 where fewer are noticed than asked for. What survives is listed.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
STATISTICS = ROOT / "mutants" / "mutmut-cicd-stats.json"
LEAST = 90.0


def mutmut(*words: str) -> str:
    """What a command of mutmut printed; its errors go to the terminal."""
    command = [sys.executable, "-m", "mutmut", *words]
    return subprocess.run(command, cwd=ROOT, check=True, text=True, stdout=subprocess.PIPE).stdout  # noqa: S603 - words of ours


def main() -> int:
    """Run all mutants; returns the exit code."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--least", type=float, default=LEAST, help="percent that must be noticed")
    least = parser.parse_args().least
    mutmut("run")
    mutmut("export-cicd-stats")
    counts = json.loads(STATISTICS.read_text("utf-8"))
    noticed = counts["killed"] + counts["timeout"] + counts["segfault"]
    share = 100 * noticed / counts["total"]
    for line in mutmut("results").splitlines():
        print(line.strip())
    print(f"{noticed} of {counts['total']} changes were noticed ({share:.1f} %)")
    return 0 if share >= least else 1


if __name__ == "__main__":
    sys.exit(main())
