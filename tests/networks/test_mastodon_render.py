"""A part as the arguments of a request, and an answer compared with them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.core.model import PostId, Visibility
from bridge.networks.mastodon.outcome import read_outcome
from bridge.networks.mastodon.render import arguments, language_code
from tests.networks.mastodon_servers import part


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ("en", "en"),
        ("EN", "en"),
        ("pt-BR", "pt"),
        ("zh_Hant", "zh"),
        ("yue", "yue"),
        ("in", "id"),
        ("iw", "he"),
        ("und", None),
        ("zxx", None),
        ("qme", None),
        ("qht", None),
        ("art", None),
        ("", None),
        ("e", None),
        ("english", None),
        ("12", None),
        (None, None),
    ],
)
def test_a_language_is_named_only_by_a_plausible_code(given: str | None, code: str | None) -> None:
    assert language_code(given) == code


@given(st.text(max_size=12))
def test_whatever_a_network_calls_a_language_no_odd_code_is_sent(given: str) -> None:
    code = language_code(given)
    assert code is None or (code.isascii() and code.islower() and len(code) in {2, 3})


def test_a_content_warning_makes_a_post_sensitive() -> None:
    given = arguments(part(spoiler="cw"), reply_to=None, key="k")
    assert given["sensitive"]
    assert given["spoiler_text"] == "cw"


def test_no_content_warning_is_no_field_at_all() -> None:
    given = arguments(part(), reply_to=PostId("p"), key="k")
    assert given["spoiler_text"] is None
    assert given["sensitive"] is False
    assert given["in_reply_to_id"] == "p"


@pytest.mark.parametrize("visibility", [v for v in Visibility if v is not Visibility.UNKNOWN])
def test_the_audience_is_always_stated(visibility: Visibility) -> None:
    given = arguments(part(visibility=visibility), reply_to=None, key="k")
    assert given["visibility"] == visibility.value


def test_what_a_server_dropped_is_noticed() -> None:
    made = read_outcome({"id": 7, "visibility": "public", "sensitive": False, "spoiler_text": ""})
    assert made is not None
    assert made.id == "7"
    asked = part(spoiler="cw", sensitive=True)
    assert made.lacks(asked, PostId("p")) == (
        "content warning",
        "sensitive mark",
        "place in its thread",
    )
    assert made.lacks(part(), None) == ()


@pytest.mark.parametrize("answer", [{}, {"id": ""}, {"id": None}, {"id": 1.5}, {"url": "x"}])
def test_an_answer_without_an_id_is_none(answer: dict[str, object]) -> None:
    assert read_outcome(answer) is None


def test_an_address_is_taken_only_where_it_is_one() -> None:
    made = read_outcome({"id": "1", "url": "javascript:alert(1)", "uri": "https://x.example/1"})
    assert made is not None
    assert made.url == "https://x.example/1"
