"""Character references: six usual ones, and with the standard library's help all others."""

import html

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bridge.core.references import unescaped

PIECES = st.sampled_from(
    ["&", "&amp;", "&lt;", "&#39;", "&nbsp;", "&hellip;", "&copy", "=1", ";", "lt;", "#39;", "&#x;"]
)


@settings(max_examples=200, deadline=None)
@given(st.lists(PIECES, max_size=8).map("".join))
def test_what_it_gives_is_what_the_standard_library_gives(text: str) -> None:
    assert unescaped(text) == html.unescape(text)


@pytest.mark.parametrize(
    ("text", "meant"), [("a &lt;b&gt; &amp;amp; c", "a <b> &amp; c"), ("Q&A", "Q&A"), ("", "")]
)
def test_references_are_resolved_once(text: str, meant: str) -> None:
    assert unescaped(text) == meant
