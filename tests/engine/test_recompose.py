"""What was not sent is composed again: after a retry, and once by itself after a refusal."""

import re
from dataclasses import replace
from random import Random

import pytest

from bridge.core.delivery import PartState, PostState
from bridge.core.errors import Refused, Transient
from bridge.core.model import Post
from bridge.core.policy import MediaMissing, Policy
from bridge.core.prices import X_PRICES
from bridge.engine.mend import Mend
from tests.engine.conftest import OUT, Rig
from tests.fakes import FakeNetwork


def sentences(chance: Random, count: int) -> str:
    """A text in which every word is another one."""
    words = (f"word{number}" for number in range(10_000))
    return " ".join(
        " ".join(next(words) for _ in range(chance.randint(3, 9))) + "." for _ in range(count)
    )


def words_of(network: FakeNetwork) -> list[str]:
    """The words of all that was published, in order, without the numbers of parts."""
    said = [re.sub(r"\n\d+/\d+$", "", part.text) for part, _, _ in network.published]
    return [word.rstrip("…") for text in said for word in text.split()]


async def retried(rig: Rig, post: Post) -> None:
    """The owner has a post tried again."""
    await Mend(rig.ledger, await rig.record(post.id), rig.clock.now()).retry()


def sides(rig: Rig, *, outward: bool) -> tuple[FakeNetwork, FakeNetwork]:
    return (rig.mastodon, rig.x) if outward else (rig.x, rig.mastodon)


@pytest.mark.parametrize("outward", [True, False])
@pytest.mark.parametrize("seed", range(6))
async def test_a_limit_that_was_lowered_costs_one_refusal_and_no_word(
    rig: Rig, seed: int, *, outward: bool
) -> None:
    chance = Random(f"{seed} {outward}")
    source, target = sides(rig, outward=outward)
    target.max_length = 5000
    daemon = await rig.started()
    target.takes = chance.randint(200, 500)
    post = source.write(sentences(chance, chance.randint(20, 60)))
    await daemon.once()
    assert await rig.state(post.id) is PostState.DELIVERED
    assert words_of(target) == post.text.plain.split()
    assert max(len(part.text) for part, _, _ in target.published) <= target.takes
    assert target.tried == len(target.published) + 1
    assert target.asked_afresh == 1


@pytest.mark.parametrize("outward", [True, False])
@pytest.mark.parametrize("seed", range(6))
async def test_a_limit_that_is_lowered_within_a_thread_repeats_no_part_of_it(
    rig: Rig, seed: int, *, outward: bool
) -> None:
    chance = Random(f"{seed} {outward}")
    source, target = sides(rig, outward=outward)
    target.max_length = 1000
    daemon = await rig.started()
    post = source.write(sentences(chance, 90))
    standing = chance.randint(1, 2)

    def lower() -> None:
        if len(target.published) == standing:
            target.takes = 300

    publish = target.publish

    async def publishing(*given: object, **named: object) -> object:
        lower()
        return await publish(*given, **named)  # type: ignore[arg-type]

    target.publish = publishing  # type: ignore[method-assign, assignment]
    await rig.pass_time(daemon, 60)
    assert await rig.state(post.id) is PostState.DELIVERED
    assert words_of(target) == post.text.plain.split()
    assert len(target.published[standing - 1][0].text) > 300
    for above, below in zip(target.posts, target.posts[1:], strict=False):
        assert below.in_reply_to is not None
        assert below.in_reply_to.post == above.id


@pytest.mark.parametrize("outward", [True, False])
async def test_a_retry_composes_by_the_configuration_and_the_limits_of_now(
    rig: Rig, *, outward: bool
) -> None:
    source, target = sides(rig, outward=outward)
    target.max_length = 5000
    daemon = await rig.started()
    target.answers = [Refused("HTTP 403: no", status=403)] * 2
    post = source.write(sentences(Random(1), 40))
    await daemon.once()
    assert await rig.state(post.id) is PostState.FAILED
    await rig.restart()
    target.max_length, target.answers = 300, []
    await retried(rig, post)
    await rig.daemon().once()
    assert await rig.state(post.id) is PostState.DELIVERED
    assert len(target.published) > 1
    assert words_of(target) == post.text.plain.split()


async def test_a_retry_follows_the_choices_of_now(rig: Rig) -> None:
    daemon = await rig.started()
    rig.x.refuse_at = 1
    toot = rig.mastodon.write("See https://example.org/page today")
    await daemon.once()
    assert await rig.state(toot.id) is PostState.FAILED
    rig.policy = replace(Policy(), links="defuse")
    await retried(rig, toot)
    await rig.daemon().once()
    ((part, _, _),) = rig.x.published
    assert "https://" not in part.text
    assert part.price == X_PRICES.create


async def test_what_is_refused_as_it_is_is_not_sent_again_by_itself(rig: Rig) -> None:
    daemon = await rig.started()
    rig.x.answers = [Refused("HTTP 403: not this one", status=403)] * 9
    toot = rig.mastodon.write("Refused", media=[rig.mastodon.picture()])
    await rig.pass_time(daemon, 7200, step=600)
    assert await rig.state(toot.id) is PostState.FAILED
    assert rig.x.tried == 1
    assert len(rig.x.media) == 1
    await retried(rig, toot)
    await rig.pass_time(daemon, 7200, step=600)
    assert rig.x.tried == 2
    assert len(rig.x.media) == 2


