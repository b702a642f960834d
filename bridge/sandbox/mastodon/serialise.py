"""Accounts and posts as the JSON that the API gives, seen by somebody and from some address.

Must not decide who may see a post: it is given what may be shown. Counters of what nobody does
here (favourites) are 0, cards are null as they are on a real server when a post is new.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from bridge.sandbox.clock import SandboxClock
from bridge.sandbox.mastodon.html import Mentioned, Surroundings, render
from bridge.sandbox.mastodon.marks import marks_of
from bridge.sandbox.mastodon.media import MediaStore
from bridge.sandbox.mastodon.problems import Json
from bridge.sandbox.mastodon.profiles import Profile
from bridge.sandbox.mastodon.records import Edit, MastodonAccount, Poll, Status
from bridge.sandbox.mastodon.state import State


def moment(value: datetime) -> str:
    """A time as the API writes it: ISO 8601, milliseconds, Z."""
    return f"{value:%Y-%m-%dT%H:%M:%S}.{value.microsecond // 1000:03}Z"


class Serialiser:
    """Renders what the server keeps. `viewer` is an account's id, `origin` the base URL asked."""

    def __init__(
        self, state: State, media: MediaStore, profile: Profile, clock: SandboxClock
    ) -> None:
        self._state = state
        self._media = media
        self._profile = profile
        self._clock = clock

    def account(self, account: MastodonAccount, origin: str) -> Json:
        """An Account."""
        url = self.account_url(account, origin)
        latest = next(self._state.newest_first(account.id), None)
        missing = f"{origin}/avatars/original/missing.png"
        body: Json = {
            "id": account.id,
            "username": account.username,
            "acct": account.acct,
            "display_name": account.display_name,
            "locked": account.locked,
            "bot": False,
            "discoverable": True,
            "indexable": False,
            "group": False,
            "created_at": f"{account.created_at:%Y-%m-%d}T00:00:00.000Z",
            "note": "",
            "url": url,
            "uri": f"{origin}/ap/users/{account.id}",
            "avatar": missing,
            "avatar_static": missing,
            "avatar_description": "",
            "header": f"{origin}/headers/original/missing.png",
            "header_static": f"{origin}/headers/original/missing.png",
            "header_description": "",
            "followers_count": self._state.followers(account.id),
            "following_count": 0,
            "statuses_count": self._state.count(account.id),
            "last_status_at": f"{latest.created_at:%Y-%m-%d}" if latest else None,
            "hide_collections": None,
            "emojis": [],
            "fields": [],
        }
        how, moved_to = self._state.condition(account.id)
        if moved_to is not None:
            body["moved"] = self.account(moved_to, origin)
        if how in {"suspended", "limited"}:
            body[how] = True
        if self._profile.dialect == "mastodon":
            body |= {"noindex": False, "roles": []}
        else:
            del body["uri"], body["indexable"], body["hide_collections"]
        return body

    def credentials(self, account: MastodonAccount, origin: str) -> Json:
        """A CredentialAccount: the account with what only its owner sees."""
        source: Json = {
            "privacy": account.default_visibility,
            "sensitive": account.default_sensitive,
            "language": account.default_language,
            "note": "",
            "fields": [],
            "follow_requests_count": 0,
        }
        if self._profile.dialect == "mastodon":
            source |= {
                "hide_collections": None,
                "discoverable": True,
                "indexable": False,
                "attribution_domains": [],
                "quote_policy": "public",
            }
        elif self._profile.dialect == "gotosocial":
            source |= {"status_content_type": "text/plain", "also_known_as_uris": []}
        body = self.account(account, origin) | {"source": source}
        if self._profile.dialect in {"minimal", "pleroma"}:
            return body
        role: Json = {
            "id": "-99",
            "name": "",
            "color": "",
            "permissions": "65536",
            "highlighted": False,
        }
        return body | {"role": role}

    def status(self, status: Status, viewer: str | None, origin: str) -> Json:
        """A Status as `viewer` sees it."""
        return self._status(status, viewer, origin, depth=0)

    def deleted(self, status: Status, viewer: str, origin: str) -> Json:
        """What a deletion answers: the post with its source in the place of the HTML."""
        body = self._status(status, viewer, origin, depth=0)
        if self._profile.dialect == "mastodon":
            del body["content"]
        return body | {"text": status.text}

    def history(self, status: Status, origin: str) -> list[Json]:
        """The StatusEdits of a post, the original first; one where it was never edited."""
        author = self._state.account(status.account_id)
        edits = status.edits or (snapshot(status, self._media, status.created_at),)
        return [self._edit(edit, status, author, origin) for edit in edits]

    def account_url(self, account: MastodonAccount, origin: str) -> str:
        """The address of an account's page."""
        host = f"https://{account.domain}" if account.domain else origin
        return f"{host}/@{account.username}"

    def status_url(self, status: Status, origin: str) -> str:
        """The address of a post's page; of a boost, that of its activity."""
        author = self._state.account(status.account_id)
        name = author.username if author else "unknown"
        if status.reblog_of is not None:
            return f"{origin}/users/{name}/statuses/{status.id}/activity"
        if self._profile.dialect == "mastodon":
            return f"{origin}/@{name}/{status.id}"
        if self._profile.dialect == "pleroma":
            return f"{origin}/notice/{status.id}"
        middle = "/statuses" if self._profile.dialect == "gotosocial" else "/p"
        return f"{origin}/@{name}{middle}/{status.id}"

    def _status(self, status: Status, viewer: str | None, origin: str, depth: int) -> Json:
        author = self._state.account(status.account_id)
        boosted = None
        if status.reblog_of is not None:
            original = self._state.get(status.reblog_of)
            boosted = original and self._status(original, viewer, origin, depth)
        mentioned = [a for a in map(self._state.account, status.mentions) if a is not None]
        referring = list(self._state.referring(status.id))
        url = self.status_url(status, origin)
        name = author.username if author else "unknown"
        tags = dict.fromkeys(m.value.lower() for m in marks_of(status.text) if m.kind == "hashtag")
        body: Json = {
            "id": status.id,
            "created_at": moment(status.created_at),
            "in_reply_to_id": status.in_reply_to_id,
            "in_reply_to_account_id": status.in_reply_to_account_id,
            "sensitive": status.sensitive,
            "spoiler_text": status.spoiler_text,
            "visibility": status.visibility,
            "language": status.language,
            "uri": url if status.reblog_of else f"{origin}/users/{name}/statuses/{status.id}",
            "url": url,
            "replies_count": sum(1 for one in referring if one.in_reply_to_id == status.id),
            "reblogs_count": sum(1 for one in referring if one.reblog_of == status.id),
            "favourites_count": 0,
            "edited_at": moment(status.edited_at) if status.edited_at else None,
            "content": self._content(status, origin),
            "reblog": boosted,
            "account": self.account(author, origin) if author else None,
            "media_attachments": [
                self._media.as_json(medium, origin) for medium in self._media.of(status.media)
            ],
            "mentions": [
                {
                    "id": account.id,
                    "username": account.username,
                    "url": self.account_url(account, origin),
                    "acct": account.acct,
                }
                for account in mentioned
            ],
            "tags": [{"name": name, "url": f"{origin}/tags/{name}"} for name in tags],
            "emojis": [],
            "card": None,
            "poll": self._poll(status.poll, viewer == status.account_id),
        }
        if viewer is not None:
            body |= {"favourited": False, "muted": False, "bookmarked": False}
            body["reblogged"] = any(
                one.reblog_of == status.id and one.account_id == viewer for one in referring
            ) or (status.reblog_of is not None and status.account_id == viewer)
            if viewer == status.account_id and status.reblog_of is None:
                body["pinned"] = False
            body["filtered"] = []
        if self._profile.applications and viewer == status.account_id and status.application:
            body["application"] = {"name": status.application, "website": status.website}
        if self._profile.dialect == "pleroma":
            # Not in Mastodon's terms: what was typed, and which quote is meant.
            body["pleroma"] = {
                "local": author is None or not author.domain,
                "content": {"text/plain": status.text},
                "spoiler_text": {"text/plain": status.spoiler_text},
                "quote": None,
                "quote_id": None,
                "quote_url": None,
            }
        if self._profile.quotes:
            body["quotes_count"] = sum(1 for one in referring if one.quote_of == status.id)
            body["quote"] = self._quote(status, viewer, origin, depth)
            body["quote_approval"] = self._approval(status, viewer)
        return body

    def _content(self, status: Status, origin: str) -> str:
        mentioned: dict[str, Mentioned] = {}
        for mark in marks_of(status.text):
            if mark.kind != "mention":
                continue
            account = self._state.resolve(mark.value)
            if account is not None and account.id in status.mentions:
                url = self.account_url(account, origin)
                mentioned[mark.value.lower()] = Mentioned(url, account.username, account.acct)
        quoted = self._state.get(status.quote_of) if status.quote_of else None
        address = self.status_url(quoted, origin) if quoted else None
        return render(status.text, Surroundings(origin, mentioned, address), self._profile.dialect)

    def _quote(self, status: Status, viewer: str | None, origin: str, depth: int) -> Json | None:
        if status.quote_of is None:
            return None
        quoted = self._state.get(status.quote_of)
        if quoted is None:
            return {"state": "deleted", "quoted_status": None}
        if not self._state.can_see(quoted, viewer):
            return {"state": "unauthorized", "quoted_status": None}
        if status.quote_state != "accepted":
            return {"state": status.quote_state, "quoted_status": None}
        if depth:
            return {"state": "accepted", "quoted_status_id": quoted.id}
        return {"state": "accepted", "quoted_status": self._status(quoted, viewer, origin, 1)}

    def _approval(self, status: Status, viewer: str | None) -> Json:
        public = status.visibility in {"public", "unlisted"}
        mine = viewer == status.account_id and status.visibility != "direct"
        allowed = mine or (public and viewer is not None)
        return {
            "automatic": ["public"] if public else [],
            "manual": [],
            "current_user": "automatic" if allowed else "denied",
        }

    def _poll(self, poll: Poll | None, own: bool) -> Json | None:  # noqa: FBT001 - one caller
        if poll is None:
            return None
        over = poll.expires_at is not None and poll.expires_at <= self._clock.now()
        hidden = poll.hide_totals and not over
        votes = poll.votes or (0,) * len(poll.options)
        listed = zip(poll.options, votes, strict=True)
        return {
            "id": poll.id,
            "expires_at": moment(poll.expires_at) if poll.expires_at else None,
            "expired": over,
            "multiple": poll.multiple,
            "votes_count": sum(votes),
            "voters_count": None if poll.multiple else sum(votes),
            "voted": own,
            "own_votes": [],
            "options": [
                {"title": title, "votes_count": None if hidden else count}
                for title, count in listed
            ],
            "emojis": [],
        }

    def _edit(
        self, edit: Edit, status: Status, author: MastodonAccount | None, origin: str
    ) -> Json:
        then = replace(status, text=edit.text)
        media = []
        for medium_id, description in edit.media:
            for medium in self._media.of((medium_id,)):
                shown = replace(medium, description=description)
                media.append(self._media.as_json(shown, origin))
        body: Json = {
            "content": self._content(then, origin),
            "spoiler_text": edit.spoiler_text,
            "sensitive": edit.sensitive,
            "created_at": moment(edit.at),
            "account": self.account(author, origin) if author else None,
            "media_attachments": media,
            "emojis": [],
        }
        if edit.poll is not None:
            body["poll"] = {"options": [{"title": title} for title in edit.poll.options]}
        return body


def snapshot(status: Status, media: MediaStore, at: datetime) -> Edit:
    """The state of a post as its history keeps it."""
    kept = tuple((medium.id, medium.description) for medium in media.of(status.media))
    return Edit(at, status.text, status.spoiler_text, status.sensitive, kept, status.poll)
