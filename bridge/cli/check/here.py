"""What can be seen on this machine: the file, the state folder, the disk, the ways out.

Changes nothing. Must not ask a network.
"""

from __future__ import annotations

import os
import shutil
import stat
from collections.abc import AsyncIterator, Iterator
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit

from bridge.app.accounts import vault_of
from bridge.app.looking import looking
from bridge.cli.check.findings import Finding, Level
from bridge.config import BridgeSettings, Settings
from bridge.core.errors import ConfigError, LedgerError, LedgerMissing
from bridge.core.waits import OF_OWNER
from bridge.engine.control import gap_note
from bridge.media.confined import enforced
from bridge.net.proxies import proxies, proxy_for
from bridge.net.session import trusting
from bridge.signin.logins import lacking, mastodon_name, with_logins, x_name

_LITTLE_SPACE, _NO_SPACE = 500 << 20, 50 << 20
_CONFINEMENT = {"landlock": "Landlock", "seccomp": "seccomp"}
_OTHERS, _OTHERS_WRITE = 0o077, 0o022


def configuration(path: Path, settings: Settings) -> Finding:
    """The file itself, which was read already."""
    detail = f"{path}: {len(settings.bridges)} bridge(s)"
    given = any(
        bridge.mastodon.access_token is not None or bridge.x.credentials is not None
        for bridge in settings.bridges
    )
    if given and stat.S_IMODE(path.stat().st_mode) & _OTHERS:
        todo = f"if tokens stand in it: chmod 600 {path}"
        return Finding("configuration", Level.WARNING, f"{detail}; others can read it", todo)
    return Finding("configuration", Level.OK, detail)


def state_folder(settings: Settings) -> Iterator[Finding]:
    """Whether the folder is ours alone, can be written, and has room."""
    folder = settings.state
    place = next(each for each in (folder, *folder.parents) if each.exists())
    name = "state folder"
    if not os.access(place, os.W_OK | os.X_OK):
        todo = f"make it writable for the user that runs the bridge (uid {os.geteuid()})"
        yield Finding(name, Level.FAULT, f"{place} cannot be written", todo)
    elif place != folder:
        yield Finding(name, Level.OK, f"{folder} is not there yet; the first run makes it")
    else:
        yield _rights(folder)
    free = shutil.disk_usage(place).free
    detail = f"{free / (1 << 30):.1f} GiB free at {place}"
    level = Level.FAULT if free < _NO_SPACE else Level.OK
    if _NO_SPACE <= free < _LITTLE_SPACE:
        level = Level.WARNING
    yield Finding("disk", level, detail, "" if level is Level.OK else "free some space")


def _rights(folder: Path) -> Finding:
    status, name = folder.stat(), "state folder"
    mode = stat.S_IMODE(status.st_mode)
    if status.st_uid != os.geteuid():
        todo = f"chown it to the user that runs the bridge, or run this as uid {status.st_uid}"
        return Finding(name, Level.WARNING, f"{folder} belongs to another user", todo)
    if mode & _OTHERS:
        level = Level.FAULT if mode & _OTHERS_WRITE else Level.WARNING
        verb = "write to" if mode & _OTHERS_WRITE else "look into"
        todo = f"chmod 700 {folder}"
        return Finding(name, level, f"others can {verb} {folder}", todo)
    return Finding(name, Level.OK, f"{folder}, closed to others")


async def ledger(settings: Settings) -> Finding:
    """Whether the ledger, if there is one, can be read, and copies of it can be made."""
    try:
        async with looking(settings) as control:
            copies = await control.backups()
        if copies.why:
            detail = f"readable, but not copied since {copies.since:%Y-%m-%d %H:%M} UTC"
            return Finding("ledger", Level.WARNING, detail, copies.why)
        return Finding("ledger", Level.OK, "there, and readable")
    except LedgerMissing as error:
        if "yet" in str(error):
            return Finding("ledger", Level.OK, "none yet; the first run makes one")
        return Finding("ledger", Level.FAULT, str(error), "see the message")
    except LedgerError as error:
        return Finding("ledger", Level.FAULT, str(error), "see the message")


async def other_senders(settings: Settings) -> list[Finding]:
    """Who else was seen to mirror between the same accounts; nothing where nobody was."""
    try:
        async with looking(settings) as control:
            seen = await control.other_senders(datetime.now(UTC))
    except LedgerError:
        return []  # said by `ledger`
    todo = "stop the other one, or remove this bridge; each has a ledger of its own"
    return [
        Finding("other bridge", Level.WARNING, words, todo, bridge=route.bridge)
        for route, words in seen.items()
    ]


