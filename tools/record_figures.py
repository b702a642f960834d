"""Record what X's own library finds and counts in texts that we make up.

    python tools/record_figures.py DIRECTORY [COUNT]

`DIRECTORY` holds `node_modules/twitter-text` (npm install twitter-text@3.1.0). Writes
`tests/core/x_figures.json`, and says how many of COUNT texts (default 20,000) we agree on. The
texts are the same at every run. Must not be needed for running the tests.
"""

# ruff: noqa: SIM905  # lists of odd words are read more easily as one line of words

from __future__ import annotations

import json
import random
import subprocess
import sys
import unicodedata
from collections.abc import Callable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from bridge.core.entities import x_entities  # noqa: E402  # the checkout has to be found first
from bridge.core.lengths import x_length, x_valid  # noqa: E402  # as above
from bridge.core.text import SpanKind  # noqa: E402  # as above

KEPT = 400
WORST = 60
SEED = 20201

ORACLE = """
const {default: t = require('twitter-text')} = require('twitter-text');
const points = (s, unit) => Array.from(s.slice(0, unit)).length;
const kind = (e) => e.url !== undefined ? ['link', e.url]
  : e.screenName !== undefined ? ['mention', '@' + e.screenName]
  : e.hashtag !== undefined ? ['hashtag', e.hashtag] : ['cashtag', e.cashtag];
const texts = JSON.parse(require('fs').readFileSync(0, 'utf8'));
process.stdout.write(JSON.stringify(texts.map((s) => {
  const {weightedLength: length, valid} = t.parseTweet(s);
  const entities = t.extractEntitiesWithIndices(s)
    .map((e) => [points(s, e.indices[0]), points(s, e.indices[1]), ...kind(e)]);
  return {text: s, length, valid, entities};
})));
"""

WORDS = (
    "hello world 日本語 한국 пример مثال ไทย कथा é ñandú a x 1 23 foo_bar RT rt Rt: שלום việt"
).split()
SCHEMES = ("http://", "https://", "HTTP://", "", "", "", "ftp://", "http:/")
HOSTS = (
    "example foo-bar www.example t sub_dom.example 日本 ☃ a--b -x x- _y xn--ls8h 例え éxample "
    f"a.b.c 1 💩 {'a' * 63} {'a' * 64}"
).split()
TLDS = "com co.jp la みんな 中国 рф net so py md js pdf museum co.uk xn--p1ai 한국 gov io".split()
PATHS = (
    " / /path /a(b)c /a(b(c)d) /x. /日本 /path/@bob /#tag /a,b /Русские_слова ?q=1 /?q=1&b=2. /a- "
    "/a+ /–x /it's /( /((a)) /a?b#c :8080 :80/x /é) /@a/b /.(x)y"
).split(" ")
SIGNS = [*" \n\t.,;:!?-_/()[]{}'\"“”’…@＠#＃$&*+=~|<>%^`\\"]
SIGNS += [*"\u200d\u200b\u2060\ufe0f\ufe0e\u3000。，\u200f\u202a\u2069\xa0\ufeff\uffff", "\r\n"]
EMOJI = "👨‍👩‍👧‍👦 🏳️‍🌈 👍🏽 1️⃣ #⃣ 🇩🇪 🇩 ⌚️ ☺️ ☺ © ©️ 🤪 🧕🏾 🏴󠁧󠁢󠁥󠁮󠁧󠁿 🫱🏽‍🫲🏿 ✌🏿 🕴️‍♂️ ♾️ 👁️‍🗨️ 👩‍💻 🏽".split()
MENTIONS = ("bob", "alice_1", "a" * 20, "a" * 21, "_", "bob/list", "bob/9", "bob@host.com", "bobé")
TAGS = "tag 日本語 123 1a tag_1 한국 été ️x مثال _ 🎉 a·b".split()
CASHTAGS = "TWTR a ABCDEFG a.b A_BC A.BCD 1".split()
ALPHABET = (
    "a . . . . - _ com co 日 💩 é http:// https:// / ? @ # ＃ $ xn-- みんな :80 ( ) jp t.co/ "
    "a.b rt RT: w 1 ＠ 。"
).split()


