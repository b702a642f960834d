"""Who sees which posts, and what the cursors of a page mean, on each kind of server."""

import re
from datetime import timedelta

import pytest

from bridge.sandbox.mastodon import Attachment
from tests.fixtures.mastodon import EPOCH, PNG, ServedMastodon


def write_many(served: ServedMastodon, count: int) -> list[str]:
    """Write posts a second apart; their ids, oldest first."""
    ids = []
    for number in range(count):
        served.clock.shift(1)
        ids.append(served.sandbox.write(served.account, f"post {number}").id)
    return ids


@pytest.mark.parametrize("any_mastodon_sandbox", ["mastodon", "gotosocial"], indirect=True)
async def test_min_id_gives_the_next_ones_and_since_id_the_newest(
    any_mastodon_sandbox: ServedMastodon,
) -> None:
    served = any_mastodon_sandbox
    ids = write_many(served, 6)

    assert (await served.page(min_id=ids[1], limit="2")).ids == [ids[3], ids[2]]
    assert (await served.page(since_id=ids[1], limit="2")).ids == [ids[5], ids[4]]
    assert (await served.page(max_id=ids[4], limit="2")).ids == [ids[3], ids[2]]
    assert (await served.page(min_id=ids[5])).ids == []
    assert (await served.page(since_id=ids[1], max_id=ids[3])).ids == [ids[2]]
    assert (await served.page(min_id=ids[0], max_id=ids[3])).ids == [ids[2], ids[1]]
    assert (await served.page(min_id="0", limit="1")).ids == [ids[0]]


async def test_a_cursor_works_though_its_post_is_gone(mastodon_sandbox: ServedMastodon) -> None:
    ids = write_many(mastodon_sandbox, 3)
    mastodon_sandbox.sandbox.remove(ids[1])

    assert (await mastodon_sandbox.page(min_id=ids[1])).ids == [ids[2]]
    assert (await mastodon_sandbox.page(max_id=ids[1])).ids == [ids[0]]


async def test_both_cursors_at_once_mean_min_id(mastodon_sandbox: ServedMastodon) -> None:
    ids = write_many(mastodon_sandbox, 4)
    page = await mastodon_sandbox.page(min_id=ids[0], since_id=ids[2], limit="1")
    assert page.ids == [ids[1]]


@pytest.mark.parametrize(
    ("limit", "count"), [(None, 20), ("40", 40), ("41", 40), ("1", 1), ("1000", 40)]
)
async def test_a_page_holds_twenty_and_at_most_forty(
    mastodon_sandbox: ServedMastodon, limit: str | None, count: int
) -> None:
    write_many(mastodon_sandbox, 45)
    query = {} if limit is None else {"limit": limit}
    assert len((await mastodon_sandbox.page(**query)).ids) == count


async def test_link_headers_lead_through_every_post(mastodon_sandbox: ServedMastodon) -> None:
    ids = write_many(mastodon_sandbox, 5)
    path = f"/api/v1/accounts/{mastodon_sandbox.account.id}/statuses"

    page = await mastodon_sandbox.page(limit="2", exclude_reblogs="true")

    base = f"{mastodon_sandbox.url}{path}?limit=2&exclude_reblogs=true"
    assert page.headers["Link"] == (
        f'<{base}&max_id={ids[3]}>; rel="next", <{base}&min_id={ids[4]}>; rel="prev"'
    )
    last = await mastodon_sandbox.page(limit="2", max_id=ids[1])
    assert 'rel="next"' not in last.headers["Link"]
    assert "Link" not in (await mastodon_sandbox.page(max_id=ids[0])).headers


async def test_the_owner_sees_every_visibility_and_others_do_not(
    mastodon_sandbox: ServedMastodon,
) -> None:
    sandbox, account = mastodon_sandbox.sandbox, mastodon_sandbox.account
    bob, carol = sandbox.add_account("bob"), sandbox.add_account("carol")
    sandbox.follow(bob, account)
    for visibility in ("public", "unlisted", "private", "direct"):
        sandbox.write(account, f"{visibility} @carol", visibility=visibility)
    sandbox.write(account, "private to followers", visibility="private")

    async def seen(token: str | None) -> list[object]:
        path = f"/api/v1/accounts/{account.id}/statuses"
        page = await mastodon_sandbox.ask("GET", path, token=token)
        return [one["visibility"] for one in page.many][::-1]

    assert await seen(account.access_token) == [
        "public", "unlisted", "private", "direct", "private",
    ]  # fmt: skip
    assert await seen(bob.access_token) == ["public", "unlisted", "private", "private"]
    assert await seen(carol.access_token) == ["public", "unlisted", "private", "direct"]
    assert await seen(None) == ["public", "unlisted"]


async def test_a_post_that_one_may_not_see_is_not_found(mastodon_sandbox: ServedMastodon) -> None:
    sandbox = mastodon_sandbox.sandbox
    bob = sandbox.add_account("bob")
    hidden = sandbox.write(bob, "x", visibility="private")
    for path in (f"/api/v1/statuses/{hidden.id}", f"/api/v1/statuses/{hidden.id}/source"):
        assert (await mastodon_sandbox.ask("GET", path)).status == 404
    many = await mastodon_sandbox.ask("GET", "/api/v1/statuses", params={"id[]": hidden.id})
    assert many.many == []


