"""Statuses of any server become posts, and never reach further than their author chose.

Bars of docs/reliability.md: S1, S2.
"""

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mastodon.return_types import Status
from mastodon.types_base import try_cast_recurse

from bridge.core.model import Kind, MediaKind, Post, Visibility
from bridge.networks.fields import EPOCH
from bridge.networks.mastodon.normalise import account_from, source_to_rich, status_to_post

ODD = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=12)
    | st.sampled_from(["https://[", "2026-13-45T99:99Z", "9" * 5000, "\ud800", 10**400]),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3)
    ),
    max_leaves=6,
)
STATUS: dict[str, Any] = {
    "id": "1",
    "created_at": "2026-03-14T09:26:53.589Z",
    "content": "<p>Hello</p>",
    "visibility": "public",
    "account": {"id": "7", "acct": "ada", "url": "https://own.example/@ada"},
}
SLOTS = [
    *STATUS,
    "url",
    "uri",
    "edited_at",
    "spoiler_text",
    "sensitive",
    "language",
    "in_reply_to_id",
    "in_reply_to_account_id",
    "reblog",
    "quote",
    "quote_id",
    "pleroma",
    "media_attachments",
    "poll",
    "application",
    "mentions",
    "emojis",
    "local_only",
    "visibility_ex",
    "limited_scope",
]


def is_storable(text: str) -> bool:
    """Whether a text survives being written down, which a lone surrogate would not."""
    return text.encode("utf-8", "replace").decode() == text


def post_of(**fields: Any) -> Post:
    post = status_to_post({**STATUS, **fields}, host="own.example")
    assert post is not None
    return post


@given(st.dictionaries(st.sampled_from(SLOTS), ODD, max_size=6), ODD)
@settings(max_examples=150, deadline=None)
def test_no_json_stops_the_bridge(fields: dict[str, Any], source: Any) -> None:
    status = {**STATUS, **fields}
    source = source if isinstance(source, dict) else {"text": source}
    post = status_to_post(status, host="own.example", source=source)
    if post is not None:
        assert post.id
        assert post.created_at.tzinfo is UTC
        assert is_storable(post.text.plain)
    account_from(status, "own.example")


@pytest.mark.parametrize(
    ("name", "inner"),
    [
        ("account", "id"),
        ("reblog", "id"),
        ("quote", "state"),
        ("quote", "quoted_status"),
        ("quote", "id"),
        ("pleroma", "quote"),
        ("pleroma", "quote_url"),
        ("poll", "options"),
        ("poll", "expires_at"),
        ("application", "name"),
    ],
)
@given(value=ODD)
@settings(max_examples=40, deadline=None)
def test_no_json_inside_an_object_stops_the_bridge(name: str, inner: str, value: Any) -> None:
    assert status_to_post({**STATUS, name: {inner: value}}, host="own.example") is not None


@given(ODD, ODD, ODD)
@settings(max_examples=100, deadline=None)
def test_no_json_inside_a_medium_or_mention_stops_the_bridge(a: Any, b: Any, c: Any) -> None:
    medium = {"id": a, "type": b, "url": c, "description": a, "meta": {"original": {"width": b}}}
    length = {"meta": {"original": {"duration": a}, "width": c}, "pleroma": {"mime_type": b}}
    mention = {"url": a, "acct": b, "username": c}
    link = '<a class="mention" href="https://[">@x</a>'
    post = post_of(media_attachments=[medium, length, a], mentions=[mention, b], content=link)
    assert len(post.media) >= 2


@given(ODD.filter(lambda value: value not in [each.value for each in Visibility]))
@settings(max_examples=100, deadline=None)
def test_an_audience_that_is_not_one_of_the_four_is_unknown(value: Any) -> None:
    assert post_of(visibility=value).visibility is Visibility.UNKNOWN


@pytest.mark.parametrize("value", ["local", "list", "Public", "login", "mutual", None, "", 0, []])
def test_audiences_of_other_servers_are_unknown(value: Any) -> None:
    assert post_of(visibility=value).visibility is Visibility.UNKNOWN


@pytest.mark.parametrize(
    "sign",
    [
        {"local_only": True},
        {"local_only": "true"},
        {"limited_scope": "circle"},
        {"visibility_ex": "login"},
        {"federated": False},
    ],
)
def test_any_sign_of_a_narrower_audience_makes_it_unknown(sign: dict[str, Any]) -> None:
    assert post_of(**sign).visibility is Visibility.UNKNOWN


def test_plain_audiences_are_what_they_say() -> None:
    said = {post_of(visibility=v.value, local_only=False).visibility for v in Visibility}
    assert said == set(Visibility)


@pytest.mark.parametrize("missing", [None, "", "  ", True, 1.5, [], {}])
def test_a_status_without_an_id_is_none(missing: Any) -> None:
    assert status_to_post({**STATUS, "id": missing}, host="own.example") is None


