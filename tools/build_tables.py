"""Rebuild the tables that both networks' counting rests on, from their public sources.

    python tools/build_tables.py [--reference-tlds F] [--root-zone F]
                                 [--emoji-test F] [--emoji-variations F]

Each source is a file or an address; the defaults are the addresses below. Writes
`bridge/core/tlds.py` and `bridge/core/emoji_table.py`, and nothing else; run the formatter after.
A table that changes the conformance suite's outcome is to be looked at, not committed blindly.
"""

from __future__ import annotations

import argparse
import re
import unicodedata
import urllib.request
from collections.abc import Iterable, Iterator
from pathlib import Path

import yaml

REFERENCE_TLDS = (
    "https://raw.githubusercontent.com/twitter/twitter-text/"
    "30e2430d90cff3b46393ea54caf511441983c260/conformance/tlds.yml"
)
ROOT_ZONE = "https://data.iana.org/TLD/tlds-alpha-by-domain.txt"
EMOJI_TEST = "https://www.unicode.org/Public/emoji/latest/emoji-test.txt"
EMOJI_VARIATIONS = (
    "https://www.unicode.org/Public/UCD/latest/ucd/emoji/emoji-variation-sequences.txt"
)

CORE = Path(__file__).resolve().parent.parent / "bridge" / "core"
LINE = 92

TONES = tuple(chr(code) for code in range(0x1F3FB, 0x1F400))
JOINER, COLOURED, KEYCAP = "\u200d", "\ufe0f", "\u20e3"
NEWEST_KNOWN = 11.0
"""The Emoji version that the reference library's emoji table stops at."""

UNKNOWN_TO_REFERENCE = frozenset(
    {
        "\U0001f441\ufe0f\u200d\U0001f5e8\ufe0f",
        *(sign + COLOURED for sign in "\u23e9\u23ea\u23f3\u267e\u26a7\u2753"),
    }
)
"""Old enough, and yet not in the reference library's table."""

ONLY_IN_REFERENCE = (
    "\U0001f441\u200d\U0001f5e8",
    *(key + KEYCAP for key in "#*0123456789"),
    *("\u26f7" + tone for tone in TONES),
    *(
        person + JOINER + sign + COLOURED
        for person in (
            *("\U0001f935" + tone for tone in ("", *TONES)),
            *("\U0001f574" + look for look in (COLOURED, *TONES)),
        )
        for sign in "\u2640\u2642"
    ),
)
"""Sequences that the reference library takes for one emoji and Unicode does not recommend."""


def read(source: str) -> str:
    """The text of a file or an https address."""
    if source.startswith("https://"):
        with urllib.request.urlopen(source, timeout=60) as answer:  # noqa: S310  # https only, see above
            return str(answer.read().decode("utf-8"))
    return Path(source).read_text(encoding="utf-8")


def reference_tlds(source: str) -> frozenset[str]:
    """Top-level domains that the reference library knows, as written (not punycode)."""
    cases = yaml.safe_load(read(source))["tests"]
    return frozenset(
        case["expected"][0].rpartition(".")[2]
        for group in ("country", "generic")
        for case in cases[group]
    )


def root_zone(source: str) -> frozenset[str]:
    """Top-level domains that are delegated now, as written (not punycode)."""
    names = (line.strip().lower() for line in read(source).splitlines())
    return frozenset(
        name[4:].encode().decode("punycode") if name.startswith("xn--") else name
        for name in names
        if name and not name.startswith("#")
    )


def emoji_sequences(test: str, variations: str) -> frozenset[str]:
    """Sequences of two or more code points that the reference library counts as one emoji."""
    entry = re.compile(r"^([0-9A-F ]+?)\s*;\s*fully-qualified\s*#.*?\bE(\d+\.\d+)\b")
    found = set(ONLY_IN_REFERENCE)
    for line in read(test).splitlines():
        match = entry.match(line)
        if match and float(match[2]) <= NEWEST_KNOWN:
            found.add("".join(chr(int(code, 16)) for code in match[1].split()))
    for line in read(variations).splitlines():
        # Of the basic plane only, and no keys: further on, the library takes no selector behind
        # what is colourful anyhow.
        if match := re.match(r"(?!00[23])([0-9A-F]{4}) FE0F", line):
            found.add(chr(int(match[1], 16)) + COLOURED)
    # A selector between the sign and its tone, as some keyboards write it.
    found |= {s[0] + COLOURED + s[1] for s in found if s[1:] in TONES and s[0] + COLOURED in found}
    return frozenset(s for s in found if len(s) > 1) - UNKNOWN_TO_REFERENCE


