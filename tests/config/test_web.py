"""The web page is off until asked for, and never open to others without a password."""

from ipaddress import ip_network
from pathlib import Path

import pytest

from bridge.config import Settings, load
from bridge.config.web import Listen, WebSettings
from bridge.core.errors import ConfigError
from bridge.core.secret import Secret

BRIDGES = """\
state: ./state
bridges:
  - {name: a, mastodon: {url: "https://mastodon.example"}, x: {}}
"""


def read(folder: Path, web: str, **environ: str) -> Settings:
    file = folder / "config.yaml"
    file.write_text(f"{BRIDGES}web: {web}\n", encoding="utf-8")
    return load(file, environ)


def refused(folder: Path, web: str) -> str:
    with pytest.raises(ConfigError) as caught:
        read(folder, web)
    return str(caught.value).replace(f"{folder}/", "")


def test_it_is_off_and_for_this_machine_until_asked_for(tmp_path: Path) -> None:
    assert read(tmp_path, "").web == WebSettings()
    assert WebSettings() == WebSettings(enabled=False, listen=Listen("127.0.0.1", 8430))
    assert read(tmp_path, "{enabled: true}").web == WebSettings(enabled=True)


def test_every_key_is_read(tmp_path: Path) -> None:
    text = (
        '{enabled: true, listen: "0.0.0.0:80", hosts: [Bridge.Example, "::1"], behind_tls: true, '
        'password: correct horse battery, trusted_proxies: [127.0.0.1, 172.18.5.1/16, "fd00::/8"]}'
    )
    assert read(tmp_path, text).web == WebSettings(
        enabled=True,
        listen=Listen("0.0.0.0", 80),
        hosts=("bridge.example", "::1"),
        password=Secret("correct horse battery"),
        behind_tls=True,
        trusted_proxies=tuple(map(ip_network, ("127.0.0.1", "172.18.0.0/16", "fd00::/8"))),
    )


@pytest.mark.parametrize("proxy", ["0.0.0.0/0", "::/0", "proxy.example", "127.0.0.1:80", "1.2.3"])
def test_what_stands_for_everybody_or_nobody_is_no_proxy(tmp_path: Path, proxy: str) -> None:
    assert "web.trusted_proxies" in refused(tmp_path, f"{{trusted_proxies: ['{proxy}']}}")


@pytest.mark.parametrize("listen", ["127.0.0.1:8430", "[::1]:8430", "localhost:0", "127.9.9.9:1"])
def test_this_machine_alone_needs_no_password(tmp_path: Path, listen: str) -> None:
    assert read(tmp_path, f'{{enabled: true, listen: "{listen}"}}').web.listen.is_loopback


@pytest.mark.parametrize("listen", ["0.0.0.0:8430", "[::]:8430", "192.168.1.5:8430"])
def test_everything_else_is_refused_without_one(tmp_path: Path, listen: str) -> None:
    said = refused(tmp_path, f'{{enabled: true, listen: "{listen}", hosts: [a.example]}}')
    assert said.startswith("config.yaml:4: web: ")
    assert "give it a password" in said


def test_a_proxy_in_front_of_it_needs_one_too(tmp_path: Path) -> None:
    said = refused(tmp_path, "{enabled: true, behind_tls: true}")
    assert "give it a password" in said
    assert "name the hosts" in said


def test_every_address_needs_the_names_it_is_called_by(tmp_path: Path) -> None:
    said = refused(
        tmp_path, '{enabled: true, listen: "0.0.0.0:80", password: correct horse battery}'
    )
    assert "web.hosts: name the hosts" in said


@pytest.mark.parametrize(
    "web",
    [
        "{listen: 8430}",
        '{listen: "127.0.0.1"}',
        '{listen: "::1:8430"}',
        '{listen: "127.0.0.1:99999"}',
        '{listen: "bridge.example:80"}',
        "{hosts: ['https://bridge.example']}",
        "{hosts: ['bridge.example:80']}",
        "{password: short}",
    ],
)
def test_what_makes_no_sense_is_refused_with_its_line(tmp_path: Path, web: str) -> None:
    said = refused(tmp_path, web)
    assert said.startswith("config.yaml:4: web.")
    assert "short" not in said, "a secret is not repeated"


def test_the_password_may_stand_in_a_file(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("correct horse battery\n", encoding="utf-8")
    web = read(tmp_path, f"{{enabled: true, password_file: {tmp_path / 'secret'}}}").web
    assert web.password == Secret("correct horse battery")
