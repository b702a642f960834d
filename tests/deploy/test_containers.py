"""The image's recipe and the examples of running it: each as shut in as the others."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[2]
RECIPE = (ROOT / "Dockerfile").read_text(encoding="utf-8")
LAST_STAGE = RECIPE.replace("\\\n", " ").rpartition("\nFROM ")[2]
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "compose.example.yaml").read_text("utf-8"))
VOLUME_CLAIM, DEPLOYMENT = yaml.safe_load_all(
    (ROOT / "deploy" / "kubernetes.yaml").read_text("utf-8")
)
POD: dict[str, Any] = DEPLOYMENT["spec"]["template"]["spec"]
(CONTAINER,) = POD["containers"]


def said(instruction: str) -> str:
    """What follows an instruction in the last stage of the recipe."""
    (found,) = re.findall(rf"^ *{instruction} +(.*)$", LAST_STAGE, re.MULTILINE)
    return str(found).strip()


def health_check() -> list[str]:
    found: list[str] = json.loads(
        LAST_STAGE.split("HEALTHCHECK")[1].split("CMD")[1].splitlines()[0]
    )
    return found


def user() -> int:
    return int(said("USER").split(":")[0])


def test_the_image_is_made_in_two_stages_of_which_the_base_can_be_named() -> None:
    assert re.findall(r"^FROM (.*)$", RECIPE, re.MULTILINE) == ["${BASE} AS build", "${BASE}"]
    assert re.search(r"^ARG BASE=\S+-slim$", RECIPE, re.MULTILINE)


def test_every_package_in_the_image_is_checked_by_its_hash() -> None:
    recipe = RECIPE.replace("\\\n", " ")
    installs = [line for line in recipe.splitlines() if '"install"' in line and "pip" in line]
    assert len(installs) == 2
    assert "--require-hashes" in installs[0]
    assert "--no-deps" in installs[1]
    assert "--no-build-isolation" in installs[1]


def test_the_image_carries_page_broker_and_metrics_and_nothing_to_develop_with() -> None:
    (lock,) = re.findall(r'"-r", "(\S+)"', RECIPE)
    packages = set(re.findall(r"^([\w.-]+)==", (ROOT / lock).read_text("utf-8"), re.MULTILINE))
    assert {"jinja2", "aiomqtt", "prometheus-client"} <= packages
    assert not {"pytest", "ruff", "mypy", "playwright"} & packages


def test_the_recipe_names_no_index_and_takes_no_secret() -> None:
    assert re.findall(r"^ARG (\w+)", RECIPE, re.MULTILINE) == ["BASE"]
    assert not re.search(r"index|PIP_|TOKEN|PASSWORD", RECIPE)


def test_entry_and_command_are_no_shell() -> None:
    assert json.loads(said("ENTRYPOINT")) == ["/opt/twinpost/bin/twinpost"]
    assert json.loads(said("CMD")) == ["run"]
    assert user() > 0


def test_the_health_check_starts_python_with_the_standard_library_alone() -> None:
    python, options, script = health_check()
    assert python.endswith("/python")
    assert options == "-IS"
    here = ROOT / "deploy" / Path(script).name
    imports = re.findall(r"^(?:import|from) (\S+)", here.read_text("utf-8"), re.MULTILINE)
    assert set(imports) == {"os", "sys", "time"}


def test_only_what_the_image_needs_is_shown_to_its_build() -> None:
    shown = (ROOT / ".dockerignore").read_text(encoding="utf-8").split()
    assert shown[0] == "*"
    copied = set(re.findall(r"COPY (?!--from)(.*?) \S+$", RECIPE, re.MULTILINE))
    named = {name.removeprefix("./") for group in copied for name in group.split()}
    assert {name.removeprefix("!") for name in shown[1:] if name.startswith("!")} == named


def test_compose_runs_it_with_nothing_that_it_does_not_need() -> None:
    service = COMPOSE["services"]["twinpost"]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert "no-new-privileges:true" in service["security_opt"]
    assert service["mem_limit"]
    assert "ports" not in service
    assert "privileged" not in service
    assert service["volumes"][0].split(":") == ["state", said("VOLUME")]
    assert set(service["secrets"]) == set(COMPOSE["secrets"])


def test_the_quadlet_runs_it_with_nothing_that_it_does_not_need() -> None:
    text = (ROOT / "deploy" / "twinpost.container").read_text(encoding="utf-8")
    asked = dict(re.findall(r"^(\w+)=(.*)$", text, re.MULTILINE))
    for key, value in (
        ("ReadOnly", "true"),
        ("DropCapability", "all"),
        ("NoNewPrivileges", "true"),
    ):
        assert asked[key] == value
    assert asked["HealthCmd"].split() == health_check()
    assert asked["HealthOnFailure"] == "kill"
    secrets = re.findall(r"^Secret=([\w-]+),uid=(\d+),mode=0400$", text, re.MULTILINE)
    assert {name for name, _ in secrets} == set(COMPOSE["secrets"])
    assert {int(number) for _, number in secrets} == {user()}


def test_kubernetes_runs_one_at_a_time_with_nothing_that_it_does_not_need() -> None:
    assert DEPLOYMENT["spec"]["replicas"] == 1
    assert DEPLOYMENT["spec"]["strategy"] == {"type": "Recreate"}
    assert VOLUME_CLAIM["spec"]["accessModes"] == ["ReadWriteOnce"]
    assert POD["automountServiceAccountToken"] is False
    assert POD["securityContext"]["runAsNonRoot"] is True
    ids = {POD["securityContext"][key] for key in ("runAsUser", "runAsGroup", "fsGroup")}
    assert ids == {user()}
    context = CONTAINER["securityContext"]
    assert context["readOnlyRootFilesystem"] is True
    assert context["allowPrivilegeEscalation"] is False
    assert context["capabilities"] == {"drop": ["ALL"]}
    assert CONTAINER["resources"]["limits"]["memory"]


@pytest.mark.parametrize("probe", ["startupProbe", "livenessProbe"])
def test_kubernetes_asks_what_the_image_asks_itself(probe: str) -> None:
    assert CONTAINER[probe]["exec"]["command"] == health_check()


def test_kubernetes_mounts_what_the_image_expects() -> None:
    mounts = {one["name"]: one["mountPath"] for one in CONTAINER["volumeMounts"]}
    assert mounts == {"state": said("VOLUME"), "config": "/etc/twinpost", "secrets": "/run/secrets"}
    assert {one["name"] for one in POD["volumes"]} == set(mounts)
