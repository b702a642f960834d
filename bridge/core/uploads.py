"""The uploads of a part that the ledger remembers, as a port of the ledger.

A protocol only; what is remembered is in `bridge.core.record`. Must not know how it is kept.
"""

from __future__ import annotations

from typing import Protocol

from bridge.core.model import Microdollars
from bridge.core.prices import FREE
from bridge.core.record import KnownUpload, PartKey, PartRecord


class Uploads(Protocol):
    """Media of parts, from their upload until a post has them. A part of `bridge.ports.Ledger`."""

    async def uploads(self, key: PartKey) -> tuple[KnownUpload, ...]:
        """What the target network has of the media of a part."""
        ...

    async def forget_uploads(self, key: PartKey) -> None:
        """Have what was taken in for a part, and stands in no post, be handed over again."""
        ...

    async def note_upload(
        self,
        key: PartKey,
        upload: KnownUpload,
        cost: Microdollars,
        *,
        described: Microdollars = FREE,
    ) -> PartRecord:
        """Remember, right after its answer, what was taken in, its cost, and its description's."""
        ...
