"""Which accounts are the same: ids count on one server only, and silence is no proof."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bridge.core.identity import (
    Identity,
    Trace,
    fits_addresses,
    identity_of,
    is_the_same,
    server_of,
    shows,
)
from bridge.core.model import Account, AccountId, Network, Post, PostId, Visibility
from bridge.core.text import Text

T0 = datetime(2026, 11, 22, 12, 30, 7, tzinfo=UTC)
NAMES = st.sampled_from(["ada", "Ada", "bob", ""])
MOMENTS = st.sampled_from(
    [None, T0, T0 + timedelta(microseconds=1), T0.replace(hour=0, minute=0, second=0)]
)
IDENTITIES = st.builds(
    Identity,
    st.sampled_from([AccountId("1"), AccountId("2")]),
    st.sampled_from(["a.example", "b.example", "a.example:8443", ""]),
    NAMES,
    MOMENTS,
)


@settings(max_examples=300, deadline=None)
@given(IDENTITIES, IDENTITIES)
def test_two_accounts_are_the_same_by_id_and_server_or_by_all_there_is(
    one: Identity, two: Identity
) -> None:
    same = is_the_same(one, two)
    assert same is is_the_same(two, one)
    if one.id != two.id:
        assert not same
    elif one.server == two.server:
        assert same
    elif same:
        assert one.created_at == two.created_at == T0 or one.created_at == T0 + timedelta(
            microseconds=1
        )
        assert one.handle.casefold() == two.handle.casefold()


@pytest.mark.parametrize(
    ("address", "server"),
    [
        ("https://mastodon.example/@ada", "mastodon.example"),
        ("https://www.Mastodon.example:443/users/ada", "mastodon.example"),
        ("http://mastodon.example:80/@ada", "mastodon.example"),
        ("https://mastodon.example./@ada", "mastodon.example"),
        ("https://mastodon.example:8443/@ada", "mastodon.example:8443"),
        ("http://127.0.0.1:3000/@ada", "127.0.0.1:3000"),
        ("http://[::1]:3000/@ada", "::1:3000"),
        ("https://twitter.com/ada", "x.com"),
        ("https://mobile.x.com/ada/status/1", "x.com"),
        ("https://mastodon.example:port/@ada", ""),
        ("https://[/", ""),
        ("", ""),
        (None, ""),
    ],
)
def test_spellings_of_one_server_are_one(address: str | None, server: str) -> None:
    assert server_of(address) == server


def post(author: str, at: datetime) -> Post:
    return Post(Network.MASTODON, PostId("1"), AccountId(author), at, Text(""), Visibility.PUBLIC)


@pytest.mark.parametrize("server_is_known", [True, False])
@pytest.mark.parametrize(
    ("found", "at", "shown"),
    [
        (None, T0, False),
        (post("2", T0), T0, False),
        (post("1", T0), T0, True),
        (post("1", T0 + timedelta(seconds=1)), T0, True),
        (post("1", T0 + timedelta(seconds=2)), T0, False),
        (post("1", T0 - timedelta(days=400)), T0, False),
    ],
)
def test_a_post_shows_whose_it_is_by_author_and_time(
    found: Post | None, at: datetime, *, shown: bool, server_is_known: bool
) -> None:
    trace = Trace(PostId("1"), at=at)
    assert shows(trace, found, AccountId("1"), server_is_known=server_is_known) is shown


def test_an_id_alone_shows_nothing_on_another_server() -> None:
    trace, found = Trace(PostId("1")), post("1", T0)
    assert shows(trace, found, AccountId("1"), server_is_known=True)
    assert not shows(trace, found, AccountId("1"), server_is_known=False)


@pytest.mark.parametrize(
    ("url", "fits"),
    [
        ("https://a.example/@ada/113", True),
        ("https://a.example/@Ada/113", True),
        ("https://a.example/users/ada/statuses/113", True),
        ("https://a.example/@ada/statuses/01HZ", True),
        ("https://a.example/notice/AbC", True),
        ("https://a.example/@bob/113", False),
        ("https://a.example/users/bob/statuses/113", False),
        ("https://b.example/@ada/113", False),
        ("https://b.example/notice/AbC", False),
        ("https://[", False),
    ],
)
def test_an_address_tells_server_and_name(url: str, *, fits: bool) -> None:
    found = Identity(AccountId("1"), "a.example", "ada@a.example")
    assert fits_addresses([Trace(PostId("9")), Trace(PostId("1"), url)], found) is fits


@pytest.mark.parametrize(
    ("url", "fits"),
    [
        ("https://x.com/ada/status/20", True),
        ("https://twitter.com/ADA/status/20", True),
        ("https://x.com/i/web/status/20", True),
        ("https://x.com/i/status/20", True),
        ("https://x.com/bob/status/20", False),
        ("http://127.0.0.1:8000/ada/status/20", False),
    ],
)
def test_an_address_on_x_tells_the_name(url: str, *, fits: bool) -> None:
    found = Identity(AccountId("1"), "x.com", "ada")
    assert fits_addresses([Trace(PostId("20"), url)], found) is fits


def test_addresses_of_posts_that_were_boosted_do_not_count() -> None:
    found = Identity(AccountId("1"), "a.example", "ada@a.example")
    boost, own = "https://b.example/@bob/7", "https://a.example/@ada/113"
    bare = "https://a.example/notice/AbC"
    assert fits_addresses([Trace(PostId("2"), boost), Trace(PostId("1"), own)], found)
    assert not fits_addresses([Trace(PostId("2"), boost), Trace(PostId("1"), bare)], found)


def test_without_addresses_nothing_speaks_against_an_account() -> None:
    found = Identity(AccountId("1"), "a.example", "ada")
    assert fits_addresses([], found)
    assert fits_addresses([Trace(PostId("1"))], found)


@settings(max_examples=100, deadline=None)
@given(st.text(max_size=400), st.text(max_size=400))
def test_what_a_network_says_goes_on_one_line_of_a_message(handle: str, name: str) -> None:
    account = Account(Network.X, AccountId(name), handle, f"https://x.com/{handle}")
    told = str(identity_of(account))
    assert told.isprintable()
    assert len(told) < 700
