"""What a configuration file may say, and how every fault in it is named.

Bars of docs/reliability.md: S5.
"""

import errno
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import IO, cast

import pytest

from bridge.config import MastodonToX, OAuth2, Settings, load, locate
from bridge.config.settings import LedgerSettings, Recheck
from bridge.core.errors import ConfigError
from bridge.core.model import Visibility
from bridge.core.secret import Secret
from bridge.core.timing import Cron, FromBeginning, FromDate, FromNow, Interval

MINIMAL = """\
state: ./state
bridges:
  - name: personal
    mastodon: {url: https://mastodon.example, access_token: m-token}
    x:
      oauth1: {consumer_key: a, consumer_secret: b, access_token: c, access_token_secret: d}
"""


def read(folder: Path, text: str, **environ: str) -> Settings:
    file = folder / "config.yaml"
    file.write_text(text, encoding="utf-8")
    return load(file, environ)


def faults(folder: Path, text: str, **environ: str) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        read(folder, text, **environ)
    return str(caught.value).replace(f"{folder}/", "").splitlines()


def test_what_is_left_out_has_the_documented_defaults(tmp_path: Path) -> None:
    (bridge,) = read(tmp_path, MINIMAL).bridges
    assert bridge.x.url == "https://api.x.com"
    assert (bridge.x.dialect, bridge.x.max_length) == ("auto", 280)
    assert bridge.mastodon_to_x == MastodonToX(
        enabled=True,
        every=Interval(timedelta(minutes=1)),
        delay=timedelta(seconds=30),
        start=FromNow(),
        visibility=frozenset({Visibility.PUBLIC}),
    )
    assert bridge.x_to_mastodon.delay == timedelta(0)
    assert bridge.x_to_mastodon.visibility is Visibility.PUBLIC


def test_the_state_folder_is_relative_to_the_file(tmp_path: Path) -> None:
    assert read(tmp_path, MINIMAL).state == tmp_path / "state"


def test_a_service_without_a_state_key_uses_its_state_directory(tmp_path: Path) -> None:
    settings = read(tmp_path, MINIMAL.split("\n", 1)[1], STATE_DIRECTORY="/var/lib/twinpost")
    assert settings.state == Path("/var/lib/twinpost")


@pytest.mark.parametrize(
    "style", ["{url: U, access_token: ${TOKEN}}", '{url: U, access_token: "${TOKEN}"}']
)
def test_a_value_may_come_from_the_environment(tmp_path: Path, style: str) -> None:
    text = MINIMAL.replace(
        "{url: https://mastodon.example, access_token: m-token}",
        style.replace("U,", "https://${HOST:-mastodon.example},"),
    )
    (bridge,) = read(tmp_path, text, TOKEN="from-outside").bridges
    assert bridge.mastodon.access_token == Secret("from-outside")
    assert bridge.mastodon.url == "https://mastodon.example"


def test_a_missing_variable_is_named_with_its_line_and_key(tmp_path: Path) -> None:
    text = MINIMAL.replace("m-token", "${MASTODON_ACCESS_TOKEN}")
    assert faults(tmp_path, text) == [
        (
            "config.yaml:4: bridges[0].mastodon.access_token: "
            "the environment variable MASTODON_ACCESS_TOKEN is not set"
        )
    ]


