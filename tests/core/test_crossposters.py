"""The marks of other cross-posters, and all that is none."""

from dataclasses import replace
from datetime import UTC, datetime
from time import perf_counter

import pytest

from bridge.core.crossposters import maker
from bridge.core.model import AccountId, Network, Post, PostId, Visibility
from bridge.core.rules import History, Rules, decide
from bridge.core.text import Span, SpanKind, Text
from bridge.core.verdict import Action, Reason

TWEET = "https://twitter.com/ann/status/1729"


def toot(text: str = "Bread and salt", application: str | None = None, link: str = "") -> Post:
    spans: tuple[Span, ...] = ()
    if link:
        start = len(text) + 1
        text = f"{text} {link}"
        spans = (Span(start, len(text), SpanKind.LINK, link),)
    return Post(
        network=Network.MASTODON,
        id=PostId("1"),
        author=AccountId("me"),
        created_at=datetime(2026, 11, 22, 12, tzinfo=UTC),
        text=Text(text, spans),
        visibility=Visibility.PUBLIC,
        application=application,
    )


MARKED = {
    "the public cross-poster": toot(application="Mastodon Twitter Crossposter"),
    "in other letters": toot(application="mastodon twitter CROSSPOSTER"),
    "with odd spaces": toot(application=" Mastodon  Twitter Crossposter\n"),
    "Moa": toot(application="Moa"),
    "mastodon-twitter-sync": toot(application="mastodon-twitter-sync"),
    "MastodonToTwitter": toot(application="MastodonToTwitter"),
    "twoot": toot(application="twoot.py"),
    "a tweet by IFTTT": toot(application="IFTTT", link=TWEET),
    "a tweet on x.com by Zapier": toot(
        application="Zapier", link="https://x.com/ann/status/1?s=20"
    ),
    "a web address by IFTTT": toot(application="IFTTT", link="https://x.com/i/web/status/1"),
    "signed by pleroma-bot": toot(f"Bread and salt\n\n 🐦🔗: {TWEET}", link=""),
    "signed and dated": toot(f"Bread and salt\n\n 🐦🔗: {TWEET}\n\n[Nov 22, 2026]"),
    "nothing but the signature": toot(f"🐦🔗: {TWEET}"),
    "signed with another front": toot("Bread\n\n🐦🔗: https://nitter.example/ann/status/1729"),
}

UNMARKED = {
    "no application": toot(),
    "an empty one": toot(application=""),
    "a client": toot(application="Tusky"),
    "our own": toot(application="twinpost"),
    "a name that begins alike": toot(application="Moa Reader"),
    "a name with a mark in it": toot(application="My Mastodon Twitter Crossposter"),
    "a tool to write with": toot(application="Buffer", link=TWEET),
    "a feed by IFTTT": toot(application="IFTTT", link="https://example.com/news/1"),
    "IFTTT without a link": toot(application="IFTTT"),
    "IFTTT about an account": toot(application="IFTTT", link="https://x.com/ann"),
    "a tweet that a person links to": toot("As said before:", "Web", link=TWEET),
    "birds and links in a sentence": toot(f"My 🐦🔗: {TWEET} and more"),
    "a signature that is quoted": toot(f"It signs with\n🐦🔗: {TWEET}\nand I dislike it"),
    "birds alone": toot("🐦🔗"),
    "the words of a mark": toot("I moved from Moa to Mastodon Twitter Crossposter"),
}


@pytest.mark.parametrize("name", MARKED)
def test_promise_4_a_marked_post_is_not_mirrored(name: str) -> None:
    verdict = decide(MARKED[name], Rules(frozenset({Visibility.PUBLIC})), History())
    assert (verdict.action, verdict.reason) == (Action.SKIP, Reason.FOREIGN_MIRROR)
    assert maker(MARKED[name]) == verdict.detail


@pytest.mark.parametrize("name", UNMARKED)
def test_promise_1_ordinary_writing_bears_no_mark(name: str) -> None:
    assert maker(UNMARKED[name]) is None


def test_x_names_no_application_and_so_bears_no_mark() -> None:
    assert maker(replace(MARKED["Moa"], network=Network.X)) is None


@pytest.mark.parametrize(
    "text",
    [
        "\n🐦🔗: https://" * 4_000,
        "\n" + " " * 60_000 + "🐦",
        "🐦🔗: https://a/status/1" + " " * 60_000 + ".",
    ],
)
def test_looking_for_marks_takes_no_time_on_hostile_text(text: str) -> None:
    begun = perf_counter()
    assert maker(toot(text)) is None
    assert perf_counter() - begun < 0.5
