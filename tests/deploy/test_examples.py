"""The examples of running a container, read by the programs that they are for, if these are here.

What can be told without them is in `test_containers`.
"""

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from bridge.config import load

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "running.md").read_text(encoding="utf-8")
GENERATORS = "/usr/libexec/podman:/usr/lib/podman"
PATHS = "/usr/local/bin:/usr/bin:/bin"


def program(*names: str, also: str = "") -> str:
    """Where the first of these programs is; the test is skipped, saying so, where none is."""
    for name in names:
        if (found := shutil.which(name) or shutil.which(name, path=also)) is not None:
            return found
    pytest.skip(f"not installed: {' or '.join(names)}")


def said(*command: str, cwd: Path, **variables: str) -> str:
    """What a program prints on its standard output."""
    env = {"PATH": PATHS, "HOME": str(cwd)} | variables
    ended = subprocess.run(
        command, capture_output=True, text=True, check=False, cwd=cwd, env=env, timeout=60
    )
    assert ended.returncode == 0, ended.stderr
    return ended.stdout


def blocks_of_yaml() -> list[str]:
    """Every block of YAML on the page, the indented ones too."""
    return [
        re.sub(rf"(?m)^{indent}", "", block)
        for indent, block in re.findall(r"(?ms)^( *)```yaml\n(.*?)^ *```$", PAGE)
    ]


def overrides() -> list[str]:
    return [block for block in blocks_of_yaml() if block.startswith("services:")]


@pytest.fixture
def composed(tmp_path: Path) -> Path:
    """A folder as the page has it: the example as compose.yaml, a configuration, and secrets."""
    shutil.copy(ROOT / "compose.example.yaml", tmp_path / "compose.yaml")
    (tmp_path / "config.yaml").write_text("bridges: []\n", encoding="utf-8")
    (tmp_path / "secrets").mkdir()
    return tmp_path


def shut_in(service: dict[str, Any]) -> None:
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert int(service["pids_limit"]) == 64


def as_compose_reads_it(folder: Path) -> dict[str, Any]:
    command = [program("docker-compose"), "--file", "compose.yaml"]
    if (folder / "compose.override.yaml").exists():
        command += ["--file", "compose.override.yaml"]
    read: dict[str, Any] = yaml.safe_load(said(*command, "config", cwd=folder))
    return read


def test_compose_takes_the_example(composed: Path) -> None:
    read = as_compose_reads_it(composed)
    shut_in(read["services"]["twinpost"])
    assert len(read["services"]["twinpost"]["secrets"]) == 5


@pytest.mark.parametrize("number", range(len(overrides())))
def test_compose_joins_what_the_page_adds_to_the_example(composed: Path, number: int) -> None:
    (composed / "compose.override.yaml").write_text(overrides()[number], encoding="utf-8")
    service = as_compose_reads_it(composed)["services"]["twinpost"]
    shut_in(service)
    assert len(service["secrets"]) == 6


def test_the_page_shows_two_additions_to_the_example() -> None:
    assert len(overrides()) == 2
    added = {name for each in overrides() for name in yaml.safe_load(each)["secrets"]}
    assert added == {"mqtt-password", "web-password"}


def test_what_the_page_adds_to_a_configuration_is_taken(tmp_path: Path) -> None:
    (broker,) = [block for block in blocks_of_yaml() if block.startswith("mqtt:")]
    for name in ("mqtt-password", "token"):
        (tmp_path / name).write_text("secret", encoding="utf-8")
    bridge = (
        "bridges:\n  - name: personal\n"
        "    mastodon: {url: https://mastodon.example, access_token_file: token}\n    x: {}\n"
    )
    file = tmp_path / "config.yaml"
    file.write_text(broker + bridge, encoding="utf-8")
    mqtt = load(file).surfaces.mqtt
    assert mqtt is not None
    assert (mqtt.host, mqtt.commands) == ("homeassistant.local", True)


def test_podmans_generator_makes_a_service_of_the_quadlet(tmp_path: Path) -> None:
    shutil.copy(ROOT / "deploy" / "twinpost.container", tmp_path)
    generator = program("quadlet", also=GENERATORS)
    made = said(generator, "-dryrun", cwd=tmp_path, QUADLET_UNIT_DIRS=str(tmp_path))
    (started,) = re.findall(r"^ExecStart=(.*)$", made, re.MULTILINE)
    for option in (
        "--read-only", "--cap-drop all", "--security-opt=no-new-privileges", "--memory=512m",
        "--health-on-failure kill", "-v twinpost-state:/state",
        "--secret mastodon-token,uid=10001,mode=0400",
    ):  # fmt: skip
        assert option in started, option
    assert started.endswith(" localhost/twinpost")
    assert re.search(r"^Type=notify$", made, re.MULTILINE)


def test_kubernetes_knows_every_field_of_the_deployment(tmp_path: Path) -> None:
    """Read into its own types, which drop what they do not know, and written out again."""
    _, given = yaml.safe_load_all((ROOT / "deploy" / "kubernetes.yaml").read_text(encoding="utf-8"))
    file = tmp_path / "deployment.yaml"
    file.write_text(yaml.safe_dump(given), encoding="utf-8")
    asked = ("set", "env", "--local", "--filename", str(file), "A=B", "--output", "json")
    assert lost(given, json.loads(said(program("kubectl"), *asked, cwd=tmp_path))) == []


def lost(given: Any, read: Any, where: str = "") -> list[str]:
    """What stands in `given` and not in `read`, by its place; what is only in `read` is fine."""
    if isinstance(given, dict):
        return [
            place
            for key, value in given.items()
            for place in (
                lost(value, read[key], f"{where}.{key}")
                if isinstance(read, dict) and key in read
                else [f"{where}.{key}"]
            )
        ]
    if isinstance(given, list):
        if not isinstance(read, list) or len(read) < len(given):
            return [where]
        return [
            place
            for number, (one, other) in enumerate(zip(given, read, strict=False))
            for place in lost(one, other, f"{where}[{number}]")
        ]
    return [] if given == read else [where]
