"""What may be posted, boosted, edited and deleted, in the order in which Mastodon checks it.

After post_status_service.rb and update_status_service.rb. Knows drafts and posts; must not know
requests, tokens or JSON.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta

from bridge.core.lengths import mastodon_length
from bridge.sandbox.clock import SandboxClock
from bridge.sandbox.mastodon.languages import posting_language
from bridge.sandbox.mastodon.marks import summoned
from bridge.sandbox.mastodon.media import MediaStore
from bridge.sandbox.mastodon.problems import NOT_FOUND, ApiError, invalid
from bridge.sandbox.mastodon.profiles import Profile
from bridge.sandbox.mastodon.records import (
    MastodonAccount,
    Medium,
    Poll,
    PollDraft,
    Scheduled,
    Status,
    StatusDraft,
)
from bridge.sandbox.mastodon.serialise import snapshot
from bridge.sandbox.mastodon.state import State

VISIBILITIES = ("public", "unlisted", "private", "direct")
_WHITE = "\0\t\n\v\f\r "
_SOONEST = timedelta(minutes=5)


def _always() -> None:
    """Nothing to say against it."""


class UnexpectedMentionsError(Exception):
    """The text mentions accounts that `allowed_mentions` does not name."""

    def __init__(self, accounts: tuple[MastodonAccount, ...]) -> None:
        super().__init__("Post would be sent to unexpected accounts")
        self.accounts = accounts


class Posting:
    """Turns drafts into posts."""

    def __init__(
        self, state: State, media: MediaStore, profile: Profile, clock: SandboxClock
    ) -> None:
        self._state = state
        self._media = media
        self._profile = profile
        self._clock = clock

    def post(
        self,
        account: MastodonAccount,
        draft: StatusDraft,
        *,
        created_at: datetime | None = None,
        status_id: str | None = None,
        admit: Callable[[], None] = _always,
    ) -> Status | Scheduled:
        """Publish `draft`, or put it aside for its time.

        `status_id` is the id that the post had in an earlier sandbox. `admit` is called when
        nothing else speaks against it, and may raise. Raises `ApiError` as the server answers, and
        `UnexpectedMentionsError`.
        """
        parent = self._parent(account, draft)
        quoted = self._quoted(account, draft)
        self._check_combination(draft)
        self._media.attachable(account.id, draft.media, None)
        when = draft.scheduled_at
        if when is not None and when <= self._clock.now():
            created_at, when = (when if self._profile.backdating else created_at), None
        status = self._build(account, draft, parent, quoted, created_at or self._clock.now())
        if status_id is not None:
            status = replace(status, id=status_id)
        if when is not None and self._profile.scheduling:
            return self._put_aside(account, draft, when)
        admit()
        self._media.attach(status.media, status.id)
        self._state.add(status)
        return status

    def edit(
        self,
        account: MastodonAccount,
        status: Status,
        draft: StatusDraft,
        descriptions: tuple[tuple[str, str], ...] = (),
        *,
        admit: Callable[[], None] = _always,
    ) -> Status:
        """Put `draft` in the place of what stands in `status`: what it omits is dropped.

        Language, visibility, parent and quote stay. `descriptions` pairs ids of files with new
        alt texts, and counts for files that the draft keeps only. Without any change the post
        stays as it is, `edited_at` included. Raises `ApiError` as the server answers.
        """
        self._check_combination(draft)
        self._media.attachable(account.id, draft.media, status.id)
        text, spoiler, _ = self._texts(draft, quoting=status.quote_of is not None)
        self._check_text(text, spoiler, has_media=bool(draft.media))
        poll = self._poll(draft.poll, self._clock.now())
        if poll is not None and status.poll is not None:
            poll = replace(poll, id=status.poll.id)
            if (poll.options, poll.multiple) == (status.poll.options, status.poll.multiple):
                # Other answers would make the votes given so far void.
                poll = replace(poll, votes=status.poll.votes)
        changed = replace(
            status,
            text=text,
            spoiler_text=spoiler,
            sensitive=bool(draft.sensitive) or bool(spoiler),
            language=self._language(account, draft.language or status.language),
            media=draft.media,
            poll=poll,
            mentions=self._mentions(text),
        )
        before = status.edits or (snapshot(status, self._media, status.created_at),)
        described = self._described_anew(draft.media, descriptions)
        if changed == status and not described:
            return status
        admit()
        for medium, description in described:
            self._media.describe(medium, description, None)
        now = self._clock.now()
        self._media.attach(changed.media, status.id)
        changed = replace(changed, edited_at=now)
        changed = replace(changed, edits=(*before, snapshot(changed, self._media, now)))
        self._state.update(changed)
        return changed

    def boost(
        self,
        account: MastodonAccount,
        original: Status,
        *,
        visibility: str | None = None,
        created_at: datetime | None = None,
        application: str | None = None,
        admit: Callable[[], None] = _always,
    ) -> Status:
        """Boost a post; the present boost where there is one already. Raises `ApiError` 404."""
        if original.reblog_of is not None:
            original = self._state.get(original.reblog_of) or original
        own = original.account_id == account.id
        if original.visibility == "direct" or (original.visibility == "private" and not own):
            raise ApiError(404, NOT_FOUND)
        for other in self._state.referring(original.id):
            if other.reblog_of == original.id and other.account_id == account.id:
                return other
        moment = created_at or self._clock.now()
        chosen = visibility or account.default_visibility
        if original.visibility == "private" or chosen not in VISIBILITIES[:3]:
            chosen = original.visibility
        boost = Status(
            id=self._state.new_id(moment),
            account_id=account.id,
            text="",
            created_at=moment,
            visibility=chosen,
            reblog_of=original.id,
            application=application,
        )
        admit()
        self._state.add(boost)
        return boost

    def delete(self, status: Status, *, delete_media: bool = False) -> None:
        """Delete a post and free its files."""
        self._state.remove(status.id)
        self._media.detach(status.id, status.media, delete=delete_media)

    def publish_due(self) -> None:
        """Publish what waited for a time that has come."""
        now = self._clock.now()
        for waiting in tuple(self._state.scheduled.values()):
            if waiting.at > now:
                continue
            del self._state.scheduled[waiting.id]
            account = self._state.account(waiting.account_id)
            if account is None:
                continue
            self._media.detach(waiting.id, waiting.draft.media, delete=False)
            # What cannot be published any more (its parent is gone) is lost, as on a real server.
            with suppress(ApiError, UnexpectedMentionsError):
                self.post(account, replace(waiting.draft, scheduled_at=None))

    def _build(
        self,
        account: MastodonAccount,
        draft: StatusDraft,
        parent: Status | None,
        quoted: Status | None,
        moment: datetime,
    ) -> Status:
        text, spoiler, moved = self._texts(draft, quoting=quoted is not None)
        visibility = self._visibility(account, draft.visibility, quoted)
        mentions = self._mentions(text)
        self._check_mentions(draft, mentions)
        if (
            visibility == "direct"
            and quoted is not None
            and not self._told(account, quoted, mentions)
        ):
            raise invalid("The quoted user must be mentioned in a private mention")
        self._check_text(text, spoiler, has_media=bool(draft.media))
        sensitive = account.default_sensitive if draft.sensitive is None else draft.sensitive
        return Status(
            id=self._state.new_id(moment),
            account_id=account.id,
            text=text,
            created_at=moment,
            visibility=visibility,
            spoiler_text=spoiler,
            sensitive=sensitive or bool(spoiler) or moved,
            language=self._language(account, draft.language),
            in_reply_to_id=parent.id if parent else None,
            in_reply_to_account_id=parent.account_id if parent else None,
            quote_of=quoted.id if quoted else None,
            media=draft.media,
            poll=self._poll(draft.poll, moment),
            mentions=mentions,
            application=draft.application,
            website=draft.website,
        )

    def _parent(self, account: MastodonAccount, draft: StatusDraft) -> Status | None:
        if not draft.in_reply_to:
            return None
        parent = self._state.visible(draft.in_reply_to, account.id)
        if parent is None:
            words = "The post you are trying to reply to does not appear to exist."
            if self._profile.dialect == "gotosocial":
                words = "Not Found: target status not found"
            raise ApiError(404, words)
        # A reply to a boost is a reply to what was boosted.
        original = self._state.get(parent.reblog_of) if parent.reblog_of else None
        return original or parent

    def _quoted(self, account: MastodonAccount, draft: StatusDraft) -> Status | None:
        if not draft.quote_of or not self._profile.quotes:
            return None
        quoted = self._state.visible(draft.quote_of, account.id)
        if quoted is not None and quoted.reblog_of is not None:
            quoted = self._state.visible(quoted.reblog_of, account.id)
        refused = ("direct",) if quoted and quoted.account_id == account.id else VISIBILITIES[2:]
        if quoted is None or quoted.visibility in refused:
            raise ApiError(404, "The post you are trying to quote does not appear to exist.")
        if draft.media or draft.poll is not None:
            raise invalid("Quote cannot be combined with media or a poll")
        return quoted

    def _check_combination(self, draft: StatusDraft) -> None:
        polls = self._profile.polls is not None and draft.poll is not None
        if polls and draft.media and not self._profile.polls_with_media:
            raise invalid(f"Cannot attach more than {self._profile.max_media} files")

    def _texts(self, draft: StatusDraft, *, quoting: bool) -> tuple[str, str, bool]:
        """Text and warning as stored; the warning alone becomes the text (third: whether so)."""
        text, spoiler = draft.text, draft.spoiler_text or ""
        moved = not text.strip() and bool(spoiler.strip()) and not quoting
        if moved:
            text, spoiler = spoiler, ""
        return text.strip(_WHITE), spoiler.strip(_WHITE), moved

    def _visibility(
        self, account: MastodonAccount, asked: str | None, quoted: Status | None
    ) -> str:
        visibility = asked or account.default_visibility
        if visibility not in VISIBILITIES:
            if self._profile.dialect == "mastodon":
                raise invalid("Visibility is not included in the list")
            raise ApiError(400, f"Bad Request: visibility {visibility} not recognized")
        if quoted is not None and quoted.visibility == "private" and visibility in VISIBILITIES[:2]:
            return "private"
        if self._profile.coarse_visibility and visibility != "public":
            return "private"
        return visibility

    def _mentions(self, text: str) -> tuple[str, ...]:
        accounts = (self._state.resolve(handle) for handle in summoned(text))
        return tuple(dict.fromkeys(account.id for account in accounts if account is not None))

    def _check_mentions(self, draft: StatusDraft, mentions: tuple[str, ...]) -> None:
        if draft.allowed_mentions is None or self._profile.dialect != "mastodon":
            return
        accounts = map(self._state.account, mentions)
        unexpected = tuple(
            one for one in accounts if one is not None and one.id not in draft.allowed_mentions
        )
        if unexpected:
            raise UnexpectedMentionsError(unexpected)

    def _told(self, account: MastodonAccount, quoted: Status, mentions: tuple[str, ...]) -> bool:
        return quoted.account_id == account.id or quoted.account_id in mentions

    def _check_text(self, text: str, spoiler: str, *, has_media: bool) -> None:
        if not text.strip() and not has_media:
            if self._profile.dialect == "gotosocial":
                raise ApiError(400, "Bad Request: no text content, media or poll provided")
            raise invalid("Text can't be blank")
        length = mastodon_length(text, spoiler, counting=self._profile.counting)
        most = self._profile.max_characters
        if length <= most:
            return
        if self._profile.dialect == "mastodon":
            raise invalid(f"Text character limit of {most} exceeded")
        raise ApiError(
            self._profile.too_long_status,
            f"Bad Request: status too long, {length} characters provided (including "
            f"spoiler/content warning) but limit is {most}",
        )

    def _language(self, account: MastodonAccount, asked: str | None) -> str | None:
        if not self._profile.languages:
            return None
        return posting_language(asked, account.default_language)

    def _poll(self, draft: PollDraft | None, moment: datetime) -> Poll | None:
        limits = self._profile.polls
        if draft is None or limits is None:
            return None
        options = tuple(option.strip() for option in draft.options if option.strip())
        reasons = []
        if len(options) < 2:  # noqa: PLR2004 - one answer is no choice
            reasons.append("Options must be more than one item")
        if len(options) > limits.max_options:
            reasons.append(f"Options can't contain more than {limits.max_options} items")
        if any(len(option) > limits.option_length for option in options):
            reasons.append(f"Options cannot be longer than {limits.option_length} characters each")
        if len(set(options)) < len(options):
            reasons.append("Options contain duplicate items")
        if draft.expires_in is None or draft.expires_in < limits.min_seconds:
            reasons.append("Duration is too short")
        elif draft.expires_in > limits.max_seconds:
            reasons.append("Duration is too long")
        if reasons:
            raise invalid(", ".join(f"Poll {reason.lower()}" for reason in reasons))
        ends = moment + timedelta(seconds=draft.expires_in or 0)
        return Poll(self._state.new_id(moment), options, ends, draft.multiple, draft.hide_totals)

    def _described_anew(
        self, kept: tuple[str, ...], wanted: tuple[tuple[str, str], ...]
    ) -> list[tuple[Medium, str]]:
        """Which of the files that stay get another alt text. Raises `ApiError` 422."""
        described = []
        for medium_id, description in wanted:
            medium = self._media.get(medium_id)
            if medium is not None and medium_id in kept and medium.description != description:
                self._media.check_alt(description)
                described.append((medium, description))
        return described

    def _put_aside(self, account: MastodonAccount, draft: StatusDraft, when: datetime) -> Scheduled:
        if when < self._clock.now() + _SOONEST:
            raise invalid("Scheduled at The scheduled date must be in the future")
        waiting = Scheduled(self._state.new_id(), account.id, when, draft)
        self._state.scheduled[waiting.id] = waiting
        self._media.attach(draft.media, waiting.id)
        return waiting
