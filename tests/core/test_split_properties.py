"""What holds for every text and every limit when a text is cut into a thread."""

import re
from time import process_time

import pytest
import regex
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from bridge.core.entities import mastodon_entities, x_entities
from bridge.core.errors import UnfitError
from bridge.core.lengths import mastodon_length, x_length
from bridge.core.split import ELLIPSIS, Atoms, Length, split
from bridge.core.text import SpanKind

SPACED_WORDS = (
    "a I the word sentence. Really? Yes! Dr. Smith e.g. 12 km 3.5 % 10 000 €9,99 (in brackets) "
    "“quoted” https://example.com/a?b=c README.md mastodon.social @alice @bob@mastodon.social "
    "#tag $ABC :blobcat: "
    "مرحبا بالعالم، هل؟ د. كم «اقتباس» #وسم ١٢ שלום ד״ר עולם. 50 אחוז #תג اردو۔ "
    "明日は晴れ。 東京タワー、 「はい」 ２０２６年 コンピューター "
    "っと 中文也可以， 한국어 문장입니다. #日本 "
    "ภาษาไทย เพราะ ๆ ຂ້ອຍ ខ្មែរ မြန်မာ။ हिन्दी वाक्य। क्षत्रिय tiếng Việt Ἀθῆναι Москва. "
    "😀 👩‍👩‍👧‍👦 🇩🇪🇫🇷 👍🏽 1️⃣ 🏳️‍🌈 ❤️ e\u0301 a\u0308\u0323 می\u200cخواهم "
    "\u2067isolated\u2069 zero\u200bwidth"
)
WORDS = [
    *SPACED_WORDS.split(),
    "no\u00a0break",
    "x" * 40,
    "=" * 90,
    "\u202eoverride",
    "\ud800",
    "\x00\x07",
    "\u2060",
    "wor\u00add",
    "…",
    "---",
    "- item",
    "1. item",
    "Heading",
]
GAPS = [" ", " ", " ", " ", "\n", "\n\n", "\n---\n", "", "  ", "\r\n", "\u3000", "\t"]
texts = st.lists(st.tuples(st.sampled_from(WORDS), st.sampled_from(GAPS)), max_size=90).map(
    lambda pairs: "".join(word + gap for word, gap in pairs)
)
wild_texts = st.one_of(
    texts,
    st.text(max_size=400),
    st.lists(st.one_of(texts, st.text(max_size=9)), max_size=4).map("".join),
)
counters = st.sampled_from(
    [(x_length, x_entities), (mastodon_length, mastodon_entities), (len, x_entities)]
)
NUMBER = re.compile(r"\n(\d+)/(\d+)\Z")


def parts_of(
    text: str, limit: int, length: Length, *, numbering: bool = True, gather_links: bool = False
) -> list[str]:
    """The parts; a text that cannot be fitted at all says nothing about the rule in question."""
    try:
        return split(text, limit, length, numbering=numbering, gather_links=gather_links)
    except UnfitError:
        assume(False)
        raise


def bare(parts: list[str]) -> list[str]:
    return [NUMBER.sub("", part) for part in parts] if len(parts) > 1 else parts


def without_space(text: str) -> str:
    return "".join(text.split())


@settings(max_examples=250, deadline=None)
@given(wild_texts, st.integers(1, 320), counters, st.booleans(), st.booleans())
def test_no_part_is_ever_over_the_limit(
    text: str, limit: int, counter: tuple[Length, Atoms], numbering: bool, gather: bool
) -> None:
    length, atoms = counter
    try:
        parts = split(text, limit, length, numbering=numbering, atoms=atoms, gather_links=gather)
    except UnfitError:
        return
    assert parts
    assert all(length(part) <= limit for part in parts)


@settings(max_examples=250, deadline=None)
@given(wild_texts, st.integers(1, 320), st.booleans())
def test_parts_joined_give_the_text_up_to_white_space_at_the_cuts(
    text: str, limit: int, numbering: bool
) -> None:
    parts = parts_of(text, limit, x_length, numbering=numbering)
    position = 0
    rest = without_space(text)
    for part in map(without_space, bare(parts) if numbering else parts):
        said = part if rest.startswith(part, position) else part.removesuffix(ELLIPSIS)
        assert rest.startswith(said, position)
        position += len(said)
    assert position == len(rest)


@settings(max_examples=250, deadline=None)
@given(texts, st.integers(60, 300))
def test_no_link_mention_or_tag_is_ever_cut(text: str, limit: int) -> None:
    parts = parts_of(text, limit, x_length)
    remaining = iter(without_ellipsis(bare(parts)))
    part = next(remaining)
    position = 0
    for span in x_entities(text):
        atom = text[span.start : span.end]
        while (found := part.find(atom, position)) < 0:
            part, position = next(remaining), 0
        position = found + len(atom)


def without_ellipsis(parts: list[str]) -> list[str]:
    return [part.removesuffix(ELLIPSIS).rstrip() for part in parts]


@settings(max_examples=200, deadline=None)
@given(wild_texts, st.integers(2, 300))
def test_no_grapheme_is_ever_cut(text: str, limit: int) -> None:
    parts = parts_of(text, limit, x_length, numbering=False)
    whole = regex.findall(r"\X", text)
    graphemes = iter(whole)
    for part in parts:
        for grapheme in regex.findall(r"\X", part):
            if grapheme == ELLIPSIS or grapheme.isspace():
                continue
            assert grapheme in graphemes


