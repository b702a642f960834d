"""Creating, changing, repeating and deleting posts of one account, each once.

What the server says it did is compared with what was asked: servers drop what they do not
understand and answer 200 all the same. Must not upload files, and must not repeat a request.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from typing import Protocol

from bridge.core.capabilities import Capabilities
from bridge.core.draft import DraftPart
from bridge.core.errors import InDoubt, NetworkError, Refused, Transient
from bridge.core.lengths import mastodon_length
from bridge.core.model import MediaId, PostId, Visibility
from bridge.core.record import Receipt
from bridge.networks.fields import id_at, mapping_at
from bridge.networks.mastodon.client import SENT_WITHIN, Client
from bridge.networks.mastodon.instance import Instance, Software
from bridge.networks.mastodon.outcome import LOST_POLL, Outcome, read_outcome
from bridge.networks.mastodon.presence import Presence
from bridge.networks.mastodon.render import arguments, edit_arguments, in_time, language_code
from bridge.ports import Clock

log = logging.getLogger(__name__)

_NO_EDITING = frozenset((404, 405, 410, 501))
_TOO_LONG = frozenset((400, 413, 422))
_UNWRAPPED = "reblog:"
"""Begins the id of a boost that no answer and no timeline names: were the id of the boosted post
taken for the boost's, taking the boost back would delete the post."""

_NO_POLLS = "the server makes no polls, so it stands in words"
_IN_WORDS = "its poll had too little time left and stands in words"


class Instances(Protocol):
    """Gives what the server says about itself, from memory or afresh."""

    def __call__(self, *, afresh: bool = False) -> Awaitable[Instance]:
        """The instance."""
        ...


