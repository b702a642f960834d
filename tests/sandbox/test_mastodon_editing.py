"""What an edit keeps and drops, what history and source remember, and what a deletion frees."""

from tests.fixtures.mastodon import ServedMastodon

STATUSES = "/api/v1/statuses"


async def test_an_edit_drops_what_it_omits(mastodon_sandbox: ServedMastodon) -> None:
    media = (await mastodon_sandbox.upload(description="a square")).one["id"]
    fields = {"spoiler_text": "cw", "media_ids": [media], "language": "fr"}
    post = (await mastodon_sandbox.post("before", **fields)).one
    assert post["sensitive"] is True

    mastodon_sandbox.clock.shift(60)
    path = f"{STATUSES}/{post['id']}"
    edited = (await mastodon_sandbox.ask("PUT", path, json={"status": "after"})).one

    assert edited["id"] == post["id"]
    assert edited["content"] == "<p>after</p>"
    assert edited["media_attachments"] == []
    assert (edited["spoiler_text"], edited["sensitive"]) == ("", False)
    assert edited["language"] == "fr"
    assert edited["edited_at"] == "2026-03-01T12:01:30.250Z"


async def test_an_edit_that_changes_nothing_leaves_no_trace(
    mastodon_sandbox: ServedMastodon,
) -> None:
    path = f"{STATUSES}/{(await mastodon_sandbox.post('same')).one['id']}"

    answer = await mastodon_sandbox.ask("PUT", path, json={"status": "same"})

    assert answer.status == 200
    assert answer.one["edited_at"] is None
    assert len((await mastodon_sandbox.ask("GET", f"{path}/history")).many) == 1


async def test_visibility_parent_and_quote_cannot_be_edited(
    mastodon_sandbox: ServedMastodon,
) -> None:
    parent = (await mastodon_sandbox.post("parent")).one["id"]
    path = f"{STATUSES}/{(await mastodon_sandbox.post('x', visibility='private')).one['id']}"
    wanted = {"status": "y", "visibility": "public", "in_reply_to_id": parent}

    edited = (await mastodon_sandbox.ask("PUT", path, json=wanted)).one

    assert (edited["visibility"], edited["in_reply_to_id"]) == ("private", None)


async def test_alt_text_changes_only_for_media_that_the_edit_keeps(
    mastodon_sandbox: ServedMastodon,
) -> None:
    media = (await mastodon_sandbox.upload(description="old")).one["id"]
    path = f"{STATUSES}/{(await mastodon_sandbox.post('x', media_ids=[media])).one['id']}"
    pairs = [
        ("status", "x"),
        ("media_ids[]", str(media)),
        ("media_attributes[][id]", str(media)),
        ("media_attributes[][description]", "new"),
    ]

    edited = (await mastodon_sandbox.ask("PUT", path, data=pairs)).one

    attachments = edited["media_attachments"]
    assert isinstance(attachments, list)
    assert [one["description"] for one in attachments] == ["new"]
    assert edited["edited_at"] is not None


async def test_history_begins_with_the_original(mastodon_sandbox: ServedMastodon) -> None:
    path = f"{STATUSES}/{(await mastodon_sandbox.post('one', spoiler_text='cw')).one['id']}"
    mastodon_sandbox.clock.shift(60)
    await mastodon_sandbox.ask("PUT", path, json={"status": "two"})

    history = (await mastodon_sandbox.ask("GET", f"{path}/history")).many

    shown = [(one["content"], one["spoiler_text"], one["created_at"]) for one in history]
    assert shown == [
        ("<p>one</p>", "cw", "2026-03-01T12:00:30.250Z"),
        ("<p>two</p>", "", "2026-03-01T12:01:30.250Z"),
    ]


async def test_source_is_what_was_typed(mastodon_sandbox: ServedMastodon) -> None:
    text = "A & B\n\n\nhttps://www.example.com/with/a/path/that/is/much/too/long #Tag"
    path = f"{STATUSES}/{(await mastodon_sandbox.post(f'  {text} ')).one['id']}"

    source = (await mastodon_sandbox.ask("GET", f"{path}/source")).one

    assert source == {"id": path.rsplit("/", 1)[1], "text": text, "spoiler_text": ""}


