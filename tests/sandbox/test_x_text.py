"""What X makes of a text: links, entities, escapes, cuts."""

import html
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bridge.core.entities import x_entities
from bridge.core.lengths import x_length
from bridge.sandbox.x import XFile
from bridge.sandbox.x.rendering import Body, Trailer, normalised, rendered
from tests.fixtures.x_client import GIF, MP4, PNG, XClient, x_client

FIELDS = "entities,note_post,display_text_range,attachments,media_metadata"


async def shown(x: XClient) -> Any:
    """The newest post, with all that belongs to its text."""
    answer = await x.timeline(
        post__fields=FIELDS,
        expansions="attachments.media_keys",
        media__fields="url,alt_text,width,height,variants,preview_image_url",
    )
    return answer.data[0] | {"includes": answer.body.get("includes")}


async def test_every_link_becomes_a_t_co_whose_entity_tells_the_address() -> None:
    async with x_client() as x:
        await x.create("see example.com and https://example.org/a?b=1&c=2#d now")
        post = await shown(x)
        first, second = post["entities"]["urls"]
        assert (first["expanded_url"], first["display_url"]) == (
            "http://example.com",
            "example.com",
        )
        assert second["expanded_url"] == "https://example.org/a?b=1&c=2#d"
        for url in (first, second):
            assert post["text"][url["start"] : url["end"]] == url["url"]
            assert url["url"].startswith("https://t.co/")
            assert len(url["url"]) == 23
        assert post["text"] == f"see {first['url']} and {second['url']} now"


async def test_the_same_address_twice_has_the_same_t_co() -> None:
    async with x_client() as x:
        await x.create("https://example.com https://example.com")
        first, second = (await shown(x))["entities"]["urls"]
        assert first["url"] == second["url"]
        assert first["start"] != second["start"]


async def test_angle_brackets_and_ampersands_are_escaped_and_indices_count_the_escaped_text() -> (
    None
):
    async with x_client() as x:
        await x.create("👩‍👩‍👧 a<b & c>d #tag $TWTR https://example.com")
        post = await shown(x)
        assert "a&lt;b &amp; c&gt;d" in post["text"]
        (tag,), (cash,) = post["entities"]["hashtags"], post["entities"]["cashtags"]
        assert (tag["tag"], post["text"][tag["start"] : tag["end"]]) == ("tag", "#tag")
        assert (cash["tag"], post["text"][cash["start"] : cash["end"]]) == ("TWTR", "$TWTR")
        (url,) = post["entities"]["urls"]
        assert post["text"][url["start"] : url["end"]] == url["url"]


async def test_media_stand_behind_the_text_as_one_t_co_with_an_entity_each() -> None:
    async with x_client() as x:
        x.sandbox.write(x.account, "look", media=[XFile(PNG, "a dot"), XFile(PNG)])
        post = await shown(x)
        first, second = post["entities"]["urls"]
        assert post["text"] == f"look {first['url']}"
        assert (first["start"], first["end"]) == (second["start"], second["end"])
        assert [one["expanded_url"].rpartition("status/")[2] for one in (first, second)] == [
            f"{post['id']}/photo/1",
            f"{post['id']}/photo/2",
        ]
        assert [first["media_key"], second["media_key"]] == post["attachments"]["media_keys"]
        assert post["display_text_range"] == [0, 4]
        photo = post["includes"]["media"][0]
        assert (photo["type"], photo["alt_text"]) == ("photo", "a dot")
        assert (photo["width"], photo["height"]) == (3, 2)
        async with x.http.get(photo["url"]) as file:
            assert (file.content_type, await file.read()) == ("image/png", PNG)
        assert post["media_metadata"] == [{"media_key": first["media_key"], "alt_text": "a dot"}]


@pytest.mark.parametrize(("content", "kind"), [(MP4, "video"), (GIF, "animated_gif")])
async def test_films_come_in_variants(content: bytes, kind: str) -> None:
    async with x_client() as x:
        x.sandbox.write(x.account, "", media=[XFile(content)])
        post = await shown(x)
        (film,) = post["includes"]["media"]
        assert (film["type"], "url" in film) == (kind, False)
        best = max(film["variants"], key=lambda one: one.get("bit_rate", 0))
        async with x.http.get(best["url"]) as file:
            assert await file.read() == content
        for other in (film["preview_image_url"], *(one["url"] for one in film["variants"])):
            async with x.http.get(other) as file:
                assert file.status == 200
        assert post["text"].startswith("https://t.co/")
        assert post["entities"]["urls"][0]["expanded_url"].endswith("/video/1")


