"""R15, promise 4: two bridges between the same accounts, and another tool that copies: no echo.

Neither bridge knows the other's ledger, and both read everything that all three tools make. Hours
pass on a virtual clock; networks alter the texts as they do.
"""

import random
from contextlib import AsyncExitStack
from dataclasses import replace
from pathlib import Path

import pytest

from bridge.app.wiring import Running, wired
from bridge.core.model import BridgeName
from bridge.core.record import PostRecord
from tests.crash.stage import HOME, OUT, Stage, staged
from tests.soak.conftest import Row

SEED = 20261122
STEP = 60
"""Virtual seconds between two turns of every lane."""

PHRASES = (
    "The ferry left at dawn & the gulls stayed",
    "Heute Nacht hat es geschneit, endlich",
    "الطقس جميل اليوم في عمّان، أليس كذلك؟",
    "היום יורד גשם בירושלים",
    "今日はいい天気ですね。散歩に行きましょう",
    "👩‍🚀🇯🇴 étoiles & <étincelles> — déjà vu…",
)


def text(rng: random.Random, number: int) -> str:
    """A text that is like no other: short, with a link or a name, or long enough for a thread."""
    phrase = f"{rng.choice(PHRASES)}, tale {number}"
    kind = rng.randrange(6)
    if kind == 0:
        return f"{phrase} https://example.com/{number}?a=1&b=2 #Tag{number}"
    if kind == 1:
        return f"{phrase}, says @somebody, see README.md"
    if kind == 2:
        return " ".join(f"{phrase}, line {line}." for line in range(20))[:480]
    return phrase


class Copier:
    """Another cross-poster: carries what its owner wrote by hand to the other side, both ways.

    It looks every five minutes, as such tools do, signs its app's name on Mastodon, and nothing on
    X; a long text it cuts and links.
    """

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        self._seen: set[str] = set()
        self.copies: set[str] = set()

    def copy(self, rng: random.Random) -> None:
        """Copy half of what is new."""
        stage = self._stage
        for made in tuple(stage.by_hand - self._seen):
            self._seen.add(made)
            if rng.random() < 0.5:
                continue
            toot = next(
                (s for s in stage.mastodon.timeline(stage.mastodon_account) if s.id == made), None
            )
            if toot is None:
                post = next(p for p in stage.x.timeline(stage.x_account) if p.id == made)
                copied = stage.mastodon.write(
                    stage.mastodon_account,
                    post.text[:480],
                    application="Mastodon Twitter Crossposter",
                ).id
            else:
                cut = toot.text
                if len(cut) > 130:
                    cut = f"{cut[:130]}… {stage.mastodon_url}/@ada/{made}"
                copied = stage.x.write(stage.x_account, cut).id
            self._seen.add(copied)
            self.copies.add(copied)


async def face_to_face(folder: Path, hours: float, row: Row) -> None:
    rng = random.Random(SEED)
    async with staged(folder) as stage, AsyncExitStack() as stack:
        # The second one keeps its ledger elsewhere, and has another name for the same accounts.
        settings = stage.settings
        other = replace(
            settings,
            state=folder / "other",
            bridges=tuple(
                replace(one, name=BridgeName(f"{one.name}-too")) for one in settings.bridges
            ),
        )
        both: list[Running] = [
            await stack.enter_async_context(wired(each, clock=stage.clock))
            for each in (settings, other)
        ]
        for running in both:
            await running.daemon.once()
        stage.clock.pass_time(1)
        copier = Copier(stage)
        written = 0
        turns = int(hours * 3600 / STEP)
        for turn in range(turns):
            if turn % 7 == 0 and turn < turns - 10:
                stage.write(rng.choice((OUT, HOME)), text(rng, written)[: 160 if turn % 2 else 480])
                written += 1
            if turn % 5 == 2:
                copier.copy(rng)
            for running in rng.sample(both, 2):
                await stage.pass_time(running, STEP / 2, step=STEP / 2)
        records = [await running.control.history(limit=100_000) for running in both]
    row.bar, row.runs = "R15", f"{written} posts, {hours:g} virtual hours, 3 tools"
    judge(stage, records, copier.copies, row)
    assert (row.lost, row.double, row.wider, row.echoes) == (0, 0, 0, 0), row


def judge(stage: Stage, records: list[tuple[PostRecord, ...]], copies: set[str], row: Row) -> None:
    """All that the bridges made is a mirror of what was written by hand, and the only one.

    Whatever they say of it: both know the mirror that one of them made.
    """
    standing = {one[0] for direction in (OUT, HOME) for one in stage.mirrors(direction)}
    unexplained = standing - copies
    firsts: dict[str, set[str]] = {}
    for one in (each for found in records for each in found):
        made = [part.target_id for part in one.parts if part.target_id is not None]
        unexplained.difference_update(made)
        if made:
            firsts.setdefault(one.source, set()).add(made[0])
    row.echoes = len(unexplained) + sum(source not in stage.by_hand for source in firsts)
    row.double = sum(len(each) - 1 for each in firsts.values())
    row.lost = sum(len(stage.by_hand - {one.source for one in found}) for found in records)
    row.note = f"{len(firsts)} mirrored"
    assert len(firsts) > 0.3 * len(stage.by_hand), "too little was mirrored to prove a thing"


@pytest.mark.soak
@pytest.mark.timeout(3600)
async def test_two_bridges_and_another_tool_never_echo_in_a_day(tmp_path: Path, row: Row) -> None:
    await face_to_face(tmp_path, 24, row)


@pytest.mark.timeout(120)
async def test_two_bridges_and_another_tool_never_echo_in_an_hour(tmp_path: Path, row: Row) -> None:
    await face_to_face(tmp_path, 1, row)
