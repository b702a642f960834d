"""What any network adapter must show that carries media, changes and deletions.

Inherit `CarryingContract` beside `NetworkContract` and give it a fixture `network` that yields a
`CarryingStage`. A network that lacks one of these says so in its capabilities.
"""

from pathlib import Path
from typing import Literal, Protocol

import pytest

from bridge.core.draft import DraftMedia, DraftPart
from bridge.core.errors import Refused, Throttled, Transient
from bridge.core.model import MediaId, MediaKind, Microdollars, PostId, Visibility
from bridge.ports import LocalMedia
from tests.conformance.networks.contract import Stage
from tests.fixtures.mastodon import PNG

Deed = Literal["look-up", "upload", "deletion"]


class CarryingStage(Stage, Protocol):
    """A stage with further hands."""

    async def edit(self, post: PostId, text: str) -> None:
        """Change a post as its owner does."""
        ...

    async def alts(self, post: PostId) -> list[str]:
        """The alt texts of what is attached to a post, in order."""
        ...

    async def boosted(self) -> list[PostId]:
        """What the account boosts."""
        ...

    async def hinder(self, name: str, deed: Deed) -> None:
        """Have the next such request fail; names as in `Fault`."""
        ...


def picture(folder: Path, alt: str = "") -> LocalMedia:
    path = folder / "a picture with a telling name"
    path.write_bytes(PNG)
    return LocalMedia(path, MediaKind.IMAGE, "image/png", len(PNG), alt)


def part(text: str, *alts: str, repeat: PostId | None = None) -> DraftPart:
    media = tuple(
        DraftMedia(MediaId(f"m{number}"), MediaKind.IMAGE, "https://far.example/m", alt)
        for number, alt in enumerate(alts)
    )
    return DraftPart(0, text, Microdollars(0), media=media, repeat=repeat)


class CarryingContract:
    """The behaviours; one test each."""

    async def test_the_window_is_the_newest_stretch_whatever_was_read_before(
        self, network: CarryingStage
    ) -> None:
        ids = [await network.write(f"number {number}") for number in range(55)]

        for limit in (1, 20, 45, 100):
            found = [post.id for post in (await network.adapter.window(limit)).posts]
            assert found == ids[-limit:]

    async def test_the_window_shows_what_was_edited_and_lacks_what_was_deleted(
        self, network: CarryingStage
    ) -> None:
        ids = [await network.write(text) for text in ("one", "two", "three")]
        await network.adapter.window(10)
        await network.remove(ids[0])
        if (await network.adapter.capabilities()).edit_within is not None:
            await network.edit(ids[1], "two, corrected")

        posts = {post.ids[0]: post for post in (await network.adapter.window(10)).posts}

        # Where an edit makes a new post, that is the newest one.
        assert posts.keys() == set(ids[1:])
        assert posts[ids[1]].text.plain in {"two", "two, corrected"}

    async def test_a_window_that_cannot_be_read_is_no_empty_one(
        self, network: CarryingStage
    ) -> None:
        await network.write("there")
        await network.adapter.account()
        await network.fail("accept-then-truncated", "reads")

        with pytest.raises(Transient):
            await network.adapter.window(10)

    async def test_a_post_can_be_looked_up_until_it_is_gone(self, network: CarryingStage) -> None:
        post = await network.write("there")

        found = await network.adapter.look_up(post)
        standing = await network.adapter.standing(post)
        await network.remove(post)

        assert found is not None
        assert (found.id, found.text.plain) == (post, "there")
        assert standing.gone is False
        assert standing.audience in {None, Visibility.PUBLIC}
        assert await network.adapter.look_up(post) is None

    @pytest.mark.parametrize(
        "name",
        ["refuse-then-500", "refuse-then-503", "refuse-then-reset", "accept-then-empty",
         "accept-then-truncated", "refuse-then-429"],
    )  # fmt: skip
    async def test_an_unclear_look_up_never_says_that_a_post_is_gone(
        self, network: CarryingStage, name: str
    ) -> None:
        post = await network.write("there")
        await network.adapter.account()
        await network.hinder(name, "look-up")

        with pytest.raises((Transient, Throttled)):
            await network.adapter.look_up(post)

    async def test_files_are_attached_in_order_with_their_alt_texts(
        self, network: CarryingStage, tmp_path: Path
    ) -> None:
        media = [
            (await network.adapter.upload(picture(tmp_path, alt))).id for alt in ("first", "second")
        ]

        receipt = await network.adapter.publish(
            part("look", "first", "second"), reply_to=None, key="k", media=media
        )

        assert await network.alts(receipt.id) == ["first", "second"]
        assert receipt.note == ""

    @pytest.mark.parametrize(
        "name", ["refuse-then-503", "accept-then-reset", "accept-then-truncated"]
    )
    async def test_an_unclear_upload_may_be_tried_again(
        self, network: CarryingStage, tmp_path: Path, name: str
    ) -> None:
        await network.adapter.capabilities()
        await network.hinder(name, "upload")

        with pytest.raises(Transient):
            await network.adapter.upload(picture(tmp_path))

        assert (await network.adapter.upload(picture(tmp_path))).id

    async def test_a_file_that_is_none_is_refused(
        self, network: CarryingStage, tmp_path: Path
    ) -> None:
        medium = picture(tmp_path)
        medium.path.write_bytes(b"no picture at all")

        with pytest.raises(Refused):
            await network.adapter.upload(medium)

    async def test_what_is_deleted_is_gone_and_that_twice_is_as_good(
        self, network: CarryingStage
    ) -> None:
        receipt = await network.adapter.publish(part("soon gone"), reply_to=None, key="k")

        await network.adapter.delete(receipt.id)
        await network.adapter.delete(receipt.id)

        assert await network.posts() == []

    async def test_a_deletion_that_fails_says_so(self, network: CarryingStage) -> None:
        receipt = await network.adapter.publish(part("stays"), reply_to=None, key="k")
        await network.hinder("refuse-then-503", "deletion")

        with pytest.raises(Transient):
            await network.adapter.delete(receipt.id)

        assert await network.posts() == ["stays"]

    async def test_a_boost_repeats_a_post_and_can_be_taken_back(
        self, network: CarryingStage
    ) -> None:
        post = await network.adapter.publish(part("again"), reply_to=None, key="k")

        boost = await network.adapter.publish(part("", repeat=post.id), reply_to=None, key="l")
        assert await network.boosted() == [post.id]
        await network.adapter.delete(boost.id)

        assert await network.boosted() == []
        assert await network.posts() == ["again"]

    async def test_an_edit_gives_a_post_all_of_another_content_or_is_refused(
        self, network: CarryingStage, tmp_path: Path
    ) -> None:
        old, new = [
            (await network.adapter.upload(picture(tmp_path, alt))).id for alt in ("old", "new")
        ]
        made = await network.adapter.publish(
            part("before", "old"), reply_to=None, key="k", media=[old]
        )
        if (await network.adapter.capabilities()).edit_within is None:
            with pytest.raises(Refused):
                await network.adapter.revise(made.id, part("after"))
            return

        revised = await network.adapter.revise(
            made.id, part("after", "told anew", "new"), media=[old, new]
        )

        assert await network.posts() == ["after"]
        assert await network.alts(revised.id) == ["told anew", "new"]
        bare = await network.adapter.revise(revised.id, part("bare"))
        assert await network.alts(bare.id) == []