class Writing:
    """The writing half of one account. `last_known` gives what is remembered of the server."""

    def __init__(
        self,
        client: Client,
        clock: Clock,
        instance: Instances,
        presence: Presence,
        *,
        last_known: Callable[[], Instance],
    ) -> None:
        self._client = client
        self._clock = clock
        self._instance = instance
        self._presence = presence
        self._last_known = last_known
        self.edits = True
        """Whether posts can be edited here, as far as is known."""
        self.polls = True
        """Whether polls are made here, as far as is known."""
        self.links_in_full = False
        """Whether the server was seen to count links in full, whatever its make says."""

    async def publish(
        self, part: DraftPart, *, reply_to: PostId | None, key: str, media: Sequence[MediaId]
    ) -> Receipt:
        """Create one post, once. See `bridge.ports.Sink`.

        A post that the server made visible to more people than asked for is deleted at once, and
        refused; where the deletion fails it is in doubt, so that somebody looks.
        """
        by = self._clock.monotonic() + SENT_WITHIN
        if part.visibility is Visibility.UNKNOWN:
            raise Refused("a post must say who may see it")
        if part.repeat is not None:
            return await self._repeat(part.repeat, part.visibility, by)
        asked = part
        if part.poll is not None:
            limits = (await self._instance()).capabilities.polls
            part = in_time(part, limits, self._clock.now())
        server = self._last_known()
        given = arguments(
            part,
            reply_to=reply_to,
            key=key,
            now=self._clock.now(),
            media=media,
            markup=server.reads_markup,
        )
        try:
            answer = await self._client.create(given, by=by, plain=server.names_plain)
        except Refused as error:
            if error.status in _TOO_LONG and not (error.missing or error.duplicate):
                error.too_long = await self._is_too_long(part)
            raise
        outcome = read_outcome(answer)
        if outcome is None:
            raise InDoubt("the server's answer does not name the post it made")
        if outcome.is_wider_than(part.visibility):
            await self._take_back(outcome, part.visibility)
        lost = outcome.lacks(part, reply_to, media=len(media))
        if part.poll is not None and not outcome.options:
            return await self._with_its_answers(outcome, part, lost, media)
        return _receipt(outcome, lost, in_words=asked.poll is not None and part.poll is None)

    async def _with_its_answers(
        self, outcome: Outcome, part: DraftPart, lost: Sequence[str], media: Sequence[MediaId]
    ) -> Receipt:
        """A post whose poll the server left out without a word: edited, so that its words say it.

        Its question alone would have lost the answers. From now on no polls are made there.
        """
        self.polls = False
        words = part.poll.otherwise if part.poll else part.text
        said = replace(part, text=words, poll=None)
        server, now = self._last_known(), self._clock.now()
        given = edit_arguments(said, now=now, media=media, markup=server.reads_markup)
        by, language = self._clock.monotonic() + SENT_WITHIN, language_code(part.language)
        try:
            await self._client.update(outcome.id, given, language, by=by, plain=server.names_plain)
        except NetworkError as error:
            log.warning("post %s stands without the answers of its poll: %s", outcome.id, error)
            return _receipt(outcome, lost, in_words=False)
        rest = [each for each in lost if each != LOST_POLL]
        return replace(
            _receipt(outcome, rest, in_words=False),
            note="; ".join([*(f"the server left out the {each}" for each in rest), _NO_POLLS]),
        )

    async def revise(self, target: PostId, part: DraftPart, *, media: Sequence[MediaId]) -> Receipt:
        """Give a post the whole of `part`. See `bridge.ports.Sink`.

        What stands there is looked at first: a poll whose time is nearly over would lose its votes
        by any edit, so such a post stays as it is.
        """
        by = self._clock.monotonic() + SENT_WITHIN
        standing = await self._presence.status(target)
        if standing is None:
            raise Refused("it is no longer there", missing=True)
        now, asked = self._clock.now(), part
        if part.poll is not None:
            part = in_time(part, (await self._instance()).capabilities.polls, now)
            if part.poll is None and mapping_at(standing, "poll"):
                raise Refused(
                    "its poll is over or nearly so, and an edit would take its votes away"
                )
        server, language = self._last_known(), language_code(part.language)
        given = edit_arguments(part, now=now, media=media, markup=server.reads_markup)
        try:
            answer = await self._client.update(
                target, given, language, by=by, plain=server.names_plain
            )
        except NetworkError as error:
            if error.status in _NO_EDITING:
                raise await self._cannot_edit(target, error) from error
            if isinstance(error, Refused) and error.status in _TOO_LONG:
                error.too_long = await self._is_too_long(part)
            raise
        outcome = read_outcome(answer)
        if outcome is None:
            raise InDoubt("the server's answer does not name the post it changed")
        lost = outcome.lacks(part, None, media=len(media))
        if part.poll is not None and not outcome.options:
            return await self._with_its_answers(outcome, part, lost, media)
        return _receipt(outcome, lost, in_words=asked.poll is not None and part.poll is None)

    async def delete(self, target: PostId) -> None:
        """Have a post gone, its files at once; a boost is taken back. Gone already is as good."""
        by = self._clock.monotonic() + SENT_WITHIN
        if target.startswith(_UNWRAPPED):
            await self._unless_gone(self._client.unrepeat, _boosted_by(target), by)
            return
        standing = await self._presence.status(target)
        if standing is None:
            return
        boosted = id_at(mapping_at(standing, "reblog"), "id")
        if boosted is not None:
            await self._unless_gone(self._client.unrepeat, PostId(boosted), by)
            return
        await self._unless_gone(self._delete, target, by)

    async def _cannot_edit(self, target: PostId, error: NetworkError) -> NetworkError:
        """Why a post that stood there a moment ago could not be edited."""
        if await self._presence.status(target) is None:
            return Refused("it is no longer there", status=error.status, missing=True)
        server = await self._instance()
        if server.software is Software.MASTODON and server.capabilities.edit_within is not None:
            # Mastodon has edits, so it was not Mastodon that knew nothing of them.
            return Transient(error.detail, status=error.status)
        self.edits = False
        return Refused("this server cannot edit posts", status=error.status)

    async def _delete(self, target: PostId, *, by: float) -> None:
        at_once = (await self._instance()).deletes_media
        await self._client.delete(target, media=at_once, by=by)

    async def _unless_gone(
        self, act: Callable[..., Awaitable[None]], target: PostId, by: float
    ) -> None:
        try:
            await act(target, by=by)
        except NetworkError as error:
            if not await self._presence.is_gone(error):
                raise

    async def _repeat(self, target: PostId, visibility: Visibility, by: float) -> Receipt:
        if visibility is Visibility.DIRECT:
            raise Refused("a boost cannot be shown to the people mentioned only")
        answer = await self._client.repeat(target, visibility.value, by=by)
        outcome = read_outcome(answer)
        if outcome is None:
            raise InDoubt("the server's answer does not name the boost it made")
        if outcome.repeats is None:
            return await self._unnamed(target)
        return Receipt(outcome.id, outcome.url)

    async def _unnamed(self, target: PostId) -> Receipt:
        """The boost of `target` that was made, by a server that names but the boosted post.

        On the timeline it stands under an id of its own: not known by that, it would be news.
        """
        try:
            found = await self._presence.boost_of(target)
        except NetworkError as error:
            raise InDoubt(f"boosted, but by which id cannot be seen: {error}") from error
        if found is None:
            return Receipt(PostId(f"{_UNWRAPPED}{target}"))
        return Receipt(found.id, found.url)

    async def _is_too_long(self, part: DraftPart) -> bool:
        """Whether the server, asked again for its limits, could not have taken this length.

        Its words are localised; its limits may have changed since they were asked for. What is too
        long only with its links in full says how the server counts them.
        """
        limits = (await self._instance(afresh=True)).capabilities
        if limits.counting == "x":
            return False
        if _length(part, limits) > limits.max_length:
            return True
        in_full = _length(part, replace(limits, counting="unknown")) > limits.max_length
        self.links_in_full |= in_full
        return in_full

    async def _take_back(self, outcome: Outcome, asked: Visibility) -> None:
        """Delete a post that more people can see than asked for. Raises in every case."""
        what = f"the server made it {outcome.visibility or 'visible to nobody knows whom'}"
        what += f" instead of {asked.value}"
        by = self._clock.monotonic() + SENT_WITHIN
        try:
            await self._unless_gone(self._delete, outcome.id, by)
        except NetworkError as error:
            raise InDoubt(f"{what}, and it could not be deleted: {error}") from error
        raise Refused(f"{what}; it was deleted at once")


def _length(part: DraftPart, limits: Capabilities) -> int:
    link, counting = limits.link_length, limits.counting
    return mastodon_length(part.text, part.spoiler, counting=counting, link=link)


def _receipt(outcome: Outcome, lost: Sequence[str], *, in_words: bool) -> Receipt:
    notes = [f"the server left out the {each}" for each in lost]
    for note in notes:
        log.warning("post %s: %s", outcome.id, note)
    if in_words:
        notes.append(_IN_WORDS)
    return Receipt(outcome.id, outcome.url, note="; ".join(notes))


def _boosted_by(receipt: PostId) -> PostId:
    return PostId(receipt.removeprefix(_UNWRAPPED))
