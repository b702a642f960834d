"""The long fuzz of everything that reads or changes text: any text gives a result that holds.

Each target has two kinds of input: what the core's own tests are made of, much longer, and the
worst shapes there are, joined in any order.

Bars of docs/reliability.md: S2, S18.
"""

from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bridge.core import mastodon_marks
from bridge.core.capabilities import Capabilities
from bridge.core.compose import compose
from bridge.core.defuse import clean, defuse_accidental_links, one_cashtag
from bridge.core.entities import mastodon_entities, x_entities, x_links
from bridge.core.errors import UnfitError
from bridge.core.fingerprint import Match, same_post
from bridge.core.graphemes import graphemes
from bridge.core.lengths import mastodon_length, x_length, x_valid
from bridge.core.names import safe_for_mastodon, safe_for_x
from bridge.core.policy import Policy
from bridge.core.split import Atoms, Length, split
from bridge.core.text import SpanKind, Text
from bridge.networks.mastodon.normalise import html_to_text
from tests.core.test_compose import CONTEXT, GOTOSOCIAL, MASTODON, X, toot, tweet
from tests.core.test_names import TEXTS
from tests.core.test_split_properties import wild_texts
from tests.networks.test_html_walker import PIECES
from tests.networks.test_mastodon_normalise import is_storable
from tests.soak.hostile import SHAPES

pytestmark = [pytest.mark.soak, pytest.mark.timeout(600)]

SHARDS = st.tuples(st.sampled_from([*SHAPES.values()]), st.integers(1, 60)).map(
    lambda pair: pair[0].text(pair[1])
)
TEXT = st.one_of(wild_texts, st.lists(st.one_of(SHARDS, st.text(max_size=6)), max_size=12)).map(
    lambda found: found if isinstance(found, str) else "".join(found)
)
RICH = st.one_of(TEXTS, TEXT.map(Text))
MANY = settings(
    max_examples=2_000,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
COUNTERS: list[tuple[Length, Atoms]] = [
    (x_length, x_entities),
    (mastodon_length, mastodon_entities),
    (lambda text: mastodon_length(text, counting="unknown"), mastodon_entities),
]


@MANY
@given(TEXT)
def test_entities_fit_their_text_and_lengths_are_lengths(text: str) -> None:
    for found in (x_entities(text), x_links(text), mastodon_entities(text)):
        assert all(0 <= span.start < span.end <= len(text) for span in found)
        assert list(found) == sorted(found)
    assert 0 <= x_length(text) <= 2 * len(text) + 23 * len(x_links(text))
    assert 0 <= mastodon_length(text) <= len(text) + 23 * text.count("://")
    assert "".join(graphemes(text)) == text


@MANY
@given(TEXT, st.integers(1, 600), st.sampled_from(COUNTERS), st.booleans(), st.booleans())
def test_a_split_keeps_to_its_limit_and_loses_nothing(
    text: str, limit: int, counter: tuple[Length, Atoms], numbering: bool, gather: bool
) -> None:
    length, atoms = counter
    try:
        parts = split(text, limit, length, numbering=numbering, atoms=atoms, gather_links=gather)
    except UnfitError:
        return
    assert all(length(part) <= limit for part in parts)
    said = "".join("".join(parts).split())
    rest = iter(said)
    assert all(sign in rest for sign in "".join(text.split()))


@MANY
@given(RICH)
def test_names_and_words_are_made_safe_whatever_is_around_them(text: Text) -> None:
    defused = defuse_accidental_links(safe_for_x(text, {}))
    kinds = [span.kind for span in x_entities(one_cashtag(defused).plain)]
    assert SpanKind.MENTION not in kinds
    assert kinds.count(SpanKind.CASHTAG) <= 1
    assert defuse_accidental_links(defused) == defused
    assert not list(mastodon_marks.summoned(safe_for_mastodon(text, {}).plain))


@MANY
@given(TEXT)
def test_what_is_clean_stays_as_it_is_and_can_be_stored(text: str) -> None:
    cleaned = clean(text)
    assert clean(cleaned) == cleaned
    assert is_storable(cleaned)
    if x_length(text) and text.strip():
        assert same_post(Text(text), Text(text)) in {Match.EXACT, Match.NONE}


@MANY
@given(RICH, TEXT, st.sampled_from([X, MASTODON, GOTOSOCIAL]))
def test_whatever_is_composed_would_be_taken_and_pings_nobody(
    text: Text, warning: str, to: Capabilities
) -> None:
    post = replace(toot(), spoiler=warning, text=text) if to is X else replace(tweet(), text=text)
    try:
        draft = compose(post, to, Policy(), CONTEXT)
    except UnfitError as error:
        assert "113" in str(error)  # noqa: PT017 - it must name the post
        return
    for part in draft.parts:
        if to is X:
            kinds = [span.kind for span in x_entities(part.text)]
            assert x_valid(part.text)
            assert SpanKind.MENTION not in kinds
            assert kinds.count(SpanKind.CASHTAG) <= 1
            assert (part.price == 200_000) == (SpanKind.LINK in kinds)
        else:
            assert to.counting != "x"
            length = mastodon_length(part.text, part.spoiler, counting=to.counting)
            assert length <= to.max_length
            assert not list(mastodon_marks.summoned(part.text))


@MANY
@given(st.lists(st.one_of(PIECES, SHARDS), max_size=60).map("".join))
def test_no_markup_around_the_worst_text_stops_the_bridge(html: str) -> None:
    assert is_storable(html_to_text(html, quote_url="https://a.example/b"))