def test_a_secret_may_stand_in_a_file(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("from-file\n")
    text = MINIMAL.replace("access_token: m-token", f"access_token_file: {tmp_path}/token")
    (bridge,) = read(tmp_path, text).bridges
    assert bridge.mastodon.access_token == Secret("from-file")


IN_A_FILE = MINIMAL.replace("access_token: m-token", "access_token_file: mastodon-token")


def test_a_secrets_file_is_also_looked_for_among_a_services_credentials(tmp_path: Path) -> None:
    service = tmp_path / "credentials"
    service.mkdir()
    (service / "mastodon-token").write_text("from-systemd")
    (bridge,) = read(tmp_path, IN_A_FILE, CREDENTIALS_DIRECTORY=str(service)).bridges
    assert bridge.mastodon.access_token == Secret("from-systemd")
    # What the service manager hands out is meant, whatever lies about.
    (tmp_path / "mastodon-token").write_text("from-beside")
    (bridge,) = read(tmp_path, IN_A_FILE, CREDENTIALS_DIRECTORY=str(service)).bridges
    assert bridge.mastodon.access_token == Secret("from-systemd")


@pytest.mark.parametrize("written", ["mastodon-token", "../config/mastodon-token"])
def test_a_secrets_file_is_named_relative_to_the_configuration_wherever_one_stands(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, written: str
) -> None:
    folder, elsewhere = tmp_path / "config", tmp_path / "elsewhere"
    folder.mkdir()
    elsewhere.mkdir()
    (folder / "mastodon-token").write_text("from-beside")
    (elsewhere / "mastodon-token").write_text("from-where-one-stands")
    monkeypatch.chdir(elsewhere)
    (bridge,) = read(folder, IN_A_FILE.replace("mastodon-token", written)).bridges
    assert bridge.mastodon.access_token == Secret("from-beside")
    (folder / "mastodon-token").unlink()
    assert faults(folder, IN_A_FILE) == [
        (
            "config.yaml:4: bridges[0].mastodon.access_token_file: there is no file mastodon-token "
            f"in any of these folders: {folder}, /run/secrets"
        )
    ]


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (PermissionError(errno.EACCES, "Permission denied"), "may not read it"),
        (OSError(errno.EIO, "Input/output error"), "cannot be read: Input/output error"),
    ],
)
def test_why_a_secrets_file_cannot_be_read_is_said_in_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: OSError, said: str
) -> None:
    file, opened = tmp_path / "mastodon-token", Path.open
    file.write_text("x")

    def fails(path: Path, *arguments: str, **more: str) -> IO[str]:
        if path == file:
            raise error
        return cast("IO[str]", opened(path, *arguments, **more))  # type: ignore[call-overload]

    monkeypatch.setattr(Path, "open", fails)
    (fault,) = faults(tmp_path, IN_A_FILE)
    assert said in fault
    assert "mastodon-token" in fault
    assert type(error).__name__ not in fault


def test_what_is_no_file_of_a_secret_is_said_to_be_that(tmp_path: Path) -> None:
    (tmp_path / "mastodon-token").mkdir()
    assert "mastodon-token is a folder, not a file" in faults(tmp_path, IN_A_FILE)[0]
    (tmp_path / "mastodon-token").rmdir()
    (tmp_path / "mastodon-token").write_bytes(b"\xc3\x28")
    assert "mastodon-token holds no text in UTF-8" in faults(tmp_path, IN_A_FILE)[0]


@pytest.mark.parametrize("name", ['""', r'"a\0b"', "~nobody-of-that-name/token"])
def test_what_is_no_name_of_a_file_is_a_fault_like_any_other(tmp_path: Path, name: str) -> None:
    (fault,) = faults(tmp_path, IN_A_FILE.replace("mastodon-token", name))
    assert fault.startswith("config.yaml:4: bridges[0].mastodon.access_token_file: ")


def test_a_secrets_file_that_is_named_in_full_is_looked_for_nowhere_else(tmp_path: Path) -> None:
    missing = tmp_path / "nowhere" / "mastodon-token"
    (tmp_path / "mastodon-token").write_text("another")
    text = IN_A_FILE.replace("mastodon-token", str(missing))
    with pytest.raises(ConfigError, match=f"there is no file {missing}$"):
        read(tmp_path, text, CREDENTIALS_DIRECTORY=str(tmp_path))


SPOILED = [
    ('"m-token"', "in quotes"),
    ("'m-token'", "in quotes"),
    ("“m-token”", "in quotes"),
    ("MASTODON_ACCESS_TOKEN=m-token", "begins with MASTODON_ACCESS_TOKEN="),
    ("export MASTODON_ACCESS_TOKEN='m-token'", "begins with MASTODON_ACCESS_TOKEN="),
    ("access_token = m-token", "begins with a name and ="),
    ("Bearer m-token", "begins with the word Bearer"),
    ("m-\u200btoken", "U+200B (zero width space)"),
    ("m-\u00a0token", "U+00A0 (no-break space)"),
    ("m-tоken", "U+043E (cyrillic small letter o)"),
    ("m-\x1b[0mtoken", "U+001B (control character)"),
    ("m token", "without a space"),
    ("", "expected a token"),
]


