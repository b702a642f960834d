"""Tables as text: CSV with a heading, and plain dumps of PostgreSQL and MySQL.

Reads only what dumps are made of; must not be mistaken for an SQL parser.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

Row = Mapping[str, str | None]


@dataclass(frozen=True, slots=True)
class Line:
    """A row of a table, or, with `row` None, a line that should have been one."""

    place: str
    table: str
    row: Row | None


_COPY = re.compile(r"COPY (?:\w+\.)?\"?(\w+)\"? \(([^)]*)\) FROM stdin;", re.IGNORECASE)
_INSERT = re.compile(
    r"INSERT INTO (?:[`\"]?\w+[`\"]?\.)?[`\"]?(\w+)[`\"]?\s*(\([^)]*\))?\s*VALUES\s*", re.IGNORECASE
)
_VALUE = re.compile(r"\s*(?:'((?:[^'\\]|\\.|'')*)'|([^,()']+))\s*([,)])")
_ESCAPES = {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v"}


def from_csv(text: str, table: str) -> Iterator[Line]:
    """The rows of a CSV file whose first line names its columns."""
    reader = csv.reader(text.splitlines())
    columns: list[str] | None = None
    try:
        for values in reader:
            place = f"line {reader.line_num}"
            if columns is None:
                columns = [value.strip().strip('"').lower() for value in values]
            elif values:
                fits = len(values) == len(columns)
                row = dict(zip(columns, values, strict=True)) if fits else None
                yield Line(place, table, row)
    except csv.Error:
        yield Line(f"line {reader.line_num}", table, None)


def from_dump(text: str, defaults: Mapping[str, tuple[str, ...]]) -> Iterator[Line]:
    """The rows of a dump; `defaults` are the columns of a table where a statement names none."""
    lines = enumerate(text.splitlines(), 1)
    for number, line in lines:
        if copy := _COPY.match(line):
            yield from _copied(lines, copy[1].lower(), _names(copy[2]))
        elif insert := _INSERT.match(line):
            table = insert[1].lower()
            columns = _names(insert[2][1:-1]) if insert[2] else defaults.get(table, ())
            if table in defaults:
                yield from _inserted(line, insert.end(), f"line {number}", table, columns)


def _names(text: str) -> tuple[str, ...]:
    return tuple(name.strip().strip('`"').lower() for name in text.split(","))


def _copied(
    lines: Iterator[tuple[int, str]], table: str, columns: tuple[str, ...]
) -> Iterator[Line]:
    for number, line in lines:
        if line == r"\.":
            return
        values = [_unescaped(value) for value in line.split("\t")]
        row = dict(zip(columns, values, strict=True)) if len(values) == len(columns) else None
        yield Line(f"line {number}", table, row)
    yield Line("the end", table, None)


def _unescaped(value: str) -> str | None:
    if value == r"\N":
        return None
    return re.sub(r"\\(.)", lambda found: _ESCAPES.get(found[1], found[1]), value)


def _inserted(
    line: str, at: int, place: str, table: str, columns: tuple[str, ...]
) -> Iterator[Line]:
    """The rows of one statement, which mysqldump and sqlite3 write on one line."""
    while at < len(line) and line[at] == "(":
        values: list[str | None] = []
        at += 1
        while match := _VALUE.match(line, at):
            at = match.end()
            plain = match[2]
            values.append(
                _quoted(match[1])
                if plain is None
                else None
                if plain.strip().upper() == "NULL"
                else plain.strip()
            )
            if match[3] == ")":
                break
        else:
            yield Line(place, table, None)
            return
        fits = len(values) == len(columns)
        yield Line(place, table, dict(zip(columns, values, strict=True)) if fits else None)
        if line[at : at + 1] != ",":
            break
        at += 1
        while line[at : at + 1] == " ":
            at += 1
    if line[at:].strip() not in {";", ""}:
        yield Line(place, table, None)


def _quoted(value: str) -> str:
    return re.sub(r"''|\\(.)", lambda found: found[1] or "'", value)
