"""However the tasks of a daemon take turns, and wherever it is killed, the promises hold.

Each seed is one history: posts of one and of several parts in both directions, edits and deletions
are written and mirrored while a scheduler switches tasks at every call of a port.
"""

import asyncio
from datetime import timedelta
from pathlib import Path
from random import Random

import pytest

from bridge.core.errors import InDoubt, Transient
from bridge.core.model import Network
from tests.fakes import PatientClock
from tests.soak.switching import Switchboard, SwitchedRig, SwitchedUniverse, complaints
from tests.soak.universe import OwnClock, WatchedNetwork

QUICK = 80
CHUNK = 1000
CHUNKS = 10


class History:
    """What happens in one seed."""

    def __init__(self, seed: int, folder: Path, *, checks_locks: bool = False) -> None:
        self.checks_locks = checks_locks
        self.random = Random(seed)
        true = PatientClock()
        self.folder, self.clock = folder, OwnClock(true=true)

    async def run(self) -> list[str]:
        """Live it; everything that went wrong."""
        random = self.random
        rig = SwitchedRig(
            folder=self.folder,
            clock=self.clock,
            mastodon=WatchedNetwork(Network.MASTODON, self.clock.true, max_length=500),
            x=WatchedNetwork(Network.X, self.clock.true, max_length=170),
            ledger=await SwitchedRig.in_memory(self.clock),
            delay=timedelta(seconds=random.choice([0, 0, 20])),
            board=Switchboard(random),
            checks_locks=self.checks_locks,
        )
        universe = self.universe = SwitchedUniverse(rig, self.clock, random=random, acts=self.act)
        for net in universe.networks.values():
            net.universe = universe
        with complaints(universe.wrongs):
            await universe.live(1)
            for _ in range(random.randrange(2, 4)):
                for _ in range(random.randrange(1, 3)):
                    self.act()
                universe.dies = random.choice([0.3, 0.8])
                lives = universe.lives
                await universe.live(random.choice([0, 1, 4, 20, 95]))
                if universe.lives > lives:
                    universe.dies = 0.1
                    await universe.live(0)
            universe.dies = 0.0
            await universe.set_right()
            await universe.judge()
        await rig.ledger.close()
        return universe.wrongs

    def act(self) -> None:
        """Something that an author does, or that a network does to the bridge."""
        random, universe = self.random, self.universe
        side = random.choice(list(Network))
        mine = [tale for tale in universe.tales if not tale.gone]
        match random.randrange(10):
            case 0 if mine:
                universe.edit(random.choice(mine))
            case 1 if mine:
                universe.delete(random.choice(mine))
            case 2:
                done = random.random() < 0.7
                universe.networks[side].answers.append((done, InDoubt("the connection was reset")))
                dead = Transient("HTTP 502", status=502, unreachable=True)
                universe.networks[side].read_errors += [dead] * random.choice([0, 0, 1, 3])
            case 3 if mine:
                parent = random.choice(mine)
                universe.write(parent.post.network, parent=parent)
            case _:
                universe.write(side, lines=random.choice([1, 1, 2, 9]))


def wrongs_of(seeds: range, folder: Path, *, checks_locks: bool = False) -> list[str]:
    found = list[str]()
    for seed in seeds:
        wrongs = asyncio.run(History(seed, folder, checks_locks=checks_locks).run())
        found += [f"seed {seed}: {wrong}" for wrong in wrongs]
    return found


def test_in_whatever_order_tasks_are_switched_the_promises_hold(tmp_path: Path) -> None:
    assert wrongs_of(range(QUICK), tmp_path) == []


def test_accounts_and_bridges_are_held_by_whoever_changes_them(tmp_path: Path) -> None:
    assert wrongs_of(range(10), tmp_path, checks_locks=True) == []


@pytest.mark.soak
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("chunk", range(1, CHUNKS + 1))
def test_in_thousands_of_orders_the_promises_hold(chunk: int, tmp_path: Path) -> None:
    assert wrongs_of(range(chunk * CHUNK, (chunk + 1) * CHUNK), tmp_path) == []
