"""What every test of the image and of the units stands on, made once a run."""

import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.system import ground
from tests.system.networks import Networks, served


@pytest.fixture(scope="session")
def workshop() -> Iterator[Path]:
    """A folder for whole systems. Not among pytest's own, which keep what three runs have made."""
    with tempfile.TemporaryDirectory(prefix="twinpost-system-", dir="/var/tmp") as made:
        yield Path(made)


@pytest.fixture(scope="session")
def debian(workshop: Path) -> Path:
    try:
        ground.need(["debootstrap", "chroot"])
        return ground.debian(workshop)
    except ground.Missing as missing:
        pytest.skip(str(missing))


@pytest.fixture(scope="session")
def wheels(workshop: Path, debian: Path) -> Path:
    return ground.wheels(workshop, debian)


@pytest.fixture(scope="session")
def networks() -> Iterator[Networks]:
    with served() as made:
        yield made


_FIGURES = pytest.StashKey[list[str]]()


@pytest.fixture
def figure(request: pytest.FixtureRequest) -> Callable[[str], None]:
    """Notes a figure that was measured; all are shown at the end."""
    return request.config.stash.setdefault(_FIGURES, []).append


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    for line in config.stash.get(_FIGURES, []):
        terminalreporter.write_line(f"measured: {line}")
