"""Which media go along, on which part, as which file, and what stands for the others."""

from dataclasses import replace

import pytest

from bridge.core.capabilities import Capabilities, FileLimits
from bridge.core.compose import compose
from bridge.core.errors import UnfitError
from bridge.core.model import MediaKind, MediaVariant
from bridge.core.policy import Policy
from tests.fixtures.composing import (
    CONTEXT,
    MASTODON,
    SOURCE,
    X,
    media_of,
    medium,
    only_medium,
    pictures,
    texts,
    to_mastodon,
    to_x,
    toot,
    tweet,
)

LONG = "A sentence that is neither short nor long. " * 20
FILM = MediaKind.VIDEO


def test_pictures_that_one_part_has_no_room_for_follow_on_parts_without_text() -> None:
    draft = to_x(toot("Look", media=pictures(7)))
    assert media_of(draft) == [["1", "2", "3", "4"], ["5", "6", "7"]]
    assert texts(draft) == ["Look", ""]
    assert draft.notes == ("7 pictures on 2 posts: X takes 4 on one",)


def test_pictures_fill_the_parts_of_a_thread_from_its_beginning() -> None:
    draft = to_x(toot(LONG, media=pictures(5)))
    assert media_of(draft)[:3] == [["1", "2", "3", "4"], ["5"], []]
    assert all(text[-1].isdigit() for text in texts(draft))


def test_a_server_that_takes_more_pictures_gets_them_on_one_part() -> None:
    generous = replace(MASTODON, max_media=16)
    draft = compose(tweet("Look", media=pictures(7)), generous, Policy(), CONTEXT)
    assert len(draft.parts) == 1
    assert draft.notes == ()


def test_a_video_stands_alone_and_pictures_stay_together_in_the_order_of_the_first() -> None:
    media = (medium("1"), medium("film", FILM), medium("2"), medium("loop", MediaKind.GIFV))
    draft = to_x(toot("Look", media=media))
    assert media_of(draft) == [["1", "2"], ["film"], ["loop"]]
    assert draft.notes == ("media of different kinds put on posts of their own",)


def test_a_soundless_loop_stays_one() -> None:
    loop = medium("loop", MediaKind.GIFV)
    assert only_medium(to_x(toot("", media=(loop,)))).kind is MediaKind.GIFV
    assert only_medium(to_mastodon(tweet("", media=(loop,)))).kind is MediaKind.GIFV


def test_a_post_of_pictures_alone_needs_no_text() -> None:
    (part,) = to_mastodon(tweet("", media=pictures(1))).parts
    assert part.text == ""
    assert [each.url for each in part.media] == ["https://files.example/1"]


FILES = (
    MediaVariant("https://v.example/playlist", "application/x-mpegURL"),
    MediaVariant("https://v.example/low", "video/mp4", 800_000),
    MediaVariant("https://v.example/high", "video/mp4", 10_000_000),
    MediaVariant("https://v.example/middle", "video/mp4", 2_000_000),
)


@pytest.mark.parametrize(
    ("seconds", "chosen"), [(30, "high"), (120, "middle"), (500, "low"), (None, "high")]
)
def test_the_best_file_is_chosen_that_the_server_takes_before_anything_is_fetched(
    seconds: int | None, chosen: str
) -> None:
    film = medium("film", FILM, variants=FILES, duration_ms=seconds and seconds * 1000)
    assert only_medium(to_mastodon(tweet("", media=(film,)))).url == f"https://v.example/{chosen}"


def film_of(minutes: float, **changes: object) -> tuple[object, ...]:
    still = {"preview_url": "https://files.example/still", "alt": "a film"}
    return (medium("film", FILM, duration_ms=int(minutes * 60_000), **(still | changes)),)


def test_a_still_picture_stands_for_a_video_that_is_too_long() -> None:
    draft = to_x(toot("See", media=film_of(25)))
    still = only_medium(draft)
    assert (still.kind, still.url) == (MediaKind.IMAGE, "https://files.example/still")
    assert still.alt == "a film"
    assert draft.notes == (
        "a still picture stands for the video: it is 25:00 long, and X takes 20:00 at most",
    )


def test_a_video_that_fits_carries_a_still_picture_in_case_its_file_does_not() -> None:
    assert only_medium(to_x(toot("See", media=film_of(1)))).still == "https://files.example/still"
    for other in ("link", "skip"):
        assert only_medium(to_x(toot("See", media=film_of(1)), video=other)).still is None


def test_a_post_is_linked_for_a_video_by_choice() -> None:
    draft = to_x(toot("See", media=film_of(25)), video="link")
    assert texts(draft) == [f"See\n\n{SOURCE}"]
    assert media_of(draft) == [[]]
    assert draft.price == 200_000
    assert "video left out, and the post linked instead" in draft.notes[0]


@pytest.mark.parametrize(("video", "changes"), [("skip", {}), ("thumbnail", {"preview_url": None})])
def test_a_video_without_anything_to_stand_for_it_is_left_out_and_named(
    video: str, changes: dict[str, object]
) -> None:
    draft = to_x(toot("See", media=film_of(25, **changes)), video=video)
    assert media_of(draft) == [[]]
    assert draft.notes == ("video left out: it is 25:00 long, and X takes 20:00 at most",)