async def test_a_deletion_answers_the_source_and_frees_the_media(
    mastodon_sandbox: ServedMastodon,
) -> None:
    media = (await mastodon_sandbox.upload()).one["id"]
    path = f"{STATUSES}/{(await mastodon_sandbox.post('gone', media_ids=[media])).one['id']}"

    answer = await mastodon_sandbox.ask("DELETE", path)

    assert answer.one["text"] == "gone"
    assert "content" not in answer.one
    gone = await mastodon_sandbox.ask("GET", path)
    assert (gone.status, gone.error) == (404, "Record not found")
    assert (await mastodon_sandbox.ask("DELETE", path)).status == 404
    again = await mastodon_sandbox.post("again", media_ids=[media])
    assert again.status == 200
    await mastodon_sandbox.ask("DELETE", f"{STATUSES}/{again.one['id']}?delete_media=true")
    assert (await mastodon_sandbox.post("third", media_ids=[media])).status == 422


async def test_nobody_edits_or_deletes_anothers_post(mastodon_sandbox: ServedMastodon) -> None:
    bob = mastodon_sandbox.sandbox.add_account("bob")
    path = f"{STATUSES}/{mastodon_sandbox.sandbox.write(bob, 'mine').id}"

    assert (await mastodon_sandbox.ask("DELETE", path)).status == 404
    assert (await mastodon_sandbox.ask("PUT", path, json={"status": "x"})).status == 404
    assert (await mastodon_sandbox.ask("GET", path)).one["content"] == "<p>mine</p>"


async def test_votes_survive_an_edit_that_leaves_the_answers_alone(
    mastodon_sandbox: ServedMastodon,
) -> None:
    poll = {"options": ["a", "b"], "expires_in": 3600}
    post = (await mastodon_sandbox.post("which?", poll=poll)).one
    path = f"{STATUSES}/{post['id']}"
    mastodon_sandbox.sandbox.vote(str(post["id"]), (3, 4))

    kept = (await mastodon_sandbox.ask("PUT", path, json={"status": "Which?", "poll": poll})).one
    assert votes_of(kept) == [3, 4]
    other = {"options": ["a", "c"], "expires_in": 3600}
    changed = (
        await mastodon_sandbox.ask("PUT", path, json={"status": "Which?", "poll": other})
    ).one
    assert votes_of(changed) == [0, 0]
    without = (await mastodon_sandbox.ask("PUT", path, json={"status": "Which?"})).one
    assert without["poll"] is None


async def test_a_poll_shows_its_votes_when_it_ends_at_the_latest(
    mastodon_sandbox: ServedMastodon,
) -> None:
    poll = {"options": ["a", "b"], "expires_in": 3600, "hide_totals": True}
    post = (await mastodon_sandbox.post("which?", poll=poll)).one
    path = f"{STATUSES}/{post['id']}"
    mastodon_sandbox.sandbox.vote(str(post["id"]), (3, 4))
    assert votes_of((await mastodon_sandbox.ask("GET", path)).one) == [None, None]

    mastodon_sandbox.clock.shift(3601)

    ended = (await mastodon_sandbox.ask("GET", path)).one
    assert votes_of(ended) == [3, 4]
    assert isinstance(ended["poll"], dict)
    assert (ended["poll"]["expired"], ended["poll"]["votes_count"]) == (True, 7)


def votes_of(post: dict[str, object]) -> list[int | None]:
    poll = post["poll"]
    assert isinstance(poll, dict)
    return [option["votes_count"] for option in poll["options"]]


async def test_a_quote_that_was_revoked_shows_no_more_of_what_was_quoted(
    mastodon_sandbox: ServedMastodon,
) -> None:
    quoted = (await mastodon_sandbox.post("one")).one["id"]
    post = (await mastodon_sandbox.post("two", quoted_status_id=quoted)).one
    assert isinstance(post["quote"], dict)
    assert post["quote"]["quoted_status"]["id"] == quoted

    mastodon_sandbox.sandbox.answer_quote(str(post["id"]), "revoked")

    revoked = (await mastodon_sandbox.ask("GET", f"{STATUSES}/{post['id']}")).one
    assert revoked["quote"] == {"state": "revoked", "quoted_status": None}
