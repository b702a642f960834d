"""Which media go along, as which file, on which part, and what stands for those that cannot.

Asks `Capabilities` and the owner's policy; must not fetch or measure anything. Whatever is left
out or stands for something else is noted.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from bridge.core.capabilities import Capabilities, FileLimits
from bridge.core.defuse import clean
from bridge.core.draft import DraftMedia
from bridge.core.model import Media, MediaKind, Network
from bridge.core.policy import Policy
from bridge.core.shorten import shortened

Group = tuple[DraftMedia, ...]

_BITS = 8
_NAMES = {
    MediaKind.IMAGE: ("picture", "pictures"),
    MediaKind.GIFV: ("animation", "animations"),
    MediaKind.VIDEO: ("video", "videos"),
    MediaKind.AUDIO: ("audio file", "audio files"),
    MediaKind.UNKNOWN: ("attachment", "attachments"),
}


@dataclass(slots=True)
class Attached:
    """The media of a post in groups, one a part. `link` says that the post is to be linked for one.

    Pictures come as many to a group as a part may have, everything else alone.
    """

    groups: list[Group] = field(default_factory=list)
    link: bool = False
    notes: list[str] = field(default_factory=list)


def attached(media: Iterable[Media], to: Capabilities, policy: Policy) -> Attached:
    """What of `media` goes to the network that `to` describes, in order, and notes on the rest."""
    found = Attached()
    chosen = [_chosen(medium, to, policy, found) for medium in media]
    fitted = [each for each in chosen if each is not None]
    described = _described(fitted, to, policy, found.notes)
    found.groups = _grouped(described, to.max_media)
    pictures = [group for group in found.groups if group[0].kind is MediaKind.IMAGE]
    if len(pictures) > 1:
        total = sum(map(len, pictures))
        found.notes.append(
            f"{total} pictures on {len(pictures)} posts: {to.network.called} takes "
            f"{to.max_media} on one"
        )
    if len(found.groups) > max(1, len(pictures)):
        found.notes.append("media of different kinds put on posts of their own")
    return found


def counted(media: Iterable[Media]) -> str:
    """``2 pictures and 1 video``, for a note."""
    counts: dict[MediaKind, int] = {}
    for medium in media:
        counts[medium.kind] = counts.get(medium.kind, 0) + 1
    words = [f"{count} {_NAMES[kind][count > 1]}" for kind, count in counts.items()]
    return " and ".join(words)


def _grouped(media: list[DraftMedia], most: int) -> list[Group]:
    """Groups in the order of the first medium of each."""
    groups: list[list[DraftMedia]] = []
    open_group: list[DraftMedia] | None = None
    for medium in media:
        if medium.kind is not MediaKind.IMAGE:
            groups.append([medium])
        elif open_group is not None and len(open_group) < most:
            open_group.append(medium)
        else:
            open_group = [medium]
            groups.append(open_group)
    return [tuple(group) for group in groups]


def _chosen(medium: Media, to: Capabilities, policy: Policy, found: Attached) -> DraftMedia | None:
    """The file to send for `medium`, or what stands for it; None where it is left out."""
    if medium.kind is MediaKind.IMAGE:
        return _picture(medium, to, found)
    if medium.kind is MediaKind.UNKNOWN:
        found.notes.append("an attachment left out: the network does not say what it is")
        return None
    name = _NAMES[medium.kind][0]
    limits = _limits(medium.kind, to)
    url, why = _file(medium, limits, to)
    if url is not None:
        wants_still = medium.kind is not MediaKind.AUDIO and policy.video == "thumbnail"
        still = medium.preview_url if wants_still and to.media.image.types else None
        return DraftMedia(medium.id, medium.kind, url, medium.alt, still)
    choice = policy.audio if medium.kind is MediaKind.AUDIO else policy.video
    if choice == "thumbnail" and medium.preview_url is not None and to.media.image.types:
        found.notes.append(f"a still picture stands for the {name}: {why}")
        return DraftMedia(medium.id, MediaKind.IMAGE, medium.preview_url, medium.alt)
    if choice == "link":
        found.link = True
        found.notes.append(f"{name} left out, and the post linked instead: {why}")
        return None
    found.notes.append(f"{name} left out: {why}")
    return None


def _picture(medium: Media, to: Capabilities, found: Attached) -> DraftMedia | None:
    if not to.media.image.types:
        found.notes.append(f"picture left out: {to.network.called} takes none here")
    elif medium.url is None:
        found.notes.append("picture left out: its address is not known")
    else:
        return DraftMedia(medium.id, medium.kind, medium.url, medium.alt)
    return None


def _limits(kind: MediaKind, to: Capabilities) -> FileLimits:
    """The limits that bear on a kind; a soundless loop goes as a video or an animated image."""
    if kind is MediaKind.AUDIO:
        return to.media.audio
    if kind is MediaKind.GIFV and not to.media.video.types:
        return to.media.animation
    return to.media.video


def _file(medium: Media, limits: FileLimits, to: Capabilities) -> tuple[str | None, str]:
    """The best file within `limits`, judged before anything is fetched; else why there is none."""
    name = to.network.called
    if not limits.types:
        return None, f"{name} takes none here"
    duration = medium.duration_ms
    if limits.max_ms is not None and duration is not None and duration > limits.max_ms:
        return None, (
            f"it is {_clock(duration)} long, and {name} takes {_clock(limits.max_ms)} at most"
        )
    fitting = [each for each in medium.variants if not each.mime or each.mime in limits.types]
    small = [
        each
        for each in fitting
        if limits.max_bytes is None
        or each.bitrate is None
        or duration is None
        or each.bitrate * duration // (1000 * _BITS) <= limits.max_bytes
    ]
    if small:
        return max(small, key=lambda each: each.bitrate or 0).url, ""
    if fitting:
        return None, f"even its smallest file is larger than {name} takes"
    return (medium.url, "") if medium.url is not None else (None, "its address is not known")


def _clock(milliseconds: int) -> str:
    minutes, seconds = divmod(milliseconds // 1000, 60)
    return f"{minutes}:{seconds:02d}"


def _described(
    media: list[DraftMedia], to: Capabilities, policy: Policy, notes: list[str]
) -> list[DraftMedia]:
    """`media` with descriptions that fit, or without any where the owner wants none."""
    texts = [clean(medium.alt).strip() for medium in media]
    if not policy.alt_text:
        if any(texts):
            notes.append("descriptions of media left out, as configured")
        texts = [""] * len(media)
    measure = _x_units if to.network is Network.X else len
    fitted = [
        shortened(text, to.max_alt_length, measure, atoms=lambda _: ()) if text else ""
        for text in texts
    ]
    cut = sum(one != other for one, other in zip(texts, fitted, strict=True))
    if cut:
        notes.append(
            f"{'a description' if cut == 1 else f'{cut} descriptions'} cut at "
            f"{to.max_alt_length} characters"
        )
    return [
        DraftMedia(each.id, each.kind, each.url, alt, each.still)
        for each, alt in zip(media, fitted, strict=True)
    ]


def _x_units(text: str) -> int:
    """UTF-16 code units: what X may count is not published, and this is never less."""
    return len(text.encode("utf-16-le", "replace")) // 2
