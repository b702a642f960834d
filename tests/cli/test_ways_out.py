"""Proxies, certificates of one's own, IPv6: whatever the bridge asks, it asks by the right way."""

import socket
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from bridge.core.errors import ConfigError
from bridge.net.session import trusting
from bridge.sandbox.mastodon import MastodonSandbox
from bridge.sandbox.server import serve
from bridge.sandbox.x import XSandbox
from tests.fixtures.ways import Authority, proxying, served_over_tls
from tests.fixtures.world import World

_PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY")


@pytest.fixture(autouse=True)
def _no_proxy_of_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SSL_CERT_FILE", raising=False)
    for name in _PROXIES:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)


@pytest.fixture
async def over_tls(tmp_path: Path, authority: Authority) -> AsyncIterator[World]:
    """A world whose servers have certificates of an authority that nobody knows."""
    async with AsyncExitStack() as stack:
        mastodon, x = MastodonSandbox(), XSandbox()
        made = World(
            folder=tmp_path,
            mastodon=mastodon,
            mastodon_account=mastodon.add_account("ada", "Ada"),
            mastodon_url=await stack.enter_async_context(served_over_tls(mastodon.app, authority)),
            x=x,
            x_account=x.add_account("ada", "Ada"),
            x_url=await stack.enter_async_context(served_over_tls(x.app, authority)),
        )
        made.configure()
        yield made


def trust(world: World, authority: Authority) -> None:
    (world.folder / "own.pem").write_bytes(authority.certificate.read_bytes())
    world.config.write_text(f"ca_file: own.pem\n{world.config.read_text()}")


async def rows(world: World) -> dict[str, dict[str, str]]:
    told = await world.twinpost("check", "--json")
    assert "canary" not in told.out + told.err
    (whole,) = told.rows
    return {row["check"]: row for row in whole["checks"]}


async def levels(world: World) -> dict[str, str]:
    return {check: row["level"] for check, row in (await rows(world)).items()}


async def test_a_certificate_that_nobody_knows_is_not_trusted(over_tls: World) -> None:
    told = await over_tls.twinpost("check", "--json")
    assert told.code == 1
    found = await levels(over_tls)
    assert (found["mastodon account"], found["x account"]) == ("fault", "fault")
    assert over_tls.x.faults.requests == over_tls.mastodon.faults.requests == ()


async def test_a_file_of_certificates_is_trusted_for_everything_that_is_asked(
    over_tls: World, authority: Authority
) -> None:
    trust(over_tls, authority)
    found = await levels(over_tls)
    assert "fault" not in found.values()
    assert found["mastodon streaming"] == "ok"
    assert (await over_tls.twinpost("once")).code == 0
    over_tls.mastodon.write(over_tls.mastodon_account, "Safely there")
    assert (await over_tls.twinpost("once")).code == 0
    assert [post.text for post in over_tls.x.timeline(over_tls.x_account)] == ["Safely there"]


async def test_the_environments_file_of_certificates_is_trusted_too(
    over_tls: World, authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.certificate))
    found = await rows(over_tls)
    assert "fault" not in {row["level"] for row in found.values()}
    assert found["mastodon streaming"]["level"] == "ok"
    assert found["certificates"]["detail"].endswith(
        "(SSL_CERT_FILE) are trusted instead of the system's"
    )


