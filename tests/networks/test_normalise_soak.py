"""The long fuzz of both normalisers: real answers, damaged, and markup made of its worst parts."""

import copy
import random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bridge.core.model import AccountId
from bridge.networks.mastodon.normalise import html_to_text, status_to_post
from bridge.networks.x.normalise import page_to_posts
from tests.corpus.reading import cases
from tests.networks.test_html_walker import PIECES
from tests.networks.test_mastodon_normalise import ODD, is_storable

pytestmark = [pytest.mark.soak, pytest.mark.timeout(600)]

GIVEN = [case.given["input"] for network in ("mastodon", "x") for case in cases(network)]


def damaged(node: Any, odd: Any, dice: random.Random) -> None:
    """Replace, or take away, one randomly chosen place of a JSON value."""
    while isinstance(node, dict | list) and node:
        key = dice.choice(list(node)) if isinstance(node, dict) else dice.randrange(len(node))
        inner = node[key]
        if not isinstance(inner, dict | list) or not inner or dice.random() < 0.3:
            if isinstance(node, dict) and dice.random() < 0.2:
                del node[key]
            else:
                node[key] = odd
            return
        node = inner


@given(
    st.sampled_from(GIVEN), st.lists(ODD, min_size=1, max_size=4), st.randoms(use_true_random=False)
)
@settings(max_examples=10_000, deadline=None)
def test_no_damage_to_a_real_answer_stops_the_bridge(
    given_json: dict[str, Any], odd: list[Any], dice: random.Random
) -> None:
    answer = copy.deepcopy(given_json)
    for value in odd:
        damaged(answer, value, dice)
    posts = page_to_posts(answer, me=AccountId("1001"), handle="ada_x", protected=False)
    for post in (*posts, status_to_post(answer, host="own.example")):
        assert post is None or is_storable(post.text.plain)


@given(st.lists(PIECES, max_size=120).map("".join))
@settings(max_examples=10_000, deadline=None)
def test_no_markup_stops_the_bridge(html: str) -> None:
    assert is_storable(html_to_text(html, quote_url="https://a.example/b"))
