"""Which tokens an account is used with: the newest word wins, and never at another server."""

from dataclasses import replace

import pytest

from bridge.config import (
    BridgeSettings,
    MastodonSettings,
    MastodonToX,
    OAuth1,
    OAuth2,
    XSettings,
    XToMastodon,
)
from bridge.core.model import BridgeName
from bridge.core.secret import Secret
from bridge.signin.logins import (
    Login,
    fingerprint,
    lacking,
    mastodon_name,
    pair_of,
    read_login,
    secrets_in,
    with_logins,
    x_name,
)

NAME = BridgeName("a")
M, X = "https://mastodon.example", "https://api.x.com"
BARE = BridgeSettings(
    NAME, MastodonSettings(M, None), XSettings(X, None), MastodonToX(), XToMastodon()
)
PASTED = OAuth2(Secret("client"), Secret("old-access"), Secret("old-refresh"))


class Shelf(dict[str, dict[str, str]]):
    def load(self, name: str) -> dict[str, str] | None:
        return self.get(name)


def mastodon_login(url: str = M, instead_of: str = "", account: str = "@ada@m") -> dict[str, str]:
    return Login(url, "token", account, "read", instead_of, {"access_token": "m-canary"}).as_saved()


def x_login(instead_of: str = "", account: str = "@ada") -> dict[str, str]:
    values = {
        "client_id": "id",
        "client_secret": "",
        "access_token": "x-canary",
        "refresh_token": "r-canary",
    }
    return Login(X, "oauth2", account, "tweet.read", instead_of, values).as_saved()


def test_a_login_fills_what_the_configuration_leaves_open() -> None:
    shelf = Shelf({mastodon_name(NAME): mastodon_login(), x_name(NAME): x_login()})
    assert list(lacking(BARE)) == ["mastodon", "x"]
    whole = with_logins(BARE, shelf)
    assert list(lacking(whole)) == []
    assert whole.mastodon.access_token == Secret("m-canary")
    assert whole.x.credentials == OAuth2(Secret("id"), Secret("x-canary"), Secret("r-canary"))


def test_the_four_keys_come_back_as_they_were() -> None:
    names = ("consumer_key", "consumer_secret", "access_token", "access_token_secret")
    login = Login(X, "oauth1", "@ada", "", "", {name: f"{name}-value" for name in names})
    whole = with_logins(BARE, Shelf({x_name(NAME): login.as_saved()}))
    assert whole.x.credentials == OAuth1(*(Secret(f"{name}-value") for name in names))


def test_a_login_replaces_the_very_tokens_that_stood_there_and_no_newer_ones() -> None:
    bridge = replace(BARE, x=replace(BARE.x, credentials=PASTED))
    shelf = Shelf({x_name(NAME): x_login(instead_of=fingerprint(PASTED))})
    credentials = with_logins(bridge, shelf).x.credentials
    assert isinstance(credentials, OAuth2)
    assert credentials.access_token == Secret("x-canary")
    newer = replace(PASTED, refresh_token=Secret("newly-pasted"))
    bridge = replace(BARE, x=replace(BARE.x, credentials=newer))
    assert with_logins(bridge, shelf).x.credentials == newer


def test_an_app_named_in_the_configuration_is_no_token() -> None:
    bridge = replace(BARE, x=replace(BARE.x, credentials=OAuth2(Secret("id"))))
    assert list(lacking(bridge)) == ["mastodon", "x"]
    assert list(lacking(with_logins(bridge, Shelf({x_name(NAME): x_login()})))) == ["mastodon"]


def test_a_login_never_speaks_to_another_server() -> None:
    shelf = Shelf({mastodon_name(NAME): mastodon_login(url="https://other.example")})
    assert with_logins(BARE, shelf).mastodon.access_token is None


@pytest.mark.parametrize("saved", [None, {}])
def test_nothing_saved_is_no_login(saved: dict[str, str] | None) -> None:
    assert read_login(saved) is None


def test_two_bridges_between_the_same_accounts_are_known_by_their_logins() -> None:
    other = BridgeName("b")
    shelf = Shelf(
        {
            mastodon_name(NAME): mastodon_login(),
            x_name(NAME): x_login(),
            mastodon_name(other): mastodon_login(account="@Ada@m"),
            x_name(other): x_login(),
        }
    )
    assert pair_of(BARE, shelf) == pair_of(replace(BARE, name=other), shelf) is not None
    shelf[x_name(other)] = x_login(account="@bob")
    assert pair_of(BARE, shelf) != pair_of(replace(BARE, name=other), shelf)
    shelf[x_name(other)] = x_login(account="")
    assert pair_of(replace(BARE, name=other), shelf) is None


def test_every_secret_of_the_vault_is_known_to_the_log_and_in_no_repr() -> None:
    renewed = {"access": "a2-canary", "refresh": "r2-canary", "previous": "r1-canary"}
    shelf = Shelf({mastodon_name(NAME): mastodon_login(), x_name(NAME): x_login(), "a-x": renewed})
    values = {secret.reveal() for secret in secrets_in(shelf, NAME)}
    assert {"m-canary", "x-canary", "r-canary", *renewed.values()} <= values
    assert "canary" not in repr(read_login(x_login()))
    assert "canary" not in fingerprint(Secret("canary"))
