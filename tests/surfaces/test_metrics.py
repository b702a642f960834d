"""Figures for Prometheus: named by its conventions, bounded, listed, for this host."""

import json
import re
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import yaml
from prometheus_client.parser import text_string_to_metric_families

from bridge.config.surface_settings import MetricsSettings
from bridge.config.web import Listen
from bridge.core.model import BridgeName, Network
from bridge.core.traffic import Allowance, Call, Operation, Result, Span
from bridge.surfaces.metrics.figures import CONTENT_TYPE, Figures
from bridge.surfaces.metrics.serving import serving
from tests.surfaces.stage import ROUTES, Bridge, bridged

DOCS = Path(__file__).parents[2] / "docs"
NAME, OTHER = BridgeName("personal"), BridgeName("other")
SOON = datetime(2026, 11, 22, 12, 15, tzinfo=UTC)
TOLD = Allowance(Span.WINDOW, 100, 99, SOON)
OUT = {"bridge": "personal", "direction": "mastodon_to_x"}


@pytest.fixture
async def bridge(tmp_path: Path) -> AsyncIterator[Bridge]:
    async with bridged(tmp_path) as made:
        yield made


def sample(page: bytes, name: str, **labels: str) -> float | None:
    for family in text_string_to_metric_families(page.decode()):
        for each in family.samples:
            if each.name == name and labels.items() <= each.labels.items():
                return each.value
    return None


async def measured(bridge: Bridge, folder: Path) -> bytes:
    """A day in which something was mirrored, skipped, refused, and not reachable."""
    figures = Figures("1.2.3", ROUTES)
    bridge.listeners.append(figures.hear)
    to_x = figures.traffic.of(NAME, Network.X)
    to_x.called(Call(Operation.WRITE, Result.OK, (TOLD,)))
    figures.traffic.of(NAME, Network.MASTODON).streaming(True)
    bridge.mastodon.write("Hello")
    await bridge.passes()
    await bridge.fail_one()
    return await figures.page(bridge.control, bridge.look, folder / "ledger.sqlite3")


async def test_what_happened_is_counted(bridge: Bridge, tmp_path: Path) -> None:
    page = await measured(bridge, tmp_path)
    mirrored = OUT | {"verdict": "mirror", "reason": "allowed"}
    assert sample(page, "twinpost_posts_total", **mirrored) == 2
    assert sample(page, "twinpost_parts_settled_total", **OUT, state="delivered") == 1
    assert sample(page, "twinpost_mirror_delay_seconds_count", **OUT) == 1
    delay = sample(page, "twinpost_mirror_delay_seconds_sum", **OUT)
    assert delay is not None
    assert 0 < delay <= 60
    assert sample(page, "twinpost_parts", **OUT, state="failed") == 1
    assert sample(page, "twinpost_condition", **OUT, condition="needs-owner") == 1
    assert sample(page, "twinpost_condition", **OUT, condition="up-to-date") == 0
    spent = sample(page, "twinpost_spent_month_dollars", **OUT)
    assert spent is not None
    assert spent >= 0.015
    assert (sample(page, "twinpost_ledger_size_bytes") or 0) > 4096


async def test_calls_are_counted_by_account_operation_and_result(
    bridge: Bridge, tmp_path: Path
) -> None:
    figures = Figures("1.2.3", ROUTES)
    to_x, other = figures.traffic.of(NAME, Network.X), figures.traffic.of(OTHER, Network.X)
    for call in (
        Call(Operation.WRITE, Result.OK, (TOLD,)),
        Call(Operation.WRITE, Result.FORBIDDEN),
    ):
        to_x.called(call)
    to_x.called(Call(Operation.WRITE, Result.OK, (replace(TOLD, remaining=98),)))
    other.called(Call(Operation.READ, Result.NO_ANSWER))
    page = await figures.page(bridge.control, bridge.look, tmp_path / "ledger.sqlite3")
    mine = {"bridge": NAME, "network": "x", "operation": "write"}
    assert sample(page, "twinpost_api_requests_total", **mine, result="ok") == 2
    assert sample(page, "twinpost_api_requests_total", **mine, result="forbidden") == 1
    assert sample(page, "twinpost_api_requests_total", bridge=OTHER, result="no-answer") == 1
    assert sample(page, "twinpost_rate_limit_limit", **mine, span="window") == 100
    assert sample(page, "twinpost_rate_limit_remaining", **mine, span="window") == 98
    ends = sample(page, "twinpost_rate_limit_reset_timestamp_seconds", **mine, span="window")
    assert ends == SOON.timestamp()


async def test_an_end_that_is_no_longer_told_is_no_longer_shown(
    bridge: Bridge, tmp_path: Path
) -> None:
    figures = Figures("1.2.3", ROUTES)
    to_x = figures.traffic.of(NAME, Network.X)
    for told in (replace(TOLD, resets_at=None), TOLD, replace(TOLD, resets_at=None)):
        to_x.called(Call(Operation.READ, Result.OK, (told,)))
    page = await figures.page(bridge.control, bridge.look, tmp_path / "ledger.sqlite3")
    assert sample(page, "twinpost_rate_limit_remaining", operation="read") == 99
    assert sample(page, "twinpost_rate_limit_reset_timestamp_seconds") is None