@pytest.mark.parametrize("outward", [True, False])
async def test_refused_ids_of_media_lead_to_one_fresh_upload_by_itself(
    rig: Rig, *, outward: bool
) -> None:
    source, target = sides(rig, outward=outward)
    daemon = await rig.started()
    target.media_refused = 1
    post = source.write("Two pets", media=[source.picture("cat"), source.picture("dog")])
    await daemon.once()
    assert await rig.state(post.id) is PostState.DELIVERED
    assert len(target.media) == 4
    assert [len(shown) for _, shown in target.shown()] == [2]
    if outward:
        paid = X_PRICES.create + 4 * X_PRICES.media
        assert (await rig.ledger.status(OUT, rig.clock.now())).spent_month == paid


@pytest.mark.parametrize(
    ("policy", "state", "shown"),
    [
        ("hold", PostState.DELIVERED, [("Two pets", ())]),
        ("send_without", PostState.DELIVERED, [("Two pets", ())]),
        ("skip", PostState.DROPPED, []),
    ],
)
async def test_media_that_are_refused_again_are_left_to_the_owner_s_choice(
    rig: Rig, policy: MediaMissing, state: PostState, shown: list[tuple[str, tuple[str, ...]]]
) -> None:
    rig.policy = replace(Policy(), media_missing=policy)
    daemon = await rig.started()
    rig.x.media_refused = 99
    toot = rig.mastodon.write(
        "Two pets", media=[rig.mastodon.picture("cat"), rig.mastodon.picture("dog")]
    )
    await rig.pass_time(daemon, 120)
    assert await rig.state(toot.id) is state
    assert rig.x.shown() == shown
    assert rig.x.media_refused == 97


async def test_every_retry_uploads_again(rig: Rig) -> None:
    daemon = await rig.started()
    rig.x.answers = [Refused("HTTP 403: no", status=403)]
    toot = rig.mastodon.write("A pet", media=[rig.mastodon.picture()])
    await daemon.once()
    await retried(rig, toot)
    rig.x.answers = [Transient("HTTP 503"), Transient("HTTP 503")]
    await rig.pass_time(daemon, 300)
    assert await rig.state(toot.id) is PostState.DELIVERED
    # Once for the retry, and not once for each of its tries.
    assert len(rig.x.media) == 2


async def test_what_failed_below_a_post_is_composed_again_with_it(rig: Rig) -> None:
    daemon = await rig.started()
    rig.x.refuse_at = 1
    parent = rig.mastodon.write("Parent")
    child = rig.mastodon.write(sentences(Random(2), 12), reply_to=parent.id)
    await rig.pass_time(daemon, 60)
    rig.x.max_length = 200
    await retried(rig, parent)
    await rig.pass_time(rig.daemon(), 120)
    assert await rig.state(child.id) is PostState.DELIVERED
    assert max(len(part.text) for part, _, _ in rig.x.published) <= 200
    assert words_of(rig.x) == ["Parent", *child.text.plain.split()]


@pytest.mark.parametrize("outward", [True, False])
async def test_an_edit_that_a_lowered_limit_refuses_is_composed_again_once(
    rig: Rig, *, outward: bool
) -> None:
    source, target = sides(rig, outward=outward)
    target.max_length = 5000
    daemon = await rig.started()
    post = source.write("Short")
    await daemon.once()
    target.takes = 300
    text = sentences(Random(3), 40)
    source.edit(post, text)
    await rig.pass_time(daemon, 120)
    assert await rig.state(post.id) is PostState.DELIVERED
    said = [re.sub(r"\n\d+/\d+$", "", each.text.plain) for each in target.posts]
    assert [word.rstrip("…") for text in said for word in text.split()] == text.split()


async def test_a_post_that_is_gone_or_cannot_be_read_is_sent_from_what_is_kept(rig: Rig) -> None:
    daemon = await rig.started()
    rig.x.refuse_at = 1
    toot = rig.mastodon.write("Kept words")
    await daemon.once()
    await retried(rig, toot)
    rig.mastodon.look_up_errors = [Transient("HTTP 500")]
    await rig.pass_time(daemon, 120)
    assert [part.text for part, _, _ in rig.x.published] == ["Kept words"]


async def test_a_post_that_cannot_be_fitted_any_more_fails_with_a_sentence(rig: Rig) -> None:
    daemon = await rig.started()
    rig.x.refuse_at = 1
    toot = rig.mastodon.write("word " * 20)
    await daemon.once()
    rig.x.max_length = 0
    await retried(rig, toot)
    await rig.pass_time(daemon, 60)
    record = await rig.record(toot.id)
    assert record.state is PostState.FAILED
    assert record.parts[0].state is PartState.FAILED
    assert "cannot be" in record.parts[0].detail or "no way was found" in record.parts[0].detail


async def test_an_edit_in_between_is_what_is_sent(rig: Rig) -> None:
    daemon = await rig.started()
    rig.x.refuse_at = 1
    toot = rig.mastodon.write("Before")
    await daemon.once()
    rig.mastodon.edit(toot, "After")
    await daemon.once()
    await retried(rig, toot)
    await rig.pass_time(daemon, 60)
    assert [part.text for part, _, _ in rig.x.published] == ["After"]
