"""The marks by which a post shows that another cross-poster made it.

Data, each with the place it was read in, and one question. Only tools that do nothing but carry
posts from one of the two networks to the other are listed: what they make is a mirror whatever it
says. Tools to write with (Buffer, Hootsuite, Postiz, any client) make originals, and so does what
brings feeds; where those post the same on both sides, `bridge.core.twins` finds it. Must not take
an unknown application, or words that a person might write, for a mark.
"""

from __future__ import annotations

import regex

from bridge.core.fingerprint import canonical_link
from bridge.core.model import Network, Post
from bridge.core.text import SpanKind

OWN_NAME = "twinpost"
"""By which `twinpost login` registers with a Mastodon server."""

_COPIERS = frozenset(
    {
        # The default of CROSSPOSTER_APP_NAME in renatolond/mastodon-twitter-poster,
        # config/initializers/crossposter_config.rb, and on the posts of its public server.
        "mastodon twitter crossposter",
        # foozmeat/moa, moa/app.py, get_or_create_host(); moa.party registered by this name.
        "moa",
        # klausi/mastodon-twitter-sync, src/registration.rs.
        "mastodon-twitter-sync",
        # halcy/MastodonToTwitter and its forks, MastodonToTwitter.py.
        "mastodontotwitter",
        # wtsnjp/twoot.py, offered by its set-up.
        "twoot.py",
    }
)
"""Names that these tools register with a Mastodon server, case-folded."""

_CARRIERS = frozenset({"ifttt", "zapier"})
"""They carry anything to anywhere; by the name that their manuals have people give them."""

_SIGNATURE = regex.compile(
    # robertoszek/pleroma-bot ("Stork"), pleroma_bot/_processing.py: `signature`, with the date of
    # `original_date` after it.
    r"(?:\A|\n)[ \t]*🐦🔗: ?https?://\S+/status/\d+/?\s*+(?:\[[^\[\]\n]{1,40}\]\s*+)?\Z"
)
_X_POST = regex.compile(r"\Ax\.com/(?:i/web|\w{1,20})/status/\d+")


def maker(post: Post) -> str | None:
    """The cross-poster that `post` bears the mark of, by a name for people; None for none."""
    if post.network is not Network.MASTODON:
        return None  # X names no application, and no tool is known to sign there.
    name = " ".join((post.application or "").split())
    if name.casefold() in _COPIERS:
        return name
    if name.casefold() in _CARRIERS and _links_to_x(post):
        return name
    return "pleroma-bot" if _SIGNATURE.search(post.text.plain) else None


def _links_to_x(post: Post) -> bool:
    """Whether the text names a post on X, as those who carry one from there have it do."""
    links = post.text.of_kind(SpanKind.LINK)
    return any(_X_POST.match(canonical_link(link.target)) for link in links)
