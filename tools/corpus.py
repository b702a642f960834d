"""Shows the corpus for a human eye: what a network sent, beside what the bridge reads in it.

    python -m tools.corpus [--only mastodon|x] [WORD ...]      in the terminal
    python -m tools.corpus --html FILE                         as a page; browsers know all scripts

The third column is what would be written on the other network, part by part, whether or not such a
post is mirrored at all. Shows, and judges nothing: `tests/corpus` does.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from html import escape
from pathlib import Path

from rich.console import Console
from rich.table import Table
from rich.text import Text as Words

from bridge.core.capabilities import Capabilities
from bridge.core.compose import Context, compose
from bridge.core.errors import UnfitError
from bridge.core.model import Network, Post
from bridge.core.policy import Policy
from tests.corpus.reading import Case, cases

_STYLES = {"link": "blue", "mention": "magenta", "hashtag": "green", "cashtag": "yellow"}
_PAGE = """<!doctype html><meta charset="utf-8"><title>Corpus</title><style>
body{{font:15px/1.45 system-ui,sans-serif;margin:2em;max-width:90em}}
table{{border-collapse:collapse;width:100%;table-layout:fixed}}
td,th{{border:1px solid #bbb;padding:.6em;vertical-align:top;text-align:start}}
iframe{{border:0;width:100%;height:9em}} .t{{white-space:pre-wrap;overflow-wrap:anywhere}}
.part{{border-inline-start:3px solid #69c;padding-inline-start:.6em;margin-bottom:.6em}}
.link{{color:#06c}} .mention{{color:#a0a}} .hashtag{{color:#080}} .cashtag{{color:#a60}}
h3{{font-size:1em;margin:0}} td[colspan]{{background:#f2f2f2}}</style>
<table><tr><th>as sent<th>as read<th>as composed for the other network</tr>{rows}</table>
"""
_ROW = """<tr><td colspan="3"><h3>{name}</h3></td></tr>
<tr><td>{sent}</td><td class="t" dir="auto">{read}</td><td>{mirrored}</td></tr>"""


def main(arguments: list[str]) -> int:
    """Show the cases that were asked for; exit status 0, or 1 where there were none."""
    parser = argparse.ArgumentParser(prog="corpus", description="Show the corpus.")
    parser.add_argument("--only", choices=["mastodon", "x"], help="one network's posts")
    parser.add_argument("--html", type=Path, metavar="FILE", help="write a page instead")
    parser.add_argument("words", nargs="*", help="only files whose names hold all of these")
    asked = parser.parse_args(arguments)
    chosen = [
        case
        for network in ([asked.only] if asked.only else ["mastodon", "x"])
        for case in cases(network)
        if all(word in case.name for word in asked.words)
    ]
    if asked.html is not None:
        rows = "\n".join(_row(case) for case in chosen)
        asked.html.write_text(_PAGE.format(rows=rows), encoding="utf-8")
        print(f"{len(chosen)} posts in {asked.html}")
    else:
        _print(chosen)
    return 0 if chosen else 1


def _print(chosen: list[Case]) -> None:
    console = Console()
    table = Table(expand=True, show_lines=True)
    for heading in ("as sent", "as read", "as composed"):
        table.add_column(heading, ratio=1, overflow="fold")
    for case in chosen:
        post = case.read()
        read = Words(post.text.plain)
        for span in post.text.spans:
            read.stylize(_STYLES[span.kind.value], span.start, span.end)
        head = Words(case.title, style="bold")
        mirrored = Words("\n┄┄┄\n".join(_mirror(post)))
        table.add_row(Words("\n").join([head, Words(_storable(case.original))]), read, mirrored)
    console.print(table)


def _row(case: Case) -> str:
    post = case.read()
    if case.network == "mastodon":
        # Somebody's markup: shown as a browser shows it, but in a frame that can do nothing.
        body = escape(f'<body dir="auto">{case.original}')
        sent = f'<iframe sandbox srcdoc="{body}"></iframe>'
    else:
        sent = f'<div class="t" dir="auto">{escape(case.original)}</div>'
    mirrored = "".join(
        f'<div class="t part" dir="auto">{escape(part)}</div>' for part in _mirror(post)
    )
    page = _ROW.format(
        name=escape(case.title), sent=sent, read="".join(_coloured(post)), mirrored=mirrored
    )
    return _storable(page)


def _coloured(post: Post) -> Iterator[str]:
    plain, position = post.text.plain, 0
    for span in post.text.spans:
        yield escape(plain[position : span.start])
        words = escape(plain[span.start : span.end])
        yield f'<span class="{span.kind.value}" title="{escape(span.target)}">{words}</span>'
        position = span.end
    yield escape(plain[position:])


def _mirror(post: Post) -> list[str]:
    """The parts of a mirror on the other network, as composed for an ordinary account there."""
    try:
        return [
            part.text
            for part in compose(
                post, _ordinary(post.network.other), Policy(), Context(post.created_at)
            ).parts
        ]
    except UnfitError as error:
        return [f"({error})"]


def _ordinary(network: Network) -> Capabilities:
    if network is Network.X:
        return Capabilities(network, counting="x", max_length=280)
    return Capabilities(network, counting="mastodon", max_length=500, spoiler=True, language=True)


def _storable(text: str) -> str:
    """Text that can be written out: what cannot is what some of these posts are about."""
    return text.encode("utf-8", "replace").decode()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
