"""20,000 passes over generated answers of both networks: every listed own post has a record."""

import pytest

from tests.soak.inbound import world

pytestmark = [pytest.mark.soak, pytest.mark.timeout(1800)]

WORLDS, PASSES = 50, 400


@pytest.mark.parametrize("seed", range(WORLDS))
async def test_whatever_a_network_answers_every_listed_post_has_a_record(seed: int) -> None:
    async with world(seed) as made:
        for number in range(PASSES):
            assert await made.play() == [], f"pass {number}"
