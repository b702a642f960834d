"""Which kind of error each of X's failures becomes; bodies as they were seen or documented.

Bars of docs/reliability.md: R11, R13.
"""

import json
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bridge.core.errors import (
    Barred,
    InDoubt,
    NetworkError,
    Refused,
    Throttled,
    Transient,
    Unauthorised,
    Unpaid,
)
from bridge.core.redaction import Redactor
from bridge.networks.x.errors import failure, opens_again

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
SOON = int((NOW + timedelta(minutes=9)).timestamp())
TONIGHT = int((NOW + timedelta(hours=9)).timestamp())
PROBLEMS = "https://api.x.com/2/problems/"


def judged(
    status: int,
    body: object = None,
    headers: dict[str, str] | None = None,
    *,
    writing: bool = True,
) -> NetworkError:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return failure(status, headers or {}, raw, now=NOW, writing=writing, redact=Redactor())


def forbidden(detail: str) -> dict[str, object]:
    return {"title": "Forbidden", "detail": detail, "type": "about:blank", "status": 403}


@pytest.mark.parametrize("status", [400, 403])
@pytest.mark.parametrize(
    "body",
    [
        forbidden("Your Tweet text is too long. For more information see …"),
        {"errors": [{"code": 186, "message": "Tweet needs to be a bit shorter."}]},
    ],
)
def test_a_text_that_is_too_long_is_refused_as_such(status: int, body: object) -> None:
    error = judged(status, body)
    assert isinstance(error, Refused)
    assert (error.too_long, error.duplicate, error.missing) == (True, False, False)


@pytest.mark.parametrize(
    "body",
    [
        forbidden("You are not allowed to create a Tweet with duplicate content."),
        {"errors": [{"code": 187, "message": "Status is a duplicate."}]},
    ],
)
def test_a_text_that_stands_already_is_a_duplicate(body: object) -> None:
    error = judged(403, body)
    assert isinstance(error, Refused)
    assert (error.too_long, error.duplicate, error.missing) == (False, True, False)


@pytest.mark.parametrize(
    "body",
    [
        {"errors": [{"code": 144, "message": "No status found with that ID."}]},
        {"title": "Not Found Error", "type": f"{PROBLEMS}resource-not-found",
         "resource_type": "tweet"},
    ],
)  # fmt: skip
def test_what_x_surely_does_not_have_is_missing(body: object) -> None:
    error = judged(404, body)
    assert isinstance(error, Refused)
    assert (error.too_long, error.duplicate, error.missing) == (False, False, True)


@pytest.mark.parametrize(
    "body",
    [
        forbidden("Reply to this conversation is not allowed because you have not been mentioned"),
        forbidden("Your media IDs are invalid."),
        forbidden("This user is not allowed to post a video longer than 2 minutes."),
        forbidden("Creating posts with @mentions is not allowed for your access package."),
        forbidden("Creating posts with more than one cashtag is not allowed for your package."),
        forbidden("You are not authorized to delete this Tweet."),
        {"errors": [{"code": 324, "message": "The validation of media ids failed."}]},
        {
            "title": "Invalid Request",
            "type": f"{PROBLEMS}invalid-request",
            "errors": [{"message": "$.poll: not allowed", "parameters": {"x": ["y"]}}],
        },
    ],
)
def test_what_x_says_about_what_was_sent_is_final(body: object) -> None:
    error = judged(403, body)
    assert isinstance(error, Refused)
    assert (error.too_long, error.duplicate, error.missing) == (False, False, False)
    assert error.status == 403


@pytest.mark.parametrize("status", [400, 403, 405, 406, 409, 410, 418, 422, 451])
@pytest.mark.parametrize(
    "body",
    [
        forbidden("You are not permitted to perform this action."),
        forbidden("You attempted to reply to a Tweet that is deleted or not visible to you."),
        forbidden("This request looks like it might be automated. Please try again later."),
        forbidden("Forbidden"),
        {"errors": [{"code": 385, "message": "You attempted to reply to …"}]},
        {"message": "Forbidden"},
        b"<html>403</html>",
        b"",
        b'{"title": "Forbid',
        None,
        [],
        b"[" * 100_000,
    ],
)
def test_every_other_refusal_may_pass(status: int, body: object) -> None:
    error = judged(status, body)
    assert isinstance(error, Transient)
    assert not error.unreachable
    assert error.status == status


@pytest.mark.parametrize("host", ["api.x.com", "api.twitter.com"])
@pytest.mark.parametrize(
    ("status", "body"),
    [
        (
            402,
            {"title": "Payment Required", "detail": "credits depleted", "type": "credits-depleted"},
        ),
        (
            402,
            {"title": "CreditsDepleted", "detail": "does not have any credits", "type": "credits"},
        ),
        (403, {"title": "Oops", "detail": "no more", "type": "credits"}),
        (402, {}),
    ],
)
def test_used_up_credits_are_the_owners_business(
    host: str, status: int, body: dict[str, str]
) -> None:
    if "type" in body:
        body = {**body, "type": f"https://{host}/2/problems/{body['type']}"}
    error = judged(status, body)
    assert isinstance(error, Unpaid)
    assert error.until is None
    assert "credits" in error.detail


