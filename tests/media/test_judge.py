"""What is done with a file so that a network takes it."""

from dataclasses import replace

import pytest

from bridge.core.capabilities import FileLimits, MediaLimits
from bridge.core.model import MediaKind
from bridge.media.judge import Case, Instead, Keep, Recode, Redraw
from bridge.media.sniff import Sniffed

LIMITS = MediaLimits(
    image=FileLimits(
        frozenset({"image/jpeg", "image/png", "image/webp"}), 5_000_000, 16_000_000, 8192, 8192
    ),
    animation=FileLimits(frozenset({"image/gif"}), 15_000_000),
    video=FileLimits(frozenset({"video/mp4", "video/quicktime"}), 90_000_000, max_ms=140_000),
    audio=FileLimits(frozenset({"audio/x-wav", "audio/mp3"}), 10_000_000),
)
JPEG = Sniffed("image/jpeg", MediaKind.IMAGE, 1_000_000, 2000, 1000)
GIF = Sniffed("image/gif", MediaKind.IMAGE, 1_000_000, 400, 300, moving=True)
MP4 = Sniffed("video/mp4", MediaKind.VIDEO, 1_000_000, 640, 360, 10_000)
MP3 = Sniffed("audio/mpeg", MediaKind.AUDIO, 1_000_000, ms=10_000)
IMAGE, GIFV, VIDEO, AUDIO = MediaKind.IMAGE, MediaKind.GIFV, MediaKind.VIDEO, MediaKind.AUDIO


def judged(found: Sniffed, wanted: MediaKind, limits: MediaLimits = LIMITS, **more: bool) -> object:
    return Case(found, wanted, limits, **more).judged()


@pytest.mark.parametrize(
    ("found", "wanted", "kind", "mime"),
    [
        (JPEG, IMAGE, IMAGE, "image/jpeg"),
        (JPEG, MediaKind.UNKNOWN, IMAGE, "image/jpeg"),
        (replace(JPEG, size=5_000_000, width=4000, height=4000), IMAGE, IMAGE, "image/jpeg"),
        (GIF, GIFV, GIFV, "image/gif"),
        (GIF, VIDEO, GIFV, "image/gif"),
        (MP4, VIDEO, VIDEO, "video/mp4"),
        (MP4, GIFV, VIDEO, "video/mp4"),
        (replace(MP4, size=90_000_000, ms=140_000), VIDEO, VIDEO, "video/mp4"),
        (replace(MP4, ms=None), VIDEO, VIDEO, "video/mp4"),
        (MP3, AUDIO, AUDIO, "audio/mp3"),
        (MP3, VIDEO, AUDIO, "audio/mp3"),
        (replace(MP3, mime="audio/wav"), AUDIO, AUDIO, "audio/x-wav"),
        (replace(GIF, mime="image/png"), IMAGE, IMAGE, "image/png"),
    ],
)
def test_what_is_within_the_limits_is_kept_as_it_is(
    found: Sniffed, wanted: MediaKind, kind: MediaKind, mime: str
) -> None:
    assert judged(found, wanted) == Keep(kind, mime)


def test_a_loop_is_sent_as_an_animation_where_the_network_takes_films_as_such() -> None:
    limits = replace(LIMITS, animation=FileLimits(frozenset({"image/gif", "video/mp4"}), 9_000_000))
    assert judged(MP4, GIFV, limits) == Keep(GIFV, "video/mp4")
    assert judged(MP4, VIDEO, limits) == Keep(VIDEO, "video/mp4")
    assert judged(replace(MP4, size=9_000_001), GIFV, limits) == Keep(VIDEO, "video/mp4")


@pytest.mark.parametrize(
    ("found", "why"),
    [
        (replace(JPEG, size=5_000_001), "has 5.0 MB, and 5.0 MB are taken at most"),
        (replace(JPEG, width=4001, height=4000), "has 4001 x 4000 pixels, more than are taken"),
        (replace(JPEG, width=8193, height=10), "has 8193 x 10 pixels, more than are taken"),
        (replace(JPEG, width=10, height=8193), "has 10 x 8193 pixels, more than are taken"),
        (replace(JPEG, mime="image/heic"), "is of a type that is not taken (image/heic)"),
        (replace(JPEG, mime="image/avif"), "is of a type that is not taken (image/avif)"),
    ],
)
def test_a_picture_over_the_limits_is_drawn_anew(found: Sniffed, why: str) -> None:
    assert judged(found, IMAGE) == Redraw(LIMITS.image, why)


@pytest.mark.parametrize(
    ("found", "wanted"),
    [
        (GIF, IMAGE),
        (replace(GIF, size=15_000_001), GIFV),
        (replace(GIF, mime="image/webp"), IMAGE),
        (replace(GIF, mime="image/webp"), GIFV),
    ],
)
def test_of_an_animation_that_is_not_taken_the_first_picture_is_shown(
    found: Sniffed, wanted: MediaKind
) -> None:
    assert isinstance(judged(found, wanted), Redraw)


def test_an_animation_stays_a_picture_where_such_pictures_are_taken() -> None:
    image = replace(LIMITS.image, types=LIMITS.image.types | {"image/gif"})
    assert judged(GIF, IMAGE, replace(LIMITS, image=image)) == Keep(IMAGE, "image/gif")


@pytest.mark.parametrize(
    ("found", "wanted", "why"),
    [
        (replace(MP4, size=90_000_001), VIDEO, "has 90.0 MB, and 90.0 MB are taken at most"),
        (replace(MP4, ms=141_000), VIDEO, "lasts 141 s, and 140 s are taken at most"),
        (replace(MP4, mime="video/webm"), VIDEO, "is of a type that is not taken (video/webm)"),
        (replace(MP3, size=10_000_001), AUDIO, "has 10.0 MB, and 10.0 MB are taken at most"),
        (replace(MP3, mime="audio/flac"), AUDIO, "is of a type that is not taken (audio/flac)"),
        (replace(JPEG, mime="image/tiff"), IMAGE, "is of a type that is not taken (image/tiff)"),
        (MP4, IMAGE, "is a video, not the picture that was announced"),
        (MP3, IMAGE, "is an audio file, not the picture that was announced"),
        (MP3, GIFV, "is an audio file, not the animation that was announced"),
        (JPEG, AUDIO, "is a picture, not the audio file that was announced"),
    ],
)
def test_what_does_not_go_says_why(found: Sniffed, wanted: MediaKind, why: str) -> None:
    assert judged(found, wanted) == Instead(why)


def test_nothing_is_drawn_anew_for_a_network_without_pictures() -> None:
    assert isinstance(judged(JPEG, IMAGE, MediaLimits()), Instead)


def test_a_film_is_encoded_anew_only_where_the_owner_asked_for_it() -> None:
    large = replace(MP4, size=90_000_001)
    why = "has 90.0 MB, and 90.0 MB are taken at most"
    assert judged(large, VIDEO, recode=True) == Recode(LIMITS.video, why)
    assert isinstance(judged(replace(MP4, mime="video/webm"), VIDEO, recode=True), Recode)
    assert isinstance(judged(replace(large, ms=141_000), VIDEO, recode=True), Instead)
    assert isinstance(judged(MP4, VIDEO, MediaLimits(), recode=True), Instead)
