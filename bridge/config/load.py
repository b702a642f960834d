"""From a file to settings: find it, read it, check what no single key can check.

The only module that looks at the environment. Nothing is written and nothing is started here.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

import platformdirs

from bridge.config.document import Mapping as Written
from bridge.config.document import parse
from bridge.config.keys import ROOT
from bridge.config.money import money_of
from bridge.config.read import Reader, Values
from bridge.config.settings import (
    BridgeSettings,
    LedgerSettings,
    MastodonSettings,
    MastodonToX,
    OAuth1,
    OAuth2,
    Recheck,
    Settings,
    XSettings,
    XToMastodon,
)
from bridge.config.surface_settings import surfaces_of
from bridge.config.web import web_of
from bridge.core.errors import ConfigError
from bridge.core.secret import Secret

APP = "twinpost"
LEDGER_KEYS = ("backups", "backup_every", "keep_text")
DEFAULT_X_URL = "https://api.x.com"


def locate(given: Path | None, environ: Mapping[str, str] = os.environ) -> Path:
    """The configuration file to use.

    The one given, else `$TWINPOST_CONFIG`, else `config.yaml` here, else the one in the platform's
    configuration folder.

    Raises `ConfigError`, naming the places, where there is none.
    """
    named = given or (Path(environ["TWINPOST_CONFIG"]) if environ.get("TWINPOST_CONFIG") else None)
    if named is not None:
        if not named.is_file():
            raise ConfigError(f"{named}: there is no such file")
        return named
    places = [Path("config.yaml"), platformdirs.user_config_path(APP) / "config.yaml"]
    for place in places:
        if place.is_file():
            return place
    looked = " and ".join(str(place) for place in places)
    raise ConfigError(
        f"no configuration found: looked for {looked}. "
        "Make one with: twinpost init; or name the file with --config"
    )


def load(path: Path, environ: Mapping[str, str] = os.environ) -> Settings:
    """The settings in `path`. Raises `ConfigError` with one line for every fault, in file order."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: cannot be read: {type(error).__name__}") from None
    reader = Reader(path, environ)
    root = parse(text, path)
    found = reader.section(ROOT, root)
    entries = cast("list[tuple[int, Values]]", found.get("bridges") or [])
    for index, (line, entry) in enumerate(entries):
        _check_credentials(reader, line, f"bridges[{index}].x", entry)
    if reader.faults:
        raise ConfigError(reader.report())
    bridges = [(line, _bridge(entry)) for line, entry in entries]
    _check_pairs(reader, bridges)
    web = web_of(reader, root, cast("Values | None", found.get("web")))
    surfaces = surfaces_of(reader, root, found)
    if web.enabled and surfaces.metrics and web.listen.meets(surfaces.metrics.listen):
        line = root.lines.get("metrics", root.line) if isinstance(root, Written) else root.line
        reader.fault(line, "metrics.listen", "at that address and port is the web page already")
    if reader.faults:
        raise ConfigError(reader.report())
    state = _state(cast("str | None", found.get("state")), path, environ)
    ca_file = _ca_file(cast("str | None", found.get("ca_file")), path)
    kept = LedgerSettings(**_given(cast("Values", found.get("ledger") or {}), *LEDGER_KEYS))
    return Settings(state, tuple(bridge for _, bridge in bridges), ca_file, kept, web, surfaces)


def _state(given: str | None, path: Path, environ: Mapping[str, str]) -> Path:
    if given:
        return (path.resolve().parent / Path(given).expanduser()).resolve()
    service = environ.get("STATE_DIRECTORY", "").split(":")[0]
    return Path(service) if service else platformdirs.user_state_path(APP)


def _ca_file(given: str | None, path: Path) -> Path | None:
    return (path.resolve().parent / Path(given).expanduser()).resolve() if given else None


def _check_credentials(reader: Reader, line: int, where: str, entry: Values) -> None:
    x = cast("Values | None", entry.get("x"))
    if not x:
        return
    if x.get("oauth1") is not None and x.get("oauth2") is not None:
        reader.fault(line, where, "give oauth1 or oauth2, not both")
    oauth2 = cast("Values | None", x.get("oauth2")) or {}
    if oauth2.get("refresh_token") and not oauth2.get("access_token"):
        what = "refresh_token is given without its access_token; give both, or neither and sign in"
        reader.fault(line, f"{where}.oauth2", what)


def _check_pairs(reader: Reader, bridges: list[tuple[int, BridgeSettings]]) -> None:
    names: dict[str, int] = {}
    pairs: dict[object, int] = {}
    for line, bridge in bridges:
        if bridge.name in names:
            reader.fault(
                line, "bridges", f"{bridge.name} is also the bridge on line {names[bridge.name]}"
            )
        given = _identity(bridge.x.credentials)
        # Whom a login belongs to is not told by the file.
        told = given is not None and bridge.mastodon.access_token is not None
        pair = (bridge.mastodon, bridge.x.url, given) if told else object()
        if pair in pairs:
            what = f"{bridge.name} joins the same two accounts as the bridge on line {pairs[pair]}"
            reader.fault(line, "bridges", what)
        names.setdefault(bridge.name, line)
        pairs.setdefault(pair, line)


def _identity(credentials: OAuth1 | OAuth2 | None) -> object:
    """What two entries for one account on X have in common; None where a login tells."""
    if credentials is None:
        return None
    if isinstance(credentials, OAuth1):
        return credentials.access_token
    return credentials.refresh_token or credentials.access_token


def _bridge(entry: Values) -> BridgeSettings:
    # The declaration in `keys` has checked types and presence of everything taken out here.
    mastodon, x = cast("Any", entry["mastodon"]), cast("Any", entry["x"])
    return BridgeSettings(
        name=cast("Any", entry["name"]),
        mastodon=MastodonSettings(
            mastodon["url"],
            _optional(mastodon["access_token"]),
            **_given(mastodon, "custom_emoji"),
        ),
        x=XSettings(
            url=x["url"] or DEFAULT_X_URL,
            credentials=_credentials(x),
            money=money_of(x, x["url"] or DEFAULT_X_URL),
            **_given(x, "dialect", "max_length", "premium"),
        ),
        mastodon_to_x=MastodonToX(**_route(entry["mastodon_to_x"], frozenset)),
        x_to_mastodon=XToMastodon(**_route(entry["x_to_mastodon"], lambda one: one)),
        people=cast("Any", entry["people"]) or {},
    )


def _optional(token: str | None) -> Secret | None:
    return None if token is None else Secret(token)


def _credentials(x: Values) -> OAuth1 | OAuth2 | None:
    kind = OAuth1 if x["oauth1"] else OAuth2
    given = cast("dict[str, str | None] | None", x["oauth1"] or x["oauth2"])
    if given is None:
        return None
    return kind(**{name: Secret(value) for name, value in given.items() if value is not None})


def _route(section: object, visibility: Any) -> dict[str, Any]:
    """The values of a route by name, lists as tuples."""
    values = cast("Values", section or {})
    found: dict[str, Any] = {}
    for name, value in _given(values, *values).items():
        found[name] = tuple(value) if isinstance(value, list) else value
    if "visibility" in found:
        found["visibility"] = visibility(found["visibility"])
    if "recheck" in found:
        found["recheck"] = Recheck(**_given(found["recheck"], "every", "window"))
    return found


def _given(values: Values, *names: str) -> dict[str, Any]:
    """What was written; what was not is left to the settings' own defaults."""
    return {name: values[name] for name in names if values.get(name) is not None}
