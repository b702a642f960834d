"""The store of media, against real servers that are slow, endless, wrong or gone.

Bars of docs/reliability.md: R8, R20, S4, S8, S9.
"""

import asyncio
import errno
import io
import os
import shutil
import signal
import stat
import struct
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from aiohttp import web
from PIL import Image

from bridge.core.capabilities import FileLimits, MediaLimits
from bridge.core.draft import DraftMedia
from bridge.core.errors import ConfigError, DiskFull, MediaError
from bridge.core.model import MediaId, MediaKind
from bridge.media import download
from bridge.media.download import Pace
from bridge.media.folder import PrivateFolder
from bridge.media.store import FileMediaStore
from bridge.net.guard import Trusted
from bridge.net.visit import Visitor
from bridge.sandbox.server import serve

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
CANARY = "sig-canary-7f3a"
IMAGE, GIFV, VIDEO = MediaKind.IMAGE, MediaKind.GIFV, MediaKind.VIDEO
LIMITS = MediaLimits(
    image=FileLimits(frozenset({"image/jpeg", "image/png"}), 100_000, 1_000_000),
    animation=FileLimits(frozenset({"image/gif"}), 50_000),
    video=FileLimits(frozenset({"video/mp4"}), 300_000, max_ms=60_000),
)


def picture(form: str = "PNG", size: tuple[int, int] = (40, 30)) -> bytes:
    target = io.BytesIO()
    Image.new("RGB", size, "red").save(target, form)
    return target.getvalue()


def box(name: bytes, *content: bytes) -> bytes:
    body = b"".join(content)
    return struct.pack(">I4s", len(body) + 8, name) + body


def film(size: int = 1000, *, ms: int = 5000) -> bytes:
    handler = box(b"mdia", box(b"hdlr", bytes(8), b"vide", bytes(12), b"\0"))
    header = box(b"tkhd", bytes(76), struct.pack(">II", 640 << 16, 360 << 16))
    moov = box(
        b"moov",
        box(b"mvhd", bytes(12), struct.pack(">II", 1000, ms), bytes(80)),
        box(b"trak", header, handler),
    )
    start = box(b"ftyp", b"isom", bytes(4)) + moov
    return start + box(b"mdat", bytes(size - len(start) - 8))


@dataclass
class Stage:
    """A server that answers as told, and a store that trusts it."""

    root: Path
    stack: AsyncExitStack
    answers: dict[str, Handler] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    url: str = ""
    store: FileMediaStore = field(init=False)

    async def open(self) -> None:
        async def handler(request: web.Request) -> web.StreamResponse:
            self.asked.append(request.path)
            return await self.answers[request.path](request)

        app = web.Application()
        app.router.add_get("/{rest:.*}", handler)
        self.url = await self.stack.enter_async_context(serve(app))
        self.store = await self.opened()

    async def opened(self, **more: object) -> FileMediaStore:
        visitor = await self.stack.enter_async_context(
            Visitor(user_agent="twinpost-tests", trusted=Trusted.of([self.url]), silence=0.5)
        )
        store = FileMediaStore(self.root, visitor, **more)  # type: ignore[arg-type] # options
        return await self.stack.enter_async_context(store)

    def gives(self, path: str, content: bytes, mime: str = "image/png") -> str:
        async def handler(_request: web.Request) -> web.Response:
            return web.Response(body=content, content_type=mime)

        self.answers[path] = handler
        return self.url + path

    def medium(self, url: str, kind: MediaKind = IMAGE, *, still: str | None = None) -> DraftMedia:
        return DraftMedia(MediaId("1"), kind, url, "what it shows", still)

    async def refusal(
        self, url: str, kind: MediaKind = IMAGE, *, still: str | None = None
    ) -> MediaError:
        with pytest.raises(MediaError) as caught:
            await self.store.fetch(self.medium(url, kind, still=still), LIMITS)
        assert "127.0.0.1" in str(caught.value)
        assert CANARY not in str(caught.value)
        assert not self.files
        return caught.value

    @property
    def files(self) -> list[Path]:
        """Every file in the folder of the store."""
        return [path for path in self.root.rglob("*") if path.is_file()]