@pytest.mark.parametrize(("written", "said"), SPOILED)
@pytest.mark.parametrize("key", ["mastodon.access_token", "x.oauth1.consumer_key"])
@pytest.mark.parametrize("source", ["file", "environment"])
def test_what_is_around_a_token_is_named_and_nothing_of_it_is_shown(
    tmp_path: Path, written: str, said: str, key: str, source: str
) -> None:
    name = key.rpartition(".")[2]
    given = f"{name}: m-token" if name == "access_token" else f"{name}: a"
    (tmp_path / "secret").write_text(written + "\n", encoding="utf-8")
    value = f"{name}_file: secret" if source == "file" else f'{name}: "${{SECRET}}"'
    (fault,) = faults(tmp_path, MINIMAL.replace(given, value), SECRET=written)
    assert said in fault
    assert key in fault
    assert "m-t" not in fault


@pytest.mark.parametrize("token", ["a=", "abc==", "ab:1:c=", "x_y", "k-_.~+/=", "A_B_C", "'half"])
def test_a_token_may_have_any_sign(tmp_path: Path, token: str) -> None:
    (bridge,) = read(tmp_path, MINIMAL.replace("m-token", "${TOKEN}"), TOKEN=token).bridges
    assert bridge.mastodon.access_token == Secret(token)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"\xef\xbb\xbfm-token", "begins with a byte order mark"),
        ("m-token".encode("utf-16"), "is UTF-16 with a byte order mark"),
        (b"\xfe\xff" + "m-token".encode("utf-16-be"), "is UTF-16 with a byte order mark"),
    ],
)
def test_a_byte_order_mark_in_a_secrets_file_is_named(
    tmp_path: Path, content: bytes, said: str
) -> None:
    (tmp_path / "mastodon-token").write_bytes(content)
    assert said in faults(tmp_path, IN_A_FILE)[0]


def test_a_configuration_may_begin_with_a_byte_order_mark(tmp_path: Path) -> None:
    assert read(tmp_path, f"\ufeff{MINIMAL}").bridges


def test_a_default_may_hold_a_dollar_sign(tmp_path: Path) -> None:
    (bridge,) = read(tmp_path, MINIMAL.replace("m-token", "${NONE:-pa$$word$}")).bridges
    assert bridge.mastodon.access_token == Secret("pa$$word$")


def test_a_secret_given_twice_is_a_fault(tmp_path: Path) -> None:
    text = MINIMAL.replace("access_token: m-token", "access_token: m-token, access_token_file: x")
    assert "given twice" in faults(tmp_path, text)[0]


def test_no_message_and_no_repr_shows_a_secret(tmp_path: Path) -> None:
    settings = read(tmp_path, MINIMAL.replace("m-token", "s3cr3t"))
    assert "s3cr3t" not in repr(settings)
    assert "has a space" not in "".join(faults(tmp_path, MINIMAL.replace("m-token", "has a space")))


def test_an_unknown_key_is_named_with_a_suggestion(tmp_path: Path) -> None:
    text = MINIMAL + "    mastodon_to_y: {enabled: false}\n"
    assert faults(tmp_path, text) == [
        "config.yaml:7: bridges[0].mastodon_to_y: there is no such key; did you mean mastodon_to_x?"
    ]


def test_every_fault_of_a_file_is_named_at_once_in_its_order(tmp_path: Path) -> None:
    text = MINIMAL + (
        "    mastodon_to_x: {every: often, delay: 5}\n    x_to_mastodon: {visibility: everyone}\n"
    )
    lines = [fault.split(":")[1] for fault in faults(tmp_path, text)]
    assert lines == ["7", "7", "8"]


@pytest.mark.parametrize("audience", ["private", "direct"])
def test_no_configuration_can_let_a_private_post_across(tmp_path: Path, audience: str) -> None:
    text = MINIMAL + f"    mastodon_to_x: {{visibility: [public, {audience}]}}\n"
    assert f"{audience} posts never cross" in faults(tmp_path, text)[0]


def test_an_empty_list_of_audiences_is_a_fault(tmp_path: Path) -> None:
    assert "empty" in faults(tmp_path, MINIMAL + "    mastodon_to_x: {visibility: []}\n")[0]


