"""`ledger verify | backup | restore | export | import | rebind`: the memory, looked after by hand.

Says, never decides: `bridge.ledger` does. What replaces a ledger keeps the old one, and says where.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

from bridge.app.looking import ledger_path
from bridge.app.steering import backups_of, steering
from bridge.cli.asking import line
from bridge.cli.choosing import chosen
from bridge.cli.exits import Exit
from bridge.config import Settings, load, locate
from bridge.core.errors import ConfigError, LedgerError, WrongAccount
from bridge.core.model import BridgeName
from bridge.core.record import Pair, Tied
from bridge.ledger import care, transfer
from bridge.ledger.care import Restored
from bridge.ledger.sqlite import open_reader
from bridge.ledger.takeover import LARGEST, Format, Found, read
from bridge.ledger.takeover.found import as_pair, host

MOST_SHOWN = 10


def run(arguments: argparse.Namespace) -> int:
    """Do what is asked for."""
    settings = load(locate(arguments.config))
    actions: dict[str, Callable[[argparse.Namespace, Settings], int]] = {
        "verify": _verify,
        "backup": _backup,
        "restore": _restore,
        "export": _export,
        "import": _import,
        "rebind": _rebind,
    }
    return actions[arguments.action](arguments, settings)


def _verify(_: argparse.Namespace, settings: Settings) -> int:
    path = ledger_path(settings)
    found = care.verify(path)
    print(f"{path}")
    for what in found.checked:
        print(f"  checked  {what}")
    for finding in found.findings:
        print(f"  FOUND    {finding}")
    if not found.findings:
        print("The ledger is whole.")
        return Exit.FINE
    newest = backups_of(settings).all()
    backup = newest[-1][1] if newest else "FILE (a backup of your own)"
    print(
        "The ledger is damaged. Stop the bridge, keep the state folder as it is, and put a backup "
        f"in its place: twinpost ledger restore {backup}"
    )
    return Exit.LEDGER


def _backup(arguments: argparse.Namespace, settings: Settings) -> int:
    now = datetime.now(UTC)
    to = arguments.to or arguments.file
    if to is None:
        target = asyncio.run(backups_of(settings).make(now))
    else:
        target = Path(to)
        care.back_up(ledger_path(settings), target, now)
    print(f"{target}: a whole copy of the ledger ({target.stat().st_size} bytes), examined")
    return Exit.FINE


def _restore(arguments: argparse.Namespace, settings: Settings) -> int:
    file = _named(arguments, "the backup")
    approve = _approving(arguments, settings)
    done = care.restore(ledger_path(settings), file, datetime.now(UTC), approve=approve)
    print(f"{ledger_path(settings)}: restored from {file} of {done.taken:%Y-%m-%d %H:%M} UTC")
    _say_what_follows(done)
    return Exit.ATTENTION if done.held else Exit.FINE


def _approving(arguments: argparse.Namespace, settings: Settings) -> care.Approve:
    """What refuses a ledger of other accounts than are signed in, unless its owner insists."""

    def approve(ledger: Path) -> None:
        try:
            asyncio.run(_checked(settings, ledger))
        except WrongAccount as error:
            raise ConfigError(
                f"{error}. Nothing was changed; to put this ledger there all the same, and then "
                "sign in as that account or rebind it: --yes"
            ) from None

    return care.approve_any if arguments.yes else approve


async def _checked(settings: Settings, ledger: Path) -> None:
    # The clients of both networks take their time to load.
    from bridge.app.identity import check_accounts  # noqa: PLC0415 - as said

    memory = await open_reader(ledger)
    try:
        await check_accounts(settings, memory)
    finally:
        await memory.close()


def _rebind(arguments: argparse.Namespace, settings: Settings) -> int:
    bridge = chosen(settings, arguments.bridge).name
    return asyncio.run(_rebound(settings, bridge, sure=arguments.yes))


async def _rebound(settings: Settings, bridge: BridgeName, *, sure: bool) -> Exit:
    async with steering(settings) as commands:
        for network, known in await commands.accounts(bridge):
            whose = "an account that was never noted" if known is None else str(known)
            print(f"{bridge}, {network.called}: {whose}")
        print(
            f"This ends the bridge {bridge} between these accounts. What is known of it is kept "
            "under another name; what has not been sent is dropped; mirrors that stand are left as "
            "they are. The accounts that are signed in next are its accounts, and of them only "
            "what is written after its next pass is mirrored."
        )
        if not sure and not _is_sure(bridge):
            print("nothing was changed")
            return Exit.FINE
        done = await commands.rebind(bridge)
    print(
        f"{bridge} starts over. {done.posts} post(s) are kept as {done.aside} (twinpost history "
        f"--bridge {done.aside}); {done.unsent} unsent part(s) of them were ended. To have others "
        "signed in: twinpost login. Then start the bridge again."
    )
    return Exit.FINE


def _is_sure(bridge: BridgeName) -> bool:
    if not sys.stdin.isatty():
        raise ConfigError(f"the bridge {bridge} would be bound to other accounts; agree with --yes")
    return line(f"Start {bridge} over? [y/N] ").strip().lower() in {"y", "yes"}


def _say_what_follows(done: Restored) -> None:
    if done.aside is not None:
        print(f"The ledger that was there is kept as {done.aside}")
    print(
        "Posts written before the next pass are not mirrored, since they may have been already: "
        "twinpost catch-up shows them, and sends those that have no mirror, if you want."
    )
    if done.held:
        print(
            f"{done.held} part(s) were on their way and are held until it is known whether they "
            "were sent; twinpost history says which and what to do."
        )


def _export(arguments: argparse.Namespace, settings: Settings) -> int:
    lines = transfer.export(ledger_path(settings), texts=arguments.with_text, now=datetime.now(UTC))
    if arguments.file in {None, "-"}:
        for line in lines:
            print(line)
        return Exit.FINE
    target = Path(arguments.file)
    count = _written(target, lines)
    print(f"{target}: {count} lines{'' if arguments.with_text else ', without texts of posts'}")
    return Exit.FINE


def _written(target: Path, lines: Iterator[str]) -> int:
    """Write a new private file whole, or none; returns how many lines."""
    part = target.with_name(target.name + ".part")
    if target.exists():
        raise LedgerError(f"{target} is there already; name a new file")
    count = 0
    try:
        file = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600)
        with os.fdopen(file, "w", encoding="utf-8") as stream:
            for line in lines:
                stream.write(line + "\n")
                count += 1
            stream.flush()
            os.fsync(stream.fileno())
        part.replace(target)
    except OSError as error:
        part.unlink(missing_ok=True)
        raise LedgerError(f"cannot write {target}: {error.strerror}") from error
    return count


def _import(arguments: argparse.Namespace, settings: Settings) -> int:
    file = _named(arguments, "what is to be imported")
    try:
        with file.open("rb") as stream:
            first = stream.readline(1 << 16).decode("utf-8", "replace")
            stream.seek(0)
            if arguments.format == "twinpost" or (
                arguments.format is None and transfer.is_export(first)
            ):
                return _rebuild(arguments, settings, file, transfer.lines_of(stream))
            content = stream.read(LARGEST + 1)
    except OSError as error:
        raise ConfigError(f"{file} cannot be read: {error.strerror}") from None
    if len(content) > LARGEST:
        raise ConfigError(f"{file} is larger than {LARGEST >> 20} MiB")
    return _take_over(arguments, settings, file, content)


def _rebuild(
    arguments: argparse.Namespace, settings: Settings, file: Path, lines: Iterator[str]
) -> int:
    """Make the ledger from the lines of an export, however large it is."""
    done = transfer.bring_in(
        ledger_path(settings),
        lines,
        datetime.now(UTC),
        called=str(file),
        approve=_approving(arguments, settings),
    )
    print(f"{ledger_path(settings)}: made of {file} of {done.taken:%Y-%m-%d %H:%M} UTC")
    _say_what_follows(done)
    return Exit.ATTENTION if done.held else Exit.FINE


def _take_over(
    arguments: argparse.Namespace, settings: Settings, file: Path, content: bytes
) -> int:
    try:
        found = read(content, Format(arguments.format) if arguments.format else None)
    except ValueError as error:
        raise ConfigError(f"{file}: {error}") from None
    if found.unread:
        _say_unread(file, found)
        if not arguments.skip_unread:
            print(
                "Nothing was imported. To import the rest all the same: --skip-unread",
                file=sys.stderr,
            )
            return Exit.USAGE
    bridge = chosen(settings, arguments.bridge)
    own = host(bridge.mastodon.url)
    mine = [pair for pair in found.pairs if pair.server in {None, "", own}]
    elsewhere = len(found.pairs) - len(mine)
    came = asyncio.run(_taken_over(settings, [as_pair(bridge.name, pair) for pair in mine]))
    counts = Counter(came)
    print(f"{file}: {counts[Tied.TIED]} posts taken over; neither they nor their mirrors cross")
    for what in (Tied.KNOWN, Tied.OTHER_MIRROR, Tied.OTHER_POST):
        if counts[what]:
            print(f"  {counts[what]} left as they are: {what.value}")
    if elsewhere:
        print(f"  {elsewhere} left out: they are of another Mastodon server than this bridge's")
    if found.others:
        print(f"  {found.others} are no pairs: of other networks, or never sent")
    return Exit.FINE


async def _taken_over(settings: Settings, pairs: Sequence[Pair]) -> tuple[Tied, ...]:
    # Before the first run is the best time: nothing old is then read as new.
    async with steering(settings, create=True) as commands:
        return await commands.take_over(pairs)


def _say_unread(file: Path, found: Found) -> None:
    print(f"twinpost: {file}: {len(found.unread)} places cannot be read:", file=sys.stderr)
    for place in found.unread[:MOST_SHOWN]:
        print(f"  {place}", file=sys.stderr)
    if len(found.unread) > MOST_SHOWN:
        print(f"  and {len(found.unread) - MOST_SHOWN} more", file=sys.stderr)


def _named(arguments: argparse.Namespace, what: str) -> Path:
    if arguments.file is None:
        raise ConfigError(f"name {what}: twinpost ledger {arguments.action} FILE")
    return Path(arguments.file)