@pytest.mark.parametrize(
    ("states", "shown"), [((), None), ((False,), 0), ((False, True), 1), ((True, False), 0),
                          ((False, None), None), ((None,), None)],
)  # fmt: skip
async def test_the_stream_is_up_down_or_none(
    bridge: Bridge, tmp_path: Path, states: tuple[bool | None, ...], shown: float | None
) -> None:
    figures = Figures("1.2.3", ROUTES)
    for state in states:
        figures.traffic.of(NAME, Network.MASTODON).streaming(state)
    page = await figures.page(bridge.control, bridge.look, tmp_path / "ledger.sqlite3")
    assert sample(page, "twinpost_stream_connected", bridge=NAME, network="mastodon") == shown


async def test_names_follow_the_conventions_and_nothing_of_a_post_is_in_them(
    bridge: Bridge, tmp_path: Path
) -> None:
    page = await measured(bridge, tmp_path)
    ids = {post.id for post in (*bridge.mastodon.posts, *bridge.x.posts)}
    for family in text_string_to_metric_families(page.decode()):
        assert re.fullmatch(r"twinpost_[a-z_]+", family.name)
        assert family.documentation.endswith(".")
        if family.name.endswith(("seconds", "bytes", "dollars")) or family.type == "gauge":
            assert not family.name.endswith("total")
        for each in family.samples:
            assert set(each.labels) <= {
                "bridge", "direction", "verdict", "reason", "state", "condition", "le", "version",
                "network", "operation", "result", "span",
            }  # fmt: skip
            assert not ids & set(each.labels.values())
    assert len(page.splitlines()) < 300


async def names(bridge: Bridge, folder: Path) -> dict[str, str]:
    """Every metric by the name that queries use, with its kind; samples of histograms too."""
    page = await measured(bridge, folder)
    found: dict[str, str] = {}
    for family in text_string_to_metric_families(page.decode()):
        name = f"{family.name}_total" if family.type == "counter" else family.name
        found[name] = family.type
    return found


def without_suffix(name: str) -> str:
    return re.sub(r"_(?:bucket|sum|count)$", "", name)


async def test_the_page_of_the_documents_lists_every_metric_and_no_other(
    bridge: Bridge, tmp_path: Path
) -> None:
    text = (DOCS / "metrics.md").read_text(encoding="utf-8")
    listed = dict(re.findall(r"^\| `(twinpost_\w+)` \| (\w+) \|", text, re.MULTILINE))
    assert listed == await names(bridge, tmp_path)


async def test_the_dashboard_and_the_alerts_name_metrics_that_exist(
    bridge: Bridge, tmp_path: Path
) -> None:
    known = set(await names(bridge, tmp_path))
    dashboard = json.loads((DOCS / "grafana-dashboard.json").read_text(encoding="utf-8"))
    queries: list[str] = [
        target["expr"] for panel in dashboard["panels"] for target in panel.get("targets", ())
    ]
    rules: Any = yaml.safe_load((DOCS / "alerts.yaml").read_text(encoding="utf-8"))
    alerts = [rule for group in rules["groups"] for rule in group["rules"]]
    queries += [rule["expr"] for rule in alerts]
    assert len(queries) > 10
    for query in queries:
        used = {without_suffix(name) for name in re.findall(r"twinpost_\w+", query)}
        assert used, query
        assert used <= known, query
    for rule in alerts:
        assert rule["annotations"]["summary"]
        assert rule["labels"]["severity"] in {"warning", "critical"}


@pytest.fixture
async def address(bridge: Bridge, tmp_path: Path) -> AsyncIterator[str]:
    figures = Figures("1.2.3", ROUTES)
    page = partial(figures.page, bridge.control, bridge.look, tmp_path / "ledger.sqlite3")
    settings = MetricsSettings(Listen("127.0.0.1", 0), frozenset({"bridge.lan"}))
    async with serving(settings, page, CONTENT_TYPE) as where:
        assert where is not None
        yield f"http://127.0.0.1:{where[1]}"


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("127.0.0.1:8431", 200),
        ("localhost", 200),
        ("[::1]:8431", 200),
        ("10.0.0.4", 200),
        ("bridge.lan:8431", 200),
        ("evil.example", 403),
        ("127.0.0.1.evil.example", 403),
        ("localhost.evil.example", 403),
    ],
)
async def test_s13_only_known_hosts_are_answered(address: str, host: str, status: int) -> None:
    async with (
        aiohttp.ClientSession() as session,
        session.get(f"{address}/metrics", headers={"Host": host}) as response,
    ):
        assert response.status == status
        body = await response.text()
    assert ("twinpost_build_info" in body) is (status == 200)


async def test_there_is_nothing_else_at_that_address(address: str) -> None:
    async with aiohttp.ClientSession() as session:
        for method, path, status in (("GET", "/", 404), ("POST", "/metrics", 405)):
            async with session.request(method, f"{address}{path}") as response:
                assert response.status == status


async def test_a_port_that_is_taken_stops_nothing(
    address: str, caplog: pytest.LogCaptureFixture
) -> None:
    async def page() -> bytes:
        return b""

    taken = MetricsSettings(Listen("127.0.0.1", int(address.rpartition(":")[2])))
    async with serving(taken, page, CONTENT_TYPE) as where:
        assert where is None
    assert "no metrics" in caplog.text
