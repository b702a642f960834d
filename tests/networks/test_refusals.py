"""Which answers to a change are final: the network's own about what was sent, and no others.

Over every status, content type, shape of body and operation, on both networks.
"""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.core.errors import NetworkError, Refused, Transient
from bridge.core.redaction import Redactor
from bridge.networks.mastodon import errors as mastodon
from bridge.networks.mastodon.wire import Exchange
from bridge.networks.outside import describe_foreign, from_outside
from bridge.networks.x import errors as x

NOW = datetime(2026, 12, 1, 12, tzinfo=UTC)
STATUSES = (*range(400, 419), 421, 422, 423, 424, 426, 428, 431, 444, 451, 460, 499)
TYPES = ("application/json", "application/problem+json; charset=utf-8", "text/html", "")
PAGE = b"<!DOCTYPE html><html><head><title>Just a moment...</title></head></html>"
FOREIGN = {
    "page": PAGE,
    "empty": b"",
    "blank": b" \n",
    "cut": b'{"title": "Forbidden", "detail": "Your Tweet te',
    "deep": b"[" * 50_000,
    "text": b"Access denied",
    "list": b"[1, 2]",
    "null": b"null",
    "word": b'"error"',
    "gateway": b'{"message": "Forbidden"}',
    "edge": b'{"success": false, "errors": [{"id": 7003}]}',
    "number": b'{"error": 403}',
}


def in_x_words(detail: str, **more: object) -> bytes:
    body = {"title": "Forbidden", "detail": detail, "type": "about:blank", "status": 403, **more}
    return json.dumps(body).encode()


X_ABOUT_THE_POST = (
    in_x_words("Your Tweet text is too long. For more information see …"),
    in_x_words("You are not allowed to create a Tweet with duplicate content."),
    in_x_words("Your media IDs are invalid."),
    in_x_words("x", type="https://api.x.com/2/problems/invalid-request"),
)
X_ABOUT_ANYTHING = (
    in_x_words("You attempted to reply to a Tweet that is deleted or not visible to you."),
    in_x_words("This request looks like it might be automated. Please try again later."),
    in_x_words("You are not permitted to perform this action."),
    in_x_words("Forbidden"),
    in_x_words("Something that nobody has seen before."),
)
X_JUDGES = {400, 403, 413, 415, 422}
MASTODON_JUDGES = {400, 413, 415, 422}

OPERATIONS = {
    "create": {"creating": True},
    "reply": {"creating": True, "naming": True},
    "edit": {"creating": True},
    "delete": {"naming": True},
    "upload": {"creating": True},
}


def asked_of_mastodon(status: int, kind: str, body: bytes, operation: str) -> NetworkError:
    headers = {"content-type": kind} if kind else {}
    exchange = Exchange(
        method="POST", begun=True, sent=True, status=status, headers=headers, body=body
    )
    error = mastodon.failure(exchange, now=NOW, **OPERATIONS[operation])
    assert error is not None
    return error


def asked_of_x(status: int, kind: str, body: bytes) -> NetworkError:
    headers = {"content-type": kind} if kind else {}
    return x.failure(status, headers, body, now=NOW, writing=True, redact=Redactor())


def every(bodies: object) -> Iterator[tuple[int, str, bytes]]:
    return product(STATUSES, TYPES, bodies)  # type: ignore[call-overload,no-any-return]


def test_what_is_not_of_x_itself_is_never_final() -> None:
    for status, kind, body in every(FOREIGN.values()):
        error = asked_of_x(status, kind, body)
        assert not isinstance(error, Refused), (status, kind, body)
        assert error.status == status


def test_what_x_says_is_final_where_it_judges_the_post_and_nowhere_else() -> None:
    for status, kind, body in every(X_ABOUT_THE_POST):
        final = isinstance(asked_of_x(status, kind, body), Refused)
        assert final is (status in X_JUDGES), (status, kind, body)
    for status, kind, body in every(X_ABOUT_ANYTHING):
        assert not isinstance(asked_of_x(status, kind, body), Refused), (status, kind, body)


