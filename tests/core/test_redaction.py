"""No message shows a piece of a secret, however it is echoed and wherever it is cut."""

import base64
import html
import json
import string
from urllib.parse import quote, urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.core.redaction import FRAGMENT, Redactor, quoted

TOKEN = st.text(string.ascii_letters + string.digits + "-_:/+=%", min_size=20, max_size=80)
WORDS = st.text(min_size=FRAGMENT + 1, max_size=120).filter(lambda text: len(text.split()) > 0)
NOISE = st.text(st.characters(codec="utf-8"), max_size=300)
ENCODINGS = st.sampled_from([
    str,
    lambda secret: quote(secret, safe=""),
    lambda secret: json.dumps(secret)[1:-1],
    lambda secret: json.dumps(secret, ensure_ascii=False)[1:-1],
    html.escape,
])  # fmt: skip


def pieces(secret: str) -> set[str]:
    """Every piece of `secret` that is long enough to be told from chance."""
    line = " ".join("".join(c for c in secret if c.isprintable() or c.isspace()).split())
    return {line[at : at + FRAGMENT] for at in range(max(1, len(line) - FRAGMENT + 1))} - {""}


@given(TOKEN | WORDS, ENCODINGS, NOISE, NOISE, st.integers(0, 200), st.integers(10, 400))
def test_no_piece_of_a_known_secret_is_quoted_wherever_the_echo_or_the_message_is_cut(
    secret: str, encoded: object, before: str, after: str, cut: int, limit: int
) -> None:
    assert callable(encoded)
    echo = before + encoded(secret)[cut % (len(secret) + 1) :] + after
    said = quoted(echo, Redactor([secret]), limit)
    assert len(said) <= limit
    assert said.isprintable() or said == ""
    chance = quoted(before, Redactor(), 1000) + quoted(after, Redactor(), 1000)
    whole = {piece for piece in pieces(secret) if len(piece) >= FRAGMENT}
    assert not [piece for piece in whole if piece in said and piece not in chance], said


SECRET = "s3cr3t-VALUE-0123456789abcdef"


@pytest.mark.parametrize(
    "echo",
    [
        f"Authorization: Bearer {SECRET}",
        f'{{"headers": {{"authorization": "Bearer {SECRET}"}}}}',
        f"authorization=OAuth oauth_consumer_key={SECRET}, oauth_nonce={SECRET}",
        f'OAuth oauth_consumer_key="{SECRET}", oauth_nonce="{SECRET}", oauth_signature="{SECRET}"',
        f"Basic {base64.b64encode(SECRET.encode()).decode()}",
        f"Cookie: session={SECRET}; other={SECRET}",
        urlencode(
            {"grant_type": "refresh_token", "refresh_token": SECRET, "client_secret": SECRET}
        ),
        urlencode({"code": SECRET, "code_verifier": SECRET, "state": SECRET}),
        json.dumps({"access_token": SECRET, "password": SECRET}),
        f"bad signature: {SECRET}",
        f"nonce={SECRET} was used before",
    ],
)
@pytest.mark.parametrize("cut", [0, 7, 19])
def test_echoed_headers_and_forms_are_starred_out_though_their_values_are_unknown(
    echo: str, cut: int
) -> None:
    said = quoted("The request was: " + echo[: len(echo) - cut], Redactor(), 300)
    assert not [piece for piece in pieces(SECRET) if piece in said], said
    assert base64.b64encode(SECRET.encode()).decode()[:8] not in said


@pytest.mark.parametrize(
    "said",
    [
        "Validation failed: Text character limit of 500 exceeded",
        "You are not allowed to create a Tweet with duplicate content.",
        "Invalid authorization: the token has expired",
        "error code: 187, state: failed, key: missing",
        "This token needs the scope write:statuses",
        "Could not authenticate you. Password expired",
    ],
)
def test_what_servers_usually_say_is_quoted_in_full(said: str) -> None:
    assert quoted(said, Redactor([SECRET]), 300) == said


def test_a_secret_is_known_on_one_line_and_between_control_characters() -> None:
    said = quoted(f"no {SECRET[:9]}\x00{SECRET[9:]} here", Redactor([SECRET]), 300)
    assert said == "no *** here"
    assert quoted("a b\n\n c\td", Redactor(["a b\n\nc d"]), 300) == "***"


def test_short_values_inside_words_are_left_alone() -> None:
    assert quoted("a cat sat", Redactor(["cat", ""]), 300) == "a cat sat"
