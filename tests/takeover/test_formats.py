"""What other cross-posters remember, read as their public sources write it; nothing is guessed."""

import json
import sqlite3
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.core.model import Network
from bridge.ledger.takeover import FORMATS, Format, Known, read

DUMP = """\
--
-- PostgreSQL database dump
--
SET statement_timeout = 0;
COPY public.mastodon_clients (id, domain, client_id, client_secret, created_at, updated_at) FROM stdin;
1\tmastodon.example\tabc\tdef\t2018-01-01 00:00:00\t2018-01-01 00:00:00
2\tother.example\tabc\tdef\t2018-01-01 00:00:00\t2018-01-01 00:00:00
\\.

COPY public.statuses (id, mastodon_client_id, masto_id, tweet_id, created_at, updated_at) FROM stdin;
1\t1\t99300123456789012\t950000000000000001\t2018-01-06 20:11:01.5\t2018-01-06 20:11:01.5
2\t2\t9iY\t950000000000000002\t2018-01-06 20:12:00\t2018-01-06 20:12:00
\\.
"""  # noqa: E501 - as the tool writes it
MYSQL = (
    "-- MySQL dump 10.13\n"
    "INSERT INTO `bridge` VALUES (1,'it''s','x');\n"
    "INSERT INTO `mapping` VALUES (1,101,901,'2019-02-03 04:05:06'),(2,0,902,NULL),"
    "(3,103,903,NULL);\n"
)
NEW = {
    "origin": "mastodon",
    "services": {
        "bluesky": {"id": "bafy", "failure": 0, "uri": "at://x"},
        "mastodon": {"id": "111", "failure": 0},
        "twitter": {"id": "1700000000000000001", "failure": 0},
    },
}


def ids(content: str | bytes, given: Format | None = None) -> list[tuple[str | None, str | None]]:
    raw = content.encode() if isinstance(content, str) else content
    found = read(raw, given)
    assert found.unread == []
    return [(pair.mastodon, pair.x) for pair in found.pairs]


def moa_file(folder: Path, *, wal: bool = False) -> bytes:
    database = sqlite3.connect(folder / "moa.db", isolation_level=None)
    if wal:
        database.execute("PRAGMA journal_mode = WAL")
    database.execute(
        "CREATE TABLE mapping (id INTEGER NOT NULL PRIMARY KEY, mastodon_id BIGINT, "
        "twitter_id BIGINT, created DATETIME)"
    )
    database.execute("INSERT INTO mapping VALUES (1, 101, 901, '2019-02-03 04:05:06.000000')")
    database.execute("INSERT INTO mapping VALUES (2, 102, 0, NULL)")
    database.close()
    return (folder / "moa.db").read_bytes()


def test_the_posters_dump_names_the_server_of_each_pair() -> None:
    found = read(DUMP.encode())
    assert found.unread == []
    assert found.pairs == [
        Known(
            "99300123456789012",
            "950000000000000001",
            at=datetime(2018, 1, 6, 20, 11, 1, 500_000, tzinfo=UTC),
            server="mastodon.example",
        ),
        Known(
            "9iY",
            "950000000000000002",
            at=datetime(2018, 1, 6, 20, 12, tzinfo=UTC),
            server="other.example",
        ),
    ]


@pytest.mark.parametrize(
    "table",
    [
        "masto_id,tweet_id\n11,21\n12,22\n",
        (
            "id,mastodon_client_id,masto_id,tweet_id,created_at,updated_at\n"
            "1,1,11,21,2018-01-06 20:11:01,2018-01-06 20:11:01\n2,1,12,22,,\n"
        ),
        '\ufeff"tweet_id","masto_id"\r\n"21","11"\r\n"22","12"\r\n',
        "INSERT INTO public.statuses (tweet_id, masto_id) VALUES (21, '11'), (22, '12');\n",
        (
            "INSERT INTO statuses VALUES (1, 1, '11', 21, now, now);\n"
            "INSERT INTO statuses VALUES (2, 1, '12', 22, now, now);\n"
        ),
    ],
)
def test_the_posters_table_may_be_given_as_text_in_several_ways(table: str) -> None:
    assert ids(table, Format.POSTER) == [("11", "21"), ("12", "22")]


@pytest.mark.parametrize("wal", [False, True])
def test_moas_database_is_read_as_it_is(tmp_path: Path, *, wal: bool) -> None:
    found = read(moa_file(tmp_path, wal=wal))
    assert found.pairs == [Known("101", "901", at=datetime(2019, 2, 3, 4, 5, 6, tzinfo=UTC))]
    assert (found.unread, found.others) == ([], 1)