@pytest.fixture
async def stage(tmp_path: Path) -> AsyncIterator[Stage]:
    async with AsyncExitStack() as stack:
        made = Stage(tmp_path / "state" / "media", stack)
        await made.open()
        yield made


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


async def test_what_is_within_the_limits_arrives_byte_for_byte_in_a_private_file(
    stage: Stage,
) -> None:
    content = picture() + b"what a camera appends"
    before = os.umask(0)
    try:
        url = stage.gives("/media/..%2F..%2Fetc/passwd", content, "text/html")
        stage.answers["/media/../../etc/passwd"] = stage.answers.pop("/media/..%2F..%2Fetc/passwd")
        local = await stage.store.fetch(stage.medium(f"{url}?{CANARY}"), LIMITS)
    finally:
        os.umask(before)
    assert local.path.read_bytes() == content
    assert (local.kind, local.mime, local.size) == (IMAGE, "image/png", len(content))
    assert (local.alt, local.note) == ("what it shows", "")
    assert mode(local.path) == 0o600
    assert mode(local.path.parent) == mode(stage.root) == 0o700
    assert local.path.parent.parent == stage.root
    assert local.path.suffix == ".png"
    assert not set(local.path.stem) - set("0123456789abcdef")


async def test_a_file_that_is_in_use_is_not_fetched_again(stage: Stage) -> None:
    medium = stage.medium(stage.gives("/a.png", picture()))
    first, second = await asyncio.gather(
        stage.store.fetch(medium, LIMITS), stage.store.fetch(medium, LIMITS)
    )
    third = await stage.store.fetch(medium, MediaLimits(image=FileLimits(frozenset({"image/png"}))))
    assert stage.asked == ["/a.png"]
    assert len({first.path, second.path, third.path}) == 3
    await stage.store.discard(first)
    await stage.store.discard(first)
    await stage.store.discard(second)
    assert third.path.read_bytes() == picture()
    assert not first.path.exists()
    await stage.store.discard(third)
    assert not stage.files
    await stage.store.fetch(medium, LIMITS)
    assert stage.asked == ["/a.png"] * 2


async def test_discarding_one_while_another_is_being_made_spoils_neither(stage: Stage) -> None:
    medium = stage.medium(stage.gives("/a.png", picture(size=(1200, 1200))))
    small = MediaLimits(image=FileLimits(frozenset({"image/jpeg"}), max_pixels=10_000))
    first = await stage.store.fetch(medium, MediaLimits(image=FileLimits(frozenset({"image/png"}))))
    making = asyncio.create_task(stage.store.fetch(medium, small))
    await asyncio.sleep(0)
    await stage.store.discard(first)
    second = await making
    assert (second.mime, stage.asked) == ("image/jpeg", ["/a.png"])
    await stage.store.discard(second)
    assert not stage.files


async def test_discarding_deletes_nothing_but_files_of_the_store(
    stage: Stage, tmp_path: Path
) -> None:
    local = await stage.store.fetch(stage.medium(stage.gives("/a.png", picture())), LIMITS)
    mine = tmp_path / "mine"
    mine.write_text("precious")
    for path in (mine, local.path.parent / ".." / ".." / ".." / "mine"):
        await stage.store.discard(type(local)(path, IMAGE, "image/png", 1))
    assert mine.exists()


async def test_a_picture_over_the_limits_is_made_to_fit_without_pillow_in_this_process(
    stage: Stage,
) -> None:
    url = stage.gives("/a.webp", picture("WEBP", (2000, 1000)), "image/webp")
    local = await stage.store.fetch(stage.medium(url), LIMITS)
    assert (local.mime, local.path.suffix) == ("image/jpeg", ".jpg")
    assert local.note == "scaled from 2000 x 1000 to 1414 x 707 pixels, changed from WEBP to JPEG"
    assert mode(local.path) == 0o600
    assert local.size == local.path.stat().st_size
    await stage.store.discard(local)
    assert not stage.files


