"""X API v2 as an app on the self-serve plan meets it, over HTTP, in memory.

Both field vocabularies, the rules for posts, signatures, limits, and a bill for every request.
Facts: docs.x.com and the OpenAPI documents 2.166 and 2.167, with what was measured on the live
service where they differ. Must not be more lenient than the service.
"""

from bridge.sandbox.x.accounts import OAuth1Keys, OAuth2Keys, XAccount
from bridge.sandbox.x.limits import X_LIMITS, Limit
from bridge.sandbox.x.meter import Charge
from bridge.sandbox.x.posts import ChangeKind, StoredPost, XChange, XPoll
from bridge.sandbox.x.sandbox import XSandbox
from bridge.sandbox.x.uploads import XFile

__all__ = [
    "X_LIMITS",
    "ChangeKind",
    "Charge",
    "Limit",
    "OAuth1Keys",
    "OAuth2Keys",
    "StoredPost",
    "XAccount",
    "XChange",
    "XFile",
    "XPoll",
    "XSandbox",
]
