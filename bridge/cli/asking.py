"""Ask a person at a terminal, or a script at the other end of a pipe. What is secret is not echoed.

Must not know what is asked, and never repeats an answer.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import sys
import termios
import textwrap
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import TypeVar

from bridge.core.errors import ConfigError

_T = TypeVar("_T")
_WIDEST = 100
_LONGEST_LINE = 64 * 1024


class NoAnswer(ConfigError):
    """The input ended before the question was answered."""


def say(text: str, *, indent: str = "") -> None:
    """Print paragraphs, at a terminal wrapped to it; addresses are never broken.

    `indent` goes before every line of a paragraph but its first.
    """
    width = min(shutil.get_terminal_size().columns, _WIDEST) - 1
    wrapper = textwrap.TextWrapper(
        width, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False
    )
    for paragraph in text.split("\n"):
        print(wrapper.fill(paragraph) if sys.stdout.isatty() else paragraph)
    sys.stdout.flush()


def ask(prompt: str, check: Callable[[str], _T], *, default: str = "") -> _T:
    """The answer, as `check` reads it; asked again for as long as that raises `ValueError`.

    Raises `NoAnswer` at the end of the input.
    """
    shown = f"{prompt} [{default}]: " if default else f"{prompt}: "
    while True:
        answer = line(shown).strip() or default
        try:
            return check(answer)
        except ValueError as error:
            say(f"  {error}")


def line(prompt: str, *, hidden: bool = False) -> str:
    """One line of input, without its end. Raises `NoAnswer` at the end of the input."""
    with _silent(on=hidden) as silent:
        print(prompt, end="", flush=True)
        typed = sys.stdin.readline(_LONGEST_LINE)
    if silent or not sys.stdin.isatty():
        print(flush=True)
    if not typed:
        raise NoAnswer("the input ended before all was answered; nothing was written")
    return typed.rstrip("\r\n")


@asynccontextmanager
async def typing(prompt: str) -> AsyncIterator[asyncio.Future[str]]:
    """A line that may be typed, unseen, while something else is waited for.

    The future fails with `NoAnswer` at the end of the input.
    """
    loop = asyncio.get_running_loop()
    typed: asyncio.Future[str] = loop.create_future()
    file = sys.stdin.fileno()
    buffer = bytearray()

    def read() -> None:
        piece = os.read(file, 4096)
        buffer.extend(piece)
        if typed.done():
            return
        if b"\n" in buffer or len(buffer) > _LONGEST_LINE:
            typed.set_result(bytes(buffer).partition(b"\n")[0].decode(errors="replace").strip())
        elif not piece:
            typed.set_exception(NoAnswer("the input ended before an answer came"))
        if typed.done():
            loop.remove_reader(file)

    with _silent(on=True):
        print(prompt, end="", flush=True)
        try:
            try:
                loop.add_reader(file, read)
            except PermissionError:
                # A plain file cannot be waited for, and need not be.
                while not typed.done():
                    read()
            yield typed
        finally:
            loop.remove_reader(file)
            if typed.done() and not typed.cancelled():
                typed.exception()
            print(flush=True)


@contextmanager
def _silent(*, on: bool) -> Iterator[bool]:
    """Without an echo, where the input is a terminal; gives whether that is so.

    Begins before the prompt is shown: whoever answers at once is not shown either, nor lost.
    """
    if not on or not sys.stdin.isatty():
        yield False
        return
    file = sys.stdin.fileno()
    before = termios.tcgetattr(file)
    silent = termios.tcgetattr(file)
    silent[3] &= ~termios.ECHO
    termios.tcsetattr(file, termios.TCSADRAIN, silent)
    try:
        yield True
    finally:
        termios.tcsetattr(file, termios.TCSADRAIN, before)