@pytest.mark.parametrize(
    "bad", [None, "", "soon", 5, "2026-02-30T00:00:00Z", "0001-01-01T00:00:00+14:00"]
)
def test_a_bad_date_is_older_than_any_start(bad: Any) -> None:
    assert post_of(created_at=bad).created_at == EPOCH


def test_dates_may_be_strings_or_datetimes_and_come_out_as_utc() -> None:
    noon = datetime(2026, 3, 14, 12, tzinfo=UTC)
    zoned = noon.astimezone(timezone(timedelta(hours=9)))
    given_as = [noon, zoned, "2026-03-14T12:00:00Z", "2026-03-14T21:00:00.000+09:00"]
    assert {post_of(created_at=each).created_at for each in given_as} == {noon}
    assert post_of(edited_at=zoned).edited_at == noon


def test_the_client_librarys_own_objects_are_read_like_plain_json() -> None:
    plain = {
        **STATUS,
        "in_reply_to_id": 9,
        "mentions": [
            {"id": 3, "username": "bob", "acct": "bob@far.example", "url": "https://f/@b"}
        ],
        "media_attachments": [{"id": 4, "type": "image", "url": "https://own.example/4.png"}],
        "content": '<p><a class="u-url mention" href="https://f/@b">@<span>bob</span></a></p>',
    }
    cast = try_cast_recurse(Status, plain)  # type: ignore[no-untyped-call]  # its library has no types
    assert isinstance(cast, Status)
    assert isinstance(cast["created_at"], datetime)
    assert status_to_post(cast, host="own.example") == status_to_post(plain, host="own.example")


def test_a_bare_typed_name_means_the_neighbour_and_not_a_namesake_elsewhere() -> None:
    mentions = [{"acct": "bob@far.example", "username": "bob"}, {"acct": "bob", "username": "bob"}]
    text = source_to_rich("@bob and @bob@far.example", mentions, "own.example")
    assert [span.target for span in text.spans] == ["@bob@own.example", "@bob@far.example"]


def test_an_unreadable_account_never_makes_a_reply_a_thread() -> None:
    post = post_of(account=None, in_reply_to_id="5", in_reply_to_account_id=None)
    assert post.kind is Kind.REPLY


def test_any_reblog_at_all_is_a_repost() -> None:
    assert [post_of(reblog=each).kind for each in ({"id": 5}, {"id": None}, True, "x")] == [
        Kind.REPOST
    ] * 4
    assert post_of(reblog=None).kind is Kind.ORIGINAL


@pytest.mark.parametrize(
    ("state", "linked"),
    [
        ("accepted", True),
        ("pending", True),
        ("muted_account", True),
        ("blocked_domain", True),
        ("rejected", False),
        ("revoked", False),
        ("deleted", False),
        ("unauthorized", False),
        ("something_new", False),
        (None, False),
    ],
)
def test_a_quote_is_linked_only_while_it_is_allowed(state: str | None, linked: bool) -> None:
    quoted = {"id": "9", "url": "https://m.example/9", "account": {"id": "5"}}
    quote = post_of(quote={"state": state, "quoted_status": quoted}).quote
    assert quote is not None
    assert quote.post == "9"
    assert quote.own is (False if state == "accepted" else None)
    assert (quote.url is not None) is linked


def test_media_of_every_kind_carry_what_the_server_tells() -> None:
    kinds = ["image", "gifv", "video", "audio", "unknown", "hologram", None]
    media = post_of(
        media_attachments=[
            {
                "id": n,
                "type": kind,
                "url": None,
                "remote_url": "https://far.example/m",
                "description": None,
                "meta": {"original": {"duration": 1.5}},
            }
            for n, kind in enumerate(kinds)
        ]
    ).media
    assert [each.kind for each in media] == [*MediaKind, MediaKind.UNKNOWN, MediaKind.UNKNOWN]
    assert {each.url for each in media} == {"https://far.example/m"}
    assert {each.duration_ms for each in media} == {1500}
    assert [each.id for each in media] == list("0123456")


def test_emoji_of_the_status_go_where_that_is_chosen() -> None:
    status = {**STATUS, "content": "<p>Hi :blob: :x:</p>", "emojis": [{"shortcode": "blob"}]}
    kept = status_to_post(status, host="own.example")
    without = status_to_post(status, host="own.example", custom_emoji=False)
    assert kept is not None
    assert without is not None
    assert (kept.text.plain, without.text.plain) == ("Hi :blob: :x:", "Hi :x:")


def test_an_account_is_named_in_full() -> None:
    account = account_from(
        {"id": 7, "acct": "ada", "url": "https://own.example/@ada"}, "own.example"
    )
    assert (account.id, account.handle, account.protected) == ("7", "ada@own.example", None)
    assert account_from({"username": "ada"}, "own.example").id == "unknown"