@pytest.mark.parametrize("named", [True, False])
def test_a_spend_cap_says_until_when(named: bool) -> None:
    body = {
        "title": "SpendCapReached",
        "detail": (
            "Your enrolled account [9] has reached its billing cycle spend cap. API requests will "
            "be blocked until the next cycle begins on 2026-12-01."
        ),
        "type": f"{PROBLEMS}credits",
    }
    error = judged(403, {**body, "reset_date": "2026-12-01"} if named else body)
    assert isinstance(error, Unpaid)
    assert error.until == datetime(2026, 12, 1, tzinfo=UTC)
    assert (
        "spend cap is reached: raise it in X's developer console, or wait until 1 December"
        in error.detail
    )


@pytest.mark.parametrize("date", ["2026-13-77", "soon", "9999-99-99", "\ud800", 5])
def test_a_reset_date_that_is_none_is_not_believed(date: object) -> None:
    error = judged(403, {"title": "SpendCapReached", "type": "credits", "reset_date": date})
    assert isinstance(error, Unpaid)
    assert error.until is None
    assert "spend cap" in error.detail


@pytest.mark.parametrize("writing", [True, False])
@pytest.mark.parametrize(
    "words",
    [
        "Your account has reached its billing cycle spend cap.",
        "The spending limit of this project is reached.",
        "Your enrolled account [9] does not have any credits to fulfill this request",
    ],
)
def test_a_403_that_speaks_of_money_alone_is_about_money(words: str, writing: bool) -> None:
    assert isinstance(judged(403, forbidden(words), writing=writing), Unpaid)


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (
            403,
            {
                "title": "Client Forbidden",
                "reason": "client-not-enrolled",
                "type": f"{PROBLEMS}client-forbidden",
            },
        ),
        (403, {"errors": [{"code": 453, "message": "You currently have access to a subset of"}]}),
        (403, forbidden("You currently have access to a subset of X API V2 endpoints")),
        (
            429,
            {"title": "UsageCapExceeded", "period": "Monthly", "type": f"{PROBLEMS}usage-capped"},
        ),
    ],
)
@pytest.mark.parametrize("writing", [True, False])
def test_a_plan_that_does_not_reach_is_paid_for_and_not_signed_in_to(
    status: int, body: object, writing: bool
) -> None:
    error = judged(status, body, writing=writing)
    assert isinstance(error, Unpaid)
    assert "developer console" in error.detail
    assert "twinpost login" not in error.detail


@pytest.mark.parametrize("status", [401, 403])
def test_keys_that_are_not_accepted_are_no_matter_of_money(status: int) -> None:
    error = judged(status, {"title": "Unauthorized", "type": "about:blank"}, writing=False)
    assert isinstance(error, Unauthorised)
    assert not isinstance(error, Unpaid)


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (401, {"title": "Unauthorized", "type": "about:blank", "status": 401}),
        (401, b"<html>"),
        (403, {"title": "Client Forbidden", "reason": "client-not-enrolled", "type": "x"}),
        (403, {"title": "Client Forbidden", "type": f"{PROBLEMS}client-forbidden"}),
        (403, {"title": "Unsupported", "type": f"{PROBLEMS}unsupported-authentication"}),
        (
            403,
            forbidden(
                "Your client app is not configured with the appropriate oauth1 app permissions "
                "for this endpoint."
            ),
        ),
        (400, {"errors": [{"code": 215, "message": "Bad Authentication data."}]}),
    ],
)
def test_what_only_the_owner_can_mend_is_told_apart(status: int, body: object) -> None:
    assert isinstance(judged(status, body), Unauthorised)


@pytest.mark.parametrize(
    "body",
    [
        {"errors": [{"code": 326, "message": "this account is temporarily locked"}]},
        {"errors": [{"code": 64, "message": "Your account is not allowed here."}]},
        forbidden("Your account is suspended and is not permitted to access this feature."),
    ],
)
@pytest.mark.parametrize("writing", [True, False])
def test_an_account_that_x_shuts_out_is_barred_and_no_login_helps(
    body: object, writing: bool
) -> None:
    error = judged(403, body, writing=writing)
    assert isinstance(error, Barred)
    assert "twinpost login" not in error.detail


