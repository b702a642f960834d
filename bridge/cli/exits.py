"""The exit codes, a contract with scripts. Must not grow meanings without the documentation."""

from enum import IntEnum


class Exit(IntEnum):
    """What a command's end means."""

    FINE = 0
    ATTENTION = 1
    """Something is held, in doubt or failed, or a network could not be reached or wants money."""
    USAGE = 2
    """The command or the configuration is wrong; nothing was started and nothing was written."""
    AUTHORISATION = 3
    """A network refuses the credentials."""
    LEDGER = 4
    """The ledger is in use, missing where one is expected, or damaged."""


INTERRUPTED = 130
"""Cut short by Ctrl-C: 128 + SIGINT, as shells have it, and so no meaning of ours."""
