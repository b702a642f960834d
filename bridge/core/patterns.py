"""Regular expressions that nobody's text can make slow: linear time, and no going back.

The dialect is the part of Python's that needs no memory of what was matched: letters, ``.``,
classes, word borders, ``^ $``, groups, ``|``, ``* + ? {m,n}``. Letter case never counts. A
pattern becomes a program whose threads all step through the text together (Thompson, Pike), with
the steps seen so far remembered. Must not know posts.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import NamedTuple

LONGEST_PATTERN = 500
LARGEST_PROGRAM = 2_000
MOST_REPEATS = 100
_REMEMBERED = 4_096
_DEEPEST = 50

Test = Callable[[str], bool]


class _Step(NamedTuple):
    """One instruction: take a character, part in two, look around, or succeed.

    `to` are steps relative to its own place that follow without taking a character.
    """

    take: Test | None = None
    look: str = ""
    to: tuple[int, ...] = ()


_Program = tuple[_Step, ...]


@dataclass(frozen=True, slots=True)
class Pattern:
    """A compiled pattern; two are equal that were written alike."""

    written: str
    _program: _Program

    def found_in(self, text: str) -> bool:
        """Whether it matches anywhere in `text`. Linear in the text's length."""
        return _search(self._program, text.casefold())

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Pattern) and other.written == self.written

    def __hash__(self) -> int:
        return hash(self.written)


def compiled(written: str) -> Pattern:
    """The pattern `written`. Raises `ValueError`, in words, for what is wrong or not supported."""
    if len(written) > LONGEST_PATTERN:
        raise ValueError(f"a pattern of more than {LONGEST_PATTERN} characters")
    reader = _Reader(written)
    program = reader.alternatives()
    if reader.at < len(written):
        raise ValueError("a closing parenthesis without an opening one")
    return Pattern(written, (*program, _Step()))


def _search(program: _Program, text: str) -> bool:
    last = len(program) - 1
    looks = any(step.look for step in program)
    known: dict[tuple[frozenset[int], tuple[bool, ...], str], frozenset[int]] = {}
    threads: frozenset[int] = frozenset()
    for place in range(len(text) + 1):
        character = text[place : place + 1]
        around = _around(text, place) if looks else ()
        key = (threads, around, character)
        following = known.get(key)
        if following is None:
            if len(known) >= _REMEMBERED:
                known.clear()
            following = known[key] = _stepped(program, threads, around, character)
        if last in following:
            return True
        threads = following
    return False


def _around(text: str, place: int) -> tuple[bool, ...]:
    """Whether the text begins here, ends here, has a word before, has one behind."""
    before, behind = place > 0 and _word(text[place - 1]), place < len(text) and _word(text[place])
    return place == 0, place == len(text), before, behind


def _stepped(
    program: _Program, threads: frozenset[int], around: tuple[bool, ...], character: str
) -> frozenset[int]:
    """Where the threads, and a new one, stand behind `character`; at the end where one succeeds."""
    last = len(program) - 1
    todo, seen, following = [0, *threads], set[int](), set[int]()
    while todo:
        at = todo.pop()
        if at in seen:
            continue
        seen.add(at)
        if at == last:
            return frozenset((last,))
        step = program[at]
        if step.take is not None:
            if character and step.take(character):
                following.add(at + 1)
        elif not step.look or _holds(step.look, around):
            todo += (at + offset for offset in step.to)
    return frozenset(following)


def _holds(look: str, around: tuple[bool, ...]) -> bool:
    begins, ends, before, behind = around
    return {"^": begins, "$": ends, "b": before != behind, "B": before == behind}[look]


def _word(character: str) -> bool:
    return character.isalnum() or character == "_"


_CLASSES: dict[str, Test] = {
    "d": str.isdecimal,
    "w": _word,
    "s": str.isspace,
    "D": lambda c: not c.isdecimal(),
    "W": lambda c: not _word(c),
    "S": lambda c: not c.isspace(),
}
_CONTROLS = {"n": "\n", "t": "\t", "r": "\r"}
_REPEATS = "*+?{"


