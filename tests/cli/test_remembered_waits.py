"""What a timer's passes wait for, through the real command line and both stand-ins."""

import json
import time

from bridge.sandbox.faults import Fault
from tests.fixtures.world import World

PROBLEM = {"title": "Too Many Requests", "detail": "Too Many Requests", "status": 429}


def creates(world: World) -> int:
    asked = [(entry.method, entry.path) for entry in world.x.faults.requests]
    return asked.count(("POST", "/2/tweets"))


async def test_a_days_quota_that_is_used_up_is_asked_for_once_and_said(world: World) -> None:
    assert (await world.twinpost("once")).code == 0
    headers = {
        "x-rate-limit-remaining": "1079990",
        "x-rate-limit-reset": str(int(time.time()) + 600),
        "x-user-limit-24hour-remaining": "0",
        "x-user-limit-24hour-reset": str(int(time.time()) + 19 * 3600),
    }
    used_up = Fault(
        "refuse-then-said", "POST", "^/2/tweets$",
        times=None, status=429, body=json.dumps(PROBLEM), headers=headers,
    )  # fmt: skip
    world.x.faults.add(used_up)
    world.mastodon.write(world.mastodon_account, "Over the day's quota.")
    for _ in range(3):
        assert (await world.twinpost("once")).code == 1
    assert creates(world) == 1
    out, home = (await world.twinpost("status", "--json")).rows
    assert (out["state"], out["waits_for"], home["waits_for"]) == ("rate limit", "x", None)
    assert "Too Many Requests" in out["detail"]
    told = await world.twinpost("check")
    assert "waits for X since" in told.out
    # Limits take their time whatever anybody says; another configuration is another matter.
    assert (await world.twinpost("sync-now")).code == 2
    world.configure(outward_delay="1s")
    world.x.faults.clear()
    assert (await world.twinpost("once")).code == 0
    assert creates(world) == 2