@pytest.mark.parametrize(
    ("written", "start"),
    [
        ("now", FromNow()),
        ("beginning", FromBeginning()),
        ("2026-11-22", FromDate(datetime(2026, 11, 22, tzinfo=UTC))),
        ("2026-11-22T10:00:00+02:00", FromDate(datetime(2026, 11, 22, 8, tzinfo=UTC))),
    ],
)
def test_where_a_route_starts(tmp_path: Path, written: str, start: object) -> None:
    (bridge,) = read(tmp_path, MINIMAL + f"    x_to_mastodon: {{start: {written}}}\n").bridges
    assert bridge.x_to_mastodon.start == start


@pytest.mark.parametrize(
    ("written", "every"),
    [
        ("45s", Interval(timedelta(seconds=45))),
        ("1h30m", Interval(timedelta(minutes=90))),
        ('"*/5 * * * *"', Cron("*/5 * * * *")),
        ('"0 8-18 * * 1-5"', Cron("0 8-18 * * mon,tue,wed,thu,fri")),
        ('"0 0 * * 0,7"', Cron("0 0 * * sun")),
    ],
)
def test_how_often_a_source_is_read(tmp_path: Path, written: str, every: object) -> None:
    (bridge,) = read(tmp_path, MINIMAL + f"    x_to_mastodon: {{every: {written}}}\n").bridges
    assert bridge.x_to_mastodon.every == every


@pytest.mark.parametrize("written", ["0s", "-5s", "5", "60 * * * *", "* * * *", "5m5", "9999d"])
def test_a_period_that_makes_no_sense_is_a_fault(tmp_path: Path, written: str) -> None:
    assert faults(tmp_path, MINIMAL + f'    x_to_mastodon: {{every: "{written}"}}\n')


@pytest.mark.parametrize(
    "url",
    [
        "http://mastodon.example",
        "https://user:pw@mastodon.example",
        "https://mastodon.example/@ada",
        "mastodon.example",
        "file:///etc/passwd",
    ],
)
def test_an_address_must_be_a_servers_and_encrypted(tmp_path: Path, url: str) -> None:
    assert faults(tmp_path, MINIMAL.replace("https://mastodon.example", url))


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:3000", "http://localhost:3000", "http://[::1]:80"]
)
def test_plain_http_is_for_this_machine(tmp_path: Path, url: str) -> None:
    text = MINIMAL.replace("{url: https://mastodon.example", f'{{url: "{url}"')
    assert read(tmp_path, text).bridges[0].mastodon.url == url


def test_x_takes_one_kind_of_credentials_or_none_where_a_login_gives_them(tmp_path: Path) -> None:
    both = MINIMAL + "      oauth2: {client_id: a, access_token: b}\n"
    assert "not both" in faults(tmp_path, both)[0]
    neither = MINIMAL.replace("oauth1:", "#").replace("    x:", "    x: {dialect: auto}")
    assert read(tmp_path, neither).bridges[0].x.credentials is None
    without = MINIMAL.replace(", access_token: m-token", "")
    assert read(tmp_path, without).bridges[0].mastodon.access_token is None


def test_oauth2_may_name_the_app_alone_but_no_refresh_token_without_its_access_token(
    tmp_path: Path,
) -> None:
    text = MINIMAL[: MINIMAL.index("      oauth1")] + "      oauth2: {client_id: a%s}\n"
    credentials = read(tmp_path, text % "").bridges[0].x.credentials
    assert isinstance(credentials, OAuth2)
    assert credentials.access_token is None
    assert "without its access_token" in faults(tmp_path, text % ", refresh_token: r")[0]


def test_two_bridges_between_the_same_servers_are_told_apart_by_their_logins(
    tmp_path: Path,
) -> None:
    one = "  - {name: %s, mastodon: {url: https://mastodon.example}, x: {dialect: auto}}\n"
    settings = read(tmp_path, "state: ./state\nbridges:\n" + one % "a" + one % "b")
    assert [bridge.name for bridge in settings.bridges] == ["a", "b"]


def test_the_file_of_certificates_is_relative_to_the_file(tmp_path: Path) -> None:
    assert read(tmp_path, MINIMAL).ca_file is None
    assert read(tmp_path, "ca_file: own.pem\n" + MINIMAL).ca_file == tmp_path / "own.pem"