class _Reader:
    """Reads a pattern from left to right and gives its program."""

    def __init__(self, written: str) -> None:
        self._written = written
        self._depth = 0
        self.at = 0

    def alternatives(self) -> list[_Step]:
        choices = [self._sequence()]
        while self._peek() == "|":
            self.at += 1
            choices.append(self._sequence())
        program = choices.pop()
        for choice in reversed(choices):
            jump = _Step(to=(len(program) + 1,))
            program = _checked([_Step(to=(1, len(choice) + 2)), *choice, jump, *program])
        return program

    def _sequence(self) -> list[_Step]:
        program: list[_Step] = []
        while self._peek() not in {"", "|", ")"}:
            program = _checked([*program, *self._repeated(self._atom())])
        return program

    def _peek(self) -> str:
        return self._written[self.at : self.at + 1]

    def _next(self, otherwise: str) -> str:
        character = self._peek()
        if not character:
            raise ValueError(otherwise)
        self.at += 1
        return character

    def _atom(self) -> list[_Step]:
        character = self._next("")
        if character == "(":
            return self._group()
        if character == "[":
            return [_Step(take=self._class())]
        if character == ".":
            return [_Step(take=lambda c: c != "\n")]
        if character in "^$":
            return [_Step(look=character, to=(1,))]
        if character == "\\":
            return self._escape()
        if character in _REPEATS:
            raise ValueError(f"{character} has nothing before it to repeat")
        return _literal(character)

    def _group(self) -> list[_Step]:
        self._depth += 1
        if self._depth > _DEEPEST:
            raise ValueError("groups nested too deeply")
        if self._peek() == "?":
            if self._written[self.at + 1 : self.at + 2] != ":":
                raise ValueError("groups are ( ) or (?: ): looking ahead or back is not supported")
            self.at += 2
        program = self.alternatives()
        if self._next("an opening parenthesis without a closing one") != ")":
            raise ValueError("an opening parenthesis without a closing one")
        self._depth -= 1
        return program

    def _escape(self) -> list[_Step]:
        character = self._next("a backslash at the end")
        if character in _CLASSES:
            return [_Step(take=_CLASSES[character])]
        if character in "bB":
            return [_Step(look=character, to=(1,))]
        return _literal(self._escaped(character))

    def _escaped(self, character: str) -> str:
        if character in _CONTROLS:
            return _CONTROLS[character]
        if character.isalnum():
            what = "references to groups are" if character.isdigit() else f"\\{character} is"
            raise ValueError(f"{what} not supported")
        return character

    def _class(self) -> Test:
        """What stands in square brackets."""
        unclosed = "an opening square bracket without a closing one"
        negated = self._peek() == "^"
        self.at += negated
        tests: list[Test] = []
        ranges: list[tuple[str, str]] = []
        first = True
        while (character := self._next(unclosed)) != "]" or first:
            first = False
            if character == "\\":
                character = self._next(unclosed)
                if character in _CLASSES:
                    tests.append(_CLASSES[character])
                    continue
                character = self._escaped(character)
            end = character
            if self._peek() == "-" and self._written[self.at + 1 : self.at + 2] not in {"", "]"}:
                self.at += 1
                end = self._next(unclosed)
                end = self._escaped(self._next(unclosed)) if end == "\\" else end
                if end < character:
                    raise ValueError(f"{character}-{end} is no range: it runs backwards")
            ranges.append((character, end))
        return _member(tests, ranges, negated=negated)

    def _repeated(self, program: list[_Step]) -> list[_Step]:
        sign = self._peek()
        if not sign or sign not in _REPEATS:
            return program
        self.at += 1
        least, most = {"*": (0, None), "+": (1, None), "?": (0, 1)}.get(sign) or self._counts()
        if self._peek() == "?":
            self.at += 1
        if self._peek() and self._peek() in _REPEATS:
            raise ValueError("two signs of repetition in a row")
        repeated = program * least
        if most is None:
            size = len(program)
            again = [_Step(to=(1, size + 2)), *program, _Step(to=(-size - 1,))]
            return _checked([*repeated, *again])
        optional: list[_Step] = []
        for _ in range(most - least):
            optional = [_Step(to=(1, len(program) + len(optional) + 1)), *program, *optional]
            _checked(optional)
        return _checked([*repeated, *optional])

    def _counts(self) -> tuple[int, int | None]:
        end = self._written.find("}", self.at)
        least, comma, most = self._written[self.at : max(end, self.at)].partition(",")
        if end < 0 or not _number(least) or (most and not _number(most)):
            raise ValueError("after { come numbers: {2}, {2,} or {2,5}; a plain brace is \\{")
        self.at = end + 1
        low = int(least)
        high = int(most) if most else (None if comma else low)
        if max(low, high or 0) > MOST_REPEATS or (high is not None and high < low):
            raise ValueError(f"{{{least}{comma}{most}}} is no count up to {MOST_REPEATS}")
        return low, high


def _number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) < len(str(MOST_REPEATS)) + 1


def _literal(character: str) -> list[_Step]:
    # What is one letter may be two in lower case.
    return [_Step(take=one.__eq__) for one in character.casefold()]


def _member(tests: Iterable[Test], ranges: list[tuple[str, str]], *, negated: bool) -> Test:
    tests = tuple(tests)

    def takes(character: str) -> bool:
        cases = {character, character.upper(), character.lower()}
        inside = any(low <= case <= high for low, high in ranges for case in cases)
        return (inside or any(test(character) for test in tests)) is not negated

    return takes


def _checked(program: list[_Step]) -> list[_Step]:
    if len(program) > LARGEST_PROGRAM:
        raise ValueError("a pattern that repeats too much")
    return program
