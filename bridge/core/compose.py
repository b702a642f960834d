"""From a post to its draft on the other network: what to say, in how many parts, at what price.

Pure, and the same code for the real thing and for a preview. Asks `Capabilities` what the network
can carry; must not know adapters, and must not decide whether a post is mirrored at all.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import zip_longest
from typing import TYPE_CHECKING

from bridge.core import caution, polls
from bridge.core.attach import Group, attached, counted
from bridge.core.capabilities import Capabilities
from bridge.core.draft import Draft, DraftMedia, DraftPart, DraftPoll
from bridge.core.errors import UnfitError
from bridge.core.fitting import Wanted, counter, cut_to, fitted
from bridge.core.linking import link
from bridge.core.model import Microdollars, Poll, Post, PostId
from bridge.core.parts import price_of, visibility
from bridge.core.policy import Policy
from bridge.core.prices import in_dollars
from bridge.core.quoting import NO_TEXT, NOTHING, Quoted, quoted, reposted
from bridge.core.recall import recalling
from bridge.core.text import Text, joined
from bridge.core.wording import NO_HEAD, cleaned, heading, safe, short_warning, without_tags

if TYPE_CHECKING:
    # Composing needs nothing else of the ledger's records in memory.
    from bridge.core.record import Mirror

MAX_CHARACTERS = 50_000
"""Code points of a post that are composed, all its texts together; beyond, it is no longer a post.

