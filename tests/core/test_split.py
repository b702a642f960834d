"""Cutting into threads, by example: what a reader of each script would not object to."""

from pathlib import Path

import pytest

from bridge.core.entities import mastodon_entities, x_entities
from bridge.core.errors import UnfitError
from bridge.core.lengths import mastodon_length, x_length
from bridge.core.split import split
from bridge.core.text import Span, SpanKind

CORPUS = Path(__file__).parents[1] / "corpus" / "split"
BIDI_MARKS = "\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"


def links(part: str) -> int:
    return sum(span.kind is SpanKind.LINK for span in x_entities(part))


def test_what_fits_is_returned_as_it_stands() -> None:
    assert split("  as it stands \n", 280, x_length) == ["  as it stands \n"]
    assert split("", 280, x_length) == [""]


def test_white_space_alone_never_makes_a_thread() -> None:
    assert split("short" + "\n" * 300, 280, x_length) == ["short"]
    assert split(" " * 300, 280, x_length) == [""]


def test_parts_end_with_their_number_on_a_line_of_its_own() -> None:
    assert split("One two three. Four five six.", 20, len) == [
        "One two three.\n1/2",
        "Four five six.\n2/2",
    ]


def test_numbers_can_be_left_off() -> None:
    parts = split("One two three. Four five six.", 20, len, numbering=False)
    assert parts == ["One two three.", "Four five six."]


def test_the_total_is_counted_with_the_digits_that_it_has() -> None:
    parts = split("word " * 400, 60, len)
    assert len(parts) > 9
    assert parts[0].endswith(f"\n1/{len(parts)}")
    assert parts[-1].endswith(f"\n{len(parts)}/{len(parts)}")


def test_paragraph_before_sentence_before_comma_before_word() -> None:
    paragraphs = "Aaaa bbbb cccc. Dddd eeee.\n\nFfff gggg. Hhhh iiii jjjj."
    assert split(paragraphs, 40, len, numbering=False)[0] == "Aaaa bbbb cccc. Dddd eeee."
    sentences = "Aaaa bbbb, cccc dddd eeee. Ffff gggg, hhhh iiii jjjj"
    assert split(sentences, 40, len, numbering=False)[0] == "Aaaa bbbb, cccc dddd eeee."
    commas = "aaaa bbbb cccc dddd eeee, ffff gggg hhhh iiii jjjj"
    assert split(commas, 40, len, numbering=False)[0] == "aaaa bbbb cccc dddd eeee,"
    words = "aaaa bbbb cccc dddd eeee ffff gggg hhhh iiii jjjj"
    assert split(words, 40, len, numbering=False)[0] == "aaaa bbbb cccc dddd eeee…"


def test_the_authors_own_rule_is_where_to_cut() -> None:
    text = "First thought, and a longer one. It goes on.\n---\nSecond thought."
    assert split(text, 60, len, numbering=False) == [
        "First thought, and a longer one. It goes on.\n---",
        "Second thought.",
    ]


def test_an_ellipsis_shows_only_a_cut_inside_a_sentence() -> None:
    cut = split("word " * 100, 280, x_length)
    assert all(part.split("\n")[0].endswith("word…") for part in cut[:-1])
    assert not cut[-1].split("\n")[0].endswith("…")
    whole = split("A sentence of some words. " * 30, 280, x_length)
    assert all(part.split("\n")[0].endswith("words.") for part in whole)


def test_an_ellipsis_of_the_author_is_not_doubled() -> None:
    parts = split("one two three …four five six seven", 18, len, numbering=False)
    assert parts[0] == "one two three"
    assert parts[1].startswith("…four")


def test_an_ellipsis_never_touches_a_link() -> None:
    text = "see https://example.com/a/b/c " * 20
    for part in split(text, 100, x_length, numbering=False)[:-1]:
        assert not part.endswith("c…")


