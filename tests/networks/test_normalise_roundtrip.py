"""What an author typed comes back out of what either network makes of it."""

from dataclasses import asdict

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bridge.core.entities import x_entities
from bridge.core.model import AccountId
from bridge.networks.mastodon.normalise import html_to_rich
from bridge.networks.x.normalise import page_to_posts
from bridge.sandbox.mastodon.html import Mentioned, Surroundings, render
from bridge.sandbox.mastodon.profiles import Dialect
from bridge.sandbox.x.rendering import Body, Trailer, rendered

HOST = "own.example"
EVE = Mentioned(f"https://{HOST}/@eve", "eve", "eve")
BOB = Mentioned("https://far.example/users/bob", "bob", "bob@far.example")
WORDS = st.sampled_from(
    [
        "word", "R&D", "<3", "a<b>c", "&lt;", "&amp;amp;", "3>2", "don't", '"quoted"', "(so)", "—",
        "أعلن", "שלום", "क्षत्रिय", "สวัสดี", "漢字。", "안녕", "Tiếng", "👩‍👩‍👧‍👦", "🏳️‍🌈", "e\u0301",
        "https://example.com/", "https://www.example.com/a?b=1&c=2#d", "#Tag", "#القاهرة", "#हिंदी",
        "https://example.org/a/very/long/path/that/every/server/cuts/for/show/indeed.html",
    ]
)  # fmt: skip
GAPS = st.sampled_from([" ", "\n", "\n\n"])


def texts(*names: str) -> st.SearchStrategy[str]:
    word = WORDS | st.sampled_from(names)
    pairs = st.lists(st.tuples(word, GAPS), min_size=1, max_size=25)
    return pairs.map(lambda found: "".join(word + gap for word, gap in found).strip())


@pytest.mark.parametrize("dialect", ["mastodon", "gotosocial"])
@given(text=texts("@eve", "@bob@far.example", "@nobody"))
@settings(max_examples=60, deadline=None)
def test_html_gives_back_what_was_typed_with_names_in_full(text: str, dialect: Dialect) -> None:
    people = {"eve": EVE, "bob@far.example": BOB}
    html = render(text, Surroundings(f"https://{HOST}", people), dialect)
    read = html_to_rich(html, mentions=[asdict(each) for each in people.values()], host=HOST)
    assert read.plain == text.replace("@eve", f"@eve@{HOST}")
    assert all(
        span.target.removeprefix("@") in {f"eve@{HOST}", "bob@far.example"}
        for span in read.spans
        if read.plain[span.start] == "@"
    )


def as_json(body: Body) -> dict[str, object]:
    lists = {"mention": "mentions", "hashtag": "hashtags", "cashtag": "cashtags"}
    entities: dict[str, list[dict[str, object]]] = {"urls": [asdict(url) for url in body.urls]}
    for name in body.names:
        key = "username" if name.kind.value == "mention" else "tag"
        entity: dict[str, object] = {"start": name.start, "end": name.end, key: name.name}
        entities.setdefault(lists[name.kind.value], []).append(entity)
    return {"text": body.text, "entities": entities}


@pytest.mark.parametrize("media", [0, 2])
@given(text=texts("@bob", "@Bob_99", "$TWTR", "$5"))
@settings(max_examples=60, deadline=None)
def test_short_links_and_escapes_give_back_what_was_typed(text: str, media: int) -> None:
    keys = tuple(f"3_{number}" for number in range(media))
    links = tuple(f"https://x.com/ada_x/status/5/photo/{number}" for number in range(1, media + 1))
    trailers = [Trailer(links, keys)] if media else []
    shown = rendered(text, post_url="https://x.com/ada_x/status/5", trailers=trailers)
    item = {"id": "5", **as_json(shown.short), "attachments": {"media_keys": list(keys)}}
    if shown.note is not None:
        item["note_post"] = as_json(shown.note)
    (post,) = page_to_posts({"data": [item]}, me=AccountId("1"), handle="ada_x", protected=False)
    assert post.text.plain == text
    assert post.text.spans == x_entities(text)
    assert tuple(each.id for each in post.media) == keys
