"""Content warnings: where they are found, how they are shown, whose words they use."""

import time

import pytest

from bridge.core.caution import split_off
from bridge.core.lengths import mastodon_length, x_valid
from bridge.core.model import QuoteRef
from bridge.core.text import Text
from tests.fixtures.composing import (
    media_of,
    pictures,
    poll,
    texts,
    to_mastodon,
    to_x,
    toot,
    tweet,
)


@pytest.mark.parametrize(
    ("text", "warning", "rest"),
    [
        ("CW: food\nI ate it.", "food", "I ate it."),
        ("cw: food\n\nI ate it.", "food", "I ate it."),
        ("TW: spiders, close up\nLook.", "spiders, close up", "Look."),
        ("CW/TW: food\nI ate it.", "food", "I ate it."),
        ("[CW: food] I ate it.", "food", "I ate it."),
        ("[CW food] I ate it.", "", "[CW food] I ate it."),
        ("(tw : food) I ate it.", "food", "I ate it."),
        ("CW - food\nI ate it.", "food", "I ate it."),
        ("TW // food\nI ate it.", "food", "I ate it."),
        ("CN: Essen\nLecker.", "Essen", "Lecker."),
        ("Content warning: food\nI ate it.", "food", "I ate it."),
        ("Trigger Warning：food\nI ate it.", "food", "I ate it."),
        ("تحذير المحتوى: طعام\nأكلته.", "طعام", "أكلته."),
        ("Advertencia de contenido: comida\nLa comí.", "comida", "La comí."),
        ("تحذير محتوى: طعام\nأكلته.", "طعام", "أكلته."),
        ("CW: food. I ate it. All.", "food", "I ate it. All."),
        ("CW: food? I ate it.", "food", "I ate it."),
    ],
)
def test_a_warning_at_the_head_of_a_text_becomes_one(text: str, warning: str, rest: str) -> None:
    (part,) = (draft := to_mastodon(tweet(text))).parts
    assert (part.spoiler, part.text) == (warning, rest)
    assert part.sensitive is bool(warning)
    told = "content warning taken from the beginning of the text" in draft.notes
    assert told is bool(warning)


@pytest.mark.parametrize(
    "text",
    [
        "CW-Skimmer is a program.",
        "CW is Morse code: dots and dashes.",
        "TW users rejoice\n\nFinally.",
        "I wrote CW: food\nabove.",
        "CW: food",
        "CW:\nfood",
        "CW: " + "word " * 60 + "\nText.",
        "Breaking: news",
        "Warning: storm\nStay at home.",
        "تحذير: عاصفة قادمة\nابقوا في البيت.",
    ],
)
def test_what_only_looks_like_a_warning_stays_text(text: str) -> None:
    (part,) = to_mastodon(tweet(text)).parts
    assert (part.spoiler, part.text) == ("", text)


@pytest.mark.parametrize("text", [" ", "[ ", "CW ", "CW\t", "\n", "CW/", "CW: ", "CW: a. "])
def test_no_text_makes_the_search_for_a_warning_slow(text: str) -> None:
    begun = time.process_time()
    split_off(Text(text[:-1] + text[-1] * 40_000 + "x"))
    split_off(Text(text * 10_000 + "x"))
    assert time.process_time() - begun < 1


def test_a_warning_alone_still_warns_of_what_is_attached() -> None:
    (part,) = to_mastodon(tweet("CW: eyes", media=pictures(1))).parts
    assert (part.spoiler, part.text) == ("eyes", "")


def test_links_and_names_behind_a_warning_stay_where_they_belong() -> None:
    (part,) = to_mastodon(tweet("CW: food\nSee https://example.com/a #tag")).parts
    assert part.text == "See https://example.com/a #tag"


def test_a_post_on_mastodon_with_such_a_beginning_is_sent_to_x_as_it_is() -> None:
    assert texts(to_x(toot("CW: food\nI ate it."))) == ["CW: food\nI ate it."]


WARN = {"spider": "spiders", "uspol": "US politics", "血": "blood"}


@pytest.mark.parametrize(
    ("text", "warning"),
    [
        ("A Spider!", "spiders"),
        ("#uspol again", "US politics"),
        ("#USpol and a spider", "spiders, US politics"),
        ("Spiderman", ""),
        ("血が出た", ""),
        ("血 ", "blood"),
    ],
)
def test_words_of_the_owners_choice_call_for_a_warning(text: str, warning: str) -> None:
    (part,) = (draft := to_mastodon(tweet(text), warn_about=WARN)).parts
    assert part.spoiler == warning
    assert bool(warning) is ("content warning set for what the text speaks of" in draft.notes)
    (said,) = texts(to_x(toot(text), warn_about=WARN))
    assert said.startswith(f"CW: {warning}\n\n") if warning else said == text.strip()


def test_a_warning_of_the_authors_own_is_not_added_to() -> None:
    assert texts(to_x(toot("A spider", spoiler="eek"), warn_about=WARN)) == ["CW: eek\n\nA spider"]


def test_the_owner_may_word_warnings_otherwise() -> None:
    words = {"USpol": "US politics"}
    draft = to_x(toot("Vote", spoiler="uspol"), warning_words=words)
    assert texts(draft) == ["CW: US politics\n\nVote"]
    assert "content warning put in the words that are configured for it" in draft.notes
    (part,) = to_mastodon(tweet("CW: USPOL\nVote"), warning_words=words).parts
    assert part.spoiler == "US politics"


def test_only_the_warning_is_given_by_choice_and_all_that_is_missing_is_named() -> None:
    post = toot("Body", spoiler="eyes", media=pictures(3), quote=QuoteRef(None, "https://x.com/a"))
    draft = to_x(post, warnings="only")
    assert texts(draft) == ["CW: eyes"]
    assert media_of(draft) == [[]]
    (note,) = draft.notes
    assert note.startswith("only the content warning is given, as configured: the text and 3 pic")
    assert note.endswith("and the quote left out")
    draft = to_x(toot("Which?", spoiler="eyes", poll=poll("A", "B")), warnings="only")
    assert draft.parts[0].poll is None


def test_a_post_without_a_warning_goes_whole_under_any_choice() -> None:
    for choice in ("prefix", "only", "skip"):
        assert texts(to_x(toot("Body"), warnings=choice)) == ["Body"]


def test_a_long_warning_leaves_room_on_mastodon_too() -> None:
    draft = to_mastodon(tweet("word " * 200, spoiler="warning " * 60))
    assert all(mastodon_length(part.text, part.spoiler) <= 500 for part in draft.parts)
    assert "content warning shortened, to leave room for what it warns of" in draft.notes


@pytest.mark.parametrize("word", ["a.co ", "@a ", "@a", "a.co.", "$A "])
def test_a_warning_of_anything_leaves_room_and_links_nothing(word: str) -> None:
    for text in texts(to_x(toot("Body", spoiler=word * 200))):
        assert text.startswith("CW: ")
        assert text.endswith("\n\nBody")
        assert x_valid(text)
