"""`twinpost check`: a doctor. Looks at everything a bridge stands on, and says what to do.

Never posts, never reads a timeline, and so costs nothing. Changes nothing, but for a token that is
due and is renewed as it always is.
"""

from __future__ import annotations

import argparse
import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import replace

from bridge.app.accounts import secrets_of, vault_of
from bridge.cli.asking import say
from bridge.cli.check import here, outside, there
from bridge.cli.check.findings import Finding, Level, as_json, as_lines, exit_code, worst
from bridge.config import BridgeSettings, Settings, load, locate
from bridge.core.errors import ConfigError
from bridge.core.secret import Secret
from bridge.log import redacting
from bridge.signin.logins import lacking, with_logins

COST_USD = 0.0
"""Asking X whose credentials these are is free, and nothing else is asked of it."""


def run(arguments: argparse.Namespace) -> int:
    """Look, and say."""
    path = locate(arguments.config)
    settings = load(path)
    findings = [here.configuration(path, settings)]
    findings += asyncio.run(_all(settings))
    if arguments.json:
        print(as_json(findings, COST_USD))
        return exit_code(findings)
    for line in as_lines(findings):
        say(line, indent=" " * 12)
    words = {
        Level.OK: "Everything is well.",
        Level.WARNING: "The bridge can run; see the warnings.",
        Level.FAULT: "Something needs you; see the faults.",
    }
    print(f"\n{words[worst(findings)]} This check cost ${COST_USD:.2f}.")
    return exit_code(findings)


async def _all(settings: Settings) -> list[Finding]:
    findings = list(here.state_folder(settings))
    findings.append(await here.ledger(settings))
    findings += await here.other_senders(settings)
    findings += [finding async for finding in here.waits(settings)]
    findings.append(here.pictures())
    secrets: tuple[Secret, ...] = ()
    # A vault that cannot be trusted is a finding of its own.
    with suppress(ConfigError):
        secrets = tuple(secrets_of(settings))
    # What adapters and libraries would say on the way is what the findings say.
    logging.disable(logging.CRITICAL)
    hindrances = [*here.certificates(settings), *here.proxies_of_the_environment()]
    findings += hindrances
    # What could only be asked in a way that is not meant is not asked.
    may_ask = worst(hindrances) is not Level.FAULT
    if may_ask:
        findings += [finding async for finding in outside.surfaces(settings)]
    missed = [finding async for finding in here.gaps(settings)]
    for bridge in settings.bridges:
        findings += [finding for finding in missed if finding.bridge == bridge.name]
        findings += here.credentials(settings, bridge)
        if may_ask:
            findings += [finding async for finding in _asked(settings, bridge)]
    redacted = redacting(secrets)
    return [replace(each, detail=redacted(each.detail)) for each in findings]


async def _asked(settings: Settings, bridge: BridgeSettings) -> AsyncIterator[Finding]:
    for finding in here.way_out(bridge):
        yield finding
    try:
        whole = with_logins(bridge, vault_of(settings))
    except ConfigError:
        return
    missing = set(lacking(whole))
    for network, look in (("mastodon", there.mastodon), ("x", there.x)):
        if network not in missing:
            try:
                async for finding in look(settings, whole):
                    yield finding
            except ConfigError as error:
                yield Finding(network, Level.FAULT, str(error), bridge=bridge.name)
