"""The page on reliability and the tests name each other: no bar without a test, none untold."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TESTS = ROOT / "tests"
PAGE = (ROOT / "docs" / "reliability.md").read_text(encoding="utf-8")
README = (ROOT / "README.md").read_text(encoding="utf-8")
BARS = (*(f"R{n}" for n in range(1, 21)), *(f"S{n}" for n in (*range(1, 13), 18, 19, 20)))
ROW = re.compile(r"^\| ([RS]\d+) \| ([^|]+) \| ([^|]+) \| ([^|]+) \|$", re.MULTILINE)
ROWS = {found[0]: found[1:] for found in ROW.findall(PAGE)}


def bars_of(test: Path) -> set[str]:
    """The bars that a test module names, in words or in the name of a test."""
    text = test.read_text(encoding="utf-8")
    said = re.findall(r"\b([RS]\d{1,2})\b", text)
    named = [name.upper() for name in re.findall(r"_([rs]\d{1,2})(?=_)", text)]
    return {*said, *named} & set(BARS)


NAMED_BY = {
    path.relative_to(TESTS).as_posix(): bars_of(path)
    for path in sorted(TESTS.rglob("*.py"))
    if path != Path(__file__)
}


def test_every_bar_is_on_the_page_in_order_with_what_is_done_and_what_came_of_it() -> None:
    assert tuple(ROWS) == BARS
    assert all(what.strip() and result.strip() for what, result, _ in ROWS.values())


@pytest.mark.parametrize("bar", BARS)
def test_the_page_names_exactly_the_tests_that_name_a_bar(bar: str) -> None:
    told = re.findall(r"`([^`]+)`", ROWS[bar][2])
    assert told == [path for path, bars in NAMED_BY.items() if bar in bars]
    assert any(Path(path).name.startswith("test_") for path in told)


def test_every_failure_that_is_told_of_is_held_by_tests_that_are_there() -> None:
    rows = re.findall(r"(?m)^\| ([^|]+) \| (`[^|]+`) \|$", PAGE.split("## What goes wrong")[1])
    assert len(rows) >= 40
    for what, held_by in rows:
        named = re.findall(r"`([^`:]+)::(\w+)`", held_by)
        assert named, what
        for path, name in named:
            text = (TESTS / path).read_text(encoding="utf-8")
            assert re.search(rf"(?m)^\s*(async )?def {name}\(", text), (path, name)


def test_the_promises_are_those_of_the_readme() -> None:
    def promises(text: str) -> list[str]:
        return re.findall(r"^\d\. (\*\*.+)$", text.split("## Seven promises")[1], re.MULTILINE)

    assert promises(PAGE) == promises(README)
    assert len(promises(PAGE)) == 7


@pytest.mark.parametrize("promise", range(1, 8))
def test_each_promise_names_exactly_the_tests_that_carry_its_number(promise: int) -> None:
    numbered = re.compile(rf"def test_\w*promise_(?:[1-7]_and_)*{promise}_")
    found = [
        path.relative_to(TESTS).as_posix()
        for path in sorted(TESTS.rglob("*.py"))
        if numbered.search(path.read_text(encoding="utf-8"))
    ]
    (row,) = re.findall(rf"(?m)^\| {promise}\. [^|]+ \| ([^|]+) \|$", PAGE)
    assert re.findall(r"`([^`]+)`", row) == found


def test_every_class_of_faults_names_its_rule_and_tests_that_are_there() -> None:
    section = PAGE.split("## Classes of faults")[1].split("\n## ")[0]
    rows = re.findall(r"(?m)^\| ([^|]+) \| ([^|]+) \| (`[^|]+`) \|$", section)
    assert len(rows) >= 28
    for what, rule, tests in rows:
        assert rule.strip(), what
        for path in re.findall(r"`([^`]+)`", tests):
            assert (TESTS / path).is_file(), path
        for path in re.findall(r"`([\w/]+\.py)`", rule):
            assert (ROOT / "bridge" / path).is_file(), path
