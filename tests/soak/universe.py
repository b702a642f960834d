"""Two fake networks that remember all that was done on them, and a bridge to be driven between.

The truth is what the networks saw: every creation is judged at once, by what was written by hand
and who may see it. Must not decide what happens: that is the machine's business.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from bridge.core.delivery import PostState
from bridge.core.draft import DraftPart
from bridge.core.errors import InDoubt, Refused, Unauthorised
from bridge.core.model import Direction, MediaId, Microdollars, Network, Post, PostId, Visibility
from bridge.core.record import Cursor, PostRecord, Receipt
from bridge.core.waits import OF_OWNER, Wait
from bridge.engine.leave import HOLDS_FOR
from bridge.engine.mend import Mend
from bridge.engine.supervise import Daemon
from bridge.ports import Baseline, Known, LocalMedia, Reading, Standing, Uploaded
from tests.engine.conftest import HOME, OUT, Rig
from tests.fakes import FakeNetwork, PatientClock

_TALE = re.compile(r"tale(\d+)v")


class Killed(BaseException):
    """The process ends here: nothing may catch it."""


@dataclass
class OwnClock(PatientClock):
    """The bridge's clock, which may be wrong; `true` is the networks', which is not."""

    true: PatientClock = field(default_factory=PatientClock)
    wrong: timedelta = timedelta(0)

    def now(self) -> datetime:
        return self.true.now() + self.wrong

    def monotonic(self) -> float:
        return self.true.monotonic()

    def pass_time(self, seconds: float) -> None:
        self.true.pass_time(seconds)


@dataclass
class Tale:
    """One post written by hand, and what became of it on the other side.

    `made` is every creation there. `refused`, `doubted`: an answer about a part of it said so.
    `stayed`: at some time it was for fewer than everybody whom the rules then let it cross for;
    `fewer_since`: since when it is, by the clock that only grows.
    """

    number: int
    post: Post
    lines: int
    old: bool = False
    to_other: bool = False
    parent: Tale | None = None
    version: int = 0
    gone: bool = False
    stayed: bool = False
    fewer_since: float | None = None
    refused: bool = False
    doubted: bool = False
    made: list[tuple[str, tuple[str, ...]]] = field(default_factory=list)

    @property
    def sentences(self) -> list[str]:
        """What it says now, each with its name in one word."""
        name = f"tale{self.number}v{self.version}"
        return [f"Line {line} of {name} is told." for line in range(self.lines)]


@dataclass
class WatchedNetwork(FakeNetwork):
    """A network that can forget a login, end the process that calls it, and tells what it made."""

    universe: Universe | None = None
    revoked: bool = False
    dies: str = ""
    """`before` or `after`: when the caller of the next creation, edit or deletion ends."""

    async def baseline(self) -> Baseline:
        self._let_in()
        return await super().baseline()

    async def read_after(self, cursor: Cursor, known: Known) -> Reading:
        self._let_in()
        return await super().read_after(cursor, known)

    async def recent(self, since: datetime) -> Reading:
        self._let_in()
        return await super().recent(since)

    async def window(self, limit: int, *, boosts: bool = True) -> Reading:
        self._let_in()
        return await super().window(limit, boosts=boosts)

    async def look_up(self, post: PostId) -> Post | None:
        self._let_in()
        return await super().look_up(post)

    async def standing(self, post: PostId) -> Standing:
        self._let_in()
        return await super().standing(post)

    async def upload(self, medium: LocalMedia) -> Uploaded:
        self._let_in()
        return await super().upload(medium)

    async def publish(
        self, part: DraftPart, *, reply_to: PostId | None, key: str, media: Sequence[MediaId] = ()
    ) -> Receipt:
        assert self.universe is not None
        self._let_in()
        tale, count = self.universe.tale_of(part), len(self.published)
        tale.doubted |= bool(self.dies)
        self._die("before")
        try:
            receipt = await super().publish(part, reply_to=reply_to, key=key, media=media)
        except Refused:
            tale.refused = True
            raise
        except InDoubt:
            tale.doubted = True
            raise
        finally:
            if len(self.published) > count:
                self.universe.created(self, tale, part)
        self._die("after")
        return receipt

    async def revise(
        self, target: PostId, part: DraftPart, *, media: Sequence[MediaId] = ()
    ) -> Receipt:
        self._let_in()
        self._require_a_mirror(target)
        self._die("before")
        receipt = await super().revise(target, part, media=media)
        self._die("after")
        return receipt

    async def delete(self, target: PostId) -> Microdollars:
        self._let_in()
        self._require_a_mirror(target)
        self._die("before")
        cost = await super().delete(target)
        self._die("after")
        return cost

    def _require_a_mirror(self, target: PostId) -> None:
        """What was written by hand is nobody's to change but its author's."""
        assert self.universe is not None
        own = [tale for tale in self.universe.tales if tale.post.network is self.network]
        if any(target in tale.post.ids for tale in own):
            self.universe.wrongs.append(f"the author's own post was changed: {target}")

    def _let_in(self) -> None:
        if self.revoked:
            raise Unauthorised("HTTP 401: the token was revoked", status=401)

    def _die(self, when: str) -> None:
        if self.dies == when:
            self.dies = ""
            raise Killed


@dataclass
class Universe:
    """Everything there is, and what has gone wrong in it."""

    rig: Rig
    clock: OwnClock
    tales: list[Tale] = field(default_factory=list)
    wrongs: list[str] = field(default_factory=list)
    daemon: Daemon | None = None
    lives: int = 1

    @property
    def networks(self) -> dict[Network, WatchedNetwork]:
        """Both, by name."""
        found = (self.rig.mastodon, self.rig.x)
        return {one.network: one for one in found if isinstance(one, WatchedNetwork)}

    def write(
        self,
        side: Network,
        *,
        lines: int = 1,
        visibility: Visibility = Visibility.PUBLIC,
        pictures: int = 0,
        wordless: bool = False,
        parent: Tale | None = None,
        to_other: bool = False,
        old: bool = False,
    ) -> Tale:
        """Have the author write a tale: one a second, but that a thread may be sent at once."""
        if parent is None or parent is not self.tales[-1]:
            self.clock.pass_time(1)
        net = self.networks[side]
        if net.protected and visibility is Visibility.PUBLIC:
            visibility = Visibility.FOLLOWERS
        number = len(self.tales)
        shell = Tale(number, None, lines, old, to_other, parent)  # type: ignore[arg-type] # follows
        text = "" if wordless else " ".join(shell.sentences)
        media = [net.picture(f"tale{number}v-{nth}") for nth in range(pictures)]
        answers = PostId("somebody-1") if to_other else None if parent is None else parent.post.id
        post = net.write(
            text, visibility=visibility, reply_to=answers, by_other=to_other, media=media
        )
        shell.post = post
        shell.lines = 0 if wordless else lines
        self.tales.append(shell)
        self._note_audience(shell)
        return shell

    def edit(self, tale: Tale) -> None:
        """Have the author say something else, with a line more or less."""
        net = self.networks[tale.post.network]
        tale.version += 1
        tale.lines = max(1, (tale.lines * 7 + tale.version) % 12)
        tale.post = net.edit(self._standing(tale), " ".join(tale.sentences))

    def delete(self, tale: Tale) -> None:
        """Have the author delete it."""
        self.networks[tale.post.network].remove(self._standing(tale))
        tale.gone = True

    def narrow(self, tale: Tale, visibility: Visibility) -> None:
        """Have a post be for fewer from now on."""
        net, post = self.networks[tale.post.network], self._standing(tale)
        tale.post = replace(post, visibility=visibility)
        net.posts[net.posts.index(post)] = tale.post
        self._note_audience(tale)

    def allow(self, audiences: Collection[Visibility]) -> None:
        """Have the owner change the rules; it takes a restart."""
        self.rig.audiences = frozenset(audiences)
        for tale in self.tales:
            self._note_audience(tale)

    def protect(self, *, protected: bool) -> None:
        """Have the author close, or open, the account on X, and all that stands there with it."""
        net = self.networks[Network.X]
        net.protected = protected
        seen_by = Visibility.FOLLOWERS if protected else Visibility.PUBLIC

        def seen(post: Post) -> Post:
            of_the_account = post.visibility in {Visibility.PUBLIC, Visibility.FOLLOWERS}
            return replace(post, visibility=seen_by) if of_the_account else post

        net.posts = [seen(post) for post in net.posts]
        for tale in self.tales:
            if tale.post.network is Network.X:
                # What is gone cannot be told from what stands, but by asking, which costs.
                tale.post = replace(tale.post, visibility=seen_by)
                self._note_audience(tale)

    def tale_of(self, part: DraftPart) -> Tale:
        """Which tale a part is of."""
        said = " ".join([part.text, *(medium.url for medium in part.media)])
        numbers = {int(found) for found in _TALE.findall(said)}
        assert len(numbers) == 1, part
        return self.tales[numbers.pop()]

    def created(self, net: WatchedNetwork, tale: Tale, part: DraftPart) -> None:
        """Judge what was just made."""
        begun, what = bool(tale.made), (part.text, tuple(medium.url for medium in part.media))
        if tale.post.network is net.network:
            self.wrongs.append(f"echo: {what}")
        if tale.old:
            self.wrongs.append(f"flood: {what}")
        if what in tale.made:
            self.wrongs.append(f"twice: {what}")
        if not begun and (tale.to_other or not self._may_cross(tale)):
            self.wrongs.append(f"wider: {what} of {tale.post.visibility}")
        since, now = tale.fewer_since, self.clock.monotonic()
        if begun and since is not None and now - since > HOLDS_FOR:
            self.wrongs.append(f"wider, the rest of it: {what} of {tale.post.visibility}")
        if part.visibility is not Visibility.PUBLIC:
            self.wrongs.append(f"otherwise than configured: {what} as {part.visibility}")
        if not begun and tale.gone and tale.post.network is Network.MASTODON:
            self.wrongs.append(f"deleted: {what}")
        tale.made.append(what)

    async def live(self, seconds: float) -> None:
        """Let time pass, with a pass of a daemon at the end of it, which may be killed in it."""
        self.clock.pass_time(seconds)
        if self.daemon is None:
            self.daemon = self.rig.daemon()
        try:
            await self.daemon.once()
        except Killed:
            await self.restart()

    async def restart(self) -> None:
        """Have another process go on with the same ledger."""
        await self.rig.restart()
        self.daemon = None
        self.lives += 1

    async def sign_in(self, side: Network) -> None:
        """Have the owner sign in anew, of which the bridge is told by its credentials."""
        self.networks[side].revoked = False
        self.rig.stamp = f"login {self.lives}"
        await self.restart()

    async def set_right(self) -> None:
        """Mend everything that is broken, and let the bridge come to rest.

        It is told of nothing: whatever it waits for, it has to find out by itself that it is over.
        """
        for net in self.networks.values():
            net.revoked, net.dies = False, ""
            for answers in (
                net.answers, net.upload_answers, net.edit_answers, net.delete_answers,
                net.read_errors, net.look_up_errors,
            ):  # fmt: skip
                answers.clear()
        self.protect(protected=False)
        self.rig.files.errors.clear()
        self.clock.wrong = timedelta(0)
        await self.restart()
        for seconds in (1, 20, 80, 100, 900, 3700, 3700, 7300, *[30_000] * 12):
            await self.live(seconds)
            if not (await self._busy() or await self._waits()):
                return
        for wait in await self._waits():
            self.wrongs.append(f"waits although all is mended: {wait}")

    async def resolve_held(self) -> None:
        """Have the owner look at what is held, and say truly whether it stands."""
        for record in await self.rig.ledger.history(limit=1000):
            held = [part for part in record.parts if part.state.value == "held" and part.attempts]
            if len(held) != 1:
                continue
            target = self.networks[record.route.direction.target]
            said = held[0].part.text
            found = [post for post in target.posts if post.text.plain == said and said]
            mend = Mend(self.rig.ledger, record, self.clock.now())
            if found and found[0].url is not None:
                await mend.sent(found[0].url)
            elif said and not found:
                await mend.not_sent()

    async def judge(self) -> None:
        """At rest: nothing is lost, and of everything there is an account."""
        for tale in self.tales:
            record = await self._record(tale)
            if record is None:
                if not (tale.gone or tale.old or await self._taken_for_a_mirror(tale)):
                    self.wrongs.append(f"lost: nobody knows of {tale}")
                continue
            if not record.verdict.sentence:
                self.wrongs.append(f"silence: {tale}")
            if not self._explained(tale, record):
                self.wrongs.append(f"lost: {tale}: {record.state} {record.verdict} {record.parts}")

    def _explained(self, tale: Tale, record: PostRecord) -> bool:
        state = record.state
        if tale.old or tale.gone or tale.to_other or tale.stayed:
            return True
        if tale.parent is not None and not self._is_whole(tale.parent):
            return True
        if state in {PostState.FAILED, PostState.PARTIAL}:
            return tale.refused
        if self._is_ambiguous(tale):
            return state in {PostState.HELD, PostState.DELIVERED, PostState.SKIPPED}
        if state is PostState.HELD:
            return tale.doubted
        return state is PostState.DELIVERED and self._stands_whole(tale)

    @staticmethod
    def _stands_whole(tale: Tale) -> bool:
        """Whether all that it says has been made; an edit may have come later than that."""
        if tale.version or tale.refused:
            return bool(tale.made)
        said = " ".join(text for text, _ in tale.made)
        shown = sum(len(media) for _, media in tale.made)
        return all(line in said for line in tale.sentences) and shown == len(tale.post.media)

    def _is_whole(self, tale: Tale) -> bool:
        """Whether what continues `tale` can be expected to have crossed."""
        spoilt = tale.gone or tale.stayed or tale.to_other or tale.old
        unsure = tale.refused or tale.doubted or tale.version > 0 or self._is_ambiguous(tale)
        return not (spoilt or unsure) and (tale.parent is None or self._is_whole(tale.parent))

    def _is_ambiguous(self, tale: Tale) -> bool:
        """Of pictures without a word, nobody can tell which is the mirror of which."""
        return not tale.lines and any(one.doubted for one in self.tales if not one.lines)

    async def _taken_for_a_mirror(self, tale: Tale) -> bool:
        """Whether it is known as what became of another picture without a word."""
        known = [one for name in tale.post.ids for one in await self.rig.ledger.find(name)]
        return self._is_ambiguous(tale) and bool(known)

    async def _record(self, tale: Tale) -> PostRecord | None:
        direction = next(way for way in Direction if way.source is tale.post.network)
        for name in tale.post.ids:
            for one in await self.rig.ledger.find(name):
                if one.route.direction is direction:
                    return one
        return None

    async def _busy(self) -> bool:
        over = {"delivered", "failed", "held", "dropped", "gone"}
        records = await self.rig.ledger.history(limit=1000)
        return any(part.state.value not in over for one in records for part in one.parts)

    async def _waits(self) -> list[Wait]:
        """What the bridge still waits for by its ledger, and would not if it had looked since.

        Only where there is something to send does it find out that a lost login is back.
        """
        kept = [wait for route in (OUT, HOME) for wait in await self.rig.ledger.waits(route)]
        return [
            wait for wait in kept if wait.gate.startswith("reading") or wait.why not in OF_OWNER
        ]

    def _may_cross(self, tale: Tale) -> bool:
        audiences = {Visibility.PUBLIC}
        if tale.post.network is Network.MASTODON:
            audiences = set(self.rig.audiences)
        return tale.post.visibility in audiences

    def _note_audience(self, tale: Tale) -> None:
        if self._may_cross(tale):
            tale.fewer_since = None
            return
        tale.stayed = True
        if tale.fewer_since is None:
            tale.fewer_since = self.clock.monotonic()

    def _standing(self, tale: Tale) -> Post:
        posts = self.networks[tale.post.network].posts
        return next(post for post in posts if set(post.ids) & set(tale.post.ids))