@settings(max_examples=200, deadline=None)
@given(wild_texts, st.integers(20, 300))
def test_every_part_of_a_thread_carries_its_number_and_the_total(text: str, limit: int) -> None:
    parts = parts_of(text, limit, len)
    if len(parts) == 1:
        return
    numbers = [NUMBER.search(part) for part in parts]
    # A grapheme or an atom may leave no room for a number; then no part has one.
    if any(numbers) and all(numbers):
        found = [(int(n[1]), int(n[2])) for n in numbers if n]
        assert found == [(i, len(parts)) for i in range(1, len(parts) + 1)]
    else:
        assert split(text, limit, len, numbering=False) == parts


@settings(max_examples=200, deadline=None)
@given(wild_texts, st.integers(1, 300), counters)
def test_every_part_splits_to_itself_and_every_run_gives_the_same(
    text: str, limit: int, counter: tuple[Length, Atoms]
) -> None:
    length, atoms = counter
    try:
        parts = split(text, limit, length, atoms=atoms)
    except UnfitError:
        return
    assert split(text, limit, length, atoms=atoms) == parts
    assert all(split(part, limit, length, atoms=atoms) == [part] for part in parts)


@settings(max_examples=250, deadline=None)
@given(texts, st.integers(12, 300), st.integers(1, 60), st.booleans())
def test_more_room_never_makes_more_parts(
    text: str, limit: int, more: int, numbering: bool
) -> None:
    tight = parts_of(text, limit, x_length, numbering=numbering)
    roomy = parts_of(text, limit + more, x_length, numbering=numbering)
    unnumbered = numbering and len(tight) > 1 and not NUMBER.search(tight[0])
    assert unnumbered or len(roomy) <= len(tight)


@settings(max_examples=250, deadline=None)
@given(texts, st.integers(120, 300), st.booleans())
def test_a_thread_is_at_most_one_part_longer_than_it_need_be(
    text: str, limit: int, numbering: bool
) -> None:
    parts = parts_of(text, limit, x_length, numbering=numbering)
    assert len(parts) <= fewest_by_words(text, limit - (5 if numbering else 0)) + 1


def fewest_by_words(text: str, room: int) -> int:
    """As many words as fit in each part, cut at white space wherever there is any."""
    count, part = 1, ""
    for word in re.findall(r"\S+\s*", text.strip()):
        if x_length((part + word).rstrip()) <= room:
            part += word
        elif x_length(word.rstrip()) <= room:
            count, part = count + 1, word
        else:  # a stretch without spaces, which the real thing may cut
            return count + 100
    return count


@settings(max_examples=200, deadline=None)
@given(wild_texts, counters)
def test_what_fits_is_untouched(text: str, counter: tuple[Length, Atoms]) -> None:
    length, atoms = counter
    assert split(text, length(text), length, atoms=atoms) == [text]


@settings(max_examples=100, deadline=None)
@given(texts, st.integers(60, 300))
@example("see https://a.com/x and " + "word " * 60 + " https://b.com/y bye", 280)
def test_gathering_links_never_costs_more_than_one_part_and_never_adds_a_dear_one(
    text: str, limit: int
) -> None:
    plain = parts_of(text, limit, x_length)
    gathered = parts_of(text, limit, x_length, gather_links=True)
    assert len(gathered) <= len(plain) + 1
    assert dear(gathered) <= dear(plain)


def dear(parts: list[str]) -> int:
    return sum(any(span.kind is SpanKind.LINK for span in x_entities(part)) for part in parts)


@pytest.mark.parametrize(
    "text",
    [
        "word " * 20_000,
        "a" * 100_000,
        "a." * 50_000,
        "@" * 100_000,
        "(" * 100_000,
        "- " * 50_000,
        "#a " * 33_000,
        "明日は晴れだといいのになあと彼は言った。" * 5_000,
        "ภาษาไทยไม่มีช่องว่างระหว่างคำ" * 3_500,
        "مرحبا بالعالم، هذا نص طويل جدا. " * 3_100,
        "👩‍👩‍👧‍👦😀🇩🇪" * 10_000,
        "https://example.com/" + "." * 100_000,
        "a" + "\n" * 50_000 + "b" * 300 + " \n" * 25_000 + "c" * 300,
        "\ud800" * 100_000,
    ],
    ids=lambda text: ascii(text[:12]),
)
def test_a_hundred_thousand_characters_take_twice_as_long_as_fifty_thousand(text: str) -> None:
    """Counted in calls and characters of the counter, which no busy machine can falsify."""

    def work(text: str) -> int:
        measured = 0

        def length(part: str) -> int:
            nonlocal measured
            measured += len(part) + 1
            return len(part)

        parts = split(text, 280, length)
        assert len(parts) >= 2
        return measured

    assert work(text) <= 2.2 * work(text[: len(text) // 2]) + 5_000


def test_a_hundred_thousand_characters_of_prose_take_no_second() -> None:
    text = "A sentence of some words, and then a little more. " * 2_000

    def seconds() -> float:
        started = process_time()
        assert len(split(text, 280, x_length)) > 300
        return process_time() - started

    # The better of two: other processes cost this one cache and clock rate.
    assert min(seconds(), seconds()) < 1
