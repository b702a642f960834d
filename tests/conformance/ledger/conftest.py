"""Every ledger there is, opened empty: the conformance suite runs against each of them."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bridge.ledger.sqlite import open_ledger, open_memory
from bridge.ports import Ledger
from tests.ledger.made import T0


@pytest.fixture(params=["memory", "file"])
async def ledger(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Ledger]:
    opened: Ledger = (
        await open_memory(now=T0)
        if request.param == "memory"
        else await open_ledger(tmp_path / "state" / "ledger.db", owner="test", now=T0, create=True)
    )
    yield opened
    await opened.close()
