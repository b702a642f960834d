"""S12, S19: chance that guards something cannot be guessed, and what is installed is what was read.

That no package in the lock has a known hole takes a list which changes daily: `make audit` asks for
it. Proven here is that it tells a hole, and that it never takes silence for a no.
"""

import json
import re
import tomllib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import cyclonedx.schema._res
import jsonschema
import pytest
from referencing import Registry, Resource

from tools import audit, bill
from tools.locked import DEVELOPS, RUNS_WHOLE, Pinned, pinned

ROOT = Path(__file__).parents[2]
LINT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["ruff"]["lint"]
LOCKS = tuple(sorted(ROOT.glob("requirements*.lock")))
PINNED = re.compile(r"^[a-z0-9][a-z0-9.\[\]_-]*==[^\s;]+( ; .+)?$", re.IGNORECASE)


def test_s12_guessable_chance_is_refused_by_the_linter_everywhere_in_the_bridge() -> None:
    assert LINT["select"] == ["ALL"]
    waived = [*LINT["ignore"]]
    for where, rules in LINT["per-file-ignores"].items():
        waived += rules if where.startswith("bridge") else []
    assert not [rule for rule in waived if "S311".startswith(rule)]


def test_s12_the_only_guessable_chance_is_how_long_to_wait() -> None:
    guessable = {
        module: [line.strip() for line in text.splitlines() if "random." in line]
        for module in (ROOT / "bridge").rglob("*.py")
        if re.search(r"(?m)^\s*(import random|from random )", text := module.read_text("utf-8"))
    }
    for lines in guessable.values():
        assert lines
        assert all(re.match(r"jitter ?=.* # noqa: S311", line) for line in lines), lines


@pytest.mark.parametrize("lock", LOCKS, ids=lambda lock: lock.name)
def test_s19_every_package_is_pinned_and_has_hashes_and_comes_from_no_named_host(
    lock: Path,
) -> None:
    text = lock.read_text(encoding="utf-8")
    assert "://" not in text
    entries = re.split(r"\n(?=\S)", re.sub(r"(?m)^#.*\n", "", text).strip())
    assert len(entries) > 10
    for entry in entries:
        package, *rest = entry.replace(" \\", "").split("\n")
        assert PINNED.match(package), package
        assert any(re.search(r"--hash=sha256:[0-9a-f]{64}", line) for line in rest), package


def test_s19_what_runs_is_locked_alike_for_those_who_develop_it() -> None:
    run, extras, dev = (
        set(re.findall(r"(?m)^([a-z0-9][^\s=]*==[^\s;]+)", lock.read_text(encoding="utf-8")))
        for lock in (ROOT / f"requirements{kind}.lock" for kind in ("", "-extras", "-dev"))
    )
    assert run < extras < dev


def test_s19_nothing_is_installed_without_its_hash() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    installs = [line for line in makefile.splitlines() if "$(PIP) install" in line]
    assert installs
    assert all("--require-hashes" in line or "--no-deps" in line for line in installs)


def answered(
    change: Callable[[list[dict[str, Any]]], object] = lambda _: None,
) -> Callable[[Sequence[Pinned]], str]:
    """What pip-audit answers where nothing has a hole, but for a change."""

    def ask(packages: Sequence[Pinned]) -> str:
        told = [{"name": one.name, "version": one.version, "vulns": []} for one in packages]
        change(told)
        return json.dumps({"dependencies": told, "fixes": []})

    return ask


