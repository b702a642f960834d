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
from bridge.app import secrets_of, wired
from bridge.cli.exits import Exit
from bridge.config import Settings, load, locate
from bridge.core.errors import ConfigError
from bridge.engine.supervise import Daemon

logger = logging.getLogger(__name__)


def run(arguments: argparse.Namespace) -> int:
    """The daemon, until SIGTERM or SIGINT; SIGHUP reads the configuration again."""
    path = locate(arguments.config)
    settings = load(path)
    log.configure(secrets=secrets_of(settings), verbose=arguments.verbose)
    return _ended(asyncio.run(_run(arguments, settings)))


async def _run(arguments: argparse.Namespace, settings: Settings) -> Exit:
    loop = asyncio.get_running_loop()
    while True:
        stop, reload = asyncio.Event(), asyncio.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, stop.set)
        loop.add_signal_handler(signal.SIGHUP, reload.set)
        again: Settings | None = None
        async with wired(settings, listeners=(log.log_event,)) as running:
            logger.info("running %d bridge(s); state in %s", len(settings.bridges), settings.state)
            reading = asyncio.create_task(_reloaded(arguments, reload, stop))
            await running.daemon.run(stop)
            if reading.done():
                again = reading.result()
            else:
                reading.cancel()
        if again is None:
            logger.info("stopped")
            return Exit.FINE
        settings = again
        log.configure(secrets=secrets_of(settings), verbose=arguments.verbose)


async def _reloaded(
    arguments: argparse.Namespace, reload: asyncio.Event, stop: asyncio.Event
) -> Settings:
    """Wait for a reload with a usable configuration, then stop what runs; returns the new one."""
    while True:
        await reload.wait()
        reload.clear()
        try:
            settings = load(locate(arguments.config))
        except ConfigError as error:
            # The message says all there is to know; a traceback would hide it.
            logger.error("not reloaded, the bridge goes on as it was:\n%s", error)  # noqa: TRY400
            continue
        logger.info("configuration reloaded")
        stop.set()
        return settings


def once(arguments: argparse.Namespace) -> int:
    """One pass over every bridge."""
    settings = load(locate(arguments.config))
    log.configure(secrets=secrets_of(settings), verbose=arguments.verbose)
    return _ended(asyncio.run(_once(settings)))


async def _once(settings: Settings) -> Exit:
    async with wired(settings, listeners=(log.log_event,)) as running:
        await running.daemon.once()
        outcome = _outcome(running.daemon)
        waiting = await running.control.status(datetime.now(UTC))
    if outcome is not Exit.FINE:
        return outcome
    return Exit.ATTENTION if any(s.held or s.failed or s.in_doubt for s in waiting) else Exit.FINE


def _outcome(daemon: Daemon) -> Exit:
    """What closed gates mean to a script."""
    if any(lane.unauthorised for lane in daemon.lanes):
        return Exit.AUTHORISATION
    troubled = daemon.broke_off or any(lane.closed for lane in daemon.lanes)
    return Exit.ATTENTION if troubled else Exit.FINE


def _ended(code: Exit) -> int:
    """Leave at once: a library's thread may still wait for a server that does not answer."""
    logging.shutdown()
    sys.stdout.flush()
    os._exit(code)