def test_a_video_of_which_every_file_is_too_large_is_not_fetched() -> None:
    film = medium("film", FILM, variants=FILES, duration_ms=3_600_000, preview_url="https://s.ex/s")
    draft = to_mastodon(tweet("See", media=(film,)))
    assert only_medium(draft).url == "https://s.ex/s"
    assert "even its smallest file is larger than Mastodon takes" in draft.notes[0]


def test_audio_that_a_network_does_not_take_is_left_out_or_linked_by_choice() -> None:
    song = (medium("song", MediaKind.AUDIO),)
    assert to_x(toot("Hear", media=song)).notes == ("audio file left out: X takes none here",)
    assert texts(to_x(toot("Hear", media=song), audio="link")) == [f"Hear\n\n{SOURCE}"]
    assert media_of(to_mastodon(tweet("Hear", media=song))) == [["song"]]


def test_links_that_are_to_be_dropped_are_not_put_in_for_media() -> None:
    draft = to_x(toot("See", media=film_of(25)), video="link", links="drop")
    assert texts(draft) == ["See"]
    assert draft.notes == ("video left out: it is 25:00 long, and X takes 20:00 at most",)


@pytest.mark.parametrize(
    ("one", "note"),
    [
        (medium("?", MediaKind.UNKNOWN), "an attachment left out: the network does not say"),
        (medium("?", url=None), "picture left out: its address is not known"),
        (medium("?", FILM, url=None), "video left out: its address is not known"),
    ],
)
def test_what_cannot_be_had_is_named(one: object, note: str) -> None:
    assert note in to_x(toot("Look", media=(one,))).notes[0]
    with pytest.raises(UnfitError, match="nothing of post 113"):
        to_x(toot("", media=(one,)))


def test_a_kind_that_a_server_does_not_take_is_left_out() -> None:
    bare: Capabilities = replace(MASTODON, media=replace(MASTODON.media, image=FileLimits()))
    draft = compose(tweet("Look", media=pictures(1)), bare, Policy(), CONTEXT)
    assert draft.notes == ("picture left out: Mastodon takes none here",)


def test_a_description_goes_whole_or_is_cut_behind_a_word() -> None:
    whole, long = medium("1", alt="A cat."), medium("2", alt="word " * 300)
    (part,) = (draft := to_x(toot("Look", media=(whole, long)))).parts
    one, other = (each.alt for each in part.media)
    assert one == "A cat."
    assert other.endswith("word…")
    assert 990 < len(other) <= 1000
    assert draft.notes == ("a description cut at 1000 characters",)


def test_a_description_is_never_longer_than_x_may_count_it() -> None:
    (part,) = to_x(toot("Look", media=(medium("1", alt="👩‍🚀" * 400),))).parts
    assert len(part.media[0].alt.encode("utf-16-le")) // 2 <= 1000
    assert part.media[0].alt.rstrip("…").replace("👩‍🚀", "") == ""


def test_each_medium_and_each_description_has_its_price_on_x() -> None:
    media = (medium("1", alt="A cat."), medium("2"))
    assert to_x(toot("Look", media=media)).price == 15_000 + 2 * 15_000 + 5_000
    assert to_mastodon(tweet("Look", media=media)).price == 0


def test_descriptions_can_be_switched_off() -> None:
    draft = to_x(toot("Look", media=(medium("1", alt="A cat."),)), alt_text=False)
    assert only_medium(draft).alt == ""
    assert draft.price == 30_000
    assert draft.notes == ("descriptions of media left out, as configured",)


@pytest.mark.parametrize("changes", [{"sensitive": True}, {"spoiler": "nudity"}])
def test_sensitive_media_go_with_their_flag_or_stay_by_choice(changes: dict[str, object]) -> None:
    post = toot("Look", media=pictures(2), **changes)
    (part,) = to_x(post).parts
    assert part.sensitive
    assert len(part.media) == 2
    draft = to_x(post, sensitive="leave_out")
    assert media_of(draft) == [[]]
    assert "2 pictures left out: sensitive, as configured" in draft.notes


def test_media_of_the_mirror_on_mastodon_keep_their_flag() -> None:
    (part,) = to_mastodon(tweet("Look", media=pictures(1), sensitive=True)).parts
    assert part.sensitive


def test_the_warning_heads_parts_that_have_pictures_only() -> None:
    draft = to_x(toot("Look", spoiler="eyes", media=pictures(5)))
    assert texts(draft) == ["CW: eyes\n\nLook", "CW: eyes"]
    assert all(part.sensitive for part in draft.parts)


def test_a_long_warning_heads_every_part_of_a_post_that_is_pictures_only() -> None:
    draft = to_x(toot("", spoiler="word " * 100, media=pictures(9)))
    assert len(draft.parts) == 3
    assert all(x.startswith("CW: word") and len(x) <= X.max_length for x in texts(draft))
