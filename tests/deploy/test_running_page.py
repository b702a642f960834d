"""The page on running it says what is so: files, commands, variables, figures."""

import re
from pathlib import Path

from bridge.cli.parser import build_parser
from bridge.engine.supervise import LEASE_RENEWAL

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "running.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```\w*\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)


def test_every_link_and_anchor_leads_somewhere() -> None:
    for target in re.findall(r"\]\(([^)#:]+)\)", PAGE):
        assert (ROOT / "docs" / target).exists(), target
    titles = {
        re.sub(r"[^\w-]", "", t.lower().replace(" ", "-"))
        for t in re.findall(r"^#+ (.*)$", PAGE, re.MULTILINE)
    }
    for anchor in re.findall(r"\]\(#([^)]+)\)", PAGE):
        assert anchor in titles, anchor


def test_every_file_that_is_used_is_there() -> None:
    used = set(re.findall(r"(?<![\w/])((?:systemd|deploy)/[\w@*.-]+\w)", PAGE)) | {
        "requirements-extras.lock", "config.example.yaml", "compose.example.yaml", ".ci/run"
    }  # fmt: skip
    assert len(used) > 6
    for name in used:
        assert list(ROOT.glob(name)), name


def test_every_command_exists() -> None:
    (group,) = [a for a in build_parser()._actions if a.metavar == "COMMAND"]
    assert group.choices is not None
    asked = re.findall(
        r"(?:twinpost-as-service(?: -i \w+)?|twinpost twinpost|-- twinpost) (\w+)", PAGE
    )
    assert len(asked) >= 6
    assert set(asked) <= set(group.choices)


def test_every_variable_is_one_that_the_program_reads() -> None:
    table = PAGE.split("| variable |")[1].split("\n\n")[0]
    named = set(re.findall(r"^\| (`.*?`) \|", table, re.MULTILINE))
    program = "".join(p.read_text(encoding="utf-8") for p in (ROOT / "bridge").rglob("*.py"))
    for variable in re.findall(r"`(\w+)`", " ".join(named)):
        assert f'"{variable}"' in program, variable


def test_the_watchdogs_figures_are_those_of_the_program() -> None:
    assert f"for {3 * LEASE_RENEWAL:.0f} seconds at least" in PAGE
    assert {8.0: "every eight seconds"}[LEASE_RENEWAL] in PAGE


def test_what_can_be_pasted_is_short_enough_to_be_read() -> None:
    assert BLOCKS
    assert all(len(line) <= 120 for block in BLOCKS for line in block.splitlines())
