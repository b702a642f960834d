"""What the page quotes is what the program says."""

import ast
import re
from pathlib import Path

from bridge.core.verdict import Reason

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "troubleshooting.md").read_text(encoding="utf-8")
WITHOUT_ADVICE = {
    Reason.ALLOWED, Reason.ECHO, Reason.REVISION, Reason.CAUGHT_UP, Reason.TAKEN_OVER,
    Reason.LINKED, Reason.REPOST_WITHOUT_MIRROR, Reason.DELETED,
}  # fmt: skip
"""Reasons for which there is nothing to do."""


def said() -> str:
    """Every text in the program, those that are put together of several joined."""
    texts = []
    for module in (ROOT / "bridge").rglob("*.py"):
        for node in ast.walk(ast.parse(module.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                texts.append(node.value)
            elif isinstance(node, ast.JoinedStr):
                texts.append(
                    "".join(
                        part.value
                        if isinstance(part, ast.Constant) and isinstance(part.value, str)
                        else "{}"
                        for part in node.values
                    )
                )
    return "\n".join(texts)


def test_every_message_on_the_page_is_one_that_the_program_has() -> None:
    quoted = [
        line.split("|")[1].strip().strip("`")
        for line in PAGE.splitlines()
        if line.startswith("| `") and " " in line.split("|")[1].strip() and "`, `" not in line
    ]
    assert len(quoted) > 10
    program = said()
    assert [message for message in quoted if message not in program] == []


def test_every_reason_that_calls_for_advice_has_some() -> None:
    named = set(re.findall(r"`([a-z-]+)`", PAGE))
    assert {reason.value for reason in set(Reason) - WITHOUT_ADVICE} <= named
