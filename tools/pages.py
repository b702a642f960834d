"""Write the pages of the manual that follow from declarations: every command, every key.

    python -m tools.pages

Writes `docs/commands.md` and `docs/configuration.md`; a test holds them to what this makes.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from bridge.cli.manual import commands, meaning, options, spelling
from bridge.cli.parser import build_parser
from bridge.config.declared import Key, Section
from bridge.config.keys import ROOT

DOCS = Path(__file__).resolve().parent.parent / "docs"


def commands_page() -> str:
    """Every command with its options, as the help pages have them."""
    parser = build_parser()
    lines = [
        "# Commands",
        "",
        parser.description or "",
        "`twinpost COMMAND --help` shows the same as this page, which is made from the command",
        "line by `python -m tools.pages`.",
    ]
    codes = ""
    for name, sub in commands(parser):
        lines += ["", f"## twinpost {name}", "", sub.description or ""]
        given = [action for action in options(sub) if action.dest != "config"]
        if given:
            lines += ["", "| option | what it does |", "| --- | --- |"]
            lines += [f"| `{spelling(action)}` | {_cell(meaning(action))} |" for action in given]
        epilog = sub.epilog or ""
        if example := re.search(r"example: (.+)", epilog):
            lines += ["", f"    {example[1]}"]
        if "exit codes: " in epilog:
            codes = epilog.split("exit codes: ", 1)[1]
    lines += [
        "",
        "## For every command",
        "",
        "`--config FILE` names the configuration; without it, it is `$TWINPOST_CONFIG`,",
        "`./config.yaml`, then the one in the user's folder (`~/.config/twinpost` on Linux).",
        "",
        f"Exit codes: {codes}.",
    ]
    return "\n".join(lines) + "\n"


def configuration_page() -> str:
    """Every key with its meaning, its default and what it may be."""
    lines = [
        "# Configuration",
        "",
        "Every key there is, made from their declaration by `python -m tools.pages`.",
        "`config.example.yaml` shows them in their places, and `twinpost check-config` names every",
        "fault with its line. Every value may be `${NAME}` or `${NAME:-default}`, from the",
        "environment; every secret may be given as a file instead, `KEY_file: NAME`, looked for",
        "in `$CREDENTIALS_DIRECTORY`, beside the configuration, and in `/run/secrets`.",
        *_section(ROOT, ""),
    ]
    return "\n".join(lines) + "\n"


def _section(section: Section, path: str) -> Iterator[str]:
    keys = [key for key in section.keys if isinstance(key, Key)]
    if path:
        many = " (a list)" if section.many else ""
        yield from ("", f"## `{path}`{many}", "", section.doc)
    if keys:
        yield from ("", "| key | meaning | default |", "| --- | --- | --- |")
        for key in keys:
            yield f"| `{key.name}` | {_cell(_meaning(key))} | {_default(key)} |"
    for inner in section.keys:
        if isinstance(inner, Section):
            yield from _section(inner, f"{path}.{inner.name}".lstrip("."))


def _meaning(key: Key) -> str:
    words = key.doc
    unsaid = [choice for choice in key.choices if choice not in key.doc]
    if unsaid:
        words += f" One of: {', '.join(f'`{choice}`' for choice in key.choices)}."
    return words + (" A secret." if key.secret else "")


def _default(key: Key) -> str:
    if key.required and not key.secret:
        return "required"
    return "-" if key.default is None else f"`{key.default}`"


def _cell(text: str) -> str:
    return " ".join(text.replace("|", "\\|").replace("%%", "%").split())


PAGES = {"commands.md": commands_page, "configuration.md": configuration_page}


def main() -> None:
    """Write the pages."""
    for name, page in PAGES.items():
        (DOCS / name).write_text(page(), encoding="utf-8")


if __name__ == "__main__":
    main()
