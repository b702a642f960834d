"""The command line: parses, dispatches, and turns every outcome into words and an exit code.

Says, never decides: each command is a few lines over the floors below. Heavy imports stay inside
the commands, so that `--help` and shell scripts are quick.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

from bridge.cli.exits import INTERRUPTED, Exit
from bridge.cli.output import safe_streams
from bridge.cli.parser import build_parser
from bridge.core.errors import (
    ConfigError,
    LedgerError,
    NothingFits,
    TwinpostError,
    Unauthorised,
    Unpaid,
)

_CODES: tuple[tuple[type[Exception], Exit], ...] = (
    (ConfigError, Exit.USAGE),
    (NothingFits, Exit.USAGE),
    (LedgerError, Exit.LEDGER),
    (Unpaid, Exit.ATTENTION),
    (Unauthorised, Exit.AUTHORISATION),
    (Exception, Exit.ATTENTION),
)


def main(argv: Sequence[str]) -> int:
    """Run one command. Returns the exit code; prints errors as sentences, never tracebacks."""
    with safe_streams():
        return _run(argv)


def _run(argv: Sequence[str]) -> int:
    arguments = build_parser().parse_args(argv)
    try:
        code = int(arguments.command(arguments))
        sys.stdout.flush()
    except BrokenPipeError:
        # Somebody stopped reading (`| head`): nothing went wrong, and nothing more can be said.
        sys.stderr.close()
        return Exit.FINE
    except KeyboardInterrupt:
        return INTERRUPTED
    except OSError as error:
        # A full disk under the output, say. What is still buffered could only fail again.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return _say(error)
    except TwinpostError as error:
        return _say(error)
    return code


def _say(error: Exception) -> Exit:
    print(f"twinpost: {error}", file=sys.stderr)
    return next(code for kind, code in _CODES if isinstance(error, kind))