def test_oauth2_needs_neither_a_client_secret_nor_a_refresh_token(tmp_path: Path) -> None:
    start = MINIMAL.index("      oauth1")
    text = MINIMAL[:start] + "      oauth2: {client_id: a, access_token: b}\n"
    credentials = read(tmp_path, text).bridges[0].x.credentials
    assert isinstance(credentials, OAuth2)
    assert credentials.client_secret is None


def test_two_bridges_may_not_share_a_name_or_a_pair_of_accounts(tmp_path: Path) -> None:
    second = MINIMAL.split("bridges:\n")[1]
    same_name = second.replace("m-token", "other")
    same_pair = second.replace("personal", "again")
    assert "is also the bridge on line 3" in faults(tmp_path, MINIMAL + same_name)[0]
    assert "same two accounts as the bridge on line 3" in faults(tmp_path, MINIMAL + same_pair)[0]


@pytest.mark.parametrize(
    ("hostile", "word"),
    [
        ("a: &a [x]\nb: [*a, *a]\n", "aliases"),
        ("state: !!python/object/apply:os.system [ls]\n", ""),
        ("state: a\nstate: b\n", "stands twice"),
        ("state: " + "[" * 5000 + "]" * 5000, "deep"),
        ("x" * 300_000, "larger than"),
        ("state: [", "not valid YAML"),
        ("", "empty"),
        ("- just\n- a list\n", "expected keys"),
        ("state: \x00", "not valid YAML"),
        ("state: " + "${A:-" * 48_000, "a reference without its }"),
        ("state: " + "${A:-x$" * 36_000, "a reference without its }"),
        ("state: " + "${A:-${B}}", "inside another one"),
        ("state: ${A", "a reference without its }"),
    ],
)
def test_a_hostile_or_broken_file_is_refused_quickly(
    tmp_path: Path, hostile: str, word: str
) -> None:
    begun = time.perf_counter()
    assert word in "\n".join(faults(tmp_path, hostile))
    assert time.perf_counter() - begun < 1


def test_a_file_is_looked_for_where_people_expect_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    named, here = tmp_path / "named.yaml", tmp_path / "config.yaml"
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "xdg"))
    with pytest.raises(ConfigError, match="no configuration found"):
        locate(None, {})
    platform = tmp_path / "xdg" / "twinpost" / "config.yaml"
    platform.parent.mkdir(parents=True)
    for file in (platform, here, named):
        file.write_text(MINIMAL)
    assert locate(None, {}) == Path("config.yaml")
    assert locate(None, {"TWINPOST_CONFIG": str(named)}) == named
    assert locate(here, {"TWINPOST_CONFIG": str(named)}) == here
    here.unlink()
    assert locate(None, {}) == platform
    with pytest.raises(ConfigError, match="no such file"):
        locate(tmp_path / "absent.yaml", {})


def test_every_choice_of_what_crosses_can_be_written(tmp_path: Path) -> None:
    text = MINIMAL + (
        "    mastodon_to_x:\n"
        '      only_with: ["#xp", "/re:? ?posts?/", breaking news]\n'
        "      never_with: []\n"
        "      languages: [en, pt-BR]\n"
        "      links: defuse\n"
        "      max_usd_per_post: $0.30\n"
        "      warnings: only\n"
        "      warn_about: {spider: spiders}\n"
        "    x_to_mastodon:\n"
        "      recheck: {every: never, window: 50}\n"
        "      edits: note\n"
        "      never_wider_than_default: yes\n"
    )
    (bridge,) = read(tmp_path, text).bridges
    outward, homeward = bridge.mastodon_to_x, bridge.x_to_mastodon
    assert [each.written for each in outward.only_with] == [
        "#xp", "/re:? ?posts?/", "breaking news",
    ]  # fmt: skip
    assert outward.never_with == ()
    assert outward.languages == ("en", "pt-BR")
    assert (outward.links, outward.warnings) == ("defuse", "only")
    assert outward.max_usd_per_post == 300_000
    assert outward.warn_about == {"spider": "spiders"}
    assert homeward.recheck == Recheck(timedelta(0), 50)
    assert (homeward.edits, homeward.never_wider_than_default) == ("note", True)
    assert [each.written for each in homeward.never_with] == ["#noxp"]


