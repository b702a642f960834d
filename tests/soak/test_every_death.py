"""R1 in full: a thread of three with four pictures, killed before and after any call of a port."""

from pathlib import Path

import pytest

from bridge.core.model import Direction
from tests.crash.stage import staged
from tests.crash.test_killed_four_pictures import BOTH, killed_at_every
from tests.soak.conftest import Row


@pytest.mark.soak
@pytest.mark.timeout(3600)
@BOTH
async def test_r1_a_thread_of_three_with_four_pictures_survives_a_death_at_every_call(
    tmp_path: Path, direction: Direction, row: Row
) -> None:
    row.bar = "R1"
    async with staged(tmp_path) as stage:
        deaths = await killed_at_every(stage, direction, 1, "before after")
    row.runs = f"{deaths} deaths, {direction.value}"
