"""`run` and `once`: the daemon under a terminal, a service manager or cron.

Owns signals and their meaning; the daemon is told only to stop.
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import os
import signal
import sys
from datetime import UTC, datetime

from bridge import log
from bridge.app.accounts import login_stamps, secrets_of, signed_in
from bridge.app.outlets import Outlets
from bridge.app.wiring import wired
from bridge.cli.exits import INTERRUPTED, Exit
from bridge.cli.notify import Notifier
from bridge.cli.pauses import OncePerReason
from bridge.config import Settings, load, locate
from bridge.core.errors import ConfigError
from bridge.engine.lane import Lane
from bridge.engine.supervise import Daemon
from bridge.net.listener import raise_descriptor_limit
from bridge.ports import RouteStatus
from bridge.surfaces.socket import listening

logger = logging.getLogger(__name__)


LOGIN_LOOKED_FOR_EVERY = 2.0
"""Seconds between two looks whether somebody has signed in meanwhile."""

LONGEST_END = 9.0
"""Seconds after which a daemon that was told to end leaves, whatever still hangs.

What it was sending is then as after a kill: the next process proves it.
"""


def run(arguments: argparse.Namespace) -> int:
    """The daemon, until SIGTERM or SIGINT; SIGHUP reads the configuration again."""
    settings = load(locate(arguments.config))
    _configure_log(arguments, settings)
    raise_descriptor_limit()
    return _ended(asyncio.run(_run(arguments, settings)))


def _configure_log(arguments: argparse.Namespace, settings: Settings) -> None:
    form = arguments.log_format or settings.surfaces.log_format
    log.configure(secrets=secrets_of(settings), verbose=arguments.verbose, form=form)


async def _run(arguments: argparse.Namespace, settings: Settings) -> Exit:
    loop = asyncio.get_running_loop()
    # Heard from here to the end: what is asked for while a reload is under way must not be lost.
    ending, reload = asyncio.Event(), asyncio.Event()
    notifier = Notifier()

    def end() -> None:
        if not ending.is_set():
            notifier.stopping()
            loop.call_later(LONGEST_END, _ended, Exit.FINE)
        ending.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, end)
    loop.add_signal_handler(signal.SIGHUP, reload.set)
    current: Settings | None = settings
    try:
        while current is not None and not ending.is_set():
            _configure_log(arguments, current)
            current = await _served(arguments, current, ending, reload, notifier)
    finally:
        notifier.ended()
    logger.info("stopped")
    return Exit.FINE


async def _served(
    arguments: argparse.Namespace,
    settings: Settings,
    ending: asyncio.Event,
    reload: asyncio.Event,
    notifier: Notifier,
) -> Settings | None:
    """Run until the end, or a reload, is asked for; returns the settings to go on with."""
    stop = asyncio.Event()
    logins = login_stamps(settings)
    outlets = Outlets(settings)
    async with (
        wired(
            settings,
            listeners=(OncePerReason(log.log_event), *outlets.listeners),
            traffic=outlets.traffic,
        ) as running,
        listening(settings.state, running.commands),
        outlets.at_work(running),
    ):
        notifier.starting()
        logger.info("running %d bridge(s); state in %s", len(settings.bridges), settings.state)
        asked_to_end = asyncio.create_task(ending.wait())
        reloaded = asyncio.create_task(_reloaded(arguments, reload, notifier))
        anew = asyncio.create_task(_signed_in_anew(settings, logins))
        tasks = (asked_to_end, reloaded, anew)

        def alive() -> None:
            notifier.alive(_standing(running.daemon))
            if outlets.page is not None:
                outlets.page.alive()

        for task in tasks:
            task.add_done_callback(lambda _: stop.set())
        try:
            await running.daemon.run(stop, alive)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.wait(tasks)
    for following in (reloaded, anew):
        if not following.cancelled():
            return following.result()
    return None


async def _signed_in_anew(settings: Settings, known: tuple[object, ...]) -> Settings:
    """The same settings, once somebody has signed in: their tokens are then read afresh."""
    while True:
        await asyncio.sleep(LOGIN_LOOKED_FOR_EVERY)
        found = login_stamps(settings)
        if found == known:
            continue
        known = found
        try:
            signed_in(settings)
        except ConfigError as error:
            # The message says all there is to know; a traceback would hide it.
            logger.error("a new login cannot be used, the bridge goes on as it was:\n%s", error)  # noqa: TRY400
            continue
        logger.info("somebody signed in anew; going on with that login")
        return settings


def _standing(daemon: Daemon) -> str:
    """How the routes are, in one line; without reasons, since everybody can read it."""
    waiting = [f"{lane.plan.route} {_why(lane)}" for lane in daemon.lanes if lane.closed]
    return "; ".join(waiting) or f"{len(daemon.lanes)} route(s) at work"


def _why(lane: Lane) -> str:
    if lane.unauthorised:
        return "is refused by a network and needs new credentials"
    if lane.barred:
        return "waits, since a network has shut the account out"
    if lane.unpaid:
        return "waits for money, a higher cap or another plan"
    return f"waits until {max(closed.until for closed in lane.closed):%H:%M} UTC"


async def _reloaded(
    arguments: argparse.Namespace, reload: asyncio.Event, notifier: Notifier
) -> Settings:
    """The new configuration, once a reload was asked for and found a usable one."""
    while True:
        await reload.wait()
        reload.clear()
        notifier.reloading()
        try:
            settings = load(locate(arguments.config))
            signed_in(settings)
            Outlets(settings)
        except ConfigError as error:
            # The message says all there is to know; a traceback would hide it.
            logger.error("not reloaded, the bridge goes on as it was:\n%s", error)  # noqa: TRY400
            notifier.kept()
            continue
        logger.info("configuration reloaded")
        return settings


def once(arguments: argparse.Namespace) -> int:
    """One pass over every bridge; Ctrl-C leaves what is under way to the next pass to prove."""
    settings = load(locate(arguments.config))
    _configure_log(arguments, settings)
    if arguments.deleted and not arguments.recheck:
        raise ConfigError("--deleted says something of what --recheck finds: give both")
    try:
        return _ended(asyncio.run(_once(arguments, settings)))
    except KeyboardInterrupt:
        return _ended(INTERRUPTED)


async def _once(arguments: argparse.Namespace, settings: Settings) -> Exit:
    async with wired(settings, listeners=(OncePerReason(log.log_event),)) as running:
        await running.daemon.once(recheck=arguments.recheck, deleted=arguments.deleted)
        outcome = _outcome(running.daemon)
        waiting = await running.control.status(datetime.now(UTC))
    if outcome is not Exit.FINE:
        return outcome
    return Exit.ATTENTION if any(_needs_owner(s) for s in waiting) else Exit.FINE


def _needs_owner(status: RouteStatus) -> bool:
    waits = status.held or status.failed or status.in_doubt or status.waiting_for_money
    return bool(waits)


def _outcome(daemon: Daemon) -> Exit:
    """What closed gates mean to a script; money is no matter of signing in."""
    if any(lane.unauthorised for lane in daemon.lanes):
        return Exit.AUTHORISATION
    troubled = daemon.broke_off or any(lane.closed for lane in daemon.lanes)
    return Exit.ATTENTION if troubled else Exit.FINE


def _ended(code: int) -> int:
    """Leave at once: a library's thread may still wait for a server that does not answer."""
    logging.shutdown()
    sys.stdout.flush()
    os._exit(code)