def test_the_daemon_does_not_load_pillow() -> None:
    code = (
        "import sys, bridge.app.wiring, bridge.media.store\n"
        "print([n for n in sys.modules if 'PIL' in n])"
    )
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ended.stdout.strip() == "[]"


async def test_for_a_video_that_is_too_large_its_still_picture_comes_with_a_note(
    stage: Stage,
) -> None:
    video = stage.gives("/v.mp4", film(400_000), "video/mp4")
    still = stage.gives("/v.png", picture())
    local = await stage.store.fetch(stage.medium(video, VIDEO, still=still), LIMITS)
    assert (local.kind, local.mime, local.alt) == (IMAGE, "image/png", "what it shows")
    assert local.note == (
        "a still picture stands for the video, which has 0.4 MB, and 0.3 MB are taken at most"
    )


async def test_for_a_video_that_is_too_long_its_still_picture_comes_made_to_fit(
    stage: Stage,
) -> None:
    video = stage.gives("/v.mp4", film(ms=61_000), "video/mp4")
    still = stage.gives("/v.png", picture(size=(2000, 1000)))
    local = await stage.store.fetch(stage.medium(video, VIDEO, still=still), LIMITS)
    assert local.note == (
        "a still picture stands for the video, which lasts 61 s, and 60 s are taken at most; "
        "scaled from 2000 x 1000 to 1414 x 707 pixels"
    )
    await stage.store.discard(local)
    assert not stage.files


async def test_a_video_that_is_too_large_and_has_no_still_picture_says_the_sizes(
    stage: Stage,
) -> None:
    error = await stage.refusal(stage.gives("/v.mp4", film(400_000)), VIDEO)
    assert str(error) == (
        "the video at 127.0.0.1 has 0.4 MB, and 0.3 MB are taken at most; it is not passed on"
    )
    assert error.lasting


async def test_where_neither_the_video_nor_its_still_picture_goes_both_reasons_are_said(
    stage: Stage,
) -> None:
    video, still = stage.gives("/v.mp4", film(400_000)), stage.gives("/v.png", film())
    error = await stage.refusal(video, VIDEO, still=still)
    assert "the video at 127.0.0.1 has 0.4 MB" in str(error)
    assert "and the still picture at 127.0.0.1 is a video" in str(error)


async def test_a_kind_that_is_not_taken_is_not_even_asked_for(stage: Stage) -> None:
    with pytest.raises(MediaError, match="is of a kind that is not taken there") as caught:
        await stage.store.fetch(stage.medium(f"{stage.url}/v.mp4", VIDEO), MediaLimits())
    assert caught.value.lasting
    assert not stage.asked


async def test_a_size_announced_above_the_limit_is_not_downloaded(stage: Stage) -> None:
    sent = 0

    async def handler(request: web.Request) -> web.StreamResponse:
        nonlocal sent
        response = web.StreamResponse(headers={"Content-Length": str(2 << 30)})
        await response.prepare(request)
        while True:
            await response.write(bytes(65536))
            sent += 65536

    stage.answers["/v.mp4"] = handler
    error = await stage.refusal(f"{stage.url}/v.mp4?{CANARY}", VIDEO)
    assert "has 2147.5 MB, and 0.3 MB are taken at most" in str(error)
    assert sent < 8 << 20


