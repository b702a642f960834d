"""The records of decisions: numbered without a gap, short, and naming what there is."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
RECORDS = sorted((ROOT / "docs" / "decisions").glob("*.md"))


def test_records_are_numbered_without_a_gap_by_file_and_by_title() -> None:
    for number, record in enumerate(RECORDS, 1):
        title = record.read_text(encoding="utf-8").splitlines()[0]
        assert re.fullmatch(rf"{number:04}-[a-z-]+\.md", record.name)
        assert re.match(rf"# {number}\. [A-Z]", title), record.name


def test_a_record_is_read_in_a_minute() -> None:
    for record in RECORDS:
        assert len(record.read_text(encoding="utf-8").split()) < 220, record.name


def test_what_a_record_names_is_there() -> None:
    program = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "bridge").rglob("*.py"))
    for record in RECORDS:
        for name in re.findall(r"`([^`]+)`", record.read_text(encoding="utf-8")):
            if "/" in name or name.endswith(".lock"):
                assert (ROOT / name).exists(), name
            else:
                word = name.removeprefix("twinpost ").split(":")[0].split()[0]
                there = word in program or (ROOT / "systemd" / word).exists()
                assert there, name
