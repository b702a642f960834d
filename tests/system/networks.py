"""Both networks as `twinpost sandbox` serves them on this machine, and people who write there."""

import json
import subprocess
import sys
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import yaml

from tests.system.ground import ROOT


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody with an account on both networks, under one name, and what opens them."""

    name: str
    mastodon_token: str
    x_keys: dict[str, dict[str, str]]

    def secrets(self) -> dict[str, str]:
        """The files of secrets: name and content."""
        one = self.x_keys["oauth1"]
        return {
            "mastodon-token": self.mastodon_token,
            "x-consumer-key": one["consumer_key"],
            "x-consumer-secret": one["consumer_secret"],
            "x-access-token": one["access_token"],
            "x-access-token-secret": one["access_token_secret"],
        }


@dataclass(frozen=True, slots=True)
class Networks:
    """The addresses of both, which are this machine's own."""

    mastodon_url: str
    x_url: str

    def person(self, name: str) -> Person:
        """A new account on each."""
        made = self._ask(f"{self.mastodon_url}/sandbox/accounts", {"username": name})
        keys = self._ask(
            f"{self.x_url}/sandbox/accounts", {"handle": name, "name": name, "confidential": True}
        )
        return Person(name, made["access_token"], keys)

    def configuration(
        self, oauth: str = "oauth1", *, outward: bool = True, signed_in: bool = False
    ) -> str:
        """A configuration that reads both networks often, and every secret from a file.

        It names none where somebody has `signed_in`.
        """
        keys = ["consumer_key", "consumer_secret", "access_token", "access_token_secret"]
        if oauth == "oauth2":
            keys = ["client_id", "client_secret", "access_token", "refresh_token"]
        mastodon = {"url": self.mastodon_url, "access_token_file": "mastodon-token"}
        x = {"url": self.x_url, oauth: {f"{k}_file": f"x-{k}".replace("_", "-") for k in keys}}
        if signed_in:
            mastodon, x = {"url": self.mastodon_url}, {"url": self.x_url}
        often = {"every": "2s", "delay": "0s"}
        bridge = {
            "name": "personal",
            "mastodon": mastodon,
            "x": x,
            "mastodon_to_x": {"enabled": outward} | often,
            "x_to_mastodon": dict(often),
        }
        return yaml.safe_dump({"bridges": [bridge]}, sort_keys=False)

    def toot(self, person: Person, text: str) -> None:
        """Write on Mastodon."""
        self._ask(f"{self.mastodon_url}/sandbox/write", {"username": person.name, "text": text})

    def on_x(self, person: Person) -> list[str]:
        """What stands on X, newest first."""
        return [p["text"] for p in self._ask(f"{self.x_url}/sandbox/timeline/{person.name}")]

    def asked(self) -> int:
        """How many requests both have had."""
        return sum(len(self._ask(f"{url}/sandbox/requests")) for url in self._both())

    def hang(self) -> None:
        """Have both say nothing any more."""
        for url in self._both():
            fault = {"name": "refuse-then-hang", "path": "^/(2|api)/", "times": None}
            self._ask(f"{url}/sandbox/faults", fault)

    def mend(self) -> None:
        """Have both answer again."""
        for url in self._both():
            self._open(urllib.request.Request(f"{url}/sandbox/faults", method="DELETE"))

    def _both(self) -> tuple[str, str]:
        return self.mastodon_url, self.x_url

    def _ask(self, url: str, body: Mapping[str, object] | None = None) -> Any:
        data = None if body is None else json.dumps(body).encode()
        headers = {"Content-Type": "application/json"}
        return json.loads(self._open(urllib.request.Request(url, data=data, headers=headers)))

    @staticmethod
    def _open(request: urllib.request.Request) -> bytes:
        # Never through a proxy: these networks are on this machine.
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with opener.open(request, timeout=10) as answer:
            content: bytes = answer.read()
        return content


@contextmanager
def served() -> Iterator[Networks]:
    """Serve both until the end of the block."""
    command = [sys.executable, "-m", "bridge", "sandbox", "--x-port", "0", "--mastodon-port", "0"]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, cwd=ROOT
    ) as process:
        try:
            assert process.stdout is not None
            lines = []
            for line in process.stdout:
                lines.append(line)
                if line.lstrip().startswith("x_to_mastodon"):
                    break
            (bridge,) = yaml.safe_load("".join(lines))["bridges"]
            yield Networks(bridge["mastodon"]["url"], bridge["x"]["url"])
        finally:
            process.terminate()
