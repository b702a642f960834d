"""X's answers, in either vocabulary, become posts; nothing lost, nobody's audience widened.

Bars of docs/reliability.md: S1.
"""

import time
from html import escape
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bridge.core.model import AccountId, Kind, MediaKind, Post, Visibility
from bridge.core.text import SpanKind
from bridge.networks.fields import EPOCH
from bridge.networks.mastodon.normalise import status_to_post
from bridge.networks.x.entities_text import LONGEST, read_text
from bridge.networks.x.normalise import account_from, missing_everywhere, page_to_posts
from tests.networks.test_mastodon_normalise import ODD, STATUS, is_storable

ME = AccountId("1001")
ITEM: dict[str, Any] = {"id": "5", "text": "Hello @bob", "created_at": "2026-03-14T09:26:53.000Z"}
SLOTS = [
    *ITEM,
    "entities",
    "note_post",
    "note_tweet",
    "attachments",
    "author_id",
    "community_id",
    "conversation_id",
    "edit_history_post_ids",
    "edit_history_tweet_ids",
    "in_reply_to_user_id",
    "lang",
    "media_metadata",
    "possibly_sensitive",
    "referenced_posts",
    "referenced_tweets",
    "scopes",
]


def page(payload: dict[str, Any], *, protected: bool | None = False) -> tuple[Post, ...]:
    return page_to_posts(payload, me=ME, handle="ada_x", protected=protected)


def post_of(*, includes: Any = None, protected: bool | None = False, **fields: Any) -> Post:
    (post,) = page({"data": [{**ITEM, **fields}], "includes": includes}, protected=protected)
    return post


@given(ODD)
@settings(max_examples=150, deadline=None)
def test_no_payload_stops_the_bridge(payload: Any) -> None:
    for shape in (payload, {"data": payload}, {"data": [ITEM], "includes": payload}):
        if isinstance(shape, dict):
            page(shape)
            account_from(shape)
            missing_everywhere(shape, ["note_post", "a.b"])


@given(st.dictionaries(st.sampled_from(SLOTS), ODD, max_size=6))
@settings(max_examples=150, deadline=None)
def test_no_field_stops_the_bridge(fields: dict[str, Any]) -> None:
    for post in page({"data": [{**ITEM, **fields}]}):
        assert post.id
        assert is_storable(post.text.plain)


@pytest.mark.parametrize("slot", ["urls", "mentions", "hashtags", "cashtags"])
@given(
    entity=st.dictionaries(
        st.sampled_from(
            ["start", "end", "url", "expanded_url", "display_url", "unwound_url", "username", "tag"]
        ),
        ODD
        | st.integers(-5, 60)
        | st.sampled_from(["https://t.co/ab", "bob", "https://e.example"]),
    ),
    text=st.text(max_size=30) | st.sampled_from(["&amp;&lt; https://t.co/ab @bob #bob $bob ＃bob"]),
)
@settings(max_examples=80, deadline=None)
def test_no_entity_loses_text_that_it_does_not_stand_on(
    slot: str, entity: dict[str, Any], text: str
) -> None:
    body = read_text(f"begin {text} end", {slot: [entity, entity, 7]})
    assert body.text.plain.startswith("begin")
    assert body.text.plain.endswith("end")
    assert is_storable(body.text.plain)


@pytest.mark.parametrize("include", ["posts", "tweets", "media", "polls", "users"])
@given(value=ODD, inner=ODD)
@settings(max_examples=40, deadline=None)
def test_no_include_stops_the_bridge(include: str, value: Any, inner: Any) -> None:
    thing = {
        "id": "9",
        "media_key": "9",
        "type": value,
        "variants": [inner, {"url": inner}],
        "options": [inner, {"position": value, "label": inner}],
        "preview_image_url": inner,
        "username": value,
        "author_id": inner,
        "text": value,
        "entities": inner,
        "end_datetime": value,
    }
    for kind in ("quoted", "retweeted"):
        post = post_of(
            includes={include: [thing, value]},
            attachments={"media_keys": ["9", value], "poll_ids": ["9", inner]},
            referenced_posts=[{"type": kind, "id": "9"}, {"type": "replied_to", "id": "9"}],
        )
        about = post.quote or post.repost
        assert about is not None
        assert about.author == "" or about.author.isidentifier() or about.author.isalnum()
        assert is_storable(f"{about.url}{about.author}{post.quote and post.quote.text}")
        assert all(is_storable(f"{each.alt}{each.preview_url}") for each in post.media)


