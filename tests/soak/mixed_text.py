"""Posts as nobody would write them but everybody may: every script, shape and length, at random.

The same seed gives the same posts. Must not know what becomes of them.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from bridge.core.model import (
    AccountId,
    Network,
    Poll,
    PollOption,
    Post,
    PostId,
    QuoteRef,
    Visibility,
)
from bridge.core.text import Span, SpanKind, Text
from tests.soak.hostile import SHAPES

START = datetime(2026, 11, 22, tzinfo=UTC)
LONGEST = 25_000

SENTENCES = (
    "The ferry left at dawn, and nobody had told Dr. Smith.",
    "Heute Nacht hat es geschneit – z. B. in Garmisch, 12 km weiter nicht!",
    "Il fait beau ; l’été « revient » enfin…",
    "¿Quién dijo eso? ¡Nadie!",
    "Hôm nay trời đẹp quá, chúng ta đi biển nhé.",
    "Сегодня утром в г. Москве выпал снег, и т. д.",
    "Η Αθήνα ξυπνά· τι ώρα είναι;",
    "الطقس جميل اليوم في عمّان، أليس كذلك؟ قال د. خالد إنّه «سيبقى» كذلك.",
    "اردو میں ایک جملہ۔ پھر دوسرا۔",
    "היום יורד גשם בירושלים, אמר ד״ר כהן. 50 אחוז סיכוי לעוד.",
    "आज मौसम अच्छा है। क्षत्रिय लोग चले गए।",
    "আজ আবহাওয়া ভালো।",
    "இன்று வானிலை நன்றாக உள்ளது.",
    "วันนี้อากาศดีมาก เราไปเดินเล่นกันเถอะ ๆ",
    "ມື້ນີ້ອາກາດດີ ພວກເຮົາໄປຍ່າງຫຼິ້ນ",
    "ယနေ့ရာသီဥတုကောင်းသည်။",
    "ថ្ងៃនេះអាកាសធាតុល្អ។",
    "今日はいい天気ですね。「散歩に行こう」と母が言った。２０２６年、東京タワーで！",
    "今天天气很好，我们去散步吧。中文也可以；真的：可以！",
    "오늘은 날씨가 좋네요. 산책하러 갈까요?",
    "ዛሬ የአየር ሁኔታው ጥሩ ነው።",
    "დღეს კარგი ამინდია.",
    "Այսօր լավ եղանակ է։",
    "\u2067שלום\u2069 said \u200fعربي\u200f in English (מאוד).",
)
EMOJI = (
    "😀",
    "👩‍🚀",
    "👨‍👩‍👧‍👦",
    "🇯🇴",
    "🇩🇪🇫🇷",
    "👍🏽",
    "1️⃣",
    "🏳️‍🌈",
    "❤️",
    "☺",
    "🏴󠁧󠁢󠁳󠁣󠁴󠁿",
    "™️",
    "🫱🏻‍🫲🏿",
    "©",
    "👩‍👩",
    "🇦",
)
WORDS = (
    "README.md",
    "weather.So",
    "mastodon.social",
    "example.com",
    "日本.みんな",
    "a.kids",
    "t.co/a",
    "e.g.",
    "12 km",
    "3.5 %",
    "10 000",
    "€9,99",
    "1/2",
    "…",
    "...",
    "---",
    "- item",
    "1. item",
    "=" * 90,
    "x" * 300,
    "(in brackets)",
    "“quoted”",
    "wor\u00add",
    "no\u00a0break",
    "zero\u200bwidth",
    "می\u200cخواهم",
    "e\u0301",
    "a\u0308\u0323",
    "\ufeff",
    "\x00\x07",
    "\ud83d",
    "\u2060",
    "&amp;",
    "<b>",
    "$5",
    "$ABC",
    "$TWTR",
    "$A.B",
    "#tag",
    "#وسم",
    "＃日本",
    "#1",
    "@somebody",
    "@jack",
    "＠name",
    "a@b.c",
    "@jack@mastodon.social",
    ".@jack",
    "@jack.com",
    "RT @jack:",
    "@jack/list",
    "http://",
    "https://localhost/@jack",
    "foo.com/@jack",
    "https://t.co/" + "a" * 50,
    "https://例え.jp/パス?q=値",
    "xn--a.com",
    "www.example.com.",
    "https://example.com/(a(b)c)",
    "https://example.com/?a=b&c=@jack,",
    "ftp://example.com",
    "mailto:a@b.com",
)
GAPS = (" ",) * 12 + (
    "\n",
    "\n\n",
    "",
    "",
    "  ",
    "\r\n",
    "\u3000",
    "\t",
    "\n---\n",
    ", ",
    ": ",
    "/",
)

Piece = tuple[str, SpanKind | None, str]


def _plain(text: str) -> Piece:
    return text, None, ""


def _link(dice: random.Random) -> Piece:
    path = "".join(dice.choice(("a", "b1", "-", "/", "_", "ü", "%20", ".")) for _ in range(8))
    long = "x" * dice.choice((0, 0, 0, 60, 250))
    host = dice.choice(("example.com", "sub.example.co.uk", "例え.jp", "localhost", "[::1]"))
    url = f"https://{host}/{path}{long}"
    shown = url if dice.random() < 0.8 else url.partition("://")[2]
    return shown, SpanKind.LINK, url


def _mention(dice: random.Random, network: Network) -> Piece:
    name = dice.choice(("jack", "Jack", "bob", "a_b", "x" * 20))
    if network is Network.X:
        return f"@{name}", SpanKind.MENTION, f"@{name}"
    host = dice.choice(("mastodon.social", "exämple.org", "h.so"))
    shown = f"@{name}@{host}" if dice.random() < 0.5 else f"@{name}"
    return shown, SpanKind.MENTION, f"@{name}@{host}"


def _tag(dice: random.Random) -> Piece:
    name = dice.choice(("tag", "Straße", "وسم", "日本語", "हिन्दी", "a1"))
    return f"#{name}", SpanKind.HASHTAG, name


def _random_characters(dice: random.Random) -> Piece:
    codes = (dice.choice((0x7F, 0x600, 0xD7FF, 0x1FAFF)) for _ in range(dice.randrange(1, 12)))
    return _plain("".join(chr(dice.randrange(32, top)) for top in codes))


def _hostile(dice: random.Random, room: int) -> Piece:
    # What cannot be cut at all is a test of its own: here every part must find its place.
    shape = dice.choice([shape for shape in SHAPES.values() if shape.splits])
    return _plain(shape.text(dice.randrange(1, max(2, room))))


def _piece(dice: random.Random, network: Network, room: int) -> Piece:
    kinds: tuple[tuple[float, Callable[[], Piece]], ...] = (
        (0.55, lambda: _plain(dice.choice(SENTENCES))),
        (0.67, lambda: _plain(dice.choice(WORDS))),
        (0.75, lambda: _plain(dice.choice(EMOJI) * dice.choice((1, 1, 1, 2, 9)))),
        (0.83, lambda: _link(dice)),
        (0.91, lambda: _mention(dice, network)),
        (0.96, lambda: _tag(dice)),
        (0.99, lambda: _random_characters(dice)),
        (1.00, lambda: _hostile(dice, room)),
    )
    drawn = dice.random()
    return next(make() for bound, make in kinds if drawn < bound)


def mixed_text(dice: random.Random, network: Network, length: int) -> Text:
    """Some text of that many characters, or a few less, with the spans of what it is made of."""
    plain: list[str] = []
    spans: list[Span] = []
    size = 0
    while size < length:
        shown, kind, target = _piece(dice, network, length - size)
        if size + len(shown) > length:
            if kind is not None:
                break
            shown = shown[: length - size]
        if kind is not None:
            spans.append(Span(size, size + len(shown), kind, target))
        gap = dice.choice(GAPS)
        plain += (shown, gap)
        size += len(shown) + len(gap)
    return Text("".join(plain), tuple(spans))


def mixed_length(dice: random.Random) -> int:
    """Mostly what people write; every thirtieth is long, up to the longest there is."""
    drawn = dice.random()
    if drawn < 0.7:
        return dice.randrange(1, 500)
    return dice.randrange(500, 3_000) if drawn < 0.967 else dice.randrange(3_000, LONGEST + 1)


@dataclass(frozen=True, slots=True)
class Mix:
    """A source of posts of one network."""

    dice: random.Random
    network: Network

    def post(self, number: int) -> Post:
        """One post, like no other of its number."""
        dice = self.dice
        text = mixed_text(dice, self.network, mixed_length(dice))
        warned = self.network is Network.MASTODON and dice.random() < 0.15
        warning = mixed_text(dice, self.network, dice.randrange(1, 90)).plain if warned else ""
        quote = poll = None
        if dice.random() < 0.05:
            quote = QuoteRef(PostId("20"), "https://x.com/jack/status/20")
        elif dice.random() < 0.05:
            poll = Poll((PollOption("Tea, @jack?"), PollOption("Coffee.So")))
        return Post(
            network=self.network,
            id=PostId(str(number)),
            author=AccountId("me"),
            created_at=START + timedelta(seconds=number),
            text=text,
            visibility=Visibility.PUBLIC,
            spoiler=warning,
            quote=quote,
            poll=poll,
        )