async def test_filters_leave_out_what_they_name(mastodon_sandbox: ServedMastodon) -> None:
    sandbox, ada = mastodon_sandbox.sandbox, mastodon_sandbox.account
    bob = sandbox.add_account("bob")
    theirs = sandbox.write(bob, "theirs")
    plain = sandbox.write(ada, "plain #One")
    thread = sandbox.write(ada, "thread", in_reply_to=plain.id)
    reply = sandbox.write(ada, "reply", in_reply_to=theirs.id)
    boost = sandbox.write(ada, reblog_of=theirs.id)
    direct = sandbox.write(ada, "direct", visibility="direct")
    picture = sandbox.write(ada, "", media=(Attachment(PNG, "a box"),))
    every = [one.id for one in (picture, direct, boost, reply, thread, plain)]

    async def left_out(**query: str) -> list[str]:
        shown = (await mastodon_sandbox.page(**query)).ids
        return [one for one in every if one not in shown]

    assert await left_out() == []
    assert await left_out(exclude_replies="true") == [reply.id]
    assert await left_out(exclude_reblogs="1") == [boost.id]
    assert await left_out(exclude_direct="true") == [direct.id]
    assert (await mastodon_sandbox.page(only_media="true")).ids == [picture.id]
    assert (await mastodon_sandbox.page(tagged="one")).ids == [plain.id]
    assert (await mastodon_sandbox.page(pinned="true")).ids == []


async def test_filters_do_not_shorten_a_page(mastodon_sandbox: ServedMastodon) -> None:
    sandbox, ada = mastodon_sandbox.sandbox, mastodon_sandbox.account
    ids = write_many(mastodon_sandbox, 4)
    for _ in range(3):
        sandbox.write(ada, "direct", visibility="direct")

    page = await mastodon_sandbox.page(exclude_direct="true", limit="3")

    assert page.ids == ids[:0:-1]


async def test_backdated_posts_stand_where_their_time_puts_them(
    mastodon_sandbox: ServedMastodon,
) -> None:
    sandbox, ada = mastodon_sandbox.sandbox, mastodon_sandbox.account
    now = sandbox.write(ada, "now")
    old = sandbox.write(ada, "old", created_at=EPOCH - timedelta(days=3))

    assert (await mastodon_sandbox.page()).ids == [now.id, old.id]
    assert int(old.id) < int(now.id)


async def test_posts_of_one_millisecond_keep_their_order(
    mastodon_sandbox: ServedMastodon,
) -> None:
    ids = [mastodon_sandbox.sandbox.write(mastodon_sandbox.account, str(n)).id for n in range(50)]
    assert ids == sorted(ids, key=int)
    assert (await mastodon_sandbox.page(limit="40")).ids == ids[:9:-1]


async def test_who_one_is_includes_the_defaults_for_posting(
    any_mastodon_sandbox: ServedMastodon,
) -> None:
    answer = await any_mastodon_sandbox.ask("GET", "/api/v1/accounts/verify_credentials")

    me = answer.one
    assert (me["id"], me["acct"]) == (any_mastodon_sandbox.account.id, "ada")
    source = me["source"]
    assert isinstance(source, dict)
    expected = any_mastodon_sandbox.sandbox.profile.default_visibility
    assert (source["privacy"], source["sensitive"]) == (expected, False)


async def test_ten_thousand_posts_are_no_burden(mastodon_sandbox: ServedMastodon) -> None:
    import time

    began = time.perf_counter()
    ids = write_many(mastodon_sandbox, 10_000)
    page = await mastodon_sandbox.page(min_id=ids[5000], limit="40")

    assert page.ids == ids[5040:5000:-1]
    assert time.perf_counter() - began < 10


@pytest.mark.parametrize("any_mastodon_sandbox", ["mastodon", "gotosocial"], indirect=True)
@pytest.mark.parametrize("limit", ["1", "2", "3", "7", "40"])
async def test_going_up_by_min_id_meets_every_post_once_in_order(
    any_mastodon_sandbox: ServedMastodon, limit: str
) -> None:
    served = any_mastodon_sandbox
    first, *others = write_many(served, 20)
    met: list[str] = []
    cursor = first
    while page := (await served.page(min_id=cursor, limit=limit)).ids:
        met += reversed(page)
        cursor = page[0]
    assert met == others


async def test_a_posts_address_leads_to_a_page_for_what_anybody_may_see(
    any_mastodon_sandbox: ServedMastodon,
) -> None:
    served = any_mastodon_sandbox
    for visibility, status in (("public", 200), ("private", 404)):
        text = "<b>hello</b><script>alert(1)</script><img src=x onerror=alert(1)>"
        post = (await served.post(text, visibility=visibility)).one
        path = str(post["url"]).removeprefix(served.url)
        page = await served.ask("GET", path, token=None)
        assert page.status == status
        # snac passes the HTML on that it thinks harmless.
        shown = b"<b>hello" if served.sandbox.profile.name == "minimal" else b"&lt;b&gt;hello"
        assert (shown in page.body) is (status == 200)
        assert b"<script" not in page.body
        assert not re.search(rb"<[^>]*onerror", page.body)
        if status == 200:
            assert "default-src 'none'" in page.headers["Content-Security-Policy"]
