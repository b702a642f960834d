"""What an Idempotency-Key promises on Mastodon, and what it does not."""

from datetime import timedelta

from tests.fixtures.mastodon import EPOCH, ServedMastodon

STATUSES = "/api/v1/statuses"


async def test_the_key_makes_one_post_an_hour_whatever_the_body(
    mastodon_sandbox: ServedMastodon,
) -> None:
    key = {"Idempotency-Key": "k1"}

    async def send(text: str) -> tuple[int, object]:
        sent = {"status": text}
        answer = await mastodon_sandbox.ask("POST", STATUSES, json=sent, headers=key)
        return answer.status, answer.one.get("id")

    first = await send("one")
    assert await send("something else") == first
    assert await send("") == first
    mastodon_sandbox.clock.shift(3599)
    assert await send("one") == first
    mastodon_sandbox.clock.shift(1)
    assert (await send("one"))[1] != first[1]
    assert len(mastodon_sandbox.sandbox.timeline(mastodon_sandbox.account)) == 2


async def test_a_key_belongs_to_an_account_not_to_a_token(mastodon_sandbox: ServedMastodon) -> None:
    key = {"Idempotency-Key": "k1"}
    account, sandbox = mastodon_sandbox.account, mastodon_sandbox.sandbox
    other_app = sandbox.token(account, "write", "Another")
    bob = sandbox.add_account("bob")

    async def send(token: str) -> object:
        answer = await mastodon_sandbox.ask(
            "POST", STATUSES, json={"status": "x"}, headers=key, token=token
        )
        return answer.one["id"]

    assert await send(account.access_token) == await send(other_app)
    assert await send(bob.access_token) != await send(account.access_token)


async def test_a_key_whose_post_was_deleted_is_404(mastodon_sandbox: ServedMastodon) -> None:
    key = {"Idempotency-Key": "k1"}
    sent = {"status": "x"}
    made = (await mastodon_sandbox.ask("POST", STATUSES, json=sent, headers=key)).one["id"]
    mastodon_sandbox.sandbox.remove(str(made))

    again = await mastodon_sandbox.ask("POST", STATUSES, json=sent, headers=key)

    assert again.status == 404


async def test_the_known_fault_answers_a_repeated_key_by_500(
    mastodon_sandbox: ServedMastodon,
) -> None:
    mastodon_sandbox.sandbox.idempotency_bug = True
    key = {"Idempotency-Key": "k1"}
    sent = {"status": "x"}

    assert (await mastodon_sandbox.ask("POST", STATUSES, json=sent, headers=key)).status == 200
    assert (await mastodon_sandbox.ask("POST", STATUSES, json=sent, headers=key)).status == 500
    assert len(mastodon_sandbox.sandbox.timeline(mastodon_sandbox.account)) == 1


async def test_a_key_is_ignored_for_posts_that_wait(mastodon_sandbox: ServedMastodon) -> None:
    key = {"Idempotency-Key": "k1"}
    at = (EPOCH + timedelta(hours=1)).isoformat()
    sent = {"status": "x", "scheduled_at": at}
    made = [
        (await mastodon_sandbox.ask("POST", STATUSES, json=sent, headers=key)).one["id"]
        for _ in range(2)
    ]
    assert len(set(made)) == 2
