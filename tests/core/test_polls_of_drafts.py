"""Polls: made where they fit, written out where they do not, with results once they have ended."""

from dataclasses import replace

import pytest

from bridge.core.compose import compose
from bridge.core.entities import x_entities
from bridge.core.lengths import x_valid
from bridge.core.model import PollOption
from bridge.core.policy import Policy
from tests.fixtures.composing import (
    CONTEXT,
    MASTODON,
    NOW,
    pictures,
    poll,
    texts,
    to_mastodon,
    to_x,
    toot,
    tweet,
)


def test_a_poll_that_fits_is_made_for_the_time_that_is_left() -> None:
    given = poll("Tea", "Coffee", days=2)
    (part,) = (draft := to_x(toot("Which?", poll=given))).parts
    assert part.text == "Which?"
    assert part.poll is not None
    assert (part.poll.options, part.poll.ends_at) == (("Tea", "Coffee"), given.ends_at)
    assert part.poll.otherwise == "Which?\n\n○ Tea\n○ Coffee"
    assert draft.notes == ()


def test_a_poll_of_several_choices_is_made_where_there_are_such() -> None:
    (part,) = to_mastodon(tweet("Which?", poll=poll("A", "B", multiple=True))).parts
    assert part.poll is not None
    assert part.poll.multiple


@pytest.mark.parametrize(
    ("given", "why"),
    [
        (poll("A", "B", multiple=True), "X has none with several choices"),
        (poll(*"ABCDE"), "X takes 2 to 4 answers"),
        (poll("A"), "X takes 2 to 4 answers"),
        (poll("A", "B" * 26), "an answer has over 25 characters"),
        (poll("A", " "), "an answer is empty"),
        (poll("tea", "Tea"), "two answers are the same"),
        (poll("A", "B", days=None), "it has no end"),
        (poll("A", "B", days=0.003), "too little time is left to vote"),
        (poll("A", "B", days=7.5), "X lets none run for so long"),
    ],
)
def test_a_poll_that_does_not_fit_is_written_out_and_the_note_says_why(
    given: object, why: str
) -> None:
    draft = to_x(toot("Which?", poll=given))
    assert draft.parts[0].poll is None
    assert texts(draft)[0].startswith("Which?\n\n○ ")
    assert draft.notes == (f"poll written out as text: {why}",)


def test_a_poll_beside_pictures_is_written_out_where_both_do_not_go_together() -> None:
    post = toot("Which?", poll=poll("A", "B"), media=pictures(1))
    assert to_x(post).notes == ("poll written out as text: X has none beside media",)
    assert MASTODON.polls is not None
    newer = replace(MASTODON, polls=replace(MASTODON.polls, with_media=True))
    (part,) = compose(tweet("?", poll=post.poll, media=post.media), newer, Policy(), CONTEXT).parts
    assert part.poll is not None
    assert len(part.media) == 1


@pytest.mark.parametrize(("days", "closed"), [(-1, False), (None, True), (0, False)])
def test_a_poll_that_has_ended_is_given_with_its_results(days: float | None, closed: bool) -> None:
    options = (PollOption("Tea", 3), PollOption("Coffee", 1))
    ended = poll("A", "B", days=days, closed=closed, options=options)
    draft = to_mastodon(tweet("Which?", poll=ended))
    assert texts(draft) == ["Which?\n\n○ Tea – 75% (3)\n○ Coffee – 25% (1)"]
    assert draft.notes == ("poll written out with its results: it has ended",)


def test_results_that_are_not_told_are_not_made_up() -> None:
    options = (PollOption("Tea", None), PollOption("Coffee", 1))
    ended = poll("A", "B", days=-1, options=options)
    assert texts(to_mastodon(tweet("Which?", poll=ended))) == ["Which?\n\n○ Tea\n○ Coffee"]
    nobody = (PollOption("Tea", 0), PollOption("Coffee", 0))
    (text,) = texts(to_mastodon(tweet("?", poll=poll("A", "B", days=-1, options=nobody))))
    assert "○ Tea – 0% (0)" in text


def test_polls_can_be_written_out_by_choice() -> None:
    draft = to_x(toot("Which?", poll=poll("A", "B")), polls="text")
    assert texts(draft) == ["Which?\n\n○ A\n○ B"]
    assert draft.notes == ("poll written out as text: as configured",)


def test_the_words_for_a_poll_fit_the_part_even_where_its_text_fills_it() -> None:
    (part,) = to_x(toot("Which of them? " * 18, poll=poll("Tea", "Coffee.So"))).parts
    assert part.poll is not None
    assert part.poll.otherwise.endswith("Which of them? …\n\n○ Tea\n○ Coffee\u2060.So")
    assert x_valid(part.poll.otherwise)


def test_answers_link_and_ping_nothing_in_words() -> None:
    given = poll("@jack", "a.co", "$TWTR")
    (part,) = to_x(toot("Which? $ABC", poll=given)).parts
    assert part.poll is not None
    assert [span.target for span in x_entities(part.poll.otherwise)] == ["ABC"]


def test_a_poll_stands_on_the_first_part_of_a_thread() -> None:
    draft = to_x(toot("A sentence of some words. " * 20, poll=poll("A", "B")))
    assert len(draft.parts) > 1
    assert [part.poll is not None for part in draft.parts] == [True] + [False] * (
        len(draft.parts) - 1
    )


def test_the_clock_of_the_context_decides() -> None:
    given = poll("A", "B", days=1)
    late = replace(CONTEXT, now=NOW.replace(day=23))
    assert to_x(toot("?", poll=given), late).parts[0].poll is None
