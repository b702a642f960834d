"""Entry point of `twinpost` and `python -m bridge`: hands the arguments to the command line."""

from __future__ import annotations

import sys


def main() -> int:
    """Run the command line; returns its exit code."""
    from bridge.cli import main as command_line  # noqa: PLC0415 - keeps `import bridge` cheap

    return command_line(sys.argv[1:])


if __name__ == "__main__":
    sys.exit(main())
