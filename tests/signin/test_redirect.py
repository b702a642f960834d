"""What a browser brings back: taken only as the answer to the question that was asked."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.core.errors import Unauthorised
from bridge.signin.pkce import Proof, challenge_of
from bridge.signin.redirect import NotOurs, code_in, code_in_address, plain_code

BACK = "http://127.0.0.1:8423/callback"


@pytest.mark.parametrize(
    "typed",
    [
        f"{BACK}?state=S&code=C",
        f"  {BACK}?code=C&state=S\n",
        f"{BACK}?code=C&state=S&iss=https://mastodon.example",
        "?state=S&code=C",
        "state=S&code=C",
    ],
)
def test_the_whole_address_gives_the_code(typed: str) -> None:
    assert code_in_address(typed, "S") == "C"


@pytest.mark.parametrize(
    "typed",
    ["", "C", f"{BACK}?code=C", f"{BACK}?code=C&state=", f"{BACK}?code=C&state=s", BACK, "a=b"],
)
def test_without_the_very_state_it_is_not_ours_and_nothing_of_it_is_repeated(typed: str) -> None:
    with pytest.raises(NotOurs) as raised:
        code_in_address(typed, "S")
    assert "C&" not in str(raised.value)


def test_a_refusal_counts_only_with_the_state_too() -> None:
    with pytest.raises(Unauthorised, match="denied on the network's page"):
        code_in({"state": "S", "error": "access_denied"}, "S")
    with pytest.raises(NotOurs):
        code_in({"state": "other", "error": "access_denied"}, "S")


def test_a_reason_is_one_bounded_line() -> None:
    words = "a\n\x1b[31mred" + "x" * 1000
    with pytest.raises(Unauthorised) as raised:
        code_in({"state": "S", "error": "server_error", "error_description": words}, "S")
    assert str(raised.value).isprintable()
    assert len(str(raised.value)) < 300


@pytest.mark.parametrize("code", ["", " ", "\u00e9", "x" * 3000, "a\x00b"])
def test_what_is_no_code_is_refused(code: str) -> None:
    with pytest.raises(Unauthorised):
        plain_code(code)


@given(st.text(max_size=200), st.text(min_size=1, max_size=50))
def test_whatever_is_pasted_never_breaks_anything(typed: str, state: str) -> None:
    with suppress(Unauthorised):
        assert code_in_address(typed, state) in typed


def test_a_challenge_is_what_rfc_7636_says() -> None:
    # The example of its appendix B.
    verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
    assert challenge_of(verifier) == "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"


def test_every_attempt_has_secrets_of_its_own_that_are_in_no_repr() -> None:
    first, second = Proof(), Proof()
    assert len({first.state, second.state, first.verifier, second.verifier}) == 4
    assert 43 <= len(first.verifier) <= 128
    assert first.state not in repr(first)
    assert first.verifier not in repr(first)
