"""twinpost: keeps one presence on X and on Mastodon with a single act of writing.

This package holds no behaviour of its own; the floors are drawn in `docs/architecture.md`.
"""

__version__ = "0.1.0"

USER_AGENT = f"twinpost/{__version__}"
"""How every request names itself."""
