"""What was claimed, and whether a claim may still be acted upon. Must not send anything."""

from __future__ import annotations

import hashlib
import json

from bridge.core.draft import DraftPart
from bridge.core.model import PostId
from bridge.engine.route import Bench

STALE = 20.0
"""Seconds after its claim in which a part must be on its way; well within a lease.

Whoever takes over from a stopped process waits for longer than this before it takes an absence for
proof, so a claim that is acted upon in time is always seen by a successor.
"""


async def still_ours(bench: Bench, begun: float) -> bool:
    """Whether what was claimed at `begun` (monotonic) may be acted upon now.

    After long uploads, or a sleep, the lease has to be proven anew. Raises `LeaseLost` where
    another process has taken over meanwhile; false where even the proof was slept over.
    """
    if bench.clock.monotonic() - begun <= STALE:
        return True
    begun = bench.clock.monotonic()
    await bench.ledger.renew(bench.clock.now())
    return bench.clock.monotonic() - begun <= STALE


def body_hash(part: DraftPart, where: PostId | None) -> str:
    """SHA-256 over all that is sent, in hexadecimal; `where` is what it replies to, or replaces."""
    poll = part.poll and [part.poll.options, part.poll.multiple, part.poll.ends_at.isoformat()]
    body = [
        part.text,
        part.spoiler,
        part.sensitive,
        part.language,
        part.visibility.value,
        [[medium.id, medium.kind.value, medium.url, medium.alt] for medium in part.media],
        where,
        poll,
        part.quote,
        part.repeat,
    ]
    return hashlib.sha256(json.dumps(body).encode()).hexdigest()