async def test_the_doctor_asks_nobody_where_it_could_trust_nobody(
    over_tls: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", "/no/such/file.pem")
    row = (await rows(over_tls))["certificates"]
    assert row["level"] == "fault"
    assert "SSL_CERT_FILE: /no/such/file.pem No such file" in row["detail"]
    monkeypatch.delenv("SSL_CERT_FILE")
    over_tls.config.write_text(f"ca_file: config.yaml\n{over_tls.config.read_text()}")
    found = await rows(over_tls)
    assert "config.yaml holds no certificate" in found["certificates"]["detail"]
    assert "mastodon account" not in found
    assert found["mastodon credentials"]["level"] == "ok"
    assert over_tls.x.faults.requests == over_tls.mastodon.faults.requests == ()


async def test_a_proxy_that_cannot_be_used_is_a_fault_and_nobody_is_asked_without_it(
    over_tls: World, authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    trust(over_tls, authority)
    monkeypatch.setenv("HTTPS_PROXY", "https://me:canary@127.0.0.1:9")
    found = await rows(over_tls)
    assert found["proxy"]["level"] == "fault"
    assert "HTTPS_PROXY cannot be used: expected http://" in found["proxy"]["detail"]
    assert "x account" not in found
    for command in ("once", "run"):
        told = await over_tls.twinpost(command)
        assert told.code == 2
        assert "HTTPS_PROXY cannot be used" in told.err
        assert "canary" not in told.out + told.err
    assert over_tls.x.faults.requests == over_tls.mastodon.faults.requests == ()


async def test_a_file_without_certificates_is_said_to_be_none(over_tls: World) -> None:
    over_tls.config.write_text(f"ca_file: config.yaml\n{over_tls.config.read_text()}")
    told = await over_tls.twinpost("once")
    assert told.code == 2
    assert "config.yaml holds no certificate" in told.err
    with pytest.raises(ConfigError, match="No such file"):
        trusting(over_tls.folder / "missing.pem")


async def test_everything_goes_through_the_proxy_of_the_environment(
    over_tls: World, authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    trust(over_tls, authority)
    async with proxying() as proxy:
        monkeypatch.setenv("HTTPS_PROXY", proxy.url)
        found = await rows(over_tls)
        assert "fault" not in {row["level"] for row in found.values()}
        assert found["mastodon streaming"]["level"] == "ok"
        assert found["proxy"]["detail"].endswith(f"through {proxy.url.rpartition('@')[2]}")
        assert "asked of the proxy by address" in found["media"]["detail"]
        places = {url.removeprefix("https://") for url in (over_tls.mastodon_url, over_tls.x_url)}
        assert set(proxy.asked) == places
        assert len(proxy.proofs) == 1
        # Once by the library for the API, by our own session for everything else, streaming too.
        mastodon_place = over_tls.mastodon_url.removeprefix("https://")
        assert proxy.asked.count(mastodon_place) == 4
        proxy.asked.clear()
        monkeypatch.setenv("NO_PROXY", "localhost")
        assert "fault" not in (await levels(over_tls)).values()
        assert proxy.asked == []


async def test_a_proxy_that_refuses_is_named_as_the_cause_and_its_password_is_not_shown(
    over_tls: World, authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    trust(over_tls, authority)
    async with proxying() as proxy:
        proxy.refuses = True
        monkeypatch.setenv("HTTPS_PROXY", proxy.url)
        told = await over_tls.twinpost("check")
        assert told.code == 1
        assert "Traceback" not in told.err
        once = await over_tls.twinpost("once")
        assert once.code == 1
        assert "canary" not in told.out + told.err + once.out + once.err
        # A post that never left is no post in doubt.
        assert "doubt" not in once.err


async def test_servers_may_be_reached_by_ipv6(tmp_path: Path) -> None:
    try:
        with socket.socket(socket.AF_INET6) as probe:
            probe.bind(("::1", 0))
    except OSError:
        pytest.skip("this machine has no IPv6")
    mastodon, x = MastodonSandbox(), XSandbox()
    async with (
        serve(mastodon.app, host="::1") as mastodon_url,
        serve(x.app, host="::1") as x_url,
    ):
        world = World(
            tmp_path, mastodon, mastodon.add_account("ada"), mastodon_url,
            x, x.add_account("ada", "Ada"), x_url,
        )  # fmt: skip
        world.configure()
        found = await levels(world)
        assert "fault" not in found.values()
        assert found["mastodon streaming"] == "ok"
        assert (await world.twinpost("once")).code == 0
        world.x.write(world.x_account, "By six")
        assert (await world.twinpost("once")).code == 0
        assert [s.text for s in mastodon.timeline(world.mastodon_account)] == ["By six"]
