"""Who a client is: its own address, or what trusted proxies say of it, and nobody else."""

from ipaddress import ip_network

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bridge.net.clients import client_key, forwarded_client, is_in

PROXIES = (ip_network("10.0.0.0/8"), ip_network("fd00::/64"))
ADDRESSES = st.one_of(st.ip_addresses(v=4), st.ip_addresses(v=6)).map(str)
STRANGERS = ADDRESSES.filter(lambda each: not is_in(each, PROXIES))
WRITTEN = st.lists(st.one_of(ADDRESSES, st.text(max_size=20)), max_size=20).map(", ".join)


@settings(max_examples=40)
@given(STRANGERS, st.lists(WRITTEN, max_size=3))
def test_a_stranger_is_nobody_else_whatever_it_writes(peer: str, headers: list[str]) -> None:
    assert forwarded_client(peer, headers, PROXIES) == peer
    assert forwarded_client(peer, headers, ()) == peer


@settings(max_examples=40)
@given(STRANGERS, WRITTEN)
def test_behind_a_proxy_only_what_the_proxy_has_added_counts(client: str, forged: str) -> None:
    added = f"{forged}, {client}" if forged else client
    found = forwarded_client("10.0.0.1", [added], PROXIES)
    assert client_key(found) == client_key(client)
    assert forwarded_client("10.0.0.1", [forged, client], PROXIES) == found
    assert forwarded_client("10.0.0.1", [f"{added}, fd00::7, 10.2.2.2"], PROXIES) == found


@pytest.mark.parametrize(
    ("headers", "client"),
    [
        ([], "10.0.0.1"),
        ([""], "10.0.0.1"),
        (["unknown"], "10.0.0.1"),
        (["203.0.113.9, _hidden"], "10.0.0.1"),
        (["203.0.113.9, _hidden, 10.0.0.2"], "10.0.0.2"),
        (["203.0.113.9:5544"], "203.0.113.9"),
        (["[2001:db8::1]:5544"], "2001:db8::1"),
        (["2001:db8::1"], "2001:db8::1"),
        (["::ffff:203.0.113.9"], "203.0.113.9"),
        (["10.0.0.2, 10.0.0.3"], "10.0.0.2"),
        ([", ".join(["10.0.0.2"] * 500)], "10.0.0.2"),
    ],
)
def test_every_form_that_proxies_write(headers: list[str], client: str) -> None:
    assert forwarded_client("10.0.0.1", headers, PROXIES) == client


def test_a_client_is_counted_once_whatever_address_of_its_own_it_takes() -> None:
    assert client_key("2001:db8::1") == client_key("2001:db8::ffff") != client_key("2001:db8:0:1::")
    assert client_key("203.0.113.9") != client_key("203.0.113.10")
    assert client_key("::ffff:203.0.113.9") == client_key("203.0.113.9")
    assert client_key("fe80::1%eth0") == client_key("fe80::1")
    assert client_key("::1") != client_key("::2")
    assert client_key("") == ""
