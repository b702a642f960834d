"""A part as the arguments of a request, and an answer compared with them."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.core.capabilities import PollLimits
from bridge.core.draft import DraftMedia, DraftPoll
from bridge.core.model import MediaId, MediaKind, PostId, Visibility
from bridge.networks.mastodon.outcome import read_outcome
from bridge.networks.mastodon.render import arguments, edit_arguments, in_time, language_code
from tests.networks.mastodon_servers import part

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
POLLS = PollLimits(4, 50, timedelta(minutes=5), timedelta(days=30))


def poll(left: timedelta) -> DraftPoll:
    return DraftPoll(("yes", "no"), NOW + left, multiple=False, otherwise="yes or no?")


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
    given = arguments(part(spoiler="cw"), reply_to=None, key="k", now=NOW)
    assert given["sensitive"]
    assert given["spoiler_text"] == "cw"


def test_no_content_warning_is_no_field_at_all() -> None:
    given = arguments(part(), reply_to=PostId("p"), key="k", now=NOW)
    assert given["spoiler_text"] is None
    assert given["sensitive"] is False
    assert given["in_reply_to_id"] == "p"


@pytest.mark.parametrize("visibility", [v for v in Visibility if v is not Visibility.UNKNOWN])
def test_the_audience_is_always_stated(visibility: Visibility) -> None:
    given = arguments(part(visibility=visibility), reply_to=None, key="k", now=NOW)
    assert given["visibility"] == visibility.value


def test_what_a_server_dropped_is_noticed() -> None:
    made = read_outcome({"id": 7, "visibility": "public", "sensitive": False, "spoiler_text": ""})
    assert made is not None
    assert made.id == "7"
    asked = part(
        spoiler="cw", sensitive=True, poll=poll(timedelta(hours=1)), quote=PostId("quoted")
    )
    assert made.lacks(asked, PostId("p"), media=2) == (
        "content warning",
        "sensitive mark",
        "place in its thread",
        "poll",
        "quote",
        "2 attachments",
    )
    assert made.lacks(part(), None) == ()


@pytest.mark.parametrize(
    ("quote", "stands"),
    [
        ({"quote": {"state": "accepted"}}, True),
        ({"quote": {"state": "pending"}}, True),
        ({"quote": {"id": "9"}}, True),
        ({"quote_id": "9"}, True),
        ({"quote": {"state": "rejected"}}, False),
        ({"quote": None}, False),
        ({}, False),
    ],
)
def test_a_quote_stands_where_any_make_of_server_says_so(
    quote: dict[str, object], stands: bool
) -> None:
    made = read_outcome({"id": "1", **quote})
    assert made is not None
    assert (made.lacks(part(quote=PostId("9")), None) == ()) is stands


def test_some_of_several_attachments_are_counted() -> None:
    made = read_outcome({"id": "1", "media_attachments": [{"id": "a"}]})
    assert made is not None
    assert made.lacks(part(), None, media=1) == ()
    assert made.lacks(part(), None, media=3) == ("attachments (1 of 3 are there)",)


def test_a_poll_is_asked_for_by_the_seconds_that_are_left() -> None:
    given = arguments(part(poll=poll(timedelta(hours=1, milliseconds=900))), reply_to=None, key="k",
                      now=NOW)  # fmt: skip
    assert given["poll"] == {
        "options": ["yes", "no"],
        "expires_in": 3600,
        "multiple": False,
        "hide_totals": False,
    }


@pytest.mark.parametrize(
    ("left", "limits", "kept"),
    [
        (timedelta(hours=1), POLLS, timedelta(hours=1)),
        (timedelta(minutes=5), POLLS, timedelta(minutes=5)),
        (timedelta(days=300), POLLS, timedelta(days=30)),
        (timedelta(minutes=5, seconds=-1), POLLS, None),
        (timedelta(days=-1), POLLS, None),
        (timedelta(hours=1), None, None),
    ],
)
def test_a_poll_without_enough_time_left_stands_in_words(
    left: timedelta, limits: PollLimits | None, kept: timedelta | None
) -> None:
    fitted = in_time(part("which?", poll=poll(left)), limits, NOW)
    if kept is None:
        assert (fitted.poll, fitted.text) == (None, "yes or no?")
    else:
        assert fitted.poll is not None
        assert (fitted.poll.ends_at - NOW, fitted.text) == (kept, "which?")


def test_an_edit_states_everything_and_describes_each_medium() -> None:
    media = tuple(DraftMedia(MediaId(f"s{n}"), MediaKind.IMAGE, "u", f"alt {n}") for n in (1, 2))
    ids = (MediaId("b"), MediaId("a"))
    given = edit_arguments(part(media=media), now=NOW, media=ids)
    assert given["media_attributes"] == [
        {"id": "b", "description": "alt 1"},
        {"id": "a", "description": "alt 2"},
    ]
    assert given["media_ids"] is None
    assert (given["spoiler_text"], given["sensitive"], given["poll"]) == ("", False, None)
    fewer = edit_arguments(part(media=media), now=NOW, media=ids[:1])
    assert (fewer["media_ids"], fewer["media_attributes"]) == (["b"], None)
    assert edit_arguments(part(), now=NOW)["media_ids"] == []


@pytest.mark.parametrize("answer", [{}, {"id": ""}, {"id": None}, {"id": 1.5}, {"url": "x"}])
def test_an_answer_without_an_id_is_none(answer: dict[str, object]) -> None:
    assert read_outcome(answer) is None


def test_an_address_is_taken_only_where_it_is_one() -> None:
    made = read_outcome({"id": "1", "url": "javascript:alert(1)", "uri": "https://x.example/1"})
    assert made is not None
    assert made.url == "https://x.example/1"
