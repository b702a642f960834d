"""Uploaded files: what they are by their own bytes, when they are ready, and who may attach them.

Believes neither names nor declared types. Must not answer requests; `media_routes` does.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from bridge.sandbox.clock import SandboxClock
from bridge.sandbox.mastodon.problems import ApiError, Json, invalid
from bridge.sandbox.mastodon.profiles import Profile
from bridge.sandbox.mastodon.records import Medium
from bridge.sandbox.mastodon.sniff import FileFacts, facts_of
from bridge.sandbox.mastodon.state import State

MAX_BYTES = 256 * 1024 * 1024
"""Bytes of all files together; beyond it the oldest files' contents are dropped."""

UNATTACHED_LIFE = timedelta(days=1)


@dataclass(slots=True)
class Processing:
    """How long the server works on video, audio and GIFs before they may be attached.

    Done after `seconds` of sandbox time, or when it has answered 206 `looks` times, whichever
    comes first.
    """

    looks: int = 1
    seconds: float = 5.0
    fails: bool = False
    """Whether the work comes to nothing: then asking for the file is answered by 422."""


class MediaStore:
    """The files of one server."""

    def __init__(self, state: State, profile: Profile, clock: SandboxClock) -> None:
        self._state = state
        self._profile = profile
        self._clock = clock
        self._media: dict[str, Medium] = {}
        self._contents: dict[str, bytes] = {}
        self._held = 0
        self.processing = Processing()

    def clear(self) -> None:
        """Forget every file."""
        self._media.clear()
        self._contents.clear()
        self._held = 0

    def add(
        self, account_id: str, data: bytes, description: str | None, *, wait: bool = True
    ) -> Medium:
        """Take a file in. With `wait`, whatever is slow to process is still under way afterwards.

        Raises `ApiError` 422 for what the server does not take.
        """
        self._purge()
        facts = facts_of(data)
        if facts is None:
            raise invalid("File content type is invalid, File is invalid")
        self._check(facts, data, description)
        now = self._clock.now()
        slow = wait and self._profile.media.delayed and facts.type != "image"
        ready = now + timedelta(seconds=self.processing.seconds) if slow else now
        medium = Medium(
            id=self._state.new_id(now),
            account_id=account_id,
            type=facts.type,
            mime=facts.mime,
            extension=facts.extension,
            size=len(data),
            uploaded_at=now,
            description=description or None,
            width=facts.width,
            height=facts.height,
            ready_at=ready,
            looks_left=self.processing.looks if slow else 0,
        )
        self._media[medium.id] = medium
        self._keep(medium.id, data)
        return medium

    def get(self, medium_id: str) -> Medium | None:
        """The file with this id."""
        return self._media.get(medium_id)

    def of(self, ids: tuple[str, ...]) -> tuple[Medium, ...]:
        """The files with these ids, in this order, without those that are gone."""
        return tuple(medium for medium in map(self._media.get, ids) if medium is not None)

    def content(self, medium_id: str) -> bytes | None:
        """A file's bytes, unless they were dropped."""
        return self._contents.get(medium_id)

    def ready(self, medium: Medium) -> bool:
        """Whether a file may be attached. Where nothing is delayed, always."""
        if medium.ready_at is None or self._clock.now() >= medium.ready_at:
            return True
        return medium.looks_left < 0

    def look(self, medium: Medium) -> bool:
        """Whether a file is ready, asked by its owner: asking brings it nearer."""
        if self.ready(medium):
            return True
        looked = replace(medium, looks_left=medium.looks_left - 1)
        self._media[medium.id] = looked
        return self.ready(looked)

    def describe(
        self, medium: Medium, description: str | None, focus: tuple[float, float] | None
    ) -> Medium:
        """Give a file another alt text or focus; None leaves it. Raises `ApiError` 422."""
        if description is not None:
            self.check_alt(description)
            medium = replace(medium, description=description or None)
        if focus is not None:
            medium = replace(medium, focus=focus)
        self._media[medium.id] = medium
        return medium

    def attachable(self, account_id: str, ids: tuple[str, ...], status_id: str | None) -> None:
        """Whether these files may stand in one post of this account (`status_id`: an edited one).

        Raises `ApiError` 422 as Mastodon does: too many, unknown, mixed, unprocessed.
        """
        if len(ids) > self._profile.max_media:
            raise invalid(f"Cannot attach more than {self._profile.max_media} files")
        own = [
            medium
            for medium in self.of(ids)
            if medium.account_id == account_id and medium.status_id in {None, status_id}
        ]
        missing = [one for one in ids if one not in {medium.id for medium in own}]
        if missing:
            raise invalid(
                f"Media {', '.join(missing)} not found or already attached to another post"
            )
        alone = not self._profile.media.mixing
        if (
            alone
            and len(own) > 1
            and any(medium.type in {"video", "gifv", "audio"} for medium in own)
        ):
            raise invalid("Cannot attach a video to a post that already contains images")
        if not all(self.ready(medium) for medium in own):
            raise invalid("Cannot attach files that have not finished processing. Try again soon!")

    def attach(self, ids: tuple[str, ...], status_id: str) -> None:
        """Let these files belong to a post."""
        for medium in self.of(ids):
            self._media[medium.id] = replace(medium, status_id=status_id)

    def detach(self, status_id: str, ids: tuple[str, ...], *, delete: bool) -> None:
        """Free the files of a deleted post: for another post to take, or for good."""
        for medium in self.of(ids):
            if medium.status_id == status_id:
                if delete:
                    self.drop(medium.id)
                else:
                    now = self._clock.now()
                    self._media[medium.id] = replace(medium, status_id=None, uploaded_at=now)

    def drop(self, medium_id: str) -> None:
        """Delete a file."""
        self._media.pop(medium_id, None)
        self._held -= len(self._contents.pop(medium_id, b""))

    def as_json(self, medium: Medium, origin: str, *, pending: bool = False) -> Json:
        """A MediaAttachment; while it is worked on (`pending`) it has no address yet."""
        url = (
            f"{origin}/system/media_attachments/files/{medium.id}/original/file.{medium.extension}"
        )
        original: Json = {}
        if medium.width and medium.height:
            original = {
                "width": medium.width,
                "height": medium.height,
                "size": f"{medium.width}x{medium.height}",
                "aspect": medium.width / medium.height,
            }
        meta: Json = {}
        if original:
            meta = {"original": original, "small": original}
        if medium.focus is not None:
            meta["focus"] = {"x": medium.focus[0], "y": medium.focus[1]}
        return {
            "id": medium.id,
            "type": medium.type,
            "url": None if pending else url,
            "preview_url": None if pending or medium.type == "audio" else url,
            "remote_url": None,
            "preview_remote_url": None,
            "text_url": None,
            "meta": meta,
            "description": medium.description,
            "blurhash": None
            if pending or medium.type == "audio"
            else "UBL_:rOpGG-oBUNG,qRj2so|=eE1w^n4S5NH",
        }

    def _check(self, facts: FileFacts, data: bytes, description: str | None) -> None:
        limits = self._profile.media
        image = facts.type == "image" or facts.is_gif
        allowed = limits.image_size if image else limits.video_size
        if len(data) > allowed:
            raise invalid(f"File file size must be less than {allowed // 1024 // 1024} MB")
        pixels = (facts.width or 0) * (facts.height or 0)
        if pixels > (limits.image_matrix if image else limits.video_matrix):
            raise ApiError(422, f"{facts.width}x{facts.height} images are not supported")
        if limits.gif_matrix is not None and facts.is_gif and pixels > limits.gif_matrix:
            raise ApiError(422, f"{facts.width}x{facts.height} GIF files are not supported")
        self.check_alt(description or "")

    def check_alt(self, description: str) -> None:
        """Raises `ApiError` 422 for an alt text that is too long, or too short."""
        most, least = self._profile.media.alt_length, self._profile.media.alt_least
        if len(description) < least:
            raise ApiError(
                422,
                f"Unprocessable Entity: image description length must be between {least} and "
                f"{most} characters (inclusive), but provided image description was "
                f"{len(description)} chars",
            )
        if len(description) > most:
            raise invalid(f"Description is too long (maximum is {most} characters)")

    def _keep(self, medium_id: str, data: bytes) -> None:
        self._contents[medium_id] = data
        self._held += len(data)
        while self._held > MAX_BYTES and len(self._contents) > 1:
            self._held -= len(self._contents.pop(next(iter(self._contents))))

    def _purge(self) -> None:
        before: datetime = self._clock.now() - UNATTACHED_LIFE
        for medium in tuple(self._media.values()):
            if medium.status_id is None and medium.uploaded_at < before:
                self.drop(medium.id)
