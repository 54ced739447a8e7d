import asyncio
import sqlite3
from pathlib import Path

import pytest

from oauth.server.issuer import DAY_SECONDS, REUSE_SECONDS
from oauth.store import Store
from tests.oauth.clock import FakeClock
from tests.oauth.desk import Desk
from tests.oauth.page import Page


async def _paired(desk: Desk, origin: str = "https://app.example") -> tuple[Page, str]:
    page = desk.page(origin)
    return page, (await desk.pair(page)).body["refresh_token"]


def _pairings(store: Store, page: Page) -> int:
    grant = store.grant_of(page.origin)
    assert grant is not None, "the grant lives whatever a refresh token does"
    return len(store.pairings(grant.id))


async def test_a_refresh_gives_new_tokens_of_the_same_scope(desk: Desk) -> None:
    page, token = await _paired(desk)

    answer = await desk.refresh(page, token)

    assert answer.status == 200
    assert answer.body["refresh_token"] != token
    assert (answer.body["token_type"], answer.body["scope"]) == ("DPoP", "player:control player:read")


async def test_a_chain_goes_on(desk: Desk) -> None:
    page, token = await _paired(desk)

    for _ in range(5):
        token = (await desk.refresh(page, token)).body["refresh_token"]

    assert (await desk.refresh(page, token)).status == 200


async def test_tabs_that_refresh_at_once_get_the_same_successor(desk: Desk) -> None:
    page, token = await _paired(desk)

    answers = await asyncio.gather(*(desk.refresh(page, token) for _ in range(4)))

    assert len({answer.body["refresh_token"] for answer in answers}) == 1
    assert len({answer.body["access_token"] for answer in answers}) == 4


async def test_a_used_token_yields_its_successor_until_that_is_used(desk: Desk, clock: FakeClock) -> None:
    page, token = await _paired(desk)
    successor = (await desk.refresh(page, token)).body["refresh_token"]

    clock.forward(20 * DAY_SECONDS)

    assert (await desk.refresh(page, token)).body["refresh_token"] == successor


async def test_a_used_token_yields_its_successor_for_30_seconds_more(desk: Desk, clock: FakeClock) -> None:
    page, token = await _paired(desk)
    successor = (await desk.refresh(page, token)).body["refresh_token"]
    following = (await desk.refresh(page, successor)).body["refresh_token"]

    clock.forward(REUSE_SECONDS)

    assert (await desk.refresh(page, token)).body["refresh_token"] == successor
    assert (await desk.refresh(page, successor)).body["refresh_token"] == following


async def test_later_a_used_token_ends_its_pairing_and_not_the_grant(
    desk: Desk, store: Store, clock: FakeClock
) -> None:
    page, token = await _paired(desk)
    other, others_token = await _paired(desk)
    successor = (await desk.refresh(page, token)).body["refresh_token"]
    following = (await desk.refresh(page, successor)).body["refresh_token"]
    clock.forward(REUSE_SECONDS + 1)

    answer = await desk.refresh(page, token)

    assert answer.body["error"] == "invalid_grant"
    assert (await desk.refresh(page, following)).body["error"] == "invalid_grant"
    assert (await desk.refresh(other, others_token)).status == 200
    assert _pairings(store, page) == 1


async def test_a_token_in_a_strangers_hands_is_refused_and_the_pairing_lives(
    desk: Desk, store: Store, clock: FakeClock
) -> None:
    page, token = await _paired(desk)
    successor = (await desk.refresh(page, token)).body["refresh_token"]
    await desk.refresh(page, successor)
    clock.forward(REUSE_SECONDS + 1)

    by_key = await desk.refresh(desk.page(), token)
    by_client = await desk.refresh(desk.page("https://other.example"), token)

    assert [by_key.body["error"], by_client.body["error"]] == ["invalid_grant", "invalid_grant"]
    assert _pairings(store, page) == 1


async def test_the_successor_is_the_same_after_a_crash_before_the_answer(path: Path, clock: FakeClock) -> None:
    async with Store.open(path, clock=clock) as store:
        desk = Desk(store, clock)
        page, token = await _paired(desk)
        successor = (await desk.refresh(page, token)).body["refresh_token"]

    async with Store.open(path, clock=clock) as store:
        answer = await Desk(store, clock).refresh(page, token)

    assert answer.body["refresh_token"] == successor


async def test_a_refresh_that_was_not_durable_can_be_repeated(desk: Desk, path: Path) -> None:
    page, token = await _paired(desk)
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("CREATE TRIGGER full BEFORE INSERT ON refresh_tokens BEGIN SELECT RAISE(ABORT, 'disk full'); END")
    failed = await desk.refresh(page, token)
    other.execute("DROP TRIGGER full")
    other.close()

    answer = await desk.refresh(page, token)

    assert (failed.status, answer.status) == (503, 200)


