"""A whole post as JSON: nothing of it is lost or changed, and what is damaged says so."""

from datetime import UTC, datetime
from enum import Enum

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bridge.core.errors import LedgerDamaged
from bridge.core.model import Poll, Post
from bridge.core.text import Span, SpanKind, Text
from bridge.ledger.whole_posts import from_whole, to_whole

TIMES = st.datetimes(datetime(1970, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001


@st.composite
def texts(draw: st.DrawFn) -> Text:
    """A text that is one link, or has no spans."""
    plain = draw(st.text())
    if not plain or draw(st.booleans()):
        return Text(plain)
    kind = draw(st.sampled_from(SpanKind))
    return Text(plain, (Span(0, len(plain), kind, draw(st.text())),))


POLLS = st.builds(Poll, ends_at=st.none() | TIMES)
POSTS = st.builds(
    Post, created_at=TIMES, edited_at=st.none() | TIMES, text=texts(), poll=st.none() | POLLS
)


@given(POSTS)
@settings(max_examples=40, deadline=None)
def test_a_post_is_read_back_as_it_was(post: Post) -> None:
    found = from_whole(to_whole(post))
    assert found == post
    assert all(isinstance(each, Enum) for each in (found.network, found.visibility))
    assert to_whole(post).isascii()


@pytest.mark.parametrize(
    "damaged", ["", "{}", '{"version":9,"post":{}}', '{"version":1,"post":{}}']
)
def test_a_damaged_post_says_so_and_quotes_nothing(damaged: str) -> None:
    with pytest.raises(LedgerDamaged, match="cannot be read"):
        from_whole(damaged)
