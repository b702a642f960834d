"""Some passes over generated answers of both networks; `make soak` makes 20,000."""

import pytest

from tests.soak.inbound import world

PASSES = 50


@pytest.mark.parametrize("seed", [101, 102, 103])
async def test_whatever_a_network_answers_every_listed_post_has_a_record(seed: int) -> None:
    async with world(seed) as made:
        for number in range(PASSES):
            assert await made.play() == [], f"pass {number}"