def test_moas_table_may_be_a_dump_of_mysql_or_csv() -> None:
    assert ids(MYSQL) == [("101", "901"), ("103", "903")]
    assert ids("id,mastodon_id,twitter_id,created\n1,101,901,2019-02-03\n") == [("101", "901")]


def test_pleroma_bots_posts_are_tweets_and_what_has_no_post_is_dealt_with_all_the_same() -> None:
    posts = {"https://pleroma.example": {"21": "AEa1", "22": ""}, "https://other.example/": {}}
    found = read(json.dumps(posts).encode())
    assert found.unread == []
    assert found.pairs == [
        Known("AEa1", "21", Network.X, server="pleroma.example"),
        Known(None, "22", Network.X, server="pleroma.example"),
    ]


def test_bluesky_crossposters_lines_are_read_in_both_forms() -> None:
    old = {
        "skeet": "bafy2",
        "ids": {"twitter_id": "23", "mastodon_id": "13"},
        "failed": {"twitter": 0, "mastodon": 0},
    }
    older = {"skeet": "bafy3", "ids": {"twitterId": 24, "mastodonId": 14}}
    lines = "\n".join(json.dumps(entry) for entry in (NEW, old, older)) + "\n"
    found = read(lines.encode())
    assert found.unread == []
    assert found.pairs == [
        Known("111", "1700000000000000001", Network.MASTODON),
        Known("13", "23"),
        Known("14", "24"),
    ]


@pytest.mark.parametrize("never", ["skipped", "FailedToPost", "duplicate", "", None])
def test_what_bluesky_crossposter_never_sent_is_no_pair(never: str | None) -> None:
    services = NEW["services"] | {"twitter": {"id": never}}  # type: ignore[operator] # a mapping
    found = read(json.dumps(NEW | {"services": services}).encode())
    assert (found.pairs, found.unread, found.others) == ([], [], 1)


def test_mastodon_to_twitters_associations_are_read() -> None:
    assert ids('{"11": 21, "12": "22"}') == [("11", "21"), ("12", "22")]


@pytest.mark.parametrize(
    ("kind", "content", "place"),
    [
        (Format.POSTER, "masto_id,tweet_id\n11,21\n12\n", "line 3"),
        (Format.POSTER, "masto_id,tweet_id\n11,x21\n", "line 2"),
        (Format.POSTER, "masto_id,tweet_id\n,21\n", "line 2"),
        (Format.POSTER, DUMP.removesuffix("\\.\n"), "the end"),
        (Format.MOA, "INSERT INTO mapping VALUES (1,101,901);\n", "line 1"),
        (Format.MOA, "INSERT INTO mapping VALUES (1,101,901,NULL", "line 1"),
        (Format.PLEROMA_BOT, '{"https://a.example": {"abc": "1"}}', "tweet 'abc'"),
        (Format.PLEROMA_BOT, '{"https://a.example": [1]}', "entry of 'https://a.example'"),
        (Format.PLEROMA_BOT, "[]", "the file"),
        (Format.BLUESKY, "{}\n", "line 1"),
        (Format.BLUESKY, json.dumps(NEW) + "\nnot json\n", "line 2"),
        (Format.MTT, '{"11": 1.5}', "toot '11'"),
        (Format.MTT, '{"11": true}', "toot '11'"),
        (Format.MTT, '{"a\\u0000b": 1}', "toot"),
        (Format.MTT, "\x00\xff", "the file"),
    ],
)
def test_what_cannot_be_read_is_named_with_its_place(
    kind: Format, content: str, place: str
) -> None:
    found = read(content.encode(), kind)
    assert any(place in where for where in found.unread), found


def test_a_damaged_database_is_named(tmp_path: Path) -> None:
    content = moa_file(tmp_path)
    assert read(content[:2000]).unread


def test_a_file_of_no_known_format_says_which_there_are() -> None:
    with pytest.raises(ValueError, match="mastodon-twitter-poster, moa, pleroma-bot"):
        read(b"Dear diary")


@given(st.sampled_from(Format), st.binary(max_size=300) | st.text(max_size=300).map(str.encode))
def test_nothing_that_a_file_may_hold_breaks_a_reader(kind: Format, content: bytes) -> None:
    for pair in FORMATS[kind](content).pairs:
        assert pair.x is None or pair.x.isdigit()