def flag_letters(sequence: str) -> str | None:
    """`DE` for the flag of Germany, None for what is not a pair of regional indicators."""
    letters = [ord(character) - 0x1F1E6 for character in sequence]
    if len(letters) == 2 and all(0 <= letter < 26 for letter in letters):  # noqa: PLR2004  # a pair of letters
        return "".join(chr(ord("A") + letter) for letter in letters)
    return None


def patterns(sequences: Iterable[str]) -> Iterator[str]:
    """Hexadecimal code points joined by `-`, with `T` where each of the five tones may stand."""
    rest = set(sequences)
    for sequence in sorted(rest):
        if sequence not in rest:
            continue
        family = {sequence.replace(TONES[0], tone) for tone in TONES}
        if TONES[0] in sequence and family <= rest:
            rest -= family
            yield "-".join("T" if c == TONES[0] else f"{ord(c):X}" for c in sequence)
    yield from ("-".join(f"{ord(c):X}" for c in sequence) for sequence in sorted(rest))


def width(word: str) -> int:
    """Columns that a word takes, wide characters counting two."""
    return sum(1 + (unicodedata.east_asian_width(character) in "WF") for character in word)


def wrapped(words: Iterable[str]) -> str:
    """Words in lines, as the inside of a triple-quoted string."""
    lines: list[str] = []
    current = ""
    for word in words:
        if current and width(current) + 1 + width(word) > LINE:
            lines.append(current)
            current = word
        else:
            current = f"{current} {word}".strip()
    return "\n".join([*lines, current])


def table(name: str, meaning: str, words: Iterable[str]) -> str:
    """One constant: words in one string, split by whoever needs them."""
    return f'{name} = """\n{wrapped(words)}\n"""\n"""{meaning}"""\n'


TLDS_HEAD = '''\
"""Top-level domains: what makes `weather.so` a link and `node.js` none.

Generated by tools/build_tables.py from the public conformance data of twitter-text (Apache-2.0,
the list of 2020) and IANA's root zone. Data only: words in one string, to be split where they
are used; must not be edited by hand.
"""
'''

EMOJI_HEAD = '''\
"""Emoji of several code points that X counts as one: 2 of 280, whatever their length.

Generated by tools/build_tables.py from Unicode's emoji-test.txt (Unicode licence), cut at the
version that X's reference library knows. Data only: words in one string, to be split where they
are used; must not be edited by hand.
"""
'''


def tld_module(reference: frozenset[str], delegated: frozenset[str]) -> str:
    """The source of `bridge/core/tlds.py`."""
    tables = (
        (
            "ASCII_TLDS",
            "Those of ASCII letters that the reference library links, in lower case.",
            (t for t in reference if t.isascii()),
        ),
        (
            "INTERNATIONAL_TLDS",
            "All others that the reference library links.",
            (t for t in reference if not t.isascii()),
        ),
        (
            "LATER_TLDS",
            "Delegated since; whether X links them is not known.",
            delegated - reference,
        ),
        (
            "GONE_TLDS",
            "Known to the reference library, no longer delegated; X may have dropped them.",
            reference - delegated,
        ),
    )
    return "\n".join((TLDS_HEAD, *(table(n, m, sorted(words)) for n, m, words in tables)))


def emoji_module(sequences: frozenset[str]) -> str:
    """The source of `bridge/core/emoji_table.py`."""
    flags = sorted(filter(None, map(flag_letters, sequences)))
    others = [s for s in sequences if flag_letters(s) is None]
    meaning = (
        "Code points in hexadecimal joined by `-`; `T` stands for each of the five skin tones,\n"
        "the same one throughout."
    )
    return "\n".join(
        (
            EMOJI_HEAD,
            table("FLAGS", "Two-letter codes of flags: a pair of regional indicators.", flags),
            table("PATTERNS", meaning, patterns(others)),
        )
    )


def main() -> None:
    """Read the sources, write the two modules, say how much is in them."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--reference-tlds", default=REFERENCE_TLDS)
    parser.add_argument("--root-zone", default=ROOT_ZONE)
    parser.add_argument("--emoji-test", default=EMOJI_TEST)
    parser.add_argument("--emoji-variations", default=EMOJI_VARIATIONS)
    options = parser.parse_args()
    reference = reference_tlds(options.reference_tlds)
    delegated = root_zone(options.root_zone)
    sequences = emoji_sequences(options.emoji_test, options.emoji_variations)
    (CORE / "tlds.py").write_text(tld_module(reference, delegated), encoding="utf-8")
    (CORE / "emoji_table.py").write_text(emoji_module(sequences), encoding="utf-8")
    print(f"{len(reference)} reference domains, {len(delegated)} delegated")
    print(f"{len(sequences)} emoji sequences")


if __name__ == "__main__":
    main()