@pytest.mark.parametrize(
    "pair",
    [
        "Dr. Smith", "12 km", "10 000", "€ 50", "J. Tolkien", "No. 7", "« oui »",
        "د. سامر", "86 كم", "2.4 مليار", 'ד"ר רות', "14 מיליון", "डॉ. मेहरा", "5 किमी",
        "TS. Nguyễn", "50 nghìn", "3 บาท", "г. Москва", "12 тыс.",
    ],
)  # fmt: skip
def test_what_belongs_together_stays_together_wherever_the_cut_may_fall(pair: str) -> None:
    for before in range(1, 40):
        text = "x" * (before % 7 + 1) + " yyyy" * before + f" {pair} " + "zzzz " * 20
        assert any(pair in part for part in split(text, 60, len))


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("I saw Mr.", "Brown there"),
        ("it came, e.g.", "from there"),
        ("a list:\n1.", "one thing"),
        ("a list:\n-", "one thing"),
    ],
)
def test_a_full_stop_or_a_bullet_is_not_always_the_end(first: str, second: str) -> None:
    for limit in range(len(first), len(first) + 6):
        parts = split(f"{first} {second} and more words", limit, len, numbering=False)
        assert parts[0].removesuffix("…") != first


def test_no_line_of_japanese_begins_or_ends_with_a_forbidden_sign() -> None:
    text = (
        "彼は「ちょっと待って、コーヒーを飲もう（二杯目）」と言った。それで、皆は笑ったのだった！"
        * 6
    )
    for limit in range(30, 60):
        for part in split(text, limit, x_length, numbering=False, atoms=lambda _: ()):
            assert part[0] not in "、。」）！ーっょゃゅッョャュ"
            assert part.removesuffix("…")[-1] not in "「（"


def test_a_counter_stays_with_its_number_in_japanese() -> None:
    for limit in range(20, 50):
        parts = split(
            "会議は2026年11月22日の15時に始まる予定です" * 3, limit, x_length, numbering=False
        )
        assert all(part[0] not in "年月日時" for part in parts)


def test_thai_is_cut_at_its_spaces_and_never_behind_a_leading_vowel() -> None:
    spaced = "แม่ค้าเล่าว่าขายมาแล้วสี่สิบปี ราคาเริ่มจากชามละสามบาท แต่รสชาติไม่เคยเปลี่ยน"
    assert split(spaced, 60, len, numbering=False)[0].split()[-1] in spaced.split()
    dense = "เพราะเราไปโรงเรียนแต่เช้าใครไม่ไปแพ้" * 6
    for limit in range(20, 60):
        for part in split(dense, limit, len, numbering=False):
            assert part.removesuffix("…")[-1] not in "เแโใไ"
            assert part[0] not in "ะาำๆ"


def test_no_mark_of_direction_is_ever_added() -> None:
    for name in ("news-article-in-arabic-for-x.txt", "essay-in-hebrew-for-x.txt"):
        text = (CORPUS / name).read_text(encoding="utf-8")
        assert not set("".join(split(text, 280, x_length))) & set(BIDI_MARKS)


def test_joiners_and_marks_of_the_author_survive() -> None:
    text = "می\u200cخواهم کتاب\u200cها را " * 20
    joined = "".join(split(text, 80, x_length, numbering=False))
    assert joined.count("\u200c") == text.count("\u200c")


def test_closing_hashtags_stay_with_the_last_sentence() -> None:
    text = "A sentence that fills some room here. " * 7 + "The last one is short. #one #two #three"
    last = split(text, 280, x_length)[-1]
    assert "The last one is short. #one #two #three" in last


def test_the_last_part_is_no_scrap() -> None:
    last = split("word " * 56 + "end", 280, x_length, numbering=False)[-1]
    assert len(last.split()) >= 4


def test_links_share_a_part_where_each_part_with_one_is_charged() -> None:
    filler = "Some words to fill the room that is left here. "
    text = (
        filler * 4
        + "See https://a.example.com/1 "
        + filler * 2
        + "https://b.example.com/2 "
        + filler * 4
    )
    scattered = split(text, 280, x_length)
    gathered = split(text, 280, x_length, gather_links=True)
    assert sum(map(bool, map(links, gathered))) == 1
    assert sum(map(links, gathered)) == sum(map(links, scattered)) == 2