async def waits(settings: Settings) -> AsyncIterator[Finding]:
    """What each direction waits for, by the ledger."""
    with suppress(LedgerError):
        async with looking(settings) as control:
            found = await control.waits()
        for route, wait in found.items():
            level = Level.FAULT if wait.why in OF_OWNER else Level.WARNING
            detail = f"waits for {wait.network.called} since {wait.since:%Y-%m-%d %H:%M} UTC, "
            detail += f"tried again at {wait.until:%Y-%m-%d %H:%M} UTC: {wait.detail}"
            todo = "once it is mended: twinpost sync-now" if wait.ends_by_word else ""
            yield Finding(f"{route.direction.value} waits", level, detail, todo, route.bridge)


def pictures() -> Finding:
    """How far the process that unpacks strangers' pictures is kept from everything else."""
    found = enforced()
    missing = [name for name in _CONFINEMENT if name not in found]
    if not missing:
        detail = "unpacked in a process that reaches no files and no network (Landlock, seccomp)"
        return Finding("pictures", Level.OK, detail)
    without = " and no ".join(_CONFINEMENT[name] for name in missing)
    detail = f"this system has no {without}, so that the process that unpacks pictures is "
    detail += "confined less strictly" if found else "bounded in memory and time only"
    todo = "use Linux 5.13 or newer on x86_64 or aarch64, with Landlock and seccomp enabled"
    return Finding("pictures", Level.WARNING, detail, todo)


async def gaps(settings: Settings) -> AsyncIterator[Finding]:
    """Posts that were read past without a record, on every route where that was noticed."""
    now = datetime.now(UTC)
    try:
        async with looking(settings) as control:
            figures = await control.status(now)
    except LedgerError:
        return
    for each in figures:
        note, source = gap_note(each.gap, now), each.route.direction.source
        if note:
            todo = "nothing: the next pass reads them" if each.gap and each.gap.is_open else ""
            check = f"{source.value} timeline"
            yield Finding(check, Level.WARNING, note, todo, each.route.bridge)


def credentials(settings: Settings, bridge: BridgeSettings) -> Iterator[Finding]:
    """Whether every account has some, and from where."""
    vault = vault_of(settings)
    try:
        whole = with_logins(bridge, vault)
    except ConfigError as error:
        yield Finding("credentials", Level.FAULT, str(error), bridge=bridge.name)
        return
    missing = set(lacking(whole))
    pairs = (
        ("mastodon", bridge.mastodon == whole.mastodon, mastodon_name),
        ("x", bridge.x == whole.x, x_name),
    )
    for network, configured, name in pairs:
        option = f" --bridge {bridge.name}" if len(settings.bridges) > 1 else ""
        if network in missing:
            elsewhere = vault.stamp(name(bridge.name)) is not None
            detail = "the login is of another server" if elsewhere else "nobody is signed in"
            todo = f"twinpost login {network}{option}"
            yield Finding(
                f"{network} credentials", Level.FAULT, detail, todo, bridge.name, shut_out=True
            )
        else:
            detail = "from the configuration" if configured else "from a login"
            yield Finding(f"{network} credentials", Level.OK, detail, bridge=bridge.name)


def certificates(settings: Settings) -> Iterator[Finding]:
    """What is trusted beside, or in the place of, the system's certificates."""
    instead = os.environ.get("SSL_CERT_FILE")
    for name, file in (("SSL_CERT_FILE", instead), ("ca_file", settings.ca_file)):
        if not file:
            continue
        try:
            # What the environment names is passed over without a word where it cannot be read.
            trusting(Path(file))
        except ConfigError as error:
            yield Finding("certificates", Level.FAULT, f"{name}: {error}")
            continue
        way = "instead of" if name == "SSL_CERT_FILE" else "beside"
        detail = f"those in {file} ({name}) are trusted {way} the system's"
        yield Finding("certificates", Level.OK, detail)


def proxies_of_the_environment() -> Iterator[Finding]:
    """Whether those that are named can be used, and how files of posts go through them."""
    try:
        named = proxies()
    except ConfigError as error:
        yield Finding("proxy", Level.FAULT, str(error))
        return
    if named:
        detail = (
            "files of posts are asked of the proxy by address; names such as pbs.twimg.com have to "
            "be known on this machine, and the proxy has to allow their addresses"
        )
        yield Finding("media", Level.OK, detail)


def way_out(bridge: BridgeSettings) -> Iterator[Finding]:
    """By which proxy, if the environment names any, the servers of a bridge are asked."""
    named = proxies()
    for url in (bridge.mastodon.url, bridge.x.url):
        host, scheme = urlsplit(url).hostname, urlsplit(url).scheme
        if scheme not in named:
            continue
        through = proxy_for(url)
        detail = f"{host} through {through}" if through else f"{host} directly (NO_PROXY)"
        yield Finding("proxy", Level.OK, detail, bridge=bridge.name)
