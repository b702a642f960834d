"""The log: one line an event, nothing that steers a terminal, no secrets, no texts."""

import io
import logging
from collections.abc import Iterator

import pytest

from bridge import log
from bridge.core.secret import Secret

TOKEN = "tok-abcdef-123456"


@pytest.fixture
def stream() -> Iterator[io.StringIO]:
    root = logging.getLogger()
    before = (root.handlers[:], root.level)
    made = io.StringIO()
    log.configure(secrets=[Secret(TOKEN)], stream=made)
    yield made
    root.handlers, root.level = before


@pytest.mark.parametrize("hostile", ["a\nb", "a\rb", "\x1b[2J", "\u2028", "\u202egnp.exe", "\x00"])
def test_one_event_is_one_line_whatever_is_in_it(stream: io.StringIO, hostile: str) -> None:
    logging.getLogger("bridge.test").warning("name: %s", hostile)
    lines = stream.getvalue().splitlines()
    assert len(lines) == 1
    assert hostile not in lines[0]
    assert lines[0].isprintable()


def test_a_traceback_is_one_line_too(stream: io.StringIO) -> None:
    try:
        raise RuntimeError(f"boom {TOKEN}")
    except RuntimeError:
        logging.getLogger("bridge.test").exception("it broke")
    assert len(stream.getvalue().splitlines()) == 1
    assert "RuntimeError" in stream.getvalue()


def test_promise_6_no_spill_a_secret_is_starred_out_wherever_it_turns_up(
    stream: io.StringIO,
) -> None:
    logging.getLogger("bridge.test").error("header was Bearer %s", TOKEN)
    try:
        raise RuntimeError(f"boom {TOKEN}")
    except RuntimeError:
        logging.getLogger("bridge.test").exception("it broke")
    assert TOKEN not in stream.getvalue()
    assert "***" in stream.getvalue()


@pytest.mark.parametrize("library", ["tweepy", "urllib3", "requests_oauthlib", "aiohttp.access"])
def test_libraries_stay_quiet_even_when_we_are_not(stream: io.StringIO, library: str) -> None:
    log.configure(secrets=[], verbose=True, stream=stream)
    logging.getLogger(library).debug("Authorization: something")
    assert stream.getvalue() == ""


def test_a_secret_prints_stars() -> None:
    assert TOKEN not in f"{Secret(TOKEN)} {Secret(TOKEN)!r} {[Secret(TOKEN)]}"
