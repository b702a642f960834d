"""Send the owner to a page, and wait for what comes back: by the browser, or typed by hand."""

from __future__ import annotations

import asyncio
import os
import sys
import webbrowser
from collections.abc import Callable

from bridge.cli.asking import NoAnswer, say, typing
from bridge.core.errors import ConfigError
from bridge.signin.loopback import Loopback
from bridge.signin.redirect import NotOurs

PATIENCE = 600.0
"""Seconds for which an answer is waited for."""


def headless() -> bool:
    """Whether a browser that is opened here would not be seen by whoever sits at the terminal."""
    if os.environ.get("SSH_CONNECTION"):
        return True
    graphical = sys.platform == "darwin" or any(
        os.environ.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY")
    )
    return not graphical


def show(address: str, *, browser: bool) -> None:
    """Print the address of the page, and open it where `browser` is true."""
    print(f"\nOpen this address in a browser and agree:\n\n  {address}\n", flush=True)
    if browser:
        # A browser that says something on this terminal must not disturb.
        webbrowser.open(address)


async def awaited(prompt: str, read: Callable[[str], str], loopback: Loopback | None = None) -> str:
    """The code, by whichever way it comes first.

    What is typed is read by `read`, and asked for again while it is not an answer to us. Raises
    `Unauthorised` where the network refused, and `ConfigError` when nothing comes.
    """
    deadline = asyncio.get_running_loop().time() + PATIENCE
    while True:
        async with typing(prompt) as typed:
            ways = {typed} if loopback is None else {typed, loopback.code}
            left = deadline - asyncio.get_running_loop().time()
            done, _ = await asyncio.wait(ways, timeout=left, return_when=asyncio.FIRST_COMPLETED)
            if loopback is not None and typed in done and isinstance(typed.exception(), NoAnswer):
                # Nobody sits there: the browser alone can answer.
                left = deadline - asyncio.get_running_loop().time()
                done, _ = await asyncio.wait({loopback.code}, timeout=left)
        if loopback is not None and loopback.code in done:
            return loopback.code.result()
        if typed not in done:
            raise ConfigError(f"no answer came within {PATIENCE / 60:.0f} minutes; begin again")
        try:
            return read(typed.result())
        except NotOurs as error:
            say(str(error))
