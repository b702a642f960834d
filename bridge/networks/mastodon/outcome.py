"""What a server says it made, compared with what was asked for. Pure.

Servers drop fields they do not understand and answer 200 all the same.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from bridge.core.draft import DraftPart
from bridge.core.model import PostId, Visibility
from bridge.networks.fields import flag_at, id_at, mapping_at, mappings_at, text_at, web_address

_WIDTH = {
    Visibility.DIRECT.value: 0,
    Visibility.FOLLOWERS.value: 1,
    Visibility.UNLISTED.value: 2,
    Visibility.PUBLIC.value: 3,
}
LOST_POLL = "poll"
_STANDING_QUOTES = frozenset(("", "accepted", "pending"))


@dataclass(frozen=True, slots=True)
class Outcome:
    """A post as the answer to its creation describes it; `visibility` in the server's word.

    `repeats` is the id of the post that it boosts.
    """

    id: PostId
    url: str | None
    visibility: str
    spoiler: str
    sensitive: bool
    replies: bool
    media: int = 0
    options: int = 0
    quotes: bool = False
    repeats: PostId | None = None

    def is_wider_than(self, asked: Visibility) -> bool:
        """Whether more people can see it than `asked`; yes also where that cannot be told.

        Narrower is fine: a silenced account's public posts become unlisted.
        """
        if asked is Visibility.PUBLIC:
            return False
        width = _WIDTH.get(self.visibility)
        return width is None or width > _WIDTH[asked.value]

    def lacks(self, part: DraftPart, reply_to: PostId | None, *, media: int = 0) -> tuple[str, ...]:
        """Names, for people, of what was asked for and is not there."""
        missing = {
            "content warning": bool(part.spoiler) and not self.spoiler,
            "sensitive mark": part.sensitive and not self.sensitive,
            "place in its thread": reply_to is not None and not self.replies,
            LOST_POLL: part.poll is not None and self.options < len(part.poll.options),
            "quote": part.quote is not None and not self.quotes,
            _lost_media(self.media, media): self.media < media,
        }
        return tuple(name for name, lost in missing.items() if lost)


def _lost_media(there: int, asked: int) -> str:
    if there:
        return f"attachments ({there} of {asked} are there)"
    return "attachment" if asked == 1 else f"{asked} attachments"


def read_outcome(answer: Mapping[str, object]) -> Outcome | None:
    """The post that `answer` describes; None where it names none."""
    post = id_at(answer, "id")
    if post is None:
        return None
    repeats = id_at(mapping_at(answer, "reblog"), "id")
    return Outcome(
        id=PostId(post),
        url=web_address(answer.get("url")) or web_address(answer.get("uri")),
        visibility=text_at(answer, "visibility"),
        spoiler=text_at(answer, "spoiler_text"),
        sensitive=flag_at(answer, "sensitive") is True,
        replies=id_at(answer, "in_reply_to_id") is not None,
        media=len(mappings_at(answer, "media_attachments")),
        options=len(mappings_at(mapping_at(answer, "poll"), "options")),
        quotes=_quotes(answer),
        repeats=None if repeats is None else PostId(repeats),
    )


def _quotes(answer: Mapping[str, object]) -> bool:
    quote = mapping_at(answer, "quote")
    if not quote:
        return id_at(answer, "quote_id") is not None
    return text_at(quote, "state") in _STANDING_QUOTES
