"""`twinpost sandbox`: only the two stand-ins, to rehearse a configuration of one's own.

Prints a configuration that points at them, and serves until it is told to stop.
"""

from __future__ import annotations

import argparse
import asyncio
import signal
import sys

from bridge.cli.demo.stage import CONFIG
from bridge.cli.exits import Exit
from bridge.core.errors import ConfigError
from bridge.sandbox.mastodon import MastodonSandbox
from bridge.sandbox.server import serve
from bridge.sandbox.x import XSandbox


def run(arguments: argparse.Namespace) -> int:
    """Serve both networks, with one account each, until Ctrl-C."""
    return asyncio.run(_serve(arguments))


async def _serve(arguments: argparse.Namespace) -> Exit:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    x, mastodon = XSandbox(), MastodonSandbox(arguments.profile)
    try:
        async with (
            serve(x.app, port=arguments.x_port) as x_url,
            serve(mastodon.app, port=arguments.mastodon_port) as mastodon_url,
        ):
            account = x.add_account("ada", "Ada")
            print(
                CONFIG.format(
                    name="rehearsal",
                    state="./state",
                    mastodon_url=mastodon_url,
                    mastodon_token=mastodon.add_account("ada", "Ada").access_token,
                    x_url=x_url,
                    x=account.oauth1,
                    x_budget="usd_per_month: 5.00",
                ),
                flush=True,
            )
            print(
                f"Serving X at {x_url} and Mastodon ({arguments.profile}) at {mastodon_url}.\n"
                "Save the lines above as config.yaml and run: twinpost run --config config.yaml\n"
                "Or sign in as with real accounts:\n"
                f"  twinpost init --mastodon-url {mastodon_url} --x-url {x_url}\n"
                "  twinpost login mastodon; twinpost login x, with the\n"
                f"    Client ID {account.oauth2.client_id}\n"
                f"    Client Secret {account.oauth2.client_secret}\n"
                "Write as a person:\n"
                f'  curl -d \'{{"handle": "ada", "text": "Hello"}}\' {x_url}/sandbox/write\n'
                f"  curl -d username=ada -d text=Hello {mastodon_url}/sandbox/write\n"
                "Ctrl-C ends it.",
                file=sys.stderr,
                flush=True,
            )
            await stop.wait()
    except OSError as error:
        raise ConfigError(
            f"a port is taken ({error.strerror or error}); choose others with --x-port and "
            "--mastodon-port"
        ) from None
    return Exit.FINE