def test_s19_an_audit_is_content_when_all_were_asked_about_and_none_has_a_hole(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert audit.main([], answered()) == 0
    count = len(pinned(DEVELOPS))
    said = capsys.readouterr().out.splitlines()
    asked = f"{count} of {count} locked packages were asked about"
    assert said == [asked, "known holes in those: 0"]


@pytest.mark.parametrize("arguments", [[], ["--lenient"]])
def test_s19_an_audit_is_red_on_a_known_hole_and_says_what_mends_it(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    def holed(told: list[dict[str, Any]]) -> None:
        (pillow,) = [one for one in told if one["name"] == "pillow"]
        pillow["vulns"] = [{"id": "GHSA-whj4-6x5x-4v2j", "fix_versions": ["99.0"], "aliases": []}]

    assert audit.main(arguments, answered(holed)) == 1
    said = capsys.readouterr().out
    assert re.search(r"KNOWN HOLE: pillow \S+ \(runs\): GHSA-whj4-6x5x-4v2j; mended in 99.0", said)


def skipped(told: list[dict[str, Any]]) -> None:
    told[3] = {"name": told[3]["name"], "skip_reason": "not found and could not be audited"}


def left_out(told: list[dict[str, Any]]) -> None:
    del told[3]


def another_version(told: list[dict[str, Any]]) -> None:
    told[3]["version"] = "0"


@pytest.mark.parametrize(
    "ask",
    [
        answered(skipped),
        answered(left_out),
        answered(another_version),
        lambda _: "",
        lambda _: "Traceback (most recent call last): name or service not known",
        lambda _: "null",
    ],
)
def test_s19_what_could_not_be_asked_about_is_said_and_never_taken_for_a_no(
    ask: audit.Ask, capsys: pytest.CaptureFixture[str]
) -> None:
    fourth = pinned(DEVELOPS)[3]
    for arguments, code in (([], 3), (["--lenient"], 0)):
        assert audit.main(arguments, ask) == code
        said = capsys.readouterr().out
        assert re.search(rf"NOT ASKED ABOUT.*\b{fourth.name} {fourth.version}\b", said)


def test_s19_packages_for_other_machines_are_asked_about_too() -> None:
    asked: list[Pinned] = []

    def ask(packages: Sequence[Pinned]) -> str:
        asked.extend(packages)
        return answered()(packages)

    audit.main([], ask)
    assert [one for one in asked if one.marker]
    heads = re.findall(r"(?m)^([a-z0-9][^\s=\[]*)==", DEVELOPS.read_text(encoding="utf-8"))
    assert [one.name for one in asked] == heads


def test_s19_the_bill_of_materials_is_what_its_format_says_and_names_all_that_runs() -> None:
    made = bill.bill(pinned(RUNS_WHOLE))
    (folder,) = (Path(path) for path in cyclonedx.schema._res.__path__)

    def published(name: str) -> dict[str, Any]:
        found: dict[str, Any] = json.loads((folder / name).read_text(encoding="utf-8"))
        return found

    def retrieve(uri: str) -> Resource[Any]:
        return Resource.from_contents(published(uri.rsplit("/", 1)[-1]))

    registry: Registry[Any] = Registry(retrieve=retrieve)  # type: ignore[call-arg] # attrs
    schema = published("bom-1.6.SNAPSHOT.schema.json")
    jsonschema.Draft7Validator(schema, registry=registry).validate(made)

    lock = RUNS_WHOLE.read_text(encoding="utf-8")
    components = {one["name"]: one for one in made["components"]}
    assert set(components) == set(re.findall(r"(?m)^([a-z0-9][^\s=\[]*)==", lock))
    told = [one["value"] for each in components.values() for one in each["properties"]]
    assert set(re.findall(r"sha256:([0-9a-f]{64})", lock)) <= set(told)
    needs = {one["ref"]: one["dependsOn"] for one in made["dependencies"]}
    assert components["aiohttp"]["purl"] in needs[bill.OWN]
    assert components["yarl"]["purl"] in needs[components["aiohttp"]["purl"]]


def test_s19_who_checks_everything_asks_for_known_holes_and_who_only_checks_needs_no_network() -> (
    None
):
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    recipes = dict(re.findall(r"(?m)^([a-z-]+):[^\n]*\n((?:\t[^\n]*\n)+)", makefile))
    assert "tools.audit" in recipes["audit"]
    assert "audit" not in recipes["check"] + recipes["test"]
    assert "make audit" in (ROOT / ".ci" / "run").read_text(encoding="utf-8")
