"""The command line: parses, dispatches, and turns every outcome into words and an exit code.

Says, never decides: each command is a few lines over the floors below. Heavy imports stay inside
the commands, so that `--help` and shell scripts are quick.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

from bridge.cli.exits import Exit
from bridge.cli.parser import build_parser
from bridge.core.errors import ConfigError, LedgerError, TwinpostError, Unauthorised


def main(argv: Sequence[str]) -> int:
    """Run one command. Returns the exit code; prints errors as sentences, never tracebacks."""
    arguments = build_parser().parse_args(argv)
    try:
        return int(arguments.command(arguments))
    except ConfigError as error:
        return _say(error, Exit.USAGE)
    except LedgerError as error:
        return _say(error, Exit.LEDGER)
    except Unauthorised as error:
        return _say(error, Exit.AUTHORISATION)
    except TwinpostError as error:
        return _say(error, Exit.ATTENTION)
    except BrokenPipeError:
        # Somebody stopped reading (`| head`): nothing went wrong, and nothing more can be said.
        sys.stderr.close()
        return Exit.FINE


def _say(error: TwinpostError, code: Exit) -> int:
    print(f"twinpost: {error}", file=sys.stderr)
    return code