@pytest.mark.parametrize("operation", OPERATIONS)
def test_what_is_not_of_the_mastodon_server_itself_is_never_final(operation: str) -> None:
    for status, kind, body in every(FOREIGN.values()):
        error = asked_of_mastodon(status, kind, body, operation)
        assert not isinstance(error, Refused), (status, kind, body)


@pytest.mark.parametrize("operation", OPERATIONS)
@pytest.mark.parametrize(
    "body",
    [
        {"error": "Validation failed: Text character limit of 500 exceeded"},
        {"error": {"message": "Note is too long", "code": "MAX_LENGTH"}},
        {"message": "The given data was invalid.", "errors": {"status": ["too long"]}},
    ],
)
def test_what_a_mastodon_server_says_is_final_where_it_judges_and_nowhere_else(
    operation: str, body: dict[str, object]
) -> None:
    naming = OPERATIONS[operation].get("naming", False)
    for status, kind in product(STATUSES, TYPES):
        error = asked_of_mastodon(status, kind, json.dumps(body).encode(), operation)
        judged = status in MASTODON_JUDGES or (naming and status in {404, 410})
        assert isinstance(error, Refused) is (judged and kind != "text/html"), (status, kind)
        # That what a post refers to is not there is no word about the post.
        assert getattr(error, "missing", False) is (
            isinstance(error, Refused) and status in {404, 410}
        )


@pytest.mark.parametrize("operation", OPERATIONS)
def test_that_a_post_is_empty_to_a_server_of_pictures_is_final(operation: str) -> None:
    body = json.dumps({"error": "Empty statuses are not allowed"}).encode()
    for status, kind in product(STATUSES, TYPES):
        error = asked_of_mastodon(status, kind, body, operation)
        if status == 403:
            assert isinstance(error, Refused) is (kind != "text/html"), kind


@given(body=st.binary(max_size=300), status=st.sampled_from(STATUSES), kind=st.sampled_from(TYPES))
def test_no_bytes_that_nobody_has_agreed_on_are_final(body: bytes, status: int, kind: str) -> None:
    errors = [asked_of_x(status, kind, body), asked_of_mastodon(status, kind, body, "create")]
    for error in errors:
        assert not isinstance(error, Refused)
        assert error.detail.isprintable()


@pytest.mark.parametrize("kind", TYPES)
@pytest.mark.parametrize("status", [200, 403, 503])
def test_a_wall_in_front_of_the_api_is_named_by_its_title(status: int, kind: str) -> None:
    named = "a web page titled “Just a moment...”"
    if status >= 400:
        assert named in asked_of_x(status, kind, PAGE).detail
        assert named in asked_of_mastodon(status, kind, PAGE, "create").detail
    exchange = Exchange(status=status, headers={"content-type": kind}, body=PAGE)
    unreadable = mastodon.unreadable(exchange, creating=False)
    assert named in unreadable.detail
    assert isinstance(unreadable, Transient)


@given(
    title=st.text(max_size=400).filter(lambda text: "<" not in text),
    rest=st.binary(max_size=100),
)
def test_a_title_is_one_printable_line_whatever_it_says(title: str, rest: bytes) -> None:
    body = b"<html><title>" + title.encode("utf-8", "replace") + b"</title>" + rest
    told = describe_foreign(body, {"content-type": "text/html"}, Redactor())
    assert told.isprintable()
    assert len(told) < 200
    assert told.endswith("instead of an answer of the API")


@given(text=st.text(), longest=st.integers(1, 50))
def test_text_from_outside_is_one_printable_line_of_a_bounded_length(
    text: str, longest: int
) -> None:
    line = from_outside(text, longest, Redactor())
    assert line.isprintable()
    assert len(line) <= longest
