from pathlib import Path

import pytest

from oauth.errors import OriginMismatch
from oauth.server.verify import Verifier
from oauth.store import Store
from tests.oauth.clock import FakeClock
from tests.oauth.desk import BASE, TOKEN_URL, Desk
from tests.oauth.page import Page


async def test_a_link_makes_a_browser_the_owners(desk: Desk, verifier: Verifier) -> None:
    page = desk.page(BASE)

    answer = await desk.activate(page)

    assert answer.status == 200
    assert (answer.body["token_type"], answer.body["scope"]) == ("DPoP", "owner")
    assert answer.body["issued_token_type"] == "urn:ietf:params:oauth:token-type:access_token"
    token = answer.body["access_token"]
    access = verifier.verify(
        authorization=f"DPoP {token}",
        proofs=[page.proof("GET", f"{BASE}/v1/status", token)],
        method="GET",
        url=f"{BASE}/v1/status",
        origin=BASE,
    )
    assert access.is_owner
    assert access.scopes == {"owner"}


async def test_the_owner_refreshes_like_a_page(desk: Desk) -> None:
    page = desk.page(BASE)
    token = (await desk.activate(page)).body["refresh_token"]

    answer = await desk.refresh(page, token)

    assert (answer.status, answer.body["scope"]) == (200, "owner")


async def test_a_link_works_once(desk: Desk) -> None:
    secret, _ = desk.server.activation_link()
    await desk.activate(desk.page(BASE), secret)

    answer = await desk.activate(desk.page(BASE), secret)

    assert (answer.status, answer.body["error"]) == (400, "invalid_request")


async def test_whether_a_link_is_alive_can_be_asked_without_using_it_up(desk: Desk, clock: FakeClock) -> None:
    secret, expires_in = desk.server.activation_link()
    later, _ = desk.server.activation_link()

    assert [True, True, False, False] == [desk.server.is_activation_link(one) for one in (secret, secret, "wrong", "")]
    assert 200 == (await desk.activate(desk.page(BASE), secret)).status
    assert [False, True] == [desk.server.is_activation_link(one) for one in (secret, later)]
    clock.forward(expires_in)
    assert not desk.server.is_activation_link(later)


async def test_a_link_lives_120_seconds(desk: Desk, clock: FakeClock) -> None:
    secret, expires_in = desk.server.activation_link()

    clock.forward(expires_in)

    assert expires_in == 120
    assert (await desk.activate(desk.page(BASE), secret)).body["error"] == "invalid_request"


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"subject_token": "wrong"}, "invalid_request"),
        ({"subject_token": None}, "invalid_request"),
        ({"subject_token_type": None}, "invalid_request"),
        ({"subject_token_type": "urn:ietf:params:oauth:token-type:id_token"}, "invalid_request"),
        ({"actor_token": "x", "actor_token_type": "y"}, "invalid_request"),
        ({"actor_token_type": "y"}, "invalid_request"),
        ({"requested_token_type": "urn:ietf:params:oauth:token-type:jwt"}, "invalid_request"),
        ({"scope": "owner player:read"}, "invalid_scope"),
        ({"resource": "https://other.example"}, "invalid_target"),
        ({"audience": "other"}, "invalid_target"),
    ],
)
async def test_a_failed_exchange_leaves_the_owners_pairing_alone(
    desk: Desk, changes: dict[str, str | None], error: str
) -> None:
    page = desk.page(BASE)
    token = (await desk.activate(page)).body["refresh_token"]

    answer = await desk.activate(desk.page(BASE), **changes)

    assert (answer.status, answer.body["error"]) == (400, error)
    assert (await desk.refresh(page, token)).status == 200


async def test_what_asks_for_the_usual_in_so_many_words_is_fine(desk: Desk) -> None:
    answer = await desk.activate(
        desk.page(BASE),
        scope="owner",
        resource=BASE,
        audience=BASE,
        requested_token_type="urn:ietf:params:oauth:token-type:access_token",
    )

    assert answer.status == 200


async def test_a_failed_proof_does_not_use_the_link_up(desk: Desk) -> None:
    page = desk.page(BASE)
    body = page.activation_form(desk.server.activation_link()[0])

    refused = await desk.server.token(body, origin=BASE, proofs=[page.proof("GET", TOKEN_URL)])

    assert refused.body["error"] == "invalid_dpop_proof"
    assert (await desk.ask(page, body)).status == 200


@pytest.mark.parametrize("client_id", ["https://app.example", "http://127.0.0.1:4381", "http://localhost:4380"])
async def test_a_link_is_for_the_current_base_alone(desk: Desk, client_id: str) -> None:
    answer = await desk.activate(desk.page(client_id))

    assert answer.body["error"] in {"unauthorized_client", "invalid_client"}


async def test_our_own_base_gets_no_code(desk: Desk) -> None:
    page = desk.page(BASE)

    answer = await desk.redeem(page, "code")

    assert answer.body["error"] == "unauthorized_client"


async def test_owner_tokens_die_with_the_daemon(path: Path, clock: FakeClock) -> None:
    async with Store.open(path, clock=clock) as store:
        desk = Desk(store, clock)
        page = desk.page(BASE)
        token = (await desk.activate(page)).body["refresh_token"]

    async with Store.open(path, clock=clock) as store:
        assert (await Desk(store, clock).refresh(page, token)).body["error"] == "invalid_grant"


async def test_owner_tokens_are_refused_on_another_base(desk: Desk, store: Store) -> None:
    page = desk.page(BASE)
    token = (await desk.activate(page)).body["access_token"]
    moved = "http://127.0.0.1:4381"

    for origin in (BASE, moved):
        with pytest.raises(OriginMismatch):
            Verifier(store, base=moved, nonces=desk.nonces).verify(
                authorization=f"DPoP {token}",
                proofs=[page.proof("GET", f"{moved}/v1/status", token)],
                method="GET",
                url=f"{moved}/v1/status",
                origin=origin,
            )


async def test_two_browsers_of_the_owner_are_two_pairings(desk: Desk, store: Store) -> None:
    await desk.activate(desk.page(BASE))
    await desk.activate(desk.page(BASE))

    grant = store.grant_of(BASE)
    assert grant is not None
    assert len(store.pairings(grant.id)) == 2


async def test_a_page_approved_at_an_address_that_becomes_ours_is_forgotten(store: Store, clock: FakeClock) -> None:
    page = Page(BASE, clock=clock)
    token = (await Desk(store, clock, base="http://127.0.0.1:4381").pair(page)).body["refresh_token"]

    desk = Desk(store, clock)

    assert (await desk.refresh(page, token)).body["error"] == "invalid_grant"
    assert (await desk.activate(page)).body["scope"] == "owner"
