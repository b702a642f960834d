"""What can be typed: commands, options, and a help page with an example for each.

Must not import what the commands import; each command names its function by module.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from textwrap import dedent

from bridge import __version__
from bridge.cli.keeping import add_keeping
from bridge.cli.narrowing import WAYS, add_bridge, add_direction

Command = Callable[[argparse.Namespace], int]
Add = Callable[[str, str, str, Command], argparse.ArgumentParser]
"""Adds a command: its name, its summary, an example, and what runs it."""

CODES = (
    "exit codes: 0 fine; 1 something is held or failed; 2 usage or configuration; "
    "3 authorisation; 4 ledger in use, missing or damaged"
)


def _later(module: str, function: str) -> Command:
    """A command that is imported only when it is run."""

    def command(arguments: argparse.Namespace) -> int:
        found: Command = getattr(import_module(f"bridge.cli.{module}"), function)
        return found(arguments)

    return command


def build_parser() -> argparse.ArgumentParser:
    """The parser of the whole command line."""
    parser = argparse.ArgumentParser(
        prog="twinpost",
        description="Mirrors your posts between X and Mastodon, in both directions.",
        epilog="COMMAND --help shows its options, an example and the exit codes.",
    )
    parser.add_argument("--version", action="version", version=f"twinpost {__version__}")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)

    def add(
        name: str, summary: str, example: str, command: Command, *, config: bool = True
    ) -> argparse.ArgumentParser:
        """A command; the first sentence of its summary is its line in the list of all."""
        sub = commands.add_parser(
            name,
            help=summary.split(". ", 1)[0].rstrip("."),
            description=summary,
            epilog=f"example: {example}\n\n{dedent(CODES)}",
            formatter_class=_Wrapped,
        )
        if config:
            sub.add_argument(
                "--config",
                type=Path,
                metavar="FILE",
                help="else $TWINPOST_CONFIG, ./config.yaml, the user's folder",
            )
        sub.set_defaults(command=command)
        return sub

    demo = add(
        "demo",
        "Try it on a page, without accounts. Serves both networks as a sandbox, and a bridge.",
        "twinpost demo --port 8420",
        _later("demo", "run"),
        config=False,
    )
    demo.add_argument("--port", type=_port, default=8420, help="the page's port (default 8420)")
    demo.add_argument("--headless", action="store_true", help="serve without opening a browser")
    demo.add_argument("--mqtt", action="store_true", help="with MQTT, metrics, notices")
    demo.add_argument("--state", type=Path, metavar="DIR", help="keep state here between runs")

    sandbox = add(
        "sandbox",
        "Serve stand-ins for both networks. For rehearsing a configuration of your own.",
        "twinpost sandbox --x-port 8421 --mastodon-port 8422",
        _later("sandbox", "run"),
        config=False,
    )
    sandbox.add_argument("--x-port", type=_port, default=8421, help="default 8421")
    sandbox.add_argument("--mastodon-port", type=_port, default=8422, help="default 8422")
    sandbox.add_argument(
        "--profile",
        choices=("mastodon", "gotosocial", "minimal", "pleroma", "old"),
        default="mastodon",
        help="what kind of server the Mastodon side is (default mastodon)",
    )

    _add_setting_up(add)

    run = add(
        "run",
        "Run the bridge until it is told to stop. SIGHUP reloads the configuration.",
        "twinpost run --config config.yaml",
        _later("running", "run"),
    )
    _add_logging(run)
    once = add(
        "once",
        "Make one pass over every bridge. Reads both sides, delivers what is due: for cron.",
        "twinpost once --config config.yaml",
        _later("running", "once"),
    )
    _add_logging(once)
    once.add_argument(
        "--recheck", action="store_true", help="also look for edits and deletions where that costs"
    )
    once.add_argument(
        "--deleted", action="store_true", help="with it: what is gone, you deleted, even if much"
    )

    check = add(
        "check-config",
        "Check a configuration file. Says what it would do; starts and writes nothing.",
        "twinpost check-config config.yaml",
        _later("inspect", "check_config"),
    )
    check.add_argument("file", nargs="?", type=Path, metavar="FILE", help="the file to check")
    check.add_argument("--schema", action="store_true", help="print the JSON Schema for editors")

    preview = add(
        "preview",
        "What a post would look like over there, and cost. Sends nothing. Looking up a post of "
        "yours on X costs $0.005.",
        "twinpost preview --direction mastodon_to_x draft.txt",
        _later("preview", "run"),
    )
    preview.add_argument(
        "post", metavar="POST", help="a file, - to type, or the id or URL of a post"
    )
    add_bridge(preview)
    add_direction(preview, "mastodon_to_x or x_to_mastodon; default: whichever fits")
    preview.add_argument("--warning", default="", metavar="TEXT", help="for a typed text")
    preview.add_argument("--json", action="store_true", help="one object, stable keys")

    _add_looking(add)
    _add_steering(add)
    add_keeping(add, _later)
    costs = add(
        "costs",
        "What a month has cost. By kind and by post, with what would make it less.",
        "twinpost costs --month 2026-11",
        _later("costs", "run"),
    )
    costs.add_argument("--month", metavar="MONTH", help="in UTC, as X bills (default: this one)")
    costs.add_argument("--json", action="store_true", help="one object a bridge, stable keys")
    _add_manual(add)
    return parser


def _add_looking(add: Add) -> None:
    """What was done, why, and where things stand."""
    history = add(
        "history",
        "What was done with the last posts, and why.",
        "twinpost history --bridge personal --limit 20",
        _later("inspect", "history"),
    )
    history.add_argument("--json", action="store_true", help="one object a line, stable keys")
    add_bridge(history)
    history.add_argument("--all", action="store_true", help="also own mirrors, met over there")
    history.add_argument("--limit", type=_count, default=50, help="how many (default 50)")

    why = add(
        "why",
        "Why one post was mirrored or not. Takes an id or address of either side.",
        "twinpost why https://mastodon.example/@ada/113",
        _later("inspect", "why"),
    )
    why.add_argument("id", metavar="ID", help="an id or URL, of the post or of its mirror")
    why.add_argument("--json", action="store_true", help="one object a line, stable keys")
    status = add(
        "status",
        "Where every bridge stands. Last read, waiting, held, failed, money this month.",
        "twinpost status --json",
        _later("inspect", "status"),
    )
    status.add_argument("--json", action="store_true", help="one object a line, stable keys")


def _add_setting_up(add: Callable[..., argparse.ArgumentParser]) -> None:
    """The commands between nothing and a running bridge."""
    init = add(
        "init",
        "Write a configuration. Asks three questions, and never replaces a file.",
        "twinpost init --mastodon-url mastodon.social --no-input",
        _later("init", "run"),
    )
    init.add_argument("--name", default="personal", help="what to call the bridge (personal)")
    init.add_argument("--mastodon-url", metavar="URL", help="the Mastodon account's server")
    init.add_argument("--x-keys", choices=("oauth2", "oauth1"), help="how to sign in on X")
    init.add_argument(
        "--directions",
        choices=("both", *WAYS),
        metavar="WAY",
        help="both, mastodon_to_x or x_to_mastodon",
    )
    init.add_argument("--state", default="./state", metavar="DIR", help="default ./state")
    init.add_argument("--x-url", default="https://api.x.com", metavar="URL", help="X's API")
    init.add_argument("--no-input", action="store_true", help="ask nothing; a server must be given")

    login = add(
        "login",
        "Sign in on one network. A bridge that runs already takes it up by itself.",
        "twinpost login mastodon",
        _later("login", "run"),
    )
    login.add_argument(
        "network", metavar="NETWORK", choices=("mastodon", "x"), help="mastodon or x"
    )
    # Spelled out, it would take four lines of a screen, and hide what has to be typed.
    login.usage = "%(prog)s [options] NETWORK"
    add_bridge(login, "which one, if there are several")
    login.add_argument("--headless", action="store_true", help="no browser on this machine")
    login.add_argument("--port", type=_port, help="where the browser comes back to (X: 8423)")
    login.add_argument("--token-file", metavar="FILE", help="Mastodon: a pasted token, - to type")
    login.add_argument("--oauth1", action="store_true", help="X: paste the console's four keys")
    login.add_argument("--client-id", metavar="ID", help="X: the app's client ID")
    login.add_argument("--secret-file", metavar="FILE", help="X: the client secret, if any")

    doctor = add(
        "check",
        "See whether everything is well. Sends nothing, and costs nothing.",
        "twinpost check",
        _later("check", "run"),
    )
    doctor.add_argument("--json", action="store_true", help="one object, stable keys")


def _add_manual(add: Add) -> None:
    """What shells and `man` read."""
    completion = add(
        "completion",
        "Print what makes a shell complete commands and options.",
        "twinpost completion bash > /etc/bash_completion.d/twinpost",
        _later("manual", "completion"),
    )
    completion.add_argument(
        "shell", metavar="SHELL", choices=("bash", "zsh", "fish"), help="bash, zsh or fish"
    )
    add(
        "manual",
        "Print the man page.",
        "twinpost manual | man -l -",
        _later("manual", "manual"),
    )


def _add_steering(add: Add) -> None:
    """What an owner can have done, by a running daemon or on the ledger."""
    for name, summary, function in (
        ("pause", "Stop reading and sending. Until resumed, whatever restarts.", "pause"),
        ("resume", "Go on after a pause.", "resume"),
        ("sync-now", "Read both sides now. A wait for a login, or for money, ends.", "sync_now"),
    ):
        steer = add(name, summary, f"twinpost {name} --bridge personal", _later("steer", function))
        add_bridge(steer)
        add_direction(steer)
    resolve = add(
        "resolve",
        "Say whether a held post was sent.",
        "twinpost resolve 113 --sent https://x.com/ada/status/20",
        _later("steer", "resolve"),
    )
    resolve.add_argument("id", metavar="ID", help="an id or URL of the post")
    answer = resolve.add_mutually_exclusive_group(required=True)
    answer.add_argument("--sent", metavar="URL", help="it stands there, at this address")
    answer.add_argument("--not-sent", action="store_true", help="it does not: send it")
    retry = add(
        "retry",
        "Send a failed post after all, or one held unsent. It is composed and uploaded again.",
        "twinpost retry 113",
        _later("steer", "retry"),
    )
    retry.add_argument("id", metavar="ID", help="an id or URL of the post")
    drop = add(
        "drop",
        "Never send what is left of a post.",
        "twinpost drop 113",
        _later("steer", "drop"),
    )
    drop.add_argument("id", metavar="ID", help="an id or URL of the post")
    release = add(
        "release",
        "Send what waits for money. All posts that are over the month's budget, or one post.",
        "twinpost release 113",
        _later("steer", "release"),
    )
    release.add_argument("id", nargs="?", metavar="ID", help="an id or URL; all without it")
    add_bridge(release)


def _add_logging(command: argparse.ArgumentParser) -> None:
    command.add_argument("--verbose", action="store_true", help="log every poll as well")
    command.add_argument(
        "--log-format",
        choices=("text", "json"),
        help="how the log is written (default: what log.format says)",
    )


class _Wrapped(argparse.RawDescriptionHelpFormatter):
    """Keeps the epilog's paragraphs apart, and wraps each to the terminal."""

    def _fill_text(self, text: str, width: int, indent: str) -> str:
        fill = argparse.HelpFormatter._fill_text  # noqa: SLF001 - argparse offers no other way
        return "\n\n".join(fill(self, part, width, indent) for part in text.split("\n\n"))


def _port(text: str) -> int:
    port = int(text)
    if not 0 <= port <= 65535:  # noqa: PLR2004 - what a port is
        raise argparse.ArgumentTypeError("a port is a number from 0 to 65535")
    return port


def _count(text: str) -> int:
    count = int(text)
    if count < 1:
        raise argparse.ArgumentTypeError("at least 1")
    return count