def test_what_is_no_name_stands_in_no_address() -> None:
    users = {"users": [{"id": "2002", "username": "../evil\n"}]}
    posts = [{"id": "9", "author_id": "2002", "text": "x"}]
    for kind in ("quoted", "retweeted"):
        post = post_of(
            includes={**users, "tweets": posts}, referenced_posts=[{"type": kind, "id": "9"}]
        )
        about = post.quote or post.repost
        assert about is not None
        assert (about.author, about.url) == ("", "https://x.com/i/status/9")


TYPED = ("RT @museum: ", "rt @museum: ", "RT @museum ", "RT: @museum ", "MT @museum: ", "“RT @a: ")


@given(st.sampled_from(TYPED), st.text("ab c&@#,.…", max_size=140))
@settings(max_examples=60, deadline=None)
def test_what_an_author_typed_like_a_repost_is_his_own_text(begins: str, rest: str) -> None:
    said = begins + rest.strip("…") + "x"
    for nothing in list[Any]([None, [], {}]):
        post = post_of(text=said, conversation_id="5", referenced_posts=nothing)
        assert (post.kind, post.repost) == (Kind.ORIGINAL, None)
        assert post.text.plain.startswith(begins)
    toot = status_to_post({**STATUS, "content": f"<p>{escape(said)}</p>"}, host="own.example")
    assert toot is not None
    assert (toot.kind, toot.repost) == (Kind.ORIGINAL, None)


@pytest.mark.parametrize(
    "fields",
    [
        {"referenced_posts": [{"type": "retweeted"}]},
        {"referenced_tweets": [{"id": "9"}]},
        {"referenced_posts": ["9"]},
        {"text": "RT @museum: " + "A new show opens. " * 7 + "…"},
    ],
)
def test_anothers_words_are_never_taken_for_the_authors(fields: dict[str, Any]) -> None:
    post = post_of(**{"text": "RT @museum: A new show opens", **fields})
    assert post.kind is Kind.REPOST
    assert post.repost is not None
    assert not post.repost.own


LINKS = st.lists(
    st.tuples(
        st.text("aé漢😀&<> \n", max_size=12),
        st.integers(-40, 40) | st.none(),
    ),
    min_size=1,
    max_size=6,
)


@given(LINKS)
@settings(max_examples=100, deadline=None)
def test_whatever_the_positions_say_every_link_is_whole_and_every_word_kept(
    parts: list[tuple[str, int | None]],
) -> None:
    text = ""
    urls: list[dict[str, Any]] = []
    for number, (words, shift) in enumerate(parts):
        text += words.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;") + " "
        short, whole = f"https://t.co/slug{number}", f"https://example.com/{number}"
        urls.append({"url": short, "expanded_url": whole, "start": None, "end": None})
        if shift is not None:
            urls[-1] |= {"start": len(text) + shift, "end": len(text) + shift + len(short)}
        text += short + " "
    body = read_text(text, {"urls": urls})
    links = [span.target for span in body.text.of_kind(SpanKind.LINK)]
    assert links == [f"https://example.com/{number}" for number in range(len(parts))]
    left = body.text.plain
    for link in links:
        left = left.replace(link, "", 1)
    assert left.split() == "".join(words + " " for words, _ in parts).split()