async def test_a_long_post_is_cut_with_a_link_and_whole_in_its_note() -> None:
    async with x_client(premium=True) as x:
        text = "Ärger & Freude <heute> " * 30 + "https://example.com/end #ende"
        await x.create(text)
        post = await shown(x)
        *_, link = post["entities"]["urls"]
        assert post["text"].endswith(f"… {link['url']}")
        assert link["expanded_url"] == f"https://x.com/i/web/status/{post['id']}"
        assert x_length(html.unescape(post["text"])) <= 280
        note = post["note_post"]
        (url,) = note["entities"]["urls"]
        assert set(url) == {"start", "end", "url", "expanded_url", "display_url"}
        assert html.unescape(note["text"]).replace(url["url"], url["expanded_url"]) == text
        (tag,) = note["entities"]["hashtags"]
        assert note["text"][tag["start"] : tag["end"]] == "#ende"


async def test_a_short_post_has_no_note() -> None:
    async with x_client(premium=True) as x:
        await x.create("a" * 280)
        assert "note_post" not in await shown(x)


async def test_a_quote_ends_with_a_link_to_the_quoted_post() -> None:
    async with x_client() as x:
        bob = x.sandbox.add_account("bob", "Bob")
        quoted = x.sandbox.write(bob, "wise words")
        x.sandbox.write(x.account, "indeed", quote=quoted.id)
        post = (await x.timeline(post__fields="entities", expansions="referenced_posts")).body
        (url,) = post["data"][0]["entities"]["urls"]
        assert url["expanded_url"] == f"https://x.com/bob/status/{quoted.id}"
        assert post["data"][0]["text"] == f"indeed {url['url']}"
        assert post["data"][0]["referenced_posts"] == [{"type": "quoted", "id": quoted.id}]
        assert post["includes"]["posts"][0]["id"] == quoted.id


async def test_a_repost_is_a_cut_copy_with_the_authors_name() -> None:
    async with x_client() as x:
        bob = x.sandbox.add_account("bob", "Bob")
        original = x.sandbox.write(bob, "wise words " * 20)
        x.sandbox.write(x.account, "", repost_of=original.id)
        post = (await x.timeline(post__fields="entities", expansions="referenced_posts")).data[0]
        assert post["text"].startswith("RT @bob: wise words")
        assert post["text"].endswith("…")
        assert post["referenced_posts"] == [{"type": "retweeted", "id": original.id}]
        assert post["entities"]["mentions"] == [{"start": 3, "end": 7, "username": "bob"}]


async def test_a_reply_written_in_xs_own_app_begins_with_the_name_that_is_not_shown() -> None:
    async with x_client() as x:
        bob = x.sandbox.add_account("bob", "Bob")
        theirs = x.sandbox.write(bob, "hello")
        x.sandbox.write(x.account, "hi there", reply_to=theirs.id)
        post = await shown(x)
        start, end = post["display_text_range"]
        assert post["text"] == "@bob hi there"
        assert post["text"][start:end] == "hi there"


WORDS = st.sampled_from(
    [
        "a",
        "&",
        "<b>",
        "#tag",
        "example.com",
        "https://x.org/?q=1&r=2",
        "👩‍👩‍👧",
        "שלום",
        "日本",
        "…",
        "$A",
        "me@b.de",
    ]
)
TEXTS = st.lists(WORDS, max_size=120).map(" ".join)


def restored(body: Body) -> str:
    """The text as written, taken back from what the API shows by position alone."""
    text, done = "", 0
    for url in body.urls:
        written = url.expanded_url.removeprefix("http://")
        text += html.unescape(body.text[done : url.start]) + written
        done = url.end
    return text + html.unescape(body.text[done:])


@settings(max_examples=60, deadline=None)
@given(TEXTS)
def test_nothing_of_a_text_is_lost_in_links_and_escapes(text: str) -> None:
    text = normalised(text)
    rendering = rendered(text, post_url="https://x.com/i/web/status/1")
    assert restored(rendering.note or rendering.short) == text


@settings(max_examples=60, deadline=None)
@given(TEXTS)
def test_every_entity_stands_where_it_says(text: str) -> None:
    trailer = Trailer(("https://x.com/a/status/1/photo/1",), ("3_1",))
    rendering = rendered(normalised(text), post_url="https://x.com/i", trailers=(trailer,))
    for body in (rendering.short, *([rendering.note] if rendering.note else [])):
        assert all(body.text[url.start : url.end] == url.url for url in body.urls)
        assert all(body.text[one.start + 1 : one.end] == one.name for one in body.names)
    links = [url for url in (rendering.note or rendering.short).urls if not url.media_key]
    found = [span for span in x_entities(normalised(text)) if span.kind.value == "link"]
    assert len(links) == len(found)
    start, end = rendering.shown
    assert 0 <= start <= end <= len(rendering.short.text)
