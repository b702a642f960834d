"""A stand-in for a server that speaks the Mastodon API: Mastodon, GoToSocial, or a minimal one.

As strict as the real ones, in memory, over real HTTP. Written after published documentation and
source; must not know what the bridge asks of it, nor be kinder than a server.
"""

from bridge.sandbox.mastodon.app import MastodonSandbox
from bridge.sandbox.mastodon.problems import ApiError
from bridge.sandbox.mastodon.records import (
    Attachment,
    Change,
    MastodonAccount,
    PollDraft,
    Status,
)

__all__ = [
    "ApiError",
    "Attachment",
    "Change",
    "MastodonAccount",
    "MastodonSandbox",
    "PollDraft",
    "Status",
]
