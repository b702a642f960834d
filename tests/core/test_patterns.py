"""Regular expressions in linear time: what they match, what they refuse, how long they take.

Bars of docs/reliability.md: S18.
"""

import re
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bridge.core.patterns import LARGEST_PROGRAM, compiled


@pytest.mark.parametrize(
    ("pattern", "found", "not_found"),
    [
        ("colou?r", "The COLOR", "colouur"),
        (r"\bart\b", "art!", "party"),
        (r"^re:", "Re: that", "more re:"),
        (r"end$", "the end", "end."),
        (r"[a-c]\d{2,3}x", "b123x", "b1x"),
        (r"(?:tea|coffee)s? ?time", "COFFEE time", "cocoa time"),
        (r"[^\w\s]{3}", "what?!?", "a b c"),
        ("жук", "ЖУКИ", "жаба"),
        ("STRASSE", "die Straße", "die Gasse"),
        ("صباح", "صباح الخير", "مساء"),
        (r"a.c", "abc", "a\nc"),
        (r"[]]", "]", "["),
        (r"[\]\-a]+$", "a-]", "b"),
        (r"\$\d+", "$100", "100"),
        ("", "anything", None),
        ("a{0}b", "b", "a"),
    ],
)
def test_what_a_pattern_matches(pattern: str, found: str, not_found: str | None) -> None:
    assert compiled(pattern).found_in(found)
    assert not_found is None or not compiled(pattern).found_in(not_found)


@pytest.mark.parametrize(
    ("pattern", "word"),
    [
        ("(", "opening parenthesis"),
        ("a)", "closing parenthesis"),
        ("[a", "square bracket"),
        ("*a", "nothing before it"),
        ("a**", "in a row"),
        ("(?=a)", "looking ahead"),
        ("(?P<x>a)", "groups are"),
        (r"(a)\1", "references to groups"),
        (r"\k", "not supported"),
        ("a{2", "plain brace"),
        ("a{3,2}", "no count"),
        ("a{101}", "no count"),
        ("[z-a]", "backwards"),
        ("\\", "backslash"),
        ("(" * 60 + ")" * 60, "deeply"),
        ("(a{100}){100}", "too much"),
        ("(((a{50}){50}){50}){50}", "too much"),
        ("a" * 501, "500 characters"),
    ],
)
def test_what_is_wrong_with_a_pattern_is_said_in_words(pattern: str, word: str) -> None:
    with pytest.raises(ValueError, match=re.escape(word)):
        compiled(pattern)


atoms = st.sampled_from(["a", "b", ".", "[ab]", "[^a]", r"\w", r"\b", "^", "$", r"\d", r"\s", "x"])
patterns = st.recursive(
    atoms,
    lambda inner: st.one_of(
        st.tuples(inner, inner).map("".join),
        st.tuples(inner, inner).map(lambda two: f"(?:{two[0]}|{two[1]})"),
        st.tuples(inner, st.sampled_from(["*", "+", "?", "{2}", "{0,2}", "{1,}", "+?"])).map(
            lambda two: f"(?:{two[0]}){two[1]}"
        ),
    ),
    max_leaves=8,
)


@settings(max_examples=400, deadline=None)
@given(patterns, st.text("abAB1 _\nx", max_size=10))
def test_a_pattern_means_what_it_means_to_python(pattern: str, text: str) -> None:
    expected = re.search(pattern.replace("$", r"\Z"), text, re.IGNORECASE) is not None
    assert compiled(pattern).found_in(text) is expected


@pytest.mark.parametrize(
    "pattern",
    ["(a+)+$", "(a|a)*b", "(.*)*x", "(?:a?){100}a{100}b", "(a|aa)+$", "(.|a)*(.|a)*b", ".{90}z"],
)  # fmt: skip
@pytest.mark.parametrize("text", ["a" * 50_000 + "!", "ab" * 25_000, "\u0301a" * 25_000])
def test_no_text_makes_a_pattern_slow(pattern: str, text: str) -> None:
    begun = time.process_time()
    compiled(pattern).found_in(text)
    assert time.process_time() - begun < 2


def test_a_text_of_ever_new_characters_takes_no_more_than_its_length_times_the_pattern() -> None:
    text = "".join(map(chr, range(0x4E00, 0x4E00 + 20_000)))
    begun = time.process_time()
    compiled("(?:.?){99}!").found_in(text)
    assert time.process_time() - begun < LARGEST_PROGRAM / 100


def test_two_patterns_that_were_written_alike_are_equal() -> None:
    assert compiled("a+") == compiled("a+")
    assert len({compiled("a+"), compiled("a+"), compiled("a")}) == 2
