"""The keys that say what crosses and in what form, declared once for both directions.

Data only, in the terms of `keys`; what each value leads to is told in ``docs/what-crosses.md``.
"""

from __future__ import annotations

from bridge.config import values
from bridge.config.declared import Key, Section, choice, switch


def _markers(name: str, doc: str, default: str) -> Key:
    return Key(name, doc, values.marked, default=default, many=True, may_be_empty=True)


BOTH_WAYS: tuple[Key, ...] = (
    _markers(
        "only_with",
        "Only posts that have one of these cross: a hashtag, words, or a /pattern/. Whatever goes "
        "on with a thread that crossed needs none.",
        "[]",
    ),
    _markers(
        "never_with",
        "Posts that have one of these stay where they are: a hashtag, words, or a /pattern/.",
        '["#noxp"]',
    ),
    switch(
        "hide_markers",
        "Whether mirrors go without the hashtags that `only_with` names.",
        default=False,
    ),
    switch("media_only", "Whether only posts with media cross.", default=False),
    Key(
        "languages",
        "Codes of the languages that cross, such as en or pt-BR; none for all. A post whose "
        "language is not known crosses.",
        values.language,
        default="[]",
        many=True,
        may_be_empty=True,
    ),
    choice(
        "threads",
        "What becomes of a reply to an own post that has no mirror: `skip`, or `root` to let a "
        "thread begin with it.",
        "skip",
        "root",
    ),
    choice(
        "boosts",
        "Which boosts and reposts cross: `skip` none; `own` repeats the mirror of an own post; "
        "`all` gives others' posts by their address as well.",
        "skip",
        "own",
        "all",
    ),
    choice(
        "quotes",
        "What stands for a quoted post that cannot be quoted over there: `link` its address, "
        "`text` an excerpt with its author's name.",
        "link",
        "text",
    ),
    choice(
        "long_text",
        "What becomes of a text that is too long: a `thread`, `truncate`, or `truncate_with_link` "
        "to the whole.",
        "thread",
        "truncate",
        "truncate_with_link",
    ),
    choice(
        "polls",
        "Whether polls are made over there where they fit (`native`) or written out (`text`).",
        "native",
        "text",
    ),
    switch("alt_text", "Whether descriptions of media go along.", default=True),
    choice(
        "video",
        "What stands for a video that the other side does not take: a `thumbnail`, a `link` to the "
        "post, or nothing (`skip`).",
        "thumbnail",
        "link",
        "skip",
    ),
    choice(
        "media_missing",
        "What becomes of a post one of whose media cannot be had: `hold` it for an hour and then "
        "send it without, `send_without` at once, or `skip` it.",
        "hold",
        "send_without",
        "skip",
    ),
    Key(
        "warn_about",
        "Words that call for a content warning, and what it says.",
        values.words,
        default="{}",
        mapping=True,
    ),
    Key(
        "warning_words",
        "Content warnings and what to say instead of them.",
        values.words,
        default="{}",
        mapping=True,
    ),
    choice(
        "edits",
        "What becomes of the mirror when a post is edited: `replace` it, send a `note` that says "
        "so, or `ignore` it.",
        "replace",
        "note",
        "ignore",
    ),
    switch(
        "edits_by_reposting",
        "Whether an edit that the other side cannot make may delete the mirror and post it anew.",
        default=False,
    ),
    choice(
        "deletes",
        "What becomes of the mirror when a post is deleted: `mirror` deletes it too, `ignore` "
        "leaves it.",
        "mirror",
        "ignore",
    ),
    Key(
        "max_age",
        "How old a post may be when it is first read after a time in which nobody read: what is "
        "older stays, and `twinpost catch-up` sends it if you want. 1h or more, or `any`.",
        values.at_least("1h", "any"),
        default="24h",
    ),
    Key(
        "max_per_hour",
        "How many posts are mirrored within an hour at most; the others wait their turn. A number, "
        "or `any`.",
        values.whole(1, 10_000, "any"),
        default="20",
    ),
)

TO_X: tuple[Key, ...] = (
    choice(
        "warnings",
        "What X shows of a post with a content warning: `prefix` writes the warning before every "
        "part, `only` sends nothing but the warning, `skip` leaves the post.",
        "prefix",
        "only",
        "skip",
    ),
    choice(
        "sensitive",
        "What becomes of sensitive media: `send` them with X's own warning, or `leave_out`.",
        "send",
        "leave_out",
    ),
    choice(
        "audio",
        "What stands for audio, which X does not take: nothing (`skip`), or a `link` to the post.",
        "skip",
        "link",
    ),
    choice(
        "links",
        "What becomes of links, which make a post on X cost $0.20 and not $0.015: `keep` them, "
        "`defuse` them so that they can be read and not clicked, or `drop` them.",
        "keep",
        "defuse",
        "drop",
    ),
    Key(
        "max_usd_per_post",
        "The most that the mirror of one post may cost, in US dollars. Where it costs more, its "
        "links are defused; where that is not enough, it is held for you. None for no bound.",
        values.dollars,
    ),
)

TO_MASTODON: tuple[Key | Section, ...] = (
    switch(
        "never_wider_than_default",
        "Whether mirrors are never more visible than what the account on Mastodon is set to post "
        "as, where the server tells.",
        default=False,
    ),
    Section(
        "recheck",
        "How the own timeline on X is read again, to see edits and deletions.",
        (
            Key(
                "every",
                "How often: a duration of 1m or more, or `never`.",
                values.at_least("1m", "never"),
                default="6h",
            ),
            Key(
                "window",
                "How many of the newest posts are read again, replies included, 5 to 100; what is "
                "older is not checked for deletion. Each costs $0.001 at most "
                "once a day.",
                values.whole(5, 100),
                default="20",
                shape="integer",
            ),
        ),
    ),
)
