"""The bridge between small servers that were written from the documents alone.

One configuration holds a bridge for each make of Mastodon-API server, with X in either vocabulary.
"""

import re
from datetime import timedelta
from pathlib import Path

from tests.blackbox import snac
from tests.blackbox.plain_mastodon import MAKES, PlainMastodon
from tests.blackbox.plain_x import OWNER, PlainX
from tests.blackbox.stage import Stage, staged

OLD = 25
AGES_AGO = timedelta(days=9)
TIMELINE = f"/2/users/{OWNER}/tweets"
LONG = " ".join(f"word{number:03}" for number in range(45))
ARABIC = "العربية لغة جميلة ويتحدث بها ملايين الناس في العالم كل يوم"


def pairs() -> dict[str, tuple[PlainX, PlainMastodon]]:
    made = {}
    for number, (name, make) in enumerate(MAKES.items()):
        x = PlainX(("post", "tweet")[number % 2])
        made[name] = (x, PlainMastodon(make))
    return made


async def passes(stage: Stage, count: int) -> None:
    for _ in range(count):
        ended = await stage.twinpost("once")
        assert ended.code == 0, ended.err


def words(texts: list[str]) -> list[str]:
    return re.findall(r"word\d+", " ".join(texts))


def threads(x: PlainX) -> int:
    """How many mirrors stand alone or begin a thread."""
    return sum(tweet.by_api and not tweet.refs for tweet in x.tweets)


async def test_posts_cross_once_and_in_order_whatever_make_the_servers_are(tmp_path: Path) -> None:
    async with staged(tmp_path, pairs()) as stage:
        for x, mastodon in stage.pairs.values():
            for number in range(OLD):
                x.write(f"long ago on x {number}", age=AGES_AGO)
                mastodon.write(f"long ago on mastodon {number}", age=AGES_AGO)
        await passes(stage, 1)
        for x, mastodon in stage.pairs.values():
            assert x.mirrors() == mastodon.mirrors() == []
            x.requests.clear()

            toot_one = "toot one: <b> & snake_case"
            mastodon.write(snac.typed(toot_one) if mastodon.make.takes_markup else toot_one)
            mastodon.write("for followers", visibility="private")
            parent = mastodon.write(f"{ARABIC}\n\n{LONG}")
            mastodon.write("toot three, below two", in_reply_to=parent.id)
            x.write("tweet one: <b> & snake_case")
            root = x.write(f"tweet two {LONG[:260]}")
            reply = {"type": "replied_to", "id": root.id}
            x.write("tweet three, below two", refs=[reply])
        await passes(stage, 2)

        history = await stage.history()
        for name, (x, mastodon) in stage.pairs.items():
            sent = x.mirrors()
            assert sent[0] == "toot one: <b> & snake_case", name
            assert sent[-1] == "toot three, below two", name
            assert words(sent) == LONG.split(), name
            assert "\n\n" in "".join(sent), name
            got = mastodon.mirrors()
            assert got[0] == "tweet one: <b> & snake_case", name
            assert got[-1] == "tweet three, below two", name
            assert all(
                status.visibility == "public" for status in mastodon.statuses if status.by_api
            )
            assert threads(x) == 2, name
            rows = [row for row in history if row["bridge"] == name]
            assert {row["source_id"] for row in rows} >= {
                *(status.id for status in mastodon.statuses[OLD:]),
                *(tweet.id for tweet in x.tweets[OLD:]),
            }
            assert all(row["reason"] for row in rows)
            # Once, the newest are looked at again, for edits and deletions.
            again = [query for query in x.asked("GET", TIMELINE) if "since_id" not in query]
            assert len(again) <= 1, name
            assert len(x.asked("POST", "/2/tweets")) == len(sent)

        expected = {name: (x.mirrors(), m.mirrors()) for name, (x, m) in stage.pairs.items()}
        for name, (x, mastodon) in stage.pairs.items():
            mastodon.edit(mastodon.statuses[OLD], "toot one, mended")
            x.edit(x.tweets[OLD], "tweet one, mended")
            if mastodon.make.edits:
                expected[name][1][0] = "tweet one, mended"
        await passes(stage, 1)
        for name, (x, mastodon) in stage.pairs.items():
            assert (x.mirrors(), mastodon.mirrors()) == expected[name], name