async def test_tokens_are_kept_as_hashes_alone(desk: Desk, path: Path) -> None:
    page, token = await _paired(desk)
    answer = await desk.refresh(page, token)

    stored = b"".join(file.read_bytes() for file in path.parent.iterdir())

    for secret in (token, answer.body["refresh_token"], answer.body["access_token"]):
        assert secret.encode() not in stored
        assert secret[3:].encode() not in stored


async def test_a_token_ends_30_days_after_its_last_use(desk: Desk, clock: FakeClock) -> None:
    page, token = await _paired(desk)
    clock.forward(29 * DAY_SECONDS)
    token = (await desk.refresh(page, token)).body["refresh_token"]
    clock.forward(29 * DAY_SECONDS)
    token = (await desk.refresh(page, token)).body["refresh_token"]

    clock.forward(30 * DAY_SECONDS)

    assert (await desk.refresh(page, token)).body["error"] == "invalid_grant"


async def test_rotation_never_goes_beyond_180_days_after_the_yes(desk: Desk, clock: FakeClock) -> None:
    page, token = await _paired(desk)
    for _ in range(8):
        clock.forward(20 * DAY_SECONDS)
        token = (await desk.refresh(page, token)).body["refresh_token"]

    clock.forward(20 * DAY_SECONDS)

    assert (await desk.refresh(page, token)).body["error"] == "invalid_grant"


async def test_development_ends_with_its_grant_24_hours_after_the_yes(
    desk: Desk, store: Store, clock: FakeClock
) -> None:
    page, token = await _paired(desk, "http://localhost:3000")
    clock.forward(DAY_SECONDS - 60)
    answer = await desk.refresh(page, token)
    assert (answer.status, answer.body["expires_in"]) == (200, 60)

    clock.forward(60)

    assert (await desk.refresh(page, answer.body["refresh_token"])).body["error"] == "invalid_grant"
    assert store.grant_of(page.origin) is None


async def test_scope_narrows_for_the_access_token_alone(desk: Desk) -> None:
    page, token = await _paired(desk)

    narrow = await desk.refresh(page, token, scope="player:read")
    wide = await desk.refresh(page, narrow.body["refresh_token"])

    assert narrow.body["scope"] == "player:read"
    assert wide.body["scope"] == "player:control player:read"


@pytest.mark.parametrize("scope", ["player:read owner", "unknown", "player:read  player:control"])
async def test_scope_never_widens_and_a_refused_refresh_uses_nothing_up(desk: Desk, scope: str) -> None:
    page = desk.page()
    token = (await desk.pair(page, ["player:read"])).body["refresh_token"]

    answer = await desk.refresh(page, token, scope=scope)

    assert answer.body["error"] == "invalid_scope"
    assert (await desk.refresh(page, token)).status == 200


async def test_scopes_that_the_owner_took_back_are_gone_at_the_next_refresh(desk: Desk) -> None:
    page, token = await _paired(desk)
    request = desk.server.authorization_request(page.authorize_query())
    desk.server.allow(request, frozenset({"player:read"}))

    assert (await desk.refresh(page, token)).body["scope"] == "player:read"


@pytest.mark.parametrize(
    ("token", "error"),
    [(None, "invalid_request"), ("", "invalid_request"), ("rt_x", "invalid_grant"), ("é", "invalid_grant")],
)
async def test_what_is_no_refresh_token_is_refused(desk: Desk, token: str | None, error: str) -> None:
    page, _ = await _paired(desk)

    assert (await desk.ask(page, page.token_form(grant_type="refresh_token", refresh_token=token))).body[
        "error"
    ] == error


async def test_an_access_token_does_not_refresh(desk: Desk) -> None:
    page = desk.page()
    access = (await desk.pair(page)).body["access_token"]

    assert (await desk.refresh(page, access)).body["error"] == "invalid_grant"


async def test_a_revoked_grant_refreshes_nothing(desk: Desk, store: Store) -> None:
    page, token = await _paired(desk)
    grant = store.grant_of(page.origin)
    assert grant is not None
    store.revoke(grant.id)

    assert (await desk.refresh(page, token)).body["error"] == "invalid_grant"


async def test_a_program_with_a_bearer_token_refreshes_without_proof(desk: Desk) -> None:
    page = desk.page("native:cli")
    callback = "http://127.0.0.1:5000/cb"
    code = await desk.code(page, redirect_uri=callback, dpop_jkt=None)
    token = (await desk.ask_natively(page.code_form(code, redirect_uri=callback))).body["refresh_token"]

    answer = await desk.ask_natively(page.refresh_form(token))

    assert (answer.status, answer.body["token_type"]) == (200, "Bearer")


async def test_the_used_tokens_that_are_forgotten_are_merely_unknown(
    desk: Desk, store: Store, clock: FakeClock
) -> None:
    page, first = await _paired(desk)
    token = first
    for _ in range(300):
        clock.forward(1)
        token = (await desk.refresh(page, token)).body["refresh_token"]

    assert (await desk.refresh(page, first)).body["error"] == "invalid_grant"
    assert _pairings(store, page) == 1
    assert (await desk.refresh(page, token)).status == 200
