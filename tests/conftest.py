"""Fixtures that every floor's tests share."""

import gc
import os
import shutil
import signal
import tempfile
from pathlib import Path

import pytest

pytest_plugins = [
    "tests.fixtures.calendar",
    "tests.fixtures.mastodon",
    "tests.fixtures.world",
    "tests.fixtures.x",
    "tests.fixtures.ways",
]

SHARED_MEMORY = Path("/dev/shm")
ROOM = 2 * 1024**3
"""Bytes that a run may come to need there; a container often has much less."""

TEMPORARY = "PYTEST_DEBUG_TEMPROOT"

# Every ledger syncs every commit. What that does is asked of the ledger, not of this machine's
# disk, which would take as long again as all the rest.
if TEMPORARY not in os.environ and (
    SHARED_MEMORY.is_dir() and shutil.disk_usage(SHARED_MEMORY).free > ROOM
):
    os.environ[TEMPORARY] = tempfile.mkdtemp(prefix="twinpost-tests-", dir=SHARED_MEMORY)
    MADE_HERE = True
else:
    MADE_HERE = False

# What a shell starts in the background ignores Ctrl-C, and so would all that is started here.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_collection_finish() -> None:
    """What stands now stays to the end: no collection need look at it again."""
    gc.collect()
    gc.freeze()


def pytest_sessionfinish(exitstatus: int) -> None:
    """Memory is given back, unless there is something to look into."""
    if MADE_HERE and exitstatus == pytest.ExitCode.OK:
        shutil.rmtree(os.environ[TEMPORARY], ignore_errors=True)


SHARED = Path(__file__).resolve().parents[2] / "shared"


@pytest.fixture(scope="session")
def shared_folder() -> Path:
    """Reference data kept beside the checkout; tests that need it skip where it is absent."""
    if not SHARED.is_dir():
        pytest.skip(f"the reference data is not here ({SHARED.name}/ beside the checkout)")
    return SHARED
