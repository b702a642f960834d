"""What people type for a server, and every trick that is refused."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.signin.server import server_address


@pytest.mark.parametrize(
    ("typed", "address"),
    [
        ("mastodon.social", "https://mastodon.social"),
        (" Mastodon.Social/ ", "https://mastodon.social"),
        ("https://mastodon.social/@ada/113", "https://mastodon.social"),
        ("@ada@mastodon.social", "https://mastodon.social"),
        ("https://social.example:8443", "https://social.example:8443"),
        ("https://social.example:443", "https://social.example"),
        ("bücher.example", "https://xn--bcher-kva.example"),
        ("http://127.0.0.1:3000", "http://127.0.0.1:3000"),
        ("http://localhost:3000", "http://localhost:3000"),
        ("http://[::1]:3000", "http://[::1]:3000"),
        ("https://mastodon.social\n", "https://mastodon.social"),
    ],
)
def test_a_name_an_address_and_a_handle_all_lead_to_the_server(typed: str, address: str) -> None:
    assert server_address(typed) == address


@pytest.mark.parametrize(
    "typed",
    [
        "", " ", "mastodon", "localhost", "https://localhost",
        "192.0.2.1", "https://192.0.2.1", "2130706433", "0x7f000001", "0x7f.1", "017700000001",
        "127.1", "127.0.0.1", "https://127.0.0.1.", "[::1]", "https://[::ffff:127.0.0.1]", "::1",
        "１２７.0.0.1", "https://①②⑦.0.0.1",
        "mastodon.social@evil.example", "https://mastodon.social@evil.example",
        "https://a:b@mastodon.social", "ada@mastodon.social", "https://mastodon.social\\@evil.org",
        "http://mastodon.social", "http://192.0.2.1", "http://127.0.0.1@evil.example",
        "ftp://mastodon.social", "javascript://mastodon.social", "file:///etc/passwd",
        "https://mastodon.social:99999", "https://mastodon .social",
        "https://mast\x00odon.social", "-mastodon.social", "mastodon-.social", "mastodon..social",
        "a" * 64 + ".social", "a." * 130 + "social", "mastodon.123", "https://",
    ],
)  # fmt: skip
def test_what_is_no_server_of_that_name_is_refused(typed: str) -> None:
    with pytest.raises(ValueError, match=r"[a-z]"):
        server_address(typed)


@given(st.text(max_size=80))
def test_whatever_is_typed_gives_a_plain_address_or_a_sentence(typed: str) -> None:
    try:
        address = server_address(typed)
    except ValueError:
        return
    assert address.startswith(("https://", "http://"))
    assert address.isascii()
    assert not set("@\\?# ") & set(address)
