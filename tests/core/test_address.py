"""What an address of a post tells: the network it leads to, and the id in it."""

import pytest

from bridge.core.address import id_in, network_of
from bridge.core.model import Network


@pytest.mark.parametrize(
    ("name", "id_"),
    [
        ("https://x.com/ada/status/20", "20"),
        ("https://x.com/ada/status/20?s=46&t=abc#m", "20"),
        ("https://x.com/ada/status/20/photo/1", "20"),
        ("https://twitter.com/i/web/status/20/", "20"),
        ("https://mobile.twitter.com/ada/statuses/20/video/2", "20"),
        ("https://mastodon.example/@ada/113", "113"),
        ("https://mastodon.example/@ada/113/", "113"),
        ("https://mastodon.example/users/ada/statuses/113", "113"),
        ("https://gts.example/@ada/statuses/01JD3Z", "01JD3Z"),
        ("https://pleroma.example/notice/AoX1.b", "AoX1.b"),
        ("x.com/ada/status/20", "20"),
        ("113", "113"),
        ("01JD3Z", "01JD3Z"),
        ("https://mastodon.example", ""),
        ("https://[mastodon.example/1", ""),
    ],
)
def test_a_post_is_named_by_its_address_as_by_its_id(name: str, id_: str) -> None:
    assert id_in(name) == id_


@pytest.mark.parametrize(
    ("name", "network"),
    [
        ("https://x.com/ada/status/20", Network.X),
        ("https://WWW.Twitter.com/ada/status/20", Network.X),
        ("https://m.twitter.com/ada/status/20", Network.X),
        ("https://notx.com/@ada/113", Network.MASTODON),
        ("https://mastodon.example/@ada/113", Network.MASTODON),
        ("113", None),
        ("x.com/ada/status/20", None),
        ("https://[x.com/1", None),
    ],
)
def test_the_host_of_an_address_tells_the_network(name: str, network: Network | None) -> None:
    assert network_of(name) is network
