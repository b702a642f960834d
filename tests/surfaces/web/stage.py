"""A ledger with every kind of post in it, hostile texts in every place, and the page over it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from bridge.app.looking import ledger_path
from bridge.app.outlets import Outlets
from bridge.app.wiring import connected, wired
from bridge.config import Settings, load
from bridge.config.web import Listen, WebSettings
from bridge.core.delivery import PartEvent
from bridge.core.draft import Draft, DraftMedia, DraftPart, DraftPoll
from bridge.core.identity import identity_of
from bridge.core.model import (
    AccountId,
    BridgeName,
    Direction,
    MediaId,
    MediaKind,
    Microdollars,
    Network,
    Post,
    PostId,
    Route,
    Visibility,
)
from bridge.core.record import Cursor, Decision, PartKey, Receipt
from bridge.core.secret import Secret
from bridge.core.text import Text
from bridge.core.verdict import Action, Reason, Verdict
from bridge.engine.supervise import Daemon
from bridge.ledger.sqlite import open_ledger
from bridge.ports import Ledger
from bridge.surfaces.web.app import WebPage
from tests.fixtures.world import World

OUT = Route(BridgeName("personal"), Direction.MASTODON_TO_X)
BACK = Route(BridgeName("personal"), Direction.X_TO_MASTODON)
PASSWORD = "correct horse battery staple"

HOSTILE = (
    "<script>document.title='run'</script>",
    "<img src=x onerror=\"document.title='run'\">",
    "\"'><svg onload=document.title='run'>",
    "javascript:document.title='run'",
    "&lt;script&gt;document.title='run'&lt;/script&gt; &amp;amp;lt;b&amp;amp;gt;",
    "{{ 7 * 7 }} {% raw %} ${document.title='run'} {0.__class__} {count}",
    "\u202eevitcerid \u2066 isolate \u200f marks",
    "nul \x00 escape \x1b[31m bell \x07 delete \x7f next \x85 line\r\nand\u2028another",
    "</textarea></title></style><a href=\"javascript:document.title='run'\">x</a>",
    "half a pair \ud800 and <!-- a comment -->",
    "' onmouseover='document.title=1' style='position:fixed;inset:0' x='",
)
HOSTILE_ADDRESSES = (
    "javascript:document.title='run'//status/1",
    "data:text/html,<script>document.title='run'</script>",
    "https://x.example/\"><script>document.title='run'</script>",
    " java\nscript:document.title='run'",
    "//evil.example/1",
)


@dataclass
class Seeds:
    """Writes posts into a ledger, each a minute after the one before."""

    ledger: Ledger
    at: datetime
    count: int = 0

    async def post(
        self,
        name: str,
        *parts: DraftPart,
        route: Route = OUT,
        verdict: Verdict | None = None,
        url: str | None = None,
        notes: tuple[str, ...] = (),
    ) -> PostId:
        self.count += 1
        self.at += timedelta(minutes=7)
        post = Post(
            network=route.direction.source,
            id=PostId(name),
            author=AccountId("me"),
            created_at=self.at,
            text=Text(""),
            visibility=Visibility.PUBLIC,
            url=url or f"https://{route.direction.source.value}.example/@ada/{name}",
        )
        draft = Draft(parts, notes=notes) if parts else None
        decided = Decision(
            post,
            verdict or Verdict(Action.MIRROR, Reason.ALLOWED),
            self.at + timedelta(seconds=20),
            draft,
            # Far ahead: what is only planned here is never sent by the daemon under test.
            self.at + timedelta(days=3000),
        )
        await self.ledger.record(route, decided, Cursor().past(post))
        return post.id

    async def sent(self, route: Route, name: PostId, index: int, url: str | None = None) -> None:
        key, at = PartKey(route, name, index), self.at + timedelta(seconds=31 + index)
        target = f"9{self.count:04}{index}"
        await self.ledger.claim(key, at, "hash")
        await self.ledger.settle(
            key,
            PartEvent.RECEIPT,
            at,
            receipt=Receipt(
                PostId(target),
                url or f"https://{route.direction.target.value}.example/ada/status/{target}",
                Microdollars(15_000 if route is OUT else 0),
            ),
        )

    async def tried(
        self, route: Route, name: PostId, index: int, *events: tuple[PartEvent, str]
    ) -> None:
        key, at = PartKey(route, name, index), self.at + timedelta(seconds=40)
        await self.ledger.claim(key, at, "hash")
        for event, detail in events:
            at += timedelta(seconds=45)
            await self.ledger.settle(key, event, at, detail=detail)


def part(index: int, text: str, **rest: object) -> DraftPart:
    return replace(DraftPart(index, text, Microdollars(15_000)), **rest)  # type: ignore[arg-type]


def picture(alt: str, kind: MediaKind = MediaKind.IMAGE) -> DraftMedia:
    return DraftMedia(MediaId(f"m{abs(hash(alt))}"), kind, "https://mastodon.example/m.png", alt)


async def furnish(ledger: Ledger, now: datetime, failed: str = "1006") -> None:
    """Ordinary posts of every kind, one that is held, and one that has `failed`."""
    seeds = Seeds(ledger, now - timedelta(days=1, hours=4))
    first = await seeds.post("1001", part(0, "Good morning from the ferry. Calm sea, strong tea."))
    await seeds.sent(OUT, first, 0)
    await seeds.post("1002", verdict=Verdict(Action.SKIP, Reason.AUDIENCE, "followers only"))
    arabic = await seeds.post(
        "1003", part(0, "صباح الخير من الميناء. البحر هادئ والشاي ثقيل.", language="ar"), route=BACK
    )
    await seeds.sent(BACK, arabic, 0)
    thread = await seeds.post(
        "1004",
        part(0, "The lighthouse has been lit by hand for a hundred and forty years, and last week "
        "its last keeper handed over the key. (1/2)", media=(
            picture("A white lighthouse on a rock, seen from the water at dusk"),
            picture("Ten seconds of the lamp turning", MediaKind.VIDEO),
        )),
        part(1, "She says that she will miss the fog most of all. (2/2)"),
        notes=("cut into 2 posts",),
    )  # fmt: skip
    await seeds.sent(OUT, thread, 0)
    await seeds.sent(OUT, thread, 1)
    poll = await seeds.post(
        "1005",
        part(0, "Which harbour next?", poll=DraftPoll(
            ("Bergen", "Stromness", "Tórshavn"), now + timedelta(days=1), False, "Which harbour?"
        ), spoiler="boats again"),
        route=BACK,
    )  # fmt: skip
    await seeds.sent(BACK, poll, 0)
    refused = await seeds.post(failed, part(0, "A word that the other side does not like."))
    await seeds.tried(OUT, refused, 0, (PartEvent.REFUSAL, "HTTP 403: not permitted to post this"))
    doubt = await seeds.post("1007", part(0, "Storm warning for tonight: stay in port."))
    await seeds.tried(
        OUT, doubt, 0,
        (PartEvent.DOUBT, "the connection was reset after the post was sent"),
        (PartEvent.UNPROVABLE, "the own timeline could not be read for an hour"),
    )  # fmt: skip


async def a_month(ledger: Ledger, now: datetime) -> None:
    """Some thirty days of ordinary traffic, older than everything else."""
    seeds = Seeds(ledger, now)
    for ago in range(29, 1, -1):
        for number in range((ago * 7 + ago // 3) % 5):
            seeds.at = now - timedelta(days=ago, minutes=30 * number)
            route = BACK if (ago + number) % 3 == 0 else OUT
            name = await seeds.post(f"{ago}-{number}", part(0, "One of many."), route=route)
            await seeds.sent(route, name, 0)


async def hostile(ledger: Ledger, now: datetime) -> None:
    """Every hostile text in every place that a network can put a text into."""
    seeds = Seeds(ledger, now - timedelta(hours=20))
    for number, text in enumerate(HOSTILE):
        address = HOSTILE_ADDRESSES[number % len(HOSTILE_ADDRESSES)]
        sent = await seeds.post(
            f"{number}{text}",
            part(0, text, spoiler=text, media=(picture(text),), language='en"><script>'),
            part(1, text, poll=DraftPoll((text, text), now, False, text), quote=text),
            verdict=Verdict(Action.MIRROR, Reason.ALLOWED, text),
            url=address,
            notes=(text,),
        )  # fmt: skip
        await seeds.sent(OUT, sent, 0, address)
        await seeds.tried(OUT, sent, 1, (PartEvent.REFUSAL, text))
        held = await seeds.post(f"h{number}{text}", part(0, text, repeat=text), url=address)
        await seeds.tried(OUT, held, 0, (PartEvent.DOUBT, text), (PartEvent.UNPROVABLE, text))
        await seeds.post(
            f"s{number}{text}",
            route=BACK,
            verdict=Verdict(Action.SKIP, Reason.FOREIGN_MIRROR, text),
            url=address,
        )


async def seeded(world: World, *writers: object, standing: bool = False) -> None:
    """The ledger of `world` before its daemon starts: it knows the accounts, and some posts.

    With `standing`, those of Mastodon that are mirrored can still be read there.
    """
    now = datetime.now(UTC)
    settings = load(world.config)
    path = ledger_path(settings)
    ledger = await open_ledger(path, owner="seeds", now=now, create=True)
    for bridge in settings.bridges:
        for network in Network:
            async with connected(bridge, settings, network.value) as port:
                found = identity_of(await port.account())
            await ledger.note_identity(bridge.name, network, found, now)
    for route in (OUT, BACK):
        await ledger.start(route, Cursor(at=now, floor=now), ())
    for write in writers:
        await write(ledger, now)  # type: ignore[operator]
    if standing:
        for tracked in (await ledger.absent(OUT, (), whole=True)).missing:
            post = tracked.record
            if world.mastodon.get(post.source) is None:
                world.mastodon.write(
                    world.mastodon_account,
                    "\n".join(each.part.text for each in post.parts),
                    created_at=post.created_at,
                    status_id=post.source,
                )
    await ledger.close()


def configured(world: World, web: str = '{enabled: true, listen: "127.0.0.1:0"}') -> Settings:
    """The settings of `world` with the page switched on; what was seeded of X is not asked for."""
    world.configure(outward_delay="1h")
    text = world.config.read_text(encoding="utf-8")
    text = text.replace("x_to_mastodon: {", "x_to_mastodon: {recheck: {every: never}, ")
    world.config.write_text(f"{text}web: {web}\n", encoding="utf-8")
    return load(world.config)


@dataclass(frozen=True, slots=True)
class Served:
    """The page of a daemon that is wired and not started: nothing moves by itself."""

    url: str
    page: WebPage
    daemon: Daemon
    ledger: Ledger


@asynccontextmanager
async def served(
    world: World, *, password: str | None = None, **keys: object
) -> AsyncIterator[Served]:
    """The page over the ledger of `world`, in this process."""
    given = configured(world)
    web = replace(
        WebSettings(enabled=True, listen=Listen("127.0.0.1", 0)),
        password=Secret(password) if password else None,
        **keys,  # type: ignore[arg-type]
    )
    settings = replace(given, web=web)
    outlets = Outlets(settings)
    page = outlets.page
    assert page is not None
    async with wired(settings, listeners=outlets.listeners) as running:
        for lane in running.daemon.lanes:
            await lane.begin()
        async with outlets.at_work(running):
            yield Served(page.address or "", page, running.daemon, running.ledger)
