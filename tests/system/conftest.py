"""What every test of the image and of the units stands on, made once a run."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.system import ground
from tests.system.networks import Networks, served


@pytest.fixture(scope="session")
def workshop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("system")


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
