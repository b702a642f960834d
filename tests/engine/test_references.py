"""Boosts and quotes of own posts: their mirror is meant, where it stands."""

from bridge.core.delivery import PostState
from bridge.core.model import Direction, Route
from bridge.engine.preview import preview
from tests.engine.conftest import HOME, NAME, Rig

OUT = Route(NAME, Direction.MASTODON_TO_X)


async def test_a_quote_of_an_own_mirrored_post_means_its_mirror(rig: Rig) -> None:
    daemon = await rig.started()
    tweet = rig.x.write("Quoted")
    await daemon.once()
    quoting = rig.x.write("As I said", quote=tweet)
    await daemon.once()
    (mirror,) = (post for post in rig.mastodon.posts if post.text.plain == "Quoted")
    facts = await rig.ledger.facts(HOME, quoting)
    assert facts.quoted is not None
    assert (facts.quoted.id, facts.quoted.url) == (mirror.id, mirror.url)
    assert rig.mastodon.published[-1][0].quote == mirror.id
    assert await rig.state(quoting.id) is PostState.DELIVERED


async def test_a_quote_of_a_mirror_made_here_means_its_original(rig: Rig) -> None:
    daemon = await rig.started()
    toot = rig.mastodon.write("Quoted")
    await daemon.once()
    quoting = rig.x.write("As I said", quote=rig.x.posts[0])
    await daemon.once()
    assert rig.mastodon.published[-1][0].quote == toot.id
    assert await rig.state(quoting.id) is PostState.DELIVERED


async def test_a_mirror_that_does_not_stand_is_not_meant(rig: Rig) -> None:
    daemon = await rig.started()
    rig.x.refuse_at = 1
    toot = rig.mastodon.write("Not liked")
    await daemon.once()
    facts = await rig.ledger.facts(OUT, rig.mastodon.write("Again", repost=toot))
    assert facts.reposted is None


async def test_a_boost_of_an_own_mirrored_post_finds_its_mirror(rig: Rig) -> None:
    daemon = await rig.started()
    toot = rig.mastodon.write("Boosted")
    await daemon.once()
    facts = await rig.ledger.facts(OUT, rig.mastodon.write("", repost=toot))
    assert facts.reposted is not None
    assert facts.reposted.id == rig.x.posts[0].id


async def test_a_preview_of_a_quote_means_the_post_that_will_be_quoted(rig: Rig) -> None:
    daemon = await rig.started()
    words = "The old lighthouse opens its doors to everybody this Sunday"
    toot, tweet = rig.mastodon.write(words), rig.x.write(words)
    await rig.pass_time(daemon, 120)
    quoting = rig.x.write("As I said", quote=tweet)
    plan = next(lane.plan for lane in daemon.lanes if lane.plan.route == HOME)
    shown = await preview(plan, quoting, rig.clock.now(), rig.ledger)
    await daemon.once()
    assert shown.draft is not None
    assert shown.draft.parts[0].quote == rig.mastodon.published[-1][0].quote == toot.id


async def test_a_boost_of_an_own_post_boosts_its_mirror_and_is_taken_back_with_it(
    rig: Rig,
) -> None:
    rig.boosts = "own"
    rig.mastodon.write("From before the bridge")
    daemon = await rig.started()
    rig.clock.pass_time(1)
    toot = rig.mastodon.write("Boosted")
    await daemon.once()
    mirror = rig.x.posts[-1]
    rig.clock.pass_time(1)
    boost = rig.mastodon.write("", repost=toot)
    await rig.pass_time(daemon, 60)
    assert await rig.state(boost.id) is PostState.DELIVERED
    (repeated,) = [post for post in rig.x.posts if post.repost is not None]
    assert repeated.repost is not None
    assert repeated.repost.post == mirror.id
    assert len(rig.mastodon.posts) == 3
    rig.mastodon.remove(boost)
    await rig.pass_time(daemon, 60)
    assert rig.x.posts == [mirror]
    assert await rig.state(boost.id) is PostState.REMOVED
    assert await rig.state(toot.id) is PostState.DELIVERED
