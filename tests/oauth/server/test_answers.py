from pathlib import Path

import pytest

from oauth.errors import InvalidScope
from oauth.models import AuthorizationRequest, Grant
from oauth.server.issuer import DAY_SECONDS
from oauth.store import Store
from tests.oauth.clock import FakeClock
from tests.oauth.desk import Desk, answer_of
from tests.oauth.page import Page

READ = frozenset({"player:read"})
BOTH = frozenset({"player:read", "player:control"})


def _request(desk: Desk, page: Page, scope: str = "player:read player:control") -> AuthorizationRequest:
    return desk.server.authorization_request(page.authorize_query(scope=scope))


def _grant(store: Store, page: Page) -> Grant:
    grant = store.grant_of(page.origin)
    assert grant is not None
    return grant


def test_a_stranger_is_asked_about(desk: Desk) -> None:
    assert desk.server.remembered(_request(desk, desk.page())) is None


async def test_a_yes_is_remembered_for_the_key_that_has_a_live_pairing(desk: Desk, clock: FakeClock) -> None:
    page = desk.page()
    await desk.pair(page)

    assert desk.server.remembered(_request(desk, page)) == "allowed"
    assert desk.server.remembered(_request(desk, page, "player:read")) == "allowed"
    assert desk.server.remembered(_request(desk, desk.page())) is None, "another key asks again"
    clock.forward(31 * DAY_SECONDS)
    assert desk.server.remembered(_request(desk, page)) is None


async def test_more_scopes_are_asked_about(desk: Desk) -> None:
    page = desk.page()
    await desk.pair(page, READ)

    assert desk.server.remembered(_request(desk, page)) is None


def test_a_yes_that_no_code_was_redeemed_for_is_not_remembered_for_a_key(desk: Desk) -> None:
    request = _request(desk, desk.page())
    desk.server.allow(request, request.scopes)

    assert desk.server.remembered(request) is None


async def test_a_remembered_yes_gives_a_code_and_extends_nothing(desk: Desk, store: Store, clock: FakeClock) -> None:
    page = desk.page("http://localhost:3000")
    await desk.pair(page)
    before = _grant(store, page)
    clock.forward(3600)

    redirect = desk.server.allow_again(_request(desk, page))
    answer = await desk.redeem(page, answer_of(redirect)["code"])

    assert answer.status == 200
    assert _grant(store, page) == before
    assert [pairing.consented_at for pairing in store.pairings(before.id)] == [before.created_at]


async def test_nothing_is_given_again_without_a_live_pairing(desk: Desk) -> None:
    page = desk.page()
    with pytest.raises(InvalidScope):
        desk.server.allow_again(_request(desk, page))
    await desk.pair(page, READ)

    with pytest.raises(InvalidScope):
        desk.server.allow_again(_request(desk, page))


def test_a_no_is_remembered_for_client_and_key(desk: Desk, store: Store) -> None:
    page = desk.page()

    redirect = desk.server.deny(_request(desk, page))

    assert answer_of(redirect)["error"] == "access_denied"
    assert desk.server.remembered(_request(desk, page)) == "denied"
    assert desk.server.remembered(_request(desk, desk.page())) is None
    grant = _grant(store, page)
    assert (grant.is_allowed, grant.scopes) == (False, frozenset())


def test_the_redirect_of_a_no_can_be_known_before(desk: Desk, store: Store) -> None:
    page = desk.page()

    redirect = desk.server.denied(_request(desk, page))

    assert answer_of(redirect).keys() == {"error", "error_description", "state", "iss"}
    assert store.grant_of(page.origin) is None


async def test_a_no_can_be_changed(desk: Desk) -> None:
    page = desk.page()
    desk.server.deny(_request(desk, page))

    await desk.pair(page)

    assert desk.server.remembered(_request(desk, page)) == "allowed"