def makers(chance: random.Random) -> list[Callable[[], str]]:
    """Functions that each make a piece of text."""
    pick = chance.choice

    def letter() -> str:
        # Only what Unicode has had for long: the library's own tables are of 2014.
        while True:
            character = chr(pick((chance.randint(32, 0x2FF), chance.randint(0x300, 0x33FF))))
            if unicodedata.ucd_3_2_0.category(character) != "Cn":
                return character

    return [
        lambda: pick(WORDS),
        lambda: pick(SCHEMES) + pick(HOSTS) + "." + pick(TLDS) + pick(PATHS),
        lambda: pick(SCHEMES) + pick(HOSTS) + "." + pick(TLDS) + pick(PATHS),
        lambda: pick(EMOJI),
        lambda: pick("@@＠") + pick(MENTIONS),
        lambda: pick("##＃") + pick(TAGS),
        lambda: "$" + pick(CASHTAGS),
        lambda: pick(SIGNS),
        lambda: pick(SIGNS),
        lambda: " ",
        lambda: " ",
        letter,
    ]


def texts(count: int) -> list[str]:
    """Made-up texts: half of them of whole pieces, half of what hosts are broken by."""
    chance = random.Random(SEED)  # noqa: S311  # the same texts every time
    pieces = makers(chance)
    made = []
    for index in range(count):
        if index % 2:
            made.append("".join(chance.choice(ALPHABET) for _ in range(chance.randint(1, 22))))
        else:
            made.append("".join(chance.choice(pieces)() for _ in range(chance.randint(1, 14))))
    return made


def ask(directory: str, given: list[str]) -> list[dict[str, Any]]:
    """What the reference library says."""
    answer = subprocess.run(  # noqa: S603  # our own script, run by the node of whoever asked
        ["node", "-e", ORACLE],  # noqa: S607  # as above
        input=json.dumps(given),
        capture_output=True,
        cwd=directory,
        check=True,
        encoding="utf-8",
    )
    recorded: list[dict[str, Any]] = json.loads(answer.stdout)
    return recorded


def agrees(figures: dict[str, Any]) -> bool:
    """Whether we find and count the same."""
    text = figures["text"]
    found = [[s.start, s.end, s.kind.value, s.target] for s in x_entities(text)]
    same = found == figures["entities"] and x_length(text) == figures["length"]
    return same and x_valid(text) is figures["valid"]


def is_doubtful(figures: dict[str, Any]) -> bool:
    """Whether we count more, and know why: a top-level domain that the library does not know."""
    found = [s for s in x_entities(figures["text"]) if s.kind is SpanKind.LINK]
    listed = [e for e in figures["entities"] if e[2] == "link"]
    return len(found) == len(listed) and x_length(figures["text"]) > figures["length"]


def main() -> None:
    """Ask the library, compare, keep some."""
    directory, *rest = sys.argv[1:]
    recorded = ask(directory, texts(int(rest[0]) if rest else 20_000))
    differing = [figures for figures in recorded if not agrees(figures)]
    doubtful = [figures for figures in differing if is_doubtful(figures)]
    for figures in differing:
        if figures not in doubtful:
            print("differs:", ascii(figures))
    print(f"{len(recorded) - len(differing)} of {len(recorded)} equal, {len(doubtful)} doubtful")
    sure = [figures for figures in recorded if figures not in differing]
    step = max(1, len(sure) // KEPT)
    kept = {"equal": sure[::step][:KEPT], "longer_here": doubtful[:WORST]}
    path = ROOT / "tests" / "core" / "x_figures.json"
    path.write_text(json.dumps(kept, ensure_ascii=True, indent=0) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