def test_a_months_usage_cap_is_the_owners_and_a_days_ends_at_midnight() -> None:
    body = {"title": "UsageCapExceeded", "type": f"{PROBLEMS}usage-capped", "scope": "Product"}
    monthly = judged(429, {**body, "period": "Monthly"})
    daily = judged(429, {**body, "period": "Daily"})
    assert isinstance(monthly, Unauthorised)
    assert isinstance(daily, Throttled)
    assert daily.until == datetime(2026, 11, 23, tzinfo=UTC)


def test_a_429_opens_when_its_header_says() -> None:
    error = judged(429, {"title": "Too Many Requests"}, {"x-rate-limit-reset": str(SOON)})
    assert isinstance(error, Throttled)
    assert error.until == NOW + timedelta(minutes=9)


def test_a_429_without_a_header_does_not_say() -> None:
    error = judged(429, {"errors": [{"code": 88, "message": "Rate limit exceeded"}]})
    assert isinstance(error, Throttled)
    assert error.until is None


def test_a_days_limit_that_is_used_up_counts_for_more_than_the_quarter_of_an_hour() -> None:
    day = {"x-user-limit-24hour-remaining": "0", "x-user-limit-24hour-reset": str(TONIGHT)}
    quarter = {"x-rate-limit-reset": str(SOON)}
    used_up = judged(429, None, {**quarter, **day})
    left = judged(429, None, {**quarter, **day, "x-user-limit-24hour-remaining": "3"})
    not_permitted = judged(403, forbidden("You are not permitted to perform this action."), day)
    assert isinstance(used_up, Throttled)
    assert isinstance(left, Throttled)
    assert isinstance(not_permitted, Throttled)
    assert used_up.until == not_permitted.until == NOW + timedelta(hours=9)
    assert left.until == NOW + timedelta(minutes=9)


def test_where_the_own_clock_is_wrong_the_servers_date_tells_how_long_to_wait() -> None:
    server = NOW + timedelta(days=1)
    headers = {
        "x-rate-limit-reset": str(int(server.timestamp()) + 600),
        "date": server.strftime("%a, %d %b %Y %H:%M:%S GMT"),
    }
    assert opens_again(headers, NOW) == NOW + timedelta(minutes=10)
    assert opens_again(headers, NOW + timedelta(days=3)) == NOW + timedelta(days=3, minutes=10)


@given(
    stated=st.dictionaries(
        st.sampled_from(
            [
                "x-rate-limit-reset",
                "x-user-limit-24hour-remaining",
                "x-user-limit-24hour-reset",
                "x-app-limit-24hour-remaining",
                "x-app-limit-24hour-reset",
                "retry-after",
                "date",
            ]
        ),
        st.one_of(
            st.integers().map(str),
            st.sampled_from(["0", "", "nan", "inf", "1e9", "-1", "٣", "9" * 400, f" {SOON} "]),
            st.text(max_size=20),
        ),
    )
)
@settings(deadline=None)
def test_no_header_makes_the_wait_negative_or_longer_than_a_day(stated: dict[str, str]) -> None:
    until = opens_again(stated, NOW)
    assert until is None or NOW <= until <= NOW + timedelta(days=1)


@pytest.mark.parametrize("status", [500, 502, 503, 504, 520, 408])
def test_a_servers_failure_leaves_a_creation_in_doubt(status: int) -> None:
    assert isinstance(judged(status, b"<html>"), InDoubt)


@pytest.mark.parametrize(("status", "unreachable"), [(500, False), (502, True), (503, True)])
def test_a_servers_failure_makes_a_reading_wait(status: int, unreachable: bool) -> None:
    error = judged(status, b"<html>", writing=False)
    assert isinstance(error, Transient)
    assert error.unreachable is unreachable


@pytest.mark.parametrize("writing", [True, False])
def test_a_404_is_not_final_since_incidents_look_like_it(writing: bool) -> None:
    error = judged(404, {"title": "Not Found"}, writing=writing)
    assert isinstance(error, Transient)


@pytest.mark.parametrize("writing", [True, False])
def test_a_redirect_did_nothing(writing: bool) -> None:
    error = judged(301, b"", writing=writing)
    assert isinstance(error, Transient)
    assert error.unreachable


def test_a_forbidden_reading_of_the_own_timeline_is_the_owners_business() -> None:
    assert isinstance(judged(403, forbidden("Forbidden"), writing=False), Unauthorised)


@given(
    st.recursive(
        st.none() | st.text() | st.integers() | st.floats(),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(
                    ["title", "detail", "type", "errors", "message", "code", "reset_date"]
                ),
                inner,
                max_size=4,
            )
        ),
        max_leaves=8,
    ),
    st.integers(300, 599),
    st.booleans(),
)
@settings(deadline=None)
def test_any_body_makes_an_error_of_one_line(body: object, status: int, writing: bool) -> None:
    error = judged(status, body, writing=writing)
    assert isinstance(error, NetworkError)
    assert error.detail.isprintable()
    assert len(error.detail) < 500
    assert writing or not isinstance(error, InDoubt)