Twice what the longest post on either network has, as its short links may stand for long ones. It
bounds the time that anybody's text can take.
"""


@dataclass(frozen=True, slots=True)
class Context:
    """What else bears on a draft: the time (aware UTC), and where what it points at stands.

    `quoted` and `reposted` are mirrors on the target network of the own post that is quoted or
    repeated; None where there is none.
    """

    now: datetime
    quoted: Mirror | None = None
    reposted: Mirror | None = None


@recalling()
def compose(post: Post, to: Capabilities, policy: Policy, context: Context) -> Draft:
    """The draft of `post` for the network that `to` describes.

    Where it costs more than `policy.max_usd_per_post`, its links are written so that they are none,
    if that is cheaper; it may still cost more then, and `bridge.core.rules.too_dear` says so.

    Raises `UnfitError`, naming the post, where it cannot be fitted at all, or has more than
    `MAX_CHARACTERS`.
    """
    _check_size(post)
    draft = _Composer(post, to, policy, context).draft()
    bound = policy.max_usd_per_post
    if bound is None or draft.price <= bound or policy.links != "keep":
        return draft
    cheaper = _Composer(post, to, replace(policy, links="defuse"), context, forced=True).draft()
    if cheaper.price >= draft.price:
        return draft
    note = (
        f"links made unclickable since {in_dollars(draft.price)} is more than a post may cost "
        f"({in_dollars(bound)}): {in_dollars(cheaper.price)}"
    )
    return Draft(cheaper.parts, (*cheaper.notes, note))


def _check_size(post: Post) -> None:
    texts = [post.text.plain, post.spoiler]
    if post.quote is not None:
        texts += [post.quote.url or "", post.quote.text, post.quote.author]
    if post.repost is not None:
        texts += [post.repost.url or "", post.repost.author]
    texts += [option.label for option in post.poll.options] if post.poll else []
    size = sum(map(len, texts))
    if size > MAX_CHARACTERS:
        raise UnfitError(
            f"post {post.id} has {size:,} characters, of which {MAX_CHARACTERS:,} are the most "
            "that are carried over"
        )


@dataclass(frozen=True, slots=True)
class _Beside:
    """What stands beside the text: media on their parts, a poll, a quote, words for the rest."""

    groups: Sequence[Group] = ()
    poll: Poll | None = None
    poll_words: str = ""
    quote: Quoted = NOTHING
    words: Text = NO_TEXT


@dataclass(slots=True)
class _Composer:
    """One post on its way to its draft; collects the notes.

    `forced` says that its links change for the price alone, which has a note of its own.
    """

    post: Post
    to: Capabilities
    policy: Policy
    context: Context
    forced: bool = False
    notes: list[str] = field(default_factory=list)
    warned: bool = False

    def draft(self) -> Draft:
        if self.post.repost is not None:
            return self._repeat()
        post, to = self.post, self.to
        if to.spoiler:
            post = caution.apart(post)
            if post is not self.post:
                self.notes.append("content warning taken from the beginning of the text")
        warning = self._warning(post)
        self.warned = bool(warning)
        only = bool(warning) and not to.spoiler and self.policy.warnings == "only"
        if only:
            self._note_only(post)
            body, beside = NO_TEXT, _Beside()
        else:
            body, tags = without_tags(cleaned(post.text), self.policy.hidden_tags)
            self.notes += [f"hashtag left out, as configured: {tag}" for tag in tags]
            beside = self._beside(post)
        return self._assembled(body, beside, warning)

    def _assembled(self, body: Text, beside: _Beside, warning: str) -> Draft:
        to, post = self.to, self.post
        said, changed = safe(body, to, self.policy)
        words, more = safe(beside.words, to, self.policy, first=False)
        head = NO_HEAD
        if warning and not to.spoiler:
            # A network without content warnings still shows the warning first, on every part.
            alone = not (said or words or len(beside.groups) > 1)
            head = heading(warning, to, self.policy, alone=alone)
            warning = ""
        elif warning:
            head = short_warning(warning, to)
            warning = head.text
        self.notes += head.notes
        beginning = "" if to.spoiler else head.text
        if not (said or words or warning or beginning or beside.groups or beside.poll):
            raise UnfitError(f"nothing of post {post.id} can be said on {to.network.value}")
        wanted = Wanted(said, words, beginning, warning, self._source(), self._known())
        texts = self._texts(wanted)
        if changed + more and not self.forced:
            self._note_links(changed + more)
        if beside.quote.note:
            self.notes.append(beside.quote.note)
        poll = self._poll(beside, texts[0], warning)
        parts = [
            self._part(
                index,
                beginning.strip() if text is None else text,
                warning=warning,
                media=group or (),
                poll=poll if index == 0 else None,
                quote=beside.quote.native if index == 0 else None,
            )
            for index, (text, group) in enumerate(zip_longest(texts, beside.groups))
        ]
        if (narrower := parts[0].visibility) is not self.policy.visibility:
            wanted_one = self.policy.visibility.value
            self.notes.append(f"{narrower.value} and not {wanted_one}: the account's own default")
        return Draft(tuple(parts), tuple(self.notes))

    def _texts(self, wanted: Wanted) -> tuple[str, ...]:
        post, to = self.post, self.to
        if not (wanted.whole or wanted.heading):
            return ("",)
        try:
            found = fitted(wanted, to, self.policy.long_text)
        except UnfitError as error:
            where = f"post {post.id} cannot be fitted to {to.network.value}"
            raise UnfitError(f"{where}: {error}") from error
        if found.cut:
            self._note_cut(found.texts, wanted)
        elif len(found.texts) > 1:
            self.notes.append(f"too long for one post: a thread of {len(found.texts)}")
        return found.texts

    def _note_cut(self, texts: tuple[str, ...], wanted: Wanted) -> None:
        address = " with a link to the whole" if wanted.source else ""
        price = ""
        if self.to.prices is not None:
            price = in_dollars(_sum(texts, self.to))
            with suppress(UnfitError):
                thread = fitted(wanted, self.to, "thread").texts
                price += f"; as a thread of {len(thread)} {in_dollars(_sum(thread, self.to))}"
            price = f" ({price})"
        self.notes.append(f"too long for one post: cut short{address}{price}")

    def _source(self) -> str:
        """The address that stands for what is cut off."""
        if self.policy.long_text != "truncate_with_link":
            return ""
        return safe(link(self.post.url or ""), self.to, self.policy, first=False)[0]

    def _known(self) -> frozenset[str]:
        return frozenset(name.lower() for pair in self.policy.people.items() for name in pair)

    # What stands beside the text

    def _beside(self, post: Post) -> _Beside:
        media, policy = post.media, self.policy
        if policy.links == "drop":
            # What would be given as a link is better left out at once, with its own note.
            policy = replace(
                policy,
                quotes="text",
                video="skip" if policy.video == "link" else policy.video,
                audio="skip",
            )
        if media and policy.sensitive == "leave_out" and (post.sensitive or self.warned):
            self.notes.append(f"{counted(media)} left out: sensitive, as configured")
            media = ()
        carried = attached(media, self.to, policy)
        self.notes += carried.notes
        poll, words = self._poll_of(post, with_media=bool(carried.groups))
        quote = quoted(
            post,
            self.to,
            policy,
            self.context.quoted,
            alone=bool(post.text.plain.strip()) and not carried.groups and poll is None,
        )
        pieces = [Text(words) if poll is None else NO_TEXT, quote.text]
        if carried.link:
            pieces.append(link(post.url or ""))
        said = joined([cleaned(piece) for piece in pieces if piece.plain], "\n\n")
        return _Beside(carried.groups, poll, words, quote, said)

    def _poll_of(self, post: Post, *, with_media: bool) -> tuple[Poll | None, str]:
        """The poll if it can be made over there, and its words in any case."""
        poll, now = post.poll, self.context.now
        if poll is None:
            return None, ""
        if polls.ended(poll, now):
            self.notes.append("poll written out with its results: it has ended")
            return None, polls.in_words(poll, results=True)
        words = polls.in_words(poll, results=False)
        why = polls.obstacle(poll, self.to, now, with_media=with_media)
        if self.policy.polls == "text":
            why = "as configured"
        elif not why and counter(self.to)(words) > self.to.max_length // 2:
            why = "its answers would fill a post"
        if why:
            self.notes.append(f"poll written out as text: {why}")
            return None, words
        return poll, words

    def _poll(self, beside: _Beside, text: str, warning: str) -> DraftPoll | None:
        poll = beside.poll
        if poll is None or poll.ends_at is None:
            return None
        words, _ = safe(Text(beside.poll_words), self.to, self.policy, first=False)
        otherwise = cut_to(text, self.to, words, warning, self._known())
        return DraftPoll(polls.labels(poll), poll.ends_at, poll.multiple, otherwise)

    # Content warnings

    def _warning(self, post: Post) -> str:
        warning = caution.warning_of(post, self.policy.warning_words, self.policy.warn_about)
        own = " ".join(cleaned(Text(post.spoiler)).plain.split())
        if warning and not own:
            self.notes.append("content warning set for what the text speaks of")
        elif warning != own:
            self.notes.append("content warning put in the words that are configured for it")
        return warning

    def _note_only(self, post: Post) -> None:
        beside = [counted(post.media)] if post.media else []
        beside += ["the poll"] if post.poll else []
        beside += ["the quote"] if post.quote else []
        left = " and ".join(["the text"] * bool(post.text.plain.strip()) + beside)
        self.notes.append(f"only the content warning is given, as configured: {left} left out")

    def _note_links(self, count: int) -> None:
        links = "a link" if count == 1 else f"{count} links"
        how = "left out" if self.policy.links == "drop" else "made unclickable"
        prices = self.to.prices
        why = (
            ""
            if prices is None
            else f": {in_dollars(prices.create)} and not {in_dollars(prices.create_with_link)}"
        )
        self.notes.append(f"{links} {how}{why}")

    # Parts

    def _part(
        self,
        index: int,
        text: str,
        *,
        warning: str = "",
        media: Sequence[DraftMedia] = (),
        poll: DraftPoll | None = None,
        quote: PostId | None = None,
        repeat: PostId | None = None,
    ) -> DraftPart:
        return DraftPart(
            index=index,
            text=text,
            price=price_of(text, self.to, media),
            spoiler=warning,
            sensitive=self.post.sensitive or self.warned,
            language=self.post.language if self.to.language and not repeat else None,
            visibility=visibility(self.to, self.policy),
            media=tuple(media),
            poll=poll,
            quote=quote,
            repeat=repeat,
        )

    def _repeat(self) -> Draft:
        """A post that repeats another: the mirror repeated, or another's post by its address."""
        repost, mirror = self.post.repost, self.context.reposted
        if mirror is not None:
            part = self._part(0, "", repeat=mirror.id)
            return Draft((part,), (*self.notes, "the mirror of the repeated post is repeated"))
        text = NO_TEXT if repost is None or repost.own else reposted(repost)
        said, changed = safe(text, self.to, self.policy)
        if not said:
            raise UnfitError(
                f"post {self.post.id} repeats another, of which neither a mirror nor an address "
                "is known"
            )
        self.notes.append("another's post given by its address")
        if changed and not self.forced:
            self._note_links(changed)
        texts = self._texts(Wanted(said, known=self._known()))
        return Draft(
            tuple(self._part(index, text) for index, text in enumerate(texts)), tuple(self.notes)
        )


def _sum(texts: Sequence[str], to: Capabilities) -> Microdollars:
    return Microdollars(sum(price_of(text, to) for text in texts))
