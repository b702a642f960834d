"""S2, S3: hostile names, texts, descriptions and addresses steer neither log nor terminal.

A whole run of the real command against both sandboxes, then everything that a person reads.
"""

import io
import os
import re

from bridge.cli.output import SafeStream
from bridge.sandbox.faults import Fault
from bridge.sandbox.mastodon import Attachment
from tests.crossing import samples
from tests.fixtures.world import World

HOSTILE = (
    "first\nsecond\rthird\x1b[2J\x1b]0;title\x07\x00\u2028\u2029\x9b31m\u202egnp.exe\u2066"
    " [red]bold[/red]"
)
STEERING = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")
"""All that a terminal obeys, but for the line feeds and tabs of our own tables."""


async def test_s3_what_strangers_write_is_shown_and_never_obeyed(world: World) -> None:
    assert (await world.twinpost("once")).code == 0
    picture = Attachment(samples.png(), HOSTILE)
    toot = world.mastodon.write(world.mastodon_account, f"toot {HOSTILE}", media=(picture,))
    world.x.write(world.x_account, f"tweet {HOSTILE}")
    # The server's own words are no better.
    world.mastodon.faults.add(Fault("refuse-then-422", method="POST", path="statuses$"))
    said = [await world.twinpost("once", "--verbose")]
    said += [
        await world.twinpost(*words) for words in (("history",), ("status",), ("why", toot.id))
    ]
    said.append(await world.twinpost("preview", toot.id))
    for ended in said:
        assert not STEERING.search(ended.out + ended.err), ended
    (log, *_) = said
    # One record a line, each with its time.
    assert log.err.splitlines()
    assert all(re.match(r"\d{4}-\d\d-\d\dT", line) for line in log.err.splitlines()), log.err


async def test_s2_nobody_is_pinged_and_nothing_hidden_is_carried_over(world: World) -> None:
    assert (await world.twinpost("once")).code == 0
    world.mastodon.write(world.mastodon_account, f"a toot for @somebody {HOSTILE}")
    world.x.write(world.x_account, f"number 7 on X: @somebody {HOSTILE}")
    assert (await world.twinpost("once")).code == 0
    on_x, on_mastodon = world.x.timeline(world.x_account), world.mastodon
    made = [post.text for post in on_x if "a toot" in post.text]
    found = on_mastodon.timeline(world.mastodon_account)
    made += [status.text for status in found if "number 7" in status.text]
    assert len(made) == 2
    for text in made:
        assert not re.search(r"(?<![\w\u2060])@somebody(?![\w@])", text), text
        assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]", text), text


COMMANDS = (
    ("why", "ARG"),
    ("why", "ARG", "--json"),
    ("preview", "ARG"),
    ("preview", "FILE", "--json"),
    ("preview", "FILE", "--warning", "ARG", "--json"),
    ("history", "--bridge", "ARG"),
    ("history", "--limit", "ARG"),
    ("costs", "--month", "ARG"),
    ("retry", "ARG"),
    ("drop", "ARG"),
    ("resolve", "ARG", "--sent", "ARG"),
    ("release", "ARG"),
    ("link", "ARG", "ARG"),
    ("catch-up", "--since", "ARG"),
    ("ledger", "restore", "ARG"),
    ("ledger", "import", "ARG"),
    ("check-config", "ARG"),
    ("login", "ARG"),
    ("ARG",),
)
"""Every way to hand a command a word of one's own."""


async def test_s3_no_command_repeats_its_arguments_raw(world: World) -> None:
    assert (await world.twinpost("once")).code == 0
    hostile = HOSTILE.replace("\x00", "")
    (world.folder / "draft").write_text(HOSTILE, encoding="utf-8")
    for command in COMMANDS:
        words = [{"ARG": hostile, "FILE": "draft"}.get(word, word) for word in command]
        ended = await world.twinpost(*words)
        assert not STEERING.search(ended.out + ended.err), (command, ended)
        assert "Traceback" not in ended.err, (command, ended)
        assert ended.rows if "--json" in command and "FILE" in command else True


async def test_s3_an_argument_that_is_no_text_is_answered_in_words(world: World) -> None:
    assert (await world.twinpost("once")).code == 0
    ended = await world.twinpost("why", os.fsdecode(b"\xff\xfe"))
    assert ended.code == 2
    assert "\\udcff\\udcfe" in ended.err


def test_s3_colors_pass_to_a_terminal_alone() -> None:
    for terminal, out in ((True, "\x1b[31mred\x1b[0m"), (False, "\\u001b[31mred\\u001b[0m")):
        stream = io.StringIO()
        stream.isatty = lambda terminal=terminal: terminal  # type: ignore[method-assign,misc]
        SafeStream(stream).write("\x1b[31mred\x1b[0m")
        assert stream.getvalue() == out


def test_s3_what_an_encoding_lacks_is_written_out() -> None:
    raw = io.BytesIO()
    stream = io.TextIOWrapper(raw, encoding="ascii")
    SafeStream(stream).write("مرحبا\n")
    stream.flush()
    assert raw.getvalue() == b"\\u0645\\u0631\\u062d\\u0628\\u0627\n"
