"""`twinpost init`: a commented configuration out of three answers, and never half of one.

Asks what only the owner can know, finds out what the server says of itself, and names the next
command. Must not replace a file, and writes no secret.
"""

from __future__ import annotations

import argparse
import asyncio
import errno
import os
import secrets
import sys
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from bridge import USER_AGENT
from bridge.cli.asking import ask, say
from bridge.cli.exits import Exit
from bridge.config import load
from bridge.config.values import bridge_name
from bridge.config.values import url as plain_url
from bridge.core.errors import ConfigError, NetworkError, Refused
from bridge.core.prices import X_PRICES, in_dollars
from bridge.log import escaped
from bridge.net.session import open_session
from bridge.networks.mastodon.instance import Instance, read_instance
from bridge.signin.server import server_address
from bridge.signin.wire import ask as ask_server

_DIRECTIONS = ("both", "mastodon_to_x", "x_to_mastodon")
_KEYS = ("oauth2", "oauth1")
_PRIVATE = 0o600
_TEMPLATE = """\
# The configuration of twinpost. What is not here has a good default; config.example.yaml and
# docs/setup.md say what else there is. `twinpost check-config` names every fault with its line.

# The folder for the ledger and for the tokens that `twinpost login` gets, relative to this file.
state: {state}

bridges:
  # What this bridge is called in logs and commands. Do not change it later: the ledger knows
  # posts by it.
  - name: {name}

    # The account on Mastodon. No token stands here: `twinpost login mastodon` gets one.
    mastodon:
{found}      url: {mastodon_url}

    # The account on X. No key stands here: `{login_x}` gets them.
    x:
      url: {x_url}
      # How long a post may be: 280, or up to 25000 on Premium.
      max_length: 280

    # From Mastodon to X. X charges {create} for a post and {create_with_link} for one with a link
    # (prices of {as_of}).
    mastodon_to_x:
      enabled: {outward}
      every: 60s
      # How long a post waits before it is mirrored, so that a slip can still be mended.
      delay: 30s
      # Which posts may cross. Private and direct ones never do.
      visibility: [public]

    # From X to Mastodon. Reading a post of your own costs {owned_read} where the app is yours, else
    # {post_read}; finding nothing new costs nothing.
    x_to_mastodon:
      enabled: {homeward}
      every: 60s
      # The visibility of mirrors on Mastodon: public, unlisted or private.
      visibility: public
"""


@dataclass(frozen=True, slots=True)
class Answers:
    """What only the owner knows."""

    mastodon_url: str
    x_keys: str
    directions: str


def run(arguments: argparse.Namespace) -> int:
    """Ask, look, write."""
    path = _target(arguments.config)
    try:
        name, x_url = bridge_name(arguments.name), plain_url(arguments.x_url)
    except ValueError as error:
        raise ConfigError(f"--name or --x-url: {error}") from None
    answers, found = _answered(arguments)
    login_x = f"twinpost login x{' --oauth1' if answers.x_keys == 'oauth1' else ''}"
    text = _TEMPLATE.format(
        state=_quoted(arguments.state),
        name=name,
        found="".join(f"      # {line}\n" for line in found),
        mastodon_url=_quoted(answers.mastodon_url),
        x_url=_quoted(x_url),
        login_x=login_x,
        outward=str(answers.directions != "x_to_mastodon").lower(),
        homeward=str(answers.directions != "mastodon_to_x").lower(),
        create=in_dollars(X_PRICES.create),
        create_with_link=in_dollars(X_PRICES.create_with_link),
        owned_read=in_dollars(X_PRICES.owned_read),
        post_read=in_dollars(X_PRICES.post_read),
        as_of=X_PRICES.as_of,
    )
    _write(path, text)
    option = "" if arguments.config is None else f" --config {path}"
    print(
        f"\nWrote {path}, which only you can read. Nothing was sent anywhere.\n"
        f"Next: twinpost login mastodon{option}\n"
        f"Then: {login_x}{option}"
    )
    return Exit.FINE


def _target(given: Path | None) -> Path:
    """Where the file goes. Raises `ConfigError` where there is one."""
    named = os.environ.get("TWINPOST_CONFIG")
    path = given or Path(named or "config.yaml")
    if path.exists() or path.is_symlink():
        raise ConfigError(
            f"{path} is there already, and is never replaced: edit it, or name another file with "
            "--config"
        )
    return path


