"""Fixtures that every floor's tests share."""

from pathlib import Path

import pytest

pytest_plugins = [
    "tests.fixtures.mastodon",
    "tests.fixtures.world",
    "tests.fixtures.x",
    "tests.fixtures.ways",
]

SHARED = Path(__file__).resolve().parents[2] / "shared"


@pytest.fixture(scope="session")
def shared_folder() -> Path:
    """Reference data kept beside the checkout; tests that need it skip where it is absent."""
    if not SHARED.is_dir():
        pytest.skip(f"the reference data is not here ({SHARED.name}/ beside the checkout)")
    return SHARED
