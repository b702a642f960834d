"""Posts as HTML, in the words of each kind of server."""

import pytest

from bridge.sandbox.mastodon.html import Mentioned, Surroundings, render

BOB = Mentioned("https://here.example/@bob", "bob", "bob")
BOB_THERE = Mentioned("https://there.example/@bob", "bob", "bob@there.example")
AROUND = Surroundings("https://here.example", {"bob": BOB})
LINK = 'target="_blank" rel="nofollow noopener" translate="no"'


@pytest.mark.parametrize(
    ("text", "html"),
    [
        ("", ""),
        ("one\ntwo", "<p>one<br />two</p>"),
        ("one\r\ntwo", "<p>one<br />two</p>"),
        ("one\n\ntwo", "<p>one</p><p>two</p>"),
        ("one\n\n\n\ntwo", "<p>one</p><p>two</p>"),
        ("<b> & \"x\" 'y'", "<p>&lt;b&gt; &amp; &quot;x&quot; &#39;y&#39;</p>"),
        (":emoji: *stays*", "<p>:emoji: *stays*</p>"),
        (
            "#Tag",
            (
                '<p><a href="https://here.example/tags/tag" class="mention hashtag" rel="tag">'
                "#<span>Tag</span></a></p>"
            ),
        ),
        ("#123 is none", "<p>#123 is none</p>"),
        (
            "hi @bob!",
            (
                '<p>hi <span class="h-card" translate="no"><a href="https://here.example/@bob" '
                'class="u-url mention">@<span>bob</span></a></span>!</p>'
            ),
        ),
        ("hi @nobody@else.example", "<p>hi @nobody@else.example</p>"),
    ],
)
def test_mastodon_writes_paragraphs_breaks_tags_and_cards(text: str, html: str) -> None:
    assert render(text, AROUND, "mastodon") == html


@pytest.mark.parametrize(
    ("url", "prefix", "shown", "hidden"),
    [
        ("https://example.com", "https://", "example.com", ""),
        ("https://www.example.com/a", "https://www.", "example.com/a", ""),
        ("http://example.com/" + "a" * 18, "http://", "example.com/" + "a" * 18, ""),
        ("http://example.com/" + "a" * 19, "http://", "example.com/" + "a" * 19, ""),
        ("http://example.com/" + "a" * 20, "http://", "example.com/" + "a" * 18, "aa"),
    ],
)
def test_mastodon_hides_the_ends_of_a_link(url: str, prefix: str, shown: str, hidden: str) -> None:
    kind = "ellipsis" if hidden else ""
    assert render(url, AROUND, "mastodon") == (
        f'<p><a href="{url}" {LINK}><span class="invisible">{prefix}</span>'
        f'<span class="{kind}">{shown}</span><span class="invisible">{hidden}</span></a></p>'
    )


@pytest.mark.parametrize(
    "text", ["example.com", "http://localhost:8080/x", "http://127.0.0.1/x", "x@example.com"]
)
def test_what_mastodon_does_not_link_stays_text(text: str) -> None:
    assert render(text, AROUND, "mastodon") == f"<p>{text}</p>"


def test_a_link_keeps_its_ampersand_and_lets_go_of_the_full_stop() -> None:
    html = render("See https://example.com/?a=1&b=2.", AROUND, "mastodon")
    assert 'href="https://example.com/?a=1&amp;b=2"' in html
    assert html.endswith("</a>.</p>")


def test_two_people_of_one_name_are_shown_with_their_hosts() -> None:
    around = Surroundings("https://here.example", {"bob": BOB, "bob@there.example": BOB_THERE})
    html = render("@bob @bob@there.example", around, "mastodon")
    assert "@<span>bob</span>" in html
    assert "@<span>bob@there.example</span>" in html
    alone = Surroundings("https://here.example", {"bob@there.example": BOB_THERE})
    assert "@<span>bob</span>" in render("@bob@there.example", alone, "mastodon")


def test_a_quote_comes_first_unless_the_text_links_it_already() -> None:
    url = "https://here.example/@bob/117322969977080442"
    around = Surroundings("https://here.example", {}, url)
    assert render("look", around, "mastodon") == (
        f'<p class="quote-inline">RE: <a href="{url}" {LINK}><span class="invisible">https://'
        '</span><span class="ellipsis">here.example/@bob/117322969977</span>'
        '<span class="invisible">080442</span></a></p><p>look</p>'
    )
    assert "quote-inline" not in render(f"look {url}", around, "mastodon")


def test_gotosocial_shows_whole_links_in_one_paragraph() -> None:
    html = render("it's\n\n#Tag http://localhost/a?b=1 @bob & co", AROUND, "gotosocial")
    rel = 'rel="nofollow noreferrer noopener" target="_blank"'
    assert html == (
        '<p>it\'s<br><br><a href="https://here.example/tags/tag" class="mention hashtag" '
        'rel="tag nofollow noreferrer noopener" target="_blank">#<span>Tag</span></a> '
        f'<a href="http://localhost/a?b=1" {rel}>http://localhost/a?b=1</a> '
        f'<span class="h-card"><a href="https://here.example/@bob" class="u-url mention" {rel}>'
        "@<span>bob</span></a></span> &amp; co</p>"
    )


def test_a_minimal_server_writes_breaks_and_no_paragraphs() -> None:
    html = render("one\n\ntwo https://example.com/x #Tag @bob", AROUND, "minimal")
    assert html == (
        'one<br><br>two <a href="https://example.com/x" target="_blank">'
        'https://example.com/x</a> <a href="https://here.example/?t=tag" class="mention hashtag" '
        'rel="tag">#Tag</a> <a href="https://here.example/@bob" class="u-url mention">@bob</a><br>'
    )


def test_a_minimal_server_takes_every_text_for_markup() -> None:
    html = render("**a** <b>b</b> <x> :-) `c`\n# d\n- e\n> f\n```\n*g*\n```", AROUND, "minimal")
    assert html == (
        "<b>a</b> <b>b</b> <p> &#128578; <code>c</code><br><h2>d</h2><ul><li>e</ul>"
        "<blockquote>f<br></blockquote><pre>*g*<br></pre>"
    )