async def test_answers_are_remembered_after_a_restart(path: Path, clock: FakeClock) -> None:
    async with Store.open(path, clock=clock) as store:
        desk = Desk(store, clock)
        allowed, denied = desk.page(), desk.page("https://other.example")
        await desk.pair(allowed)
        desk.server.deny(_request(desk, denied))
        await store.commit()

    async with Store.open(path, clock=clock) as store:
        desk = Desk(store, clock)
        assert desk.server.remembered(_request(desk, allowed)) == "allowed"
        assert desk.server.remembered(_request(desk, denied)) == "denied"


async def test_a_no_to_the_paired_key_replaces_the_yes(desk: Desk, store: Store) -> None:
    page = desk.page()
    token = (await desk.pair(page)).body["refresh_token"]
    before = _grant(store, page)
    ended: list[Grant] = []
    store.on_revoked(ended.append)

    desk.server.deny(_request(desk, page))

    assert ended == [before]
    assert not _grant(store, page).is_allowed
    assert store.approved_origins() == frozenset()
    assert (await desk.refresh(page, token)).body["error"] == "invalid_grant"


async def test_a_no_to_somebody_who_asks_in_a_sites_name_leaves_the_site_connected(desk: Desk, store: Store) -> None:
    page, stranger = desk.page(), desk.page()
    token = (await desk.pair(page)).body["refresh_token"]

    desk.server.deny(_request(desk, stranger))

    assert desk.server.remembered(_request(desk, stranger)) == "denied"
    assert desk.server.remembered(_request(desk, page)) == "allowed"
    assert (await desk.refresh(page, token)).status == 200


async def test_a_no_to_a_nameless_program_leaves_other_programs_of_that_name_connected(
    desk: Desk, store: Store
) -> None:
    desk.server.issue_native("cli", READ, 3600)
    query = desk.page("native:cli").authorize_query(redirect_uri="http://127.0.0.1:5000/", dpop_jkt=None)
    request = desk.server.authorization_request(query)

    desk.server.deny(request)

    grant = store.grant_of("native:cli")
    assert grant is not None
    assert grant.is_allowed
    assert desk.server.remembered(request) == "denied"


def test_a_yes_keeps_earlier_scopes_that_were_not_asked_about(desk: Desk, store: Store) -> None:
    page = desk.page()
    desk.server.allow(_request(desk, page, "player:read"), READ)

    desk.server.allow(_request(desk, page, "player:control"), frozenset({"player:control"}))

    assert _grant(store, page).scopes == BOTH


def test_a_yes_takes_back_what_was_asked_and_left_out(desk: Desk, store: Store) -> None:
    page = desk.page()
    desk.server.allow(_request(desk, page), BOTH)

    desk.server.allow(_request(desk, page), READ)

    assert _grant(store, page).scopes == READ


@pytest.mark.parametrize("scopes", [frozenset(), frozenset({"owner"}), frozenset({"player:read", "player:control"})])
def test_the_owner_cannot_allow_what_was_not_asked(desk: Desk, scopes: frozenset[str]) -> None:
    with pytest.raises(InvalidScope):
        desk.server.allow(_request(desk, desk.page(), "player:read"), scopes)


def test_answers_about_pages_on_this_computer_end_after_24_hours(desk: Desk, store: Store, clock: FakeClock) -> None:
    allowed, denied = desk.page("http://localhost:3000"), desk.page("http://127.0.0.1:3000")
    desk.server.allow(_request(desk, allowed), BOTH)
    desk.server.deny(_request(desk, denied))
    assert [grant.is_development for grant in store.grants()] == [True, True]

    clock.forward(DAY_SECONDS)

    assert store.grants() == ()


async def test_a_grant_keeps_its_id_and_salt_when_another_key_is_allowed(desk: Desk, store: Store) -> None:
    page, other = desk.page(), desk.page()
    await desk.pair(page)
    before = _grant(store, page)

    await desk.pair(other)

    after = _grant(store, page)
    assert (after.id, after.salt) == (before.id, before.salt)
    assert len(store.pairings(after.id)) == 2
