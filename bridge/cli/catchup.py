"""`catch-up` and `link`: posts that were kept back, and posts whose mirrors stand there already.

Shows and asks; what was chosen is written down by the running daemon, or into the ledger where none
runs, and dealt with by the next pass. Must not judge or send anything.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from urllib.parse import urlsplit

from bridge import log
from bridge.app.accounts import secrets_of
from bridge.app.steering import steering
from bridge.app.wiring import rehearsing
from bridge.cli.asking import line
from bridge.cli.exits import Exit
from bridge.config import BridgeSettings, Settings, load, locate
from bridge.core.address import X_HOSTS, host_of, id_in, is_address
from bridge.core.errors import ConfigError, LedgerMissing
from bridge.core.model import Direction, Microdollars, Network, Route
from bridge.core.prices import in_dollars
from bridge.core.verdict import Action
from bridge.engine.catchup import Offer, Offers, offers
from bridge.surfaces.socket import NotRunning, ask

AT_ONCE = 100
"""So many posts are named in one command."""


def run(arguments: argparse.Namespace) -> int:
    """Show what was kept back, and have it sent where that is wanted."""
    settings = load(locate(arguments.config))
    log.configure(secrets=secrets_of(settings))
    found = asyncio.run(_offers(settings, arguments))
    chosen = [one for each in found for one in each.found if one.parts]
    cost = Microdollars(sum(each.cost for each in found))
    for each in found:
        _show(each)
    price = Microdollars(sum(one.price for one in chosen))
    read = f"; looking has cost {in_dollars(cost)}" if cost else ""
    print(f"{len(chosen)} post(s) can be sent, for {in_dollars(price)}{read}")
    if not chosen or arguments.dry_run:
        return Exit.FINE
    if not arguments.yes and not _agreed(len(chosen)):
        print("nothing was changed")
        return Exit.FINE
    routes = {one.plan.route for one in chosen}
    for route in sorted(routes):
        names = [one.post.id for one in chosen if one.plan.route == route]
        for begin in range(0, len(names), AT_ONCE):
            print(_wanted(settings, route, names[begin : begin + AT_ONCE]))
    return Exit.FINE


async def _offers(settings: Settings, arguments: argparse.Namespace) -> list[Offers]:
    async with rehearsing(settings) as (plans, view):
        if view is None:
            raise LedgerMissing("there is no ledger yet: `twinpost run` makes one")
        by_route = {plan.route: plan for plan in plans}
        named = [
            plan
            for plan in plans
            if arguments.bridge in {None, plan.route.bridge}
            and arguments.direction in {None, plan.route.direction.value}
        ]
        if not named:
            known = ", ".join(str(route) for route in by_route)
            raise ConfigError(f"no such bridge or direction; there are: {known}")
        now = datetime.now(UTC)
        return [
            await offers(
                plan,
                by_route.get(Route(plan.route.bridge, plan.route.direction.reverse)),
                view,
                since=arguments.since,
                now=now,
            )
            for plan in named
        ]


def _show(each: Offers) -> None:
    for one in each.found:
        print(f"{one.plan.route}  {one.post.created_at:%Y-%m-%d %H:%M} UTC  {_name(one)}")
        print(f"    {_fate(one)}")
    for name in each.lost:
        print(f"    {name} is not there any more, or was deleted")


def _name(one: Offer) -> str:
    return log.escaped(one.post.url or one.post.id)


def _fate(one: Offer) -> str:
    if not one.parts:
        return f"stays where it is: {log.escaped(one.verdict.sentence)}"
    what = "would be held for you" if one.verdict.action is Action.HOLD else "can be sent"
    return f"{what} in {one.parts} part(s) for {in_dollars(one.price)} (kept back: {one.kept})"


def _agreed(count: int) -> bool:
    if not sys.stdin.isatty():
        raise ConfigError(f"{count} posts would be sent; say so with --yes, or look with --dry-run")
    return line(f"Send {count} post(s) now? [y/N] ").strip().lower() in {"y", "yes"}


def _wanted(settings: Settings, route: Route, names: Sequence[str]) -> str:
    return _told(
        settings,
        do="catch-up",
        bridge=route.bridge,
        direction=route.direction.value,
        posts="\n".join(names),
    )


def link(arguments: argparse.Namespace) -> int:
    """Tie two posts."""
    settings = load(locate(arguments.config))
    bridge, way = _way(arguments, settings)
    post, mirror = arguments.post.strip(), arguments.mirror.strip()
    said = _told(
        settings,
        do="link",
        bridge=bridge.name,
        direction=way.value,
        post=id_in(post),
        post_url=_address(post),
        mirror=id_in(mirror),
        mirror_url=_address(mirror),
    )
    print(said)
    return Exit.FINE


def _way(arguments: argparse.Namespace, settings: Settings) -> tuple[BridgeSettings, Direction]:
    """Which bridge, and which way; told by the addresses of the two where that can be."""
    fitting = []
    for bridge in settings.bridges:
        if arguments.bridge not in {None, bridge.name}:
            continue
        for way in Direction:
            sides = (_network(arguments.post, bridge), _network(arguments.mirror, bridge))
            told = all(
                side in {None, at} for side, at in zip(sides, (way.source, way.target), strict=True)
            )
            if told and arguments.direction in {None, way.value}:
                fitting.append((bridge, way))
    if len(fitting) != 1:
        raise ConfigError(
            "it is not clear which of the two is on Mastodon and which on X, of which bridge: give "
            "their addresses, or --bridge and --direction"
        )
    return fitting[0]


def _network(name: str, bridge: BridgeSettings) -> Network | str | None:
    """Where an address leads; None for an id, and what is neither network's is neither."""
    if not is_address(name):
        return None
    host = host_of(name)
    if host == urlsplit(bridge.mastodon.url).hostname and "/status/" not in name:
        return Network.MASTODON
    if host in X_HOSTS or host == urlsplit(bridge.x.url).hostname:
        return Network.X
    return "elsewhere"


def _address(name: str) -> str | None:
    return name if is_address(name) else None


def _told(settings: Settings, **asked: str | None) -> str:
    try:
        return ask(settings.state, **asked)
    except NotRunning:
        return asyncio.run(_on_the_ledger(settings, asked))


async def _on_the_ledger(settings: Settings, asked: dict[str, str | None]) -> str:
    async with steering(settings) as commands:
        return await commands.obey(asked)
