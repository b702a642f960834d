"""What a check found, for people and for scripts. Values and words only."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

from bridge.cli.exits import Exit
from bridge.log import escaped


class Level(StrEnum):
    """How grave it is."""

    OK = "ok"
    WARNING = "warning"
    """The bridge works, but somebody should know."""
    FAULT = "fault"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at. `todo` says what to do about it, empty for nothing.

    `bridge` is empty for what concerns all of them. `shut_out` says that a network refuses the
    credentials.
    """

    check: str
    level: Level
    detail: str
    todo: str = ""
    bridge: str = ""
    shut_out: bool = False


def worst(findings: Sequence[Finding]) -> Level:
    """The gravest level there is."""
    levels = [finding.level for finding in findings]
    return next((each for each in (Level.FAULT, Level.WARNING) if each in levels), Level.OK)


def exit_code(findings: Sequence[Finding]) -> Exit:
    """What the findings mean to a script: warnings alone are fine."""
    if any(finding.shut_out for finding in findings):
        return Exit.AUTHORISATION
    return Exit.ATTENTION if worst(findings) is Level.FAULT else Exit.FINE


def as_json(findings: Sequence[Finding], cost_usd: float) -> str:
    """One object: ``checks`` (each ``check, bridge, level, detail, todo``), ``worst``, the cost."""
    rows = [
        {
            "check": finding.check,
            "bridge": finding.bridge or None,
            "level": finding.level.value,
            "detail": finding.detail,
            "todo": finding.todo or None,
        }
        for finding in findings
    ]
    found = {"checks": rows, "worst": worst(findings).value, "cost_usd": cost_usd}
    return json.dumps(found, ensure_ascii=False)


def as_lines(findings: Sequence[Finding]) -> Iterator[str]:
    """One line each, by bridge, with what to do below it."""
    bridge = ""
    for finding in findings:
        if finding.bridge != bridge:
            bridge = finding.bridge
            yield f"bridge {bridge}"
        yield f"{finding.level.value:<8} {finding.check}: {escaped(finding.detail)}"
        if finding.todo:
            yield f"         -> {escaped(finding.todo)}"
