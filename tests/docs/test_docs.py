"""The documents say what is so: commands, exit codes, figures, promises, files."""

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from bridge.cli.exits import Exit
from bridge.cli.parser import CODES, build_parser

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
DOCUMENTS = sorted(
    page.relative_to(ROOT).as_posix() for page in (*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"))
)


def commands() -> set[str]:
    """Every command there is."""
    (group,) = [a for a in build_parser()._actions if a.metavar == "COMMAND"]
    assert group.choices is not None
    return set(group.choices)


def test_the_readme_names_every_command_and_no_other() -> None:
    table = README.split("| command |")[1].split("\n\n")[0]
    named = set(re.findall(r"`([a-z-]+)`", table.replace("`--", "`- ")))
    assert named == commands()


def test_the_readme_names_every_exit_code() -> None:
    sentence = re.search(r"Exit codes: (.*?)\n\n", README, re.DOTALL)
    assert sentence
    assert re.findall(r"(\d) ", sentence[1]) == [str(int(code)) for code in Exit]
    assert re.findall(r"(\d) ", CODES) == [str(int(code)) for code in Exit]


def test_the_readmes_figures_are_what_the_script_prints() -> None:
    script = ROOT / "tools" / "price_of_a_month.py"
    printed = subprocess.run(
        [sys.executable, str(script)], capture_output=True, text=True, check=True, cwd=ROOT
    ).stdout
    shown = re.findall(r"^\| ([^|]+?) \| (\d+\.\d+) \|$", README, re.MULTILINE)
    assert len(shown) >= 5
    for words, dollars in shown:
        assert re.search(rf"\${re.escape(dollars)}\s+{re.escape(words)}$", printed, re.MULTILINE)


def test_every_promise_is_proven_by_a_test_that_names_it() -> None:
    promises = re.findall(r"^(\d)\. \*\*", README.split("## Seven promises")[1], re.MULTILINE)
    assert promises == list("1234567")
    tests = "".join(p.read_text(encoding="utf-8") for p in (ROOT / "tests").rglob("test_*.py"))
    for number in promises:
        assert f"def test_promise_{number}_" in tests, number


def anchors(page: str) -> set[str]:
    """What can stand behind ``#`` in a link to a page."""
    titles = re.findall(r"^#+ (.*)$", page, re.MULTILINE)
    return {re.sub(r"[^\w-]", "", title.lower().replace(" ", "-")) for title in titles}


@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_link_to_a_file_or_to_a_place_in_it_leads_somewhere(document: str) -> None:
    place = ROOT / document
    text = place.read_text(encoding="utf-8")
    for target, anchor in re.findall(r"\]\(([^)#:]*)(?:#([^)]+))?\)", text):
        there = place.parent / target if target else place
        assert there.exists(), target
        if anchor:
            assert anchor in anchors(there.read_text(encoding="utf-8")), f"{target}#{anchor}"


def test_the_readme_is_short_and_leads_to_every_page() -> None:
    assert len(README.splitlines()) < 200
    pages = {f"docs/{page.name}" for page in (ROOT / "docs").glob("*.md")}
    assert pages <= set(re.findall(r"\]\(([^)#:]+)\)", README))


def test_every_command_on_every_page_can_be_typed() -> None:
    parser = build_parser()
    for document in DOCUMENTS:
        text = (ROOT / document).read_text(encoding="utf-8")
        for kind, block in re.findall(r"^```(\w*)\n(.*?)^```$", text, re.MULTILINE | re.DOTALL):
            for line in re.findall(r"^(?:\.venv/bin/)?twinpost (.*)$", block, re.MULTILINE):
                assert not kind
                parser.parse_args(shlex.split(line, comments=True))


def test_the_comparison_says_when_it_was_made_and_what_is_not_known() -> None:
    table = README.split("## Other tools, as of ")[1].split("\n## ")[0]
    assert re.match(r"\w+ 20\d\d\n", table)
    rows = [line for line in table.splitlines() if line.startswith("| ")]
    assert len({line.count("|") for line in rows}) == 1
    assert "not by running them" in table


def test_the_architecture_names_every_floor() -> None:
    page = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    here = {p.stem for p in (ROOT / "bridge").iterdir() if p.suffix == ".py" or p.is_dir()}
    for name in here - {"__init__", "__pycache__"}:
        assert f"`{name}`" in page, name


def test_no_module_is_long_or_has_a_name_that_says_nothing() -> None:
    for module in (ROOT / "bridge").rglob("*.py"):
        assert len(module.read_text(encoding="utf-8").splitlines()) <= 420, module
        assert module.stem not in {"utils", "helpers", "common", "base", "manager"}, module


def test_every_module_says_what_it_is_for() -> None:
    for module in (ROOT / "bridge").rglob("*.py"):
        assert module.read_text(encoding="utf-8").startswith('"""'), module


def test_the_lock_files_name_no_host() -> None:
    for lock in ROOT.glob("requirements*.lock"):
        text = lock.read_text(encoding="utf-8")
        assert "://" not in text
        assert "--hash=sha256:" in text
