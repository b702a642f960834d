"""Whether the bridge in this container lives: exit 0, or 1 with a sentence.

Reads the beat that the daemon leaves in `$TWINPOST_HEARTBEAT` after each write to its ledger.
Imports the standard library only and starts in milliseconds; must not import twinpost.
"""
# ruff: noqa: INP001 - a script of the image, no part of the package

import os
import sys
import time

LONGEST_SILENCE = 60.0
"""Seconds without a beat after which the daemon counts as dead; it beats every eight."""


def main() -> str | None:
    """What is wrong, or None."""
    path = os.environ.get("TWINPOST_HEARTBEAT")
    if not path:
        return "TWINPOST_HEARTBEAT does not say where the beat is"
    try:
        with open(path, encoding="ascii") as file:  # noqa: PTH123 - pathlib takes longer to import
            beat = float(file.read(100))
    except (OSError, ValueError) as error:
        return f"no beat in {path}: {error}"
    silence = time.monotonic() - beat
    # A beat from the future was left before this machine started anew.
    if not 0 <= silence <= LONGEST_SILENCE:
        return f"no beat for {silence:.0f} s" if silence > 0 else "no beat since this machine runs"
    return None


if __name__ == "__main__":
    sys.exit(main())
