"""A bridge on a real ledger that is opened fast, and asked without another thread.

For the many short lives of `test_any_fate`: the files, SQLite and every statement are the real
ones; what is left out is a thread to hand them to, which has no say in what they do. The lives that
end by SIGKILL, with the thread, are those of `test_random_kills`.
"""

import asyncio
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar
from unittest.mock import patch

from bridge.core.errors import LedgerError
from bridge.ledger import sqlite
from bridge.ports import Ledger
from tests.engine.conftest import Rig
from tests.fakes import PatientClock

T = TypeVar("T")


class AtOnce:
    """A `WorkThread` that does its work where it is asked to, after others had their turn."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._stopped = False

    async def run(self, work: Callable[[], T]) -> T:
        if self._stopped:
            raise LedgerError(f"the {self._name} has been closed")
        await asyncio.sleep(0)
        return work()

    async def stop(self, last: Callable[[], None]) -> None:
        if not self._stopped:
            self._stopped = True
            await asyncio.sleep(0)
            last()


class QuickRig(Rig):
    """A rig whose ledger answers at once; a new one is the copy of an empty one."""

    @staticmethod
    async def opened(folder: Path, clock: PatientClock) -> Ledger:
        with patch.object(sqlite, "WorkThread", AtOnce):
            return await Rig.opened(folder, clock)

    @staticmethod
    async def furnished(folder: Path, template: Path, clock: PatientClock) -> Ledger:
        """A new ledger in `folder`, copied from `template`, which is filled where it is empty."""
        if not copied(template, folder):
            await (await QuickRig.opened(template, clock)).close()
            copied(template, folder)
        return await QuickRig.opened(folder, clock)


def copied(template: Path, folder: Path) -> bool:
    """Copy what is in `template` to `folder`; False where it is empty."""
    files = tuple(template.iterdir())
    for file in files:
        shutil.copyfile(file, folder / file.name)
        (folder / file.name).chmod(0o600)
    return bool(files)