def _answered(arguments: argparse.Namespace) -> tuple[Answers, tuple[str, ...]]:
    """The answers, out of the options or typed, and what the server says of itself."""
    quiet = arguments.no_input
    if quiet and arguments.mastodon_url is None:
        raise ConfigError("--no-input needs the server: --mastodon-url mastodon.social")
    if not quiet and sys.stdin.isatty():
        say("Three questions. Enter takes what stands in brackets; Ctrl-C leaves no trace.")
    url, found = _server(arguments.mastodon_url)
    keys, directions = arguments.x_keys, arguments.directions
    if keys is None and not quiet:
        say(
            "\nHow will the bridge sign in on X? oauth2 opens a page on which you agree, and is "
            "X's main path; oauth1 takes four keys that you copy from the developer console once."
        )
        keys = ask("oauth2 or oauth1", lambda text: _one_of(text, _KEYS), default="oauth2")
    if directions is None and not quiet:
        say(
            "\nWhich way do posts go? both, mastodon_to_x, or x_to_mastodon. It can be changed in "
            "the file later."
        )
        directions = ask("Directions", lambda text: _one_of(text, _DIRECTIONS), default="both")
    return Answers(url, keys or "oauth2", directions or "both"), found


def _server(given: str | None) -> tuple[str, tuple[str, ...]]:
    """The server's address, and lines about what it is. Raises `ConfigError`."""

    def looked_at(text: str) -> tuple[str, tuple[str, ...]]:
        address = server_address(text)
        return address, asyncio.run(_found(address))

    if given is not None:
        try:
            return looked_at(given)
        except ValueError as error:
            raise ConfigError(f"--mastodon-url: {error}") from None
    say(
        "\nWhere is your Mastodon account? The server's name stands after the second @ of your "
        "handle: mastodon.social, for @ada@mastodon.social. GoToSocial, Pleroma, Akkoma, snac and "
        "others will do as well."
    )
    return ask("Server", looked_at)


async def _found(address: str) -> tuple[str, ...]:
    """What the server says of itself, for the file and the terminal.

    Raises `ValueError` where it is none of its kind; one out of reach is taken at the owner's word.
    """
    async with open_session(user_agent=USER_AGENT) as session:
        for version in ("v2", "v1"):
            try:
                told = await ask_server(session, "GET", f"{address}/api/{version}/instance")
            except Refused as error:
                raise ValueError(str(error)) from None
            except NetworkError as error:
                say(f"  Note: {escaped(str(error))}. The file is written all the same.")
                return ()
            if told.fine and told.body:
                lines = _described(read_instance(told.body))
                say("\n".join(f"  {line}" for line in lines))
                return lines
    raise ValueError(f"{address} does not answer as a server of the Mastodon kind does")


def _described(instance: Instance) -> tuple[str, ...]:
    able = instance.capabilities
    size = f"{able.max_length} characters, {able.max_media} media"
    return (
        f"The server says: {instance.called}; {size}",
        f"and {able.max_alt_length} characters of description for each. It is asked every day.",
    )


def _one_of(text: str, known: tuple[str, ...]) -> str:
    if text.lower() not in known:
        raise ValueError(f"expected {', '.join(known[:-1])} or {known[-1]}")
    return text.lower()


def _quoted(text: str) -> str:
    """A YAML scalar that is read as this very text."""
    return "'" + text.replace("'", "''") + "'"


def _write(path: Path, text: str) -> None:
    """Give the whole file its name at once, or leave nothing. Raises `ConfigError`."""
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(8)}.new")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            file = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _PRIVATE)
            with os.fdopen(file, "w", encoding="utf-8") as stream:
                os.fchmod(stream.fileno(), _PRIVATE)
                stream.write(text)
                stream.flush()
                os.fsync(stream.fileno())
            load(temporary)
            # Unlike a rename, a link never replaces what has come to stand there meanwhile.
            _name(temporary, path)
        finally:
            with suppress(OSError):
                temporary.unlink(missing_ok=True)
    except FileExistsError:
        raise ConfigError(f"{path} came to be meanwhile, and is never replaced") from None
    except OSError as error:
        raise ConfigError(f"{path} cannot be written: {error.strerror}") from None


def _name(temporary: Path, path: Path) -> None:
    try:
        path.hardlink_to(temporary)
    except OSError as error:
        # Some file systems have no links.
        if error.errno not in {errno.EPERM, errno.ENOTSUP, errno.EMLINK} or path.exists():
            raise
        temporary.rename(path)