def test_a_word_longer_than_a_part_is_cut_between_graphemes() -> None:
    family = "👨‍👩‍👧‍👦"
    parts = split(family * 50, 20, mastodon_length, numbering=False)
    assert all(set(part.removesuffix("…").split(family)) == {""} for part in parts)
    assert (
        "".join(part.removesuffix("…") for part in split("x" * 500, 280, len, numbering=False))
        == "x" * 500
    )


def test_cutting_never_makes_a_name_of_what_was_none() -> None:
    for lead in range(240, 290):
        text = "x" * lead + "@someone" + "y" * 200
        assert not any(map(x_entities, split(text, 280, x_length)))


@pytest.mark.parametrize(
    ("text", "limit"),
    [
        ("see https://example.com/a and more", 22),
        ("thanks to @somebody_here for it", 10),
        ("👨‍👩‍👧‍👦👨‍👩‍👧‍👦", 1),
        ("ab", 0),
        ("ab", -5),
        ("a" + "\u0301" * 400, 280),
    ],
)
def test_a_limit_smaller_than_one_atom_is_refused_with_a_reason(text: str, limit: int) -> None:
    with pytest.raises(UnfitError, match=f"limit of {limit} "):
        split(text, limit, x_length)


def test_a_link_that_fits_but_not_beside_a_number_makes_a_thread_without_numbers() -> None:
    url = "https://example.com/" + "a" * 480
    assert split(f"look: {url}", 500, len) == ["look:", url]


def test_a_url_with_hundreds_of_dots_behind_it_still_splits() -> None:
    parts = split("see https://example.com/a" + "." * 600, 280, x_length)
    assert all(x_length(part) <= 280 for part in parts)


def test_a_counter_with_a_constant_is_understood() -> None:
    """A server that counts the content warning charges it to every part."""
    parts = split(
        "word " * 200, 100, lambda text: mastodon_length(text, "a warning of some length")
    )
    assert all(len(part) <= 100 - len("a warning of some length") for part in parts)


def test_a_counter_that_sees_more_after_the_cut_than_before_is_still_obeyed() -> None:
    def suspicious(text: str) -> int:
        return len(text) + 7 * text.endswith("word")

    parts = split("word " * 100, 80, suspicious, numbering=False)
    assert all(suspicious(part) <= 80 for part in parts)


def test_atoms_may_come_from_another_scanner() -> None:
    text = "aaaa bbbb [[never cut this]] cccc dddd"

    def brackets(text: str) -> tuple[Span, ...]:
        return (Span(text.index("[["), text.index("]]") + 2, SpanKind.LINK, "x"),)

    for limit in range(18, 38):
        parts = split(text, limit, len, numbering=False, atoms=brackets)
        assert any("[[never cut this]]" in part for part in parts)


def test_a_link_of_mastodon_is_cut_nowhere_in_its_path() -> None:
    link = "https://example.com/日本語/とても長い道"
    text = f"{link} を見てください。" * 40
    parts = split(text, 500, mastodon_length, atoms=mastodon_entities)
    assert sum(part.count(link) for part in parts) == 40


@pytest.mark.parametrize("path", sorted(CORPUS.glob("*.txt")), ids=lambda path: path.stem)
def test_a_post_of_the_corpus_becomes_a_thread_cut_at_ends_of_sentences(path: Path) -> None:
    text = path.read_text(encoding="utf-8").strip()
    length, limit = (mastodon_length, 500) if "mastodon" in path.stem else (x_length, 280)
    parts = split(text, limit, length)
    assert 1 < len(parts) < 10
    bodies = [part.rsplit("\n", 1)[0] for part in parts]
    assert "".join("".join(bodies).split()) == "".join(text.split())
    # Thai has no sign for the end of a sentence: its spaces are what a cut may fall on.
    ends = '.!?。؟।」»"”-' + "็ว🏁😅"
    assert all(body[-1] in ends or "thai" in path.stem for body in bodies[:-1])
