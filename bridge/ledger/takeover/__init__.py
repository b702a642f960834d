"""What other cross-posters remember of the posts that they mirrored, each in its own format.

Pure parsers: bytes in, pairs of ids out. Must not touch a ledger, and must not guess: what cannot
be read is named with its place. Formats are as the tools' public sources have them.
"""

from __future__ import annotations

from bridge.ledger.takeover.formats import FORMATS, LARGEST, Format, read
from bridge.ledger.takeover.found import Found, Known

__all__ = ["FORMATS", "LARGEST", "Format", "Found", "Known", "read"]