@pytest.mark.parametrize(
    "flood", ["&amp;", "https://t.co/a ", "@bob ", "#a", "$A", "＠", "\u0301", "a.a.a.", "((", "İ"]
)
def test_a_megabyte_of_hostile_input_is_read_in_a_moment(flood: str) -> None:
    text = flood * (1_000_000 // len(flood))
    entities = {
        "urls": [
            {"url": f"https://t.co/{n % 9}", "expanded_url": "https://e.example"}
            for n in range(20_000)
        ],
        "mentions": [{"username": f"bob{n % 3}", "start": 1, "end": 5} for n in range(20_000)],
        "hashtags": [{"tag": "a", "start": n, "end": n + 2} for n in range(20_000)],
    }

    def seconds() -> float:
        begin = time.process_time()
        read_text(text, entities)
        return time.process_time() - begin

    assert any(seconds() < 0.2 for _ in range(3))


def test_a_text_of_the_longest_post_is_read_to_its_end() -> None:
    text = "Ein langer Satz. " * 1470
    assert len(text) < LONGEST
    assert post_of(note_post={"text": text}).text.plain == text.strip()


@pytest.mark.parametrize(
    ("protected", "expected"),
    [(False, Visibility.PUBLIC), (True, Visibility.FOLLOWERS), (None, Visibility.UNKNOWN)],
)
def test_the_audience_is_that_of_the_account(protected: bool | None, expected: Visibility) -> None:
    assert post_of(protected=protected).visibility is expected


@pytest.mark.parametrize(
    "sign",
    [
        {"community_id": "9"},
        {"community_id": 9},
        {"scopes": {"followers": True}},
        {"for_super_followers_only": True},
        {"nullcast": True},
        {"circle": {"id": "1"}},
        {"exclusive_tweet_controls": {"conversation_author_id": "1"}},
        {"trusted_friends_control_options": {"trusted_friends_list_id": "1"}},
    ],
)
def test_any_sign_of_a_narrower_audience_makes_it_unknown(sign: dict[str, Any]) -> None:
    assert post_of(**sign).visibility is Visibility.UNKNOWN


def test_an_account_that_became_protected_meanwhile_is_believed() -> None:
    users = {"users": [{"id": "1001", "username": "ada_x", "protected": True}]}
    assert post_of(includes=users, protected=False).visibility is Visibility.FOLLOWERS


def test_both_vocabularies_make_the_same_post() -> None:
    old: dict[str, Any] = {
        "edit_history_tweet_ids": ["4", "5"],
        "note_tweet": {"text": "Long"},
        "referenced_tweets": [{"type": "quoted", "id": "9"}],
    }
    new: dict[str, Any] = {
        "edit_history_post_ids": ["4", "5"],
        "note_post": {"text": "Long"},
        "referenced_posts": [{"type": "quoted", "id": "9"}],
    }
    other = [{"id": "9", "author_id": "2002", "text": "x"}]
    mixed: dict[str, Any] = {**old, "note_post": {"text": "Long"}, "note_tweet": None}
    posts = {
        post_of(**old, includes={"tweets": other}),
        post_of(**new, includes={"posts": other}),
        post_of(**mixed, includes={"posts": other}),
    }
    assert len(posts) == 1


def test_posts_come_in_the_order_of_the_answer_and_a_lookup_gives_one() -> None:
    answer = {"data": [{"id": "3"}, {"id": 1}, {"text": "no id"}, None, {"id": "2"}]}
    assert [post.id for post in page(answer)] == ["3", "1", "2"]
    assert [post.id for post in page({"data": {"id": "7", "text": "x"}})] == ["7"]
    assert page({}) == page({"data": None}) == page({"meta": {"result_count": 0}}) == ()


def test_a_post_without_a_date_is_older_than_any_start() -> None:
    assert post_of(created_at=None).created_at == EPOCH


def test_a_post_of_ones_own_timeline_without_author_is_ones_own() -> None:
    assert post_of().author == ME
    assert post_of(author_id="2002").author == "2002"
    assert post_of().url == "https://x.com/ada_x/status/5"


def test_a_reply_is_a_thread_only_where_the_parent_is_known_as_own() -> None:
    refers: dict[str, Any] = {
        "referenced_posts": [{"type": "replied_to", "id": "4"}],
        "conversation_id": "4",
    }
    assert post_of(**refers, in_reply_to_user_id="1001").kind is Kind.THREAD
    assert post_of(**refers, in_reply_to_user_id="2002").kind is Kind.REPLY
    assert post_of(**refers).kind is Kind.REPLY
    own = post_of(
        **refers,
        text="@ada_x and more",
        entities={"mentions": [{"start": 0, "end": 6, "username": "ada_x"}]},
    )
    assert own.kind is Kind.THREAD
    parent = {"posts": [{"id": "4", "text": "no author told"}]}
    assert post_of(**refers, includes=parent).kind is Kind.REPLY


def test_media_that_a_page_leaves_out_is_still_known_to_be_there() -> None:
    (medium,) = post_of(attachments={"media_keys": ["3_1"]}).media
    assert (medium.id, medium.kind, medium.url) == ("3_1", MediaKind.UNKNOWN, None)


def test_requested_fields_are_missed_only_where_no_post_has_them() -> None:
    answer = {
        "data": [
            {"id": "1", "text": "x", "note_tweet": None},
            {
                "id": "2",
                "referenced_tweets": [{"type": "quoted", "id": "1"}],
                "attachments": {"media_keys": ["3_1"]},
            },
        ]
    }
    asked = [
        "text",
        "note_post",
        "referenced_posts",
        "referenced_tweets.id",
        "attachments.media_keys",
        "attachments.poll_ids",
        "author_id",
        "edit_history_post_ids",
        "created_at",
    ]
    assert missing_everywhere(answer, asked) == {
        "attachments.poll_ids",
        "author_id",
        "edit_history_post_ids",
        "created_at",
    }
    assert missing_everywhere({"data": []}, asked) == frozenset()


def test_an_account_says_whether_it_is_protected() -> None:
    account = account_from({"data": {"id": "1001", "username": "ada_x", "protected": True}})
    assert (account.id, account.handle, account.protected) == ("1001", "ada_x", True)
    assert account_from({"id": 1001, "username": "ada_x"}).protected is None
