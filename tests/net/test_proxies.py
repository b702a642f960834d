"""A proxy of the environment is used for everything, or refused before anything is asked."""

import pytest

from bridge.core.errors import ConfigError
from bridge.net.proxies import proxy_for
from bridge.net.session import open_session

_SCHEMES = ("http", "https", "all", "no", "ws", "wss")


@pytest.fixture(autouse=True)
def _no_proxy_of_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    for scheme in _SCHEMES:
        for name in (f"{scheme}_proxy", f"{scheme}_proxy".upper()):
            monkeypatch.delenv(name, raising=False)


def test_without_one_everything_is_asked_directly() -> None:
    assert proxy_for("https://mastodon.example") is None


@pytest.mark.parametrize(
    ("given", "place"),
    [
        ("http://proxy.example:3128", "proxy.example:3128"),
        ("http://proxy.example", "proxy.example:80"),
        ("http://me:can%2Fary@[::1]:3128/", "[::1]:3128"),
    ],
)
def test_a_proxy_is_named_by_its_place_alone(
    monkeypatch: pytest.MonkeyPatch, given: str, place: str
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", given)
    found = proxy_for("https://mastodon.example")
    assert found is not None
    assert str(found) == place
    assert "canary" not in repr(found)
    assert proxy_for("http://127.0.0.1:8421") is None


def test_what_is_not_to_go_through_it_does_not(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("https_proxy", "http://proxy.example:3128")
    monkeypatch.setenv("no_proxy", "mastodon.example,localhost")
    assert proxy_for("https://mastodon.example/api") is None
    assert proxy_for("https://api.x.com") is not None


@pytest.mark.parametrize(
    "given",
    [
        "proxy.example:3128",
        "me:canary@proxy.example:3128",
        "https://proxy.example:3128",
        "socks5://me:canary@proxy.example:1080",
        "http://me:can/ary@proxy.example:3128",
        "http://me:can#ary@proxy.example:3128",
        "http://me:canary@proxy.example:99999",
        "http://me:canary@:3128",
        "http://[me:canary",
    ],
)
async def test_one_that_would_be_ignored_or_break_off_is_refused_and_not_quoted(
    monkeypatch: pytest.MonkeyPatch, given: str
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", given)
    with pytest.raises(ConfigError, match="HTTPS_PROXY cannot be used: expected http://") as told:
        open_session(user_agent="twinpost/test")
    assert told.value.__cause__ is None
    assert told.value.__suppress_context__ or told.value.__context__ is None
    for piece in ("canary", "can/ary", "proxy.example"):
        assert piece not in str(told.value)


async def test_one_for_all_that_half_of_what_is_asked_would_not_take_is_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("ALL_PROXY", "http://proxy.example:3128")
    with pytest.raises(ConfigError, match=r"ALL_PROXY .* set HTTPS_PROXY"):
        open_session(user_agent="twinpost/test")
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy.example:3128")
    await open_session(user_agent="twinpost/test").close()
