"""The order in which posts that were read together are dealt with."""

from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from bridge.core.arrival import in_order, referred_to
from bridge.core.model import (
    AccountId,
    Network,
    Post,
    PostId,
    QuoteRef,
    ReplyRef,
    RepostRef,
    Visibility,
)
from bridge.core.text import Text
from tests.fakes import VirtualClock

ME = AccountId("me")


def post(
    *ids: str, reply_to: str | None = None, quote: str | None = None, repost: str | None = None
) -> Post:
    return Post(
        Network.X,
        PostId(ids[-1]),
        ME,
        VirtualClock().now(),
        Text(""),
        Visibility.PUBLIC,
        revisions=tuple(map(PostId, ids)),
        in_reply_to=None if reply_to is None else ReplyRef(PostId(reply_to), ME),
        quote=None if quote is None else QuoteRef(PostId(quote), None),
        repost=None if repost is None else RepostRef(PostId(repost)),
    )


def order(posts: Sequence[Post]) -> list[str]:
    return [each.id for each, _ in in_order(posts)]


def test_posts_that_refer_to_nothing_later_stay_in_their_order() -> None:
    posts = [post("1"), post("2", reply_to="1"), post("3", quote="elsewhere"), post("4")]
    assert order(posts) == ["1", "2", "3", "4"]
    assert [passed for _, passed in in_order(posts)] == [[each] for each in posts]


def test_an_edited_post_precedes_what_names_one_of_its_earlier_ids() -> None:
    for reference in ("reply_to", "quote", "repost"):
        posts = [post("0"), post("2", **{reference: "1"}), post("3"), post("1", "4", "5")]
        assert order(posts) == ["0", "5", "2", "3"]
        assert [[each.id for each in passed] for _, passed in in_order(posts)] == [
            ["0"], [], ["2"], ["3", "5"],
        ]  # fmt: skip


def test_a_very_long_chain_in_reverse_is_put_in_order() -> None:
    names = [str(number) for number in range(3000)]
    posts = [
        post(name, reply_to=before) for before, name in zip([None, *names], names, strict=False)
    ]
    assert order(posts[::-1]) == names


NAMES = [str(number) for number in range(8)]
REFERENCES = st.none() | st.sampled_from(NAMES)


@st.composite
def pages(draw: st.DrawFn) -> list[Post]:
    """Any page, also of a server that names ids twice or makes posts refer to each other."""
    chains = draw(st.lists(st.lists(st.sampled_from(NAMES), min_size=1, max_size=3), max_size=8))
    return [
        post(*chain, reply_to=draw(REFERENCES), quote=draw(REFERENCES), repost=draw(REFERENCES))
        for chain in chains
    ]


@given(pages())
def test_every_post_comes_once_and_the_cursor_passes_only_what_is_done(page: list[Post]) -> None:
    given_so_far: list[int] = []
    passed_so_far: list[int] = []
    for each, passed in in_order(page):
        given_so_far.append(id(each))
        passed_so_far += map(id, passed)
        assert set(passed_so_far) <= set(given_so_far)
        assert passed_so_far == [id(one) for one in page[: len(passed_so_far)]]
    assert sorted(given_so_far) == sorted(map(id, page))
    assert passed_so_far == [id(one) for one in page]


@given(st.permutations(range(6)), st.lists(st.integers(0, 5), min_size=6, max_size=6))
def test_without_cycles_nothing_precedes_what_it_refers_to(
    places: list[int], parents: list[int]
) -> None:
    thread = [
        post(f"{number}", f"{number}'", reply_to=f"{parent}" if parent < number else None)
        for number, parent in enumerate(parents)
    ]
    seen: set[str] = set()
    for each, _ in in_order([thread[place] for place in places]):
        assert seen.issuperset(referred_to(each))
        seen.update(each.ids)
