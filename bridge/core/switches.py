"""What an owner looks for in a post to let it across or keep it: hashtags, words, patterns.

Pure, and linear in the text. Must not know what follows from a find.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from bridge.core.caution import has_word
from bridge.core.model import Post
from bridge.core.patterns import Pattern, compiled
from bridge.core.text import SpanKind

LONGEST_MARKER = 500


@dataclass(frozen=True, slots=True)
class Marker:
    """One thing to look for, as it was written: ``#tag``, ``/pattern/``, or words.

    Letter case never counts. A hashtag is met where the network made one, or as a word of its own;
    words stand on their own (``art`` is not in ``party``); a pattern may match anywhere.
    """

    written: str
    pattern: Pattern | None = field(default=None, compare=False)

    @property
    def tag(self) -> str:
        """The hashtag's name, empty for anything else."""
        return self.written[1:] if self.pattern is None and self.written[:1] == "#" else ""

    def is_in(self, post: Post) -> bool:
        """Whether `post` has it: in its text, content warning or answers of its poll."""
        said = _said(post)
        if self.pattern is not None:
            return self.pattern.found_in(said)
        wanted = self.written.casefold()
        tags = {span.target.casefold() for span in post.text.of_kind(SpanKind.HASHTAG)}
        return (bool(self.tag) and self.tag.casefold() in tags) or has_word(said.casefold(), wanted)


def marker(written: str) -> Marker:
    """What `written` asks to look for. Raises `ValueError`, in words."""
    written = written.strip()
    if not written or written == "#":
        raise ValueError("expected a #hashtag, words, or a /pattern/")
    if len(written) > LONGEST_MARKER:
        raise ValueError(f"longer than {LONGEST_MARKER} characters")
    if len(written) > 1 and written[0] == written[-1] == "/":
        return Marker(written, compiled(written[1:-1]))
    return Marker(written)


def _said(post: Post) -> str:
    options = post.poll.options if post.poll else ()
    return "\n".join((post.text.plain, post.spoiler, *(option.label for option in options)))


def speaks(post: Post, languages: frozenset[str]) -> bool:
    """Whether `post` is in one of `languages`; ``pt`` includes ``pt-BR``. Unknown counts as yes."""
    if not languages or post.language is None:
        return True
    code = post.language.replace("_", "-").casefold()
    wanted = {language.replace("_", "-").casefold() for language in languages}
    return code in wanted or code.partition("-")[0] in wanted
