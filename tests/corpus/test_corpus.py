"""One test for each file of the corpus; its name is the file's."""

from pathlib import Path
from typing import Any

import pytest

from tests.corpus.crossing import crossed, expected
from tests.corpus.reading import Case, cases, told

MASTODON = list(cases("mastodon"))
X = list(cases("x"))


@pytest.mark.parametrize("case", [pytest.param(case, id=case.name) for case in (*MASTODON, *X)])
def test_a_real_shape_becomes_the_post_that_its_file_expects(case: Case) -> None:
    post = told(case.read())
    assert {key: post[key] for key in case.expected} == case.expected


@pytest.mark.parametrize("found", [MASTODON, X], ids=["mastodon", "x"])
def test_each_direction_has_at_least_sixty_shapes(found: list[Case]) -> None:
    assert len(found) >= 60
    assert all({"text", "spans"} <= case.expected.keys() for case in found)


CROSSINGS = [
    pytest.param(case, given, id=f"{case.network}-{case.name}-{number}")
    for case in (*MASTODON, *X)
    for number, given in enumerate(case.given.get("becomes", ()), start=1)
]


@pytest.mark.parametrize(("case", "given"), CROSSINGS)
def test_a_post_becomes_on_the_other_network_what_its_file_expects(
    case: Case, given: dict[str, Any], tmp_path: Path
) -> None:
    assert crossed(case.read(), given, tmp_path) == expected(given)