async def test_an_endless_file_ends_at_the_limit(stage: Stage) -> None:
    async def handler(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        while True:
            await response.write(bytes(65536))

    stage.answers["/v.mp4"] = handler
    error = await stage.refusal(f"{stage.url}/v.mp4", VIDEO)
    assert "is larger than the 0.3 MB that are taken at most" in str(error)
    assert error.lasting


def dripping(pause: float) -> Handler:
    async def handler(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        while True:
            await response.write(b"x")
            await asyncio.sleep(pause)

    return handler


@pytest.mark.parametrize(
    ("pace", "words"),
    [
        (Pace(window=0.2, least=1000), "comes too slowly"),
        (Pace(total=0.3), "did not come within 0.3 s"),
        (Pace(picture=0.3), "did not come within 0.3 s"),
    ],
)
async def test_a_host_that_drips_is_not_waited_for(stage: Stage, pace: Pace, words: str) -> None:
    stage.answers["/a.png"] = dripping(0.02)
    stage.store = await stage.opened(pace=pace)
    begun = time.monotonic()
    error = await stage.refusal(f"{stage.url}/a.png?{CANARY}")
    assert time.monotonic() - begun < 10
    assert str(error) == f"the picture at 127.0.0.1 {words}; a later try may bring it"
    assert not error.lasting


async def test_a_host_that_falls_silent_is_not_waited_for(stage: Stage) -> None:
    stage.answers["/a.png"] = dripping(3600)
    error = await stage.refusal(f"{stage.url}/a.png?{CANARY}")
    assert "fell silent in the middle" in str(error)
    assert not error.lasting


@pytest.mark.parametrize("announced", [True, False])
async def test_a_file_that_breaks_off_is_not_taken_for_whole(stage: Stage, announced: bool) -> None:
    content = picture(size=(400, 400))

    async def handler(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(
            headers={"Content-Length": str(len(content))} if announced else {}
        )
        await response.prepare(request)
        await response.write(content[:-20])
        assert request.transport is not None
        request.transport.abort()
        return response

    stage.answers["/a.png"] = handler
    error = await stage.refusal(f"{stage.url}/a.png?{CANARY}")
    assert "broke off in the middle" in str(error)
    assert not error.lasting


async def test_a_file_without_any_length_that_ends_too_early_is_told_by_its_content(
    stage: Stage,
) -> None:
    async def raw(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.0 200 OK\r\n\r\n" + picture()[:-20])
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(raw, "127.0.0.1", 0)
    url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    async with (
        server,
        Visitor(user_agent="twinpost-tests", trusted=Trusted.of([url])) as visitor,
        FileMediaStore(stage.root, visitor) as store,
    ):
        with pytest.raises(MediaError, match="ends in the middle") as caught:
            await store.fetch(stage.medium(f"{url}/a.png"), LIMITS)
    assert not caught.value.lasting


@pytest.mark.parametrize(
    ("content", "mime", "words"),
    [
        (b"<html>not found</html>", "image/png", "is a text"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "image/svg+xml", "is a text"),
        (b"", "image/png", "is empty"),
        (film(), "image/png", "is a video, not the picture that was announced"),
        (b"\x1f\x8b\x08" + bytes(99), "image/png", "packed with gzip"),
    ],
)
async def test_what_a_host_says_of_a_type_counts_for_nothing(
    stage: Stage, content: bytes, mime: str, words: str
) -> None:
    error = await stage.refusal(stage.gives("/a", content, mime) + f"?{CANARY}")
    assert words in str(error)
    assert error.lasting


async def test_a_host_that_packs_what_was_asked_for_plain_is_not_unpacked(stage: Stage) -> None:
    async def handler(_request: web.Request) -> web.Response:
        response = web.Response(body=bytes(4 << 20))
        response.enable_compression(web.ContentCoding.gzip)
        response._compression_force = web.ContentCoding.gzip
        return response

    stage.answers["/a.png"] = handler
    assert "packed with gzip" in str(await stage.refusal(f"{stage.url}/a.png"))


async def test_a_host_that_answers_with_an_error_is_quoted(stage: Stage) -> None:
    async def handler(_request: web.Request) -> web.Response:
        return web.Response(status=404, text=CANARY)

    stage.answers["/a.png"] = handler
    error = await stage.refusal(f"{stage.url}/a.png?{CANARY}")
    assert str(error) == (
        "the picture at 127.0.0.1 is not there (HTTP 404); a later try may bring it"
    )


async def test_a_redirect_to_a_forbidden_host_names_both(stage: Stage) -> None:
    async def handler(_request: web.Request) -> web.Response:
        raise web.HTTPFound(f"https://169.254.169.254/{CANARY}")

    stage.answers["/a.png"] = handler
    error = await stage.refusal(f"{stage.url}/a.png")
    assert str(error) == (
        "the picture at 127.0.0.1, led to 169.254.169.254, has an address that is not of the "
        "public internet (link-local); it is not passed on"
    )


@pytest.mark.parametrize("url", ["", "https://", "no address", "https://[", "http://h\u200b/\n"])
async def test_an_address_that_is_none_is_told_in_a_sentence(stage: Stage, url: str) -> None:
    with pytest.raises(MediaError, match=r"^the picture at .*; it is not passed on$") as caught:
        await stage.store.fetch(stage.medium(url), LIMITS)
    assert caught.value.lasting
    assert str(caught.value).isprintable()


@pytest.fixture
def real_film(tmp_path: Path) -> bytes:
    if shutil.which("ffmpeg") is None:
        pytest.skip("ffmpeg is not here")
    made = tmp_path / "made.mp4"
    arguments = ["-f", "lavfi", "-i", "testsrc2=s=640x360:d=4:r=15", "-qp", "10", str(made)]
    subprocess.run(["ffmpeg", "-loglevel", "error", *arguments], check=True)
    return made.read_bytes()


async def test_a_film_that_is_too_large_is_encoded_anew_where_the_owner_asked(
    stage: Stage, real_film: bytes
) -> None:
    assert len(real_film) > 300_000
    url = stage.gives("/v.mp4", real_film, "video/mp4")
    stage.store = await stage.opened(transcode=True)
    local = await stage.store.fetch(stage.medium(url, VIDEO), LIMITS)
    assert (local.kind, local.mime, local.path.suffix) == (VIDEO, "video/mp4", ".mp4")
    assert 0 < local.size == local.path.stat().st_size <= 300_000
    assert local.note.startswith("encoded anew to ")
    assert mode(local.path) == 0o600
    await stage.store.discard(local)
    url = stage.gives("/hollow.mp4", film(400_000), "video/mp4")
    error = await stage.refusal(url, VIDEO)
    assert "has 0.4 MB, and 0.3 MB are taken at most and cannot be unpacked" in str(error)


async def test_a_disk_that_is_nearly_full_keeps_its_room_for_the_ledger(stage: Stage) -> None:
    stage.store = await stage.opened(pace=Pace(reserve=1 << 60))
    error = await stage.refusal(stage.gives("/a.png", picture()))
    assert "the disk is nearly full" in str(error)
    assert isinstance(error, DiskFull)
    assert not error.lasting


async def test_a_disk_that_fills_up_while_writing_leaves_nothing(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_descriptor: int, _data: bytes) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(download, "_write", full)
    error = await stage.refusal(stage.gives("/a.png", picture()))
    assert "the disk is full" in str(error)
    assert isinstance(error, DiskFull)
    assert not error.lasting


async def test_a_fetch_that_is_cancelled_leaves_nothing(stage: Stage) -> None:
    stage.answers["/a.png"] = dripping(0.02)
    fetching = asyncio.create_task(stage.store.fetch(stage.medium(f"{stage.url}/a.png"), LIMITS))
    while not stage.files:  # noqa: ASYNC110 - a file tells of no event
        await asyncio.sleep(0.01)
    fetching.cancel()
    with pytest.raises(asyncio.CancelledError):
        await fetching
    assert not stage.files


async def test_a_fit_that_is_cancelled_ends_its_child_and_leaves_nothing(stage: Stage) -> None:
    url, others = stage.gives("/a.png", picture(size=(6000, 6000))), _children()
    fetching = asyncio.create_task(stage.store.fetch(stage.medium(url), LIMITS))
    while not (children := _children() - others):  # noqa: ASYNC110 - as above
        await asyncio.sleep(0.01)
    fetching.cancel()
    with pytest.raises(asyncio.CancelledError):
        await fetching
    assert not stage.files
    assert not children & _children()


def _children() -> set[str]:
    own = Path(f"/proc/{os.getpid()}/task")
    return {pid for task in own.iterdir() for pid in (task / "children").read_text().split()}


async def test_closing_deletes_everything(tmp_path: Path, stage: Stage) -> None:
    store = await stage.opened()
    await store.fetch(stage.medium(stage.gives("/a.png", picture())), LIMITS)
    assert stage.files
    await store.close()
    await store.close()
    assert not stage.files


HOLDER = """
import sys, time
from pathlib import Path
from bridge.media.folder import PrivateFolder
folder = PrivateFolder(Path(sys.argv[1]))
path, descriptor = folder.new_file()
print(path, flush=True)
time.sleep(60)
"""


async def test_what_a_killed_process_left_is_removed_and_nothing_else(stage: Stage) -> None:
    def holder() -> tuple[subprocess.Popen[str], Path]:
        process = subprocess.Popen(
            [sys.executable, "-c", HOLDER, str(stage.root)], stdout=subprocess.PIPE, text=True
        )
        assert process.stdout is not None
        return process, Path(process.stdout.readline().strip())

    (dead, left), (alive, held) = holder(), holder()
    try:
        dead.send_signal(signal.SIGKILL)
        dead.wait()
        others = [stage.root / "notes.txt", stage.root / "a-folder" / "x"]
        others[1].parent.mkdir()
        for path in others:
            path.write_text("not ours")
        assert left.exists()
        await stage.opened()
        assert not left.parent.exists()
        assert held.exists()
        assert all(path.exists() for path in others)
    finally:
        alive.kill()
        for process in (dead, alive):
            process.wait()
            assert process.stdout is not None
            process.stdout.close()


def test_a_link_in_the_place_of_the_folder_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "media").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(ConfigError, match="no plain folder"):
        PrivateFolder(tmp_path / "media").open()
    assert not list((tmp_path / "elsewhere").iterdir())


def test_a_folder_that_others_can_write_to_is_refused(tmp_path: Path) -> None:
    (tmp_path / "media").mkdir()
    (tmp_path / "media").chmod(0o777)
    with pytest.raises(ConfigError, match="chmod 700"):
        PrivateFolder(tmp_path / "media").open()


def test_a_file_in_the_place_of_the_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "media").write_text("x")
    with pytest.raises(ConfigError, match="no plain folder"):
        PrivateFolder(tmp_path / "media").open()


def test_a_file_gets_a_second_life_where_the_disk_knows_no_links(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def none(*_: object, **__: object) -> None:
        raise OSError(errno.EPERM, "Operation not permitted")

    folder = PrivateFolder(tmp_path / "media")
    path, descriptor = folder.new_file()
    os.write(descriptor, b"content")
    os.close(descriptor)
    monkeypatch.setattr(os, "link", none)
    second = folder.again(path, ".png")
    assert (second.read_bytes(), second.suffix, mode(second)) == (b"content", ".png", 0o600)
    folder.close()
    assert not path.exists()


MEASURE = """
import asyncio, sys
from pathlib import Path
from bridge.core.capabilities import FileLimits, MediaLimits
from bridge.core.draft import DraftMedia
from bridge.core.model import MediaId, MediaKind
from bridge.media.store import FileMediaStore
from bridge.net.guard import Trusted
from bridge.net.visit import Visitor

def peak():
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM"))

async def main():
    url, root = sys.argv[1:]
    limits = MediaLimits(video=FileLimits(frozenset({"video/mp4"})))
    visitor = Visitor(user_agent="t", trusted=Trusted.of([url]))
    async with visitor, FileMediaStore(Path(root), visitor) as store:
        async def fetch(name):
            medium = DraftMedia(MediaId("1"), MediaKind.VIDEO, f"{url}/{name}")
            local = await store.fetch(medium, limits)
            size = local.path.stat().st_size
            await store.discard(local)
            return size
        await fetch("small.mp4")
        before = peak()
        size = await fetch("large.mp4")
        print(size, peak() - before)

asyncio.run(main())
"""


async def test_a_video_of_90_mb_passes_through_with_little_memory(
    stage: Stage, tmp_path: Path
) -> None:
    stage.gives("/small.mp4", film(), "video/mp4")
    stage.gives("/large.mp4", film(90_000_000), "video/mp4")
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", MEASURE, stage.url, str(tmp_path / "other"), stdout=subprocess.PIPE
    )
    printed, _ = await process.communicate()
    size, added = map(int, printed.split())
    assert size == 90_000_000
    assert added < 25_000, f"{added} kB"