def test_premium_follows_from_the_length_unless_it_is_said(tmp_path: Path) -> None:
    def premium(said: str) -> bool:
        text = MINIMAL.replace("      oauth1:", f"      {said}\n      oauth1:")
        return read(tmp_path, text).bridges[0].x.has_premium

    assert not premium("max_length: 280")
    assert premium("max_length: 4000")
    assert premium("premium: true")
    assert not premium("{max_length: 4000, premium: false}".strip("{}").replace(", ", "\n      "))


@pytest.mark.parametrize(
    ("written", "where", "word"),
    [
        ("links: dorp", "links", "did you mean drop?"),
        ("boosts: mine", "boosts", "expected skip, own or all"),
        ("audio: thumbnail", "audio", "expected skip or link"),
        ("max_usd_per_post: lots", "max_usd_per_post", "such as 0.10"),
        ("never_with: ['/(a/']", "never_with", "without a closing one"),
        ("never_with: ['/(a)\\1/']", "never_with", "references to groups are not supported"),
        ("languages: [english]", "languages", "such as en"),
        ("warn_about: {spider: ''}", "warn_about", "some words"),
        ("only_with: #xp", "only_with", "needs quotes"),
        ("only_with:\n        - #xp", "only_with", "needs quotes"),
        ("edit: note", "edit", "did you mean edits?"),
        ("recheck: {every: 6h}", "recheck", "there is no such key"),
    ],
)
def test_a_choice_that_makes_no_sense_is_named_with_its_line_and_key(
    tmp_path: Path, written: str, where: str, word: str
) -> None:
    (fault,) = faults(tmp_path, f"{MINIMAL}    mastodon_to_x:\n      {written}\n")
    assert fault.startswith(("config.yaml:8: ", "config.yaml:9: "))
    assert f"bridges[0].mastodon_to_x.{where}: " in fault
    assert word in fault


@pytest.mark.parametrize("written", ["{every: 5s}", "{every: 6}", "{window: 4}", "{window: 101}"])
def test_rechecking_has_bounds(tmp_path: Path, written: str) -> None:
    assert faults(tmp_path, f"{MINIMAL}    x_to_mastodon: {{recheck: {written}}}\n")


@pytest.mark.parametrize(
    ("key", "value", "words"),
    [
        ("backups", "-1", "a number from 0 to 1000"),
        ("backup_every", "1m", "at least 10m"),
        ("keep_text", "1d", "at least 2d, or for_ever"),
    ],
)
def test_how_the_ledger_is_kept_has_bounds(
    tmp_path: Path, key: str, value: str, words: str
) -> None:
    with pytest.raises(ConfigError, match=words):
        read(tmp_path, f"ledger: {{{key}: {value}}}\n{MINIMAL}")


def test_the_ledger_is_copied_daily_and_forgets_texts_after_a_week(tmp_path: Path) -> None:
    assert read(tmp_path, MINIMAL).ledger == LedgerSettings()
    given = "ledger: {backups: 0, backup_every: 6h, keep_text: for_ever}\n"
    kept = read(tmp_path, given + MINIMAL).ledger
    assert kept == LedgerSettings(0, timedelta(hours=6), timedelta(0))


@pytest.mark.parametrize(
    ("key", "value", "words"),
    [
        ("max_age", "59m", "at least 1h, or any"),
        ("max_per_hour", "0", "a number from 1 to 10000, or any"),
        ("max_per_hour", "many", "a number from 1 to 10000, or any"),
    ],
)
def test_what_keeps_old_posts_from_pouring_out_has_bounds(
    tmp_path: Path, key: str, value: str, words: str
) -> None:
    (fault,) = faults(tmp_path, f"{MINIMAL}    x_to_mastodon: {{{key}: {value}}}\n")
    assert words in fault


def test_a_day_and_twenty_an_hour_unless_told_otherwise(tmp_path: Path) -> None:
    text = f"{MINIMAL}    x_to_mastodon: {{max_age: any, max_per_hour: any}}\n"
    (bridge,) = read(tmp_path, text).bridges
    outward, homeward = bridge.mastodon_to_x, bridge.x_to_mastodon
    assert (outward.max_age, outward.max_per_hour) == (timedelta(hours=24), 20)
    assert (homeward.max_age, homeward.max_per_hour) == (timedelta(0), 0)
