import asyncio
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from oauth.server.codes import CODE_SECONDS
from oauth.store import Store
from tests.oauth.clock import FakeClock
from tests.oauth.desk import BASE, REDIRECT, TOKEN_URL, Desk, answer_of
from tests.oauth.page import Page


async def test_a_code_becomes_tokens_bound_to_the_pages_key(desk: Desk, store: Store) -> None:
    page = desk.page()

    answer = await desk.redeem(page, await desk.code(page))

    assert answer.status == 200
    assert answer.headers == {"Cache-Control": "no-store", "DPoP-Nonce": desk.nonces.current(page.origin)}
    access, refresh = answer.body.pop("access_token"), answer.body.pop("refresh_token")
    assert answer.body == {
        "token_type": "DPoP",
        "expires_in": 600,
        "scope": "player:control player:read",
        "daemon_key": {"kty": "EC", "crv": "P-256", "x": (store.salt(page.origin) or b"").hex(), "y": page.origin},
    }
    assert (access[:3], len(access), refresh[:3], len(refresh)) == ("at_", 46, "rt_", 46)
    grant = store.grant_of(page.origin)
    assert grant is not None
    assert [pairing.jkt for pairing in store.pairings(grant.id)] == [page.jkt]


async def test_a_redirect_carries_code_state_and_issuer(desk: Desk) -> None:
    request = desk.server.authorization_request(desk.page().authorize_query(state="s"))

    redirect = desk.server.allow(request, request.scopes)

    answer = answer_of(redirect)
    assert redirect.startswith(f"{REDIRECT}?")
    assert (answer["state"], answer["iss"], len(answer["code"])) == ("s", BASE, 43)


async def test_a_program_gets_a_bearer_token_and_no_daemon_key(desk: Desk) -> None:
    page = desk.page("native:cli")
    callback = "http://127.0.0.1:5000/cb"
    code = await desk.code(page, redirect_uri=callback, dpop_jkt=None)

    answer = await desk.ask_natively(page.code_form(code, redirect_uri=callback))

    assert (answer.status, answer.body["token_type"]) == (200, "Bearer")
    assert "daemon_key" not in answer.body


async def test_a_program_may_bind_its_tokens_to_a_key(desk: Desk) -> None:
    page = desk.page("native:cli")
    callback = "http://127.0.0.1:5000/cb"
    code = await desk.code(page, redirect_uri=callback)

    refused = await desk.ask_natively(page.code_form(code, redirect_uri=callback))
    code = await desk.code(page, redirect_uri=callback)
    answer = await desk.server.token(
        page.code_form(code, redirect_uri=callback), origin=None, proofs=[page.proof("POST", TOKEN_URL)]
    )

    assert refused.body["error"] == "invalid_grant"
    assert answer.body["token_type"] == "DPoP"


async def test_a_code_lives_330_seconds(desk: Desk, clock: FakeClock) -> None:
    page = desk.page()
    code, late = await desk.code(page), await desk.code(page)

    clock.forward(CODE_SECONDS - 1)
    assert (await desk.redeem(page, code)).status == 200
    clock.forward(1)

    assert (await desk.redeem(page, late)).body["error"] == "invalid_grant"


async def test_codes_die_with_the_daemon(desk: Desk, store: Store, clock: FakeClock) -> None:
    page = desk.page()
    code = await desk.code(page)

    assert (await Desk(store, clock).redeem(page, code)).body["error"] == "invalid_grant"


async def test_of_many_at_once_one_redeems_a_code(desk: Desk) -> None:
    page = desk.page()
    code = await desk.code(page)

    answers = await asyncio.gather(*(desk.redeem(page, code) for _ in range(8)))

    assert sorted(answer.status for answer in answers) == [200] + [400] * 7


async def test_a_valid_replay_ends_the_pairing_made_from_the_code(desk: Desk, store: Store) -> None:
    page = desk.page()
    code = await desk.code(page)
    first = await desk.redeem(page, code)

    replay = await desk.redeem(page, code)

    assert replay.body["error"] == "invalid_grant"
    grant = store.grant_of(page.origin)
    assert grant is not None, "the owner's yes stands"
    assert store.pairings(grant.id) == ()
    assert (await desk.refresh(page, first.body["refresh_token"])).body["error"] == "invalid_grant"


@pytest.mark.parametrize(
    "changes",
    [{"code_verifier": "x" * 43}, {"code_verifier": None}, {"redirect_uri": f"{REDIRECT}/other"}],
    ids=["wrong verifier", "no verifier", "wrong redirect"],
)
async def test_a_replay_without_the_verifier_or_redirect_ends_nothing(
    desk: Desk, changes: dict[str, str | None]
) -> None:
    page = desk.page()
    code = await desk.code(page)
    first = await desk.redeem(page, code)

    replay = await desk.redeem(page, code, **changes)

    assert replay.status == 400
    assert (await desk.refresh(page, first.body["refresh_token"])).status == 200


async def test_a_replay_by_another_key_ends_nothing(desk: Desk) -> None:
    page, thief = desk.page(), desk.page()
    code = await desk.code(page)
    first = await desk.redeem(page, code)
    thief.verifier = page.verifier

    replay = await desk.redeem(thief, code)

    assert replay.body["error"] == "invalid_grant"
    assert (await desk.refresh(page, first.body["refresh_token"])).status == 200


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"code": "unknown"}, "invalid_grant"),
        ({"code": None}, "invalid_request"),
        ({"code": ""}, "invalid_request"),
        ({"redirect_uri": None}, "invalid_grant"),
        ({"redirect_uri": f"{REDIRECT}/"}, "invalid_grant"),
        ({"code_verifier": None}, "invalid_request"),
        ({"code_verifier": "x" * 42}, "invalid_request"),
        ({"code_verifier": "x" * 43}, "invalid_grant"),
        ({"client_id": None}, "invalid_client"),
        ({"client_id": "https://other.example"}, "invalid_client"),
        ({"client_id": "native:cli"}, "invalid_client"),
        ({"client_secret": "x"}, "invalid_client"),
        ({"grant_type": None}, "unsupported_grant_type"),
        ({"grant_type": "password"}, "unsupported_grant_type"),
        ({"grant_type": "client_credentials"}, "unsupported_grant_type"),
        ({"grant_type": 'x"\\'}, "unsupported_grant_type"),
        ({"grant_type": "urn:ietf:params:oauth:grant-type:token-exchange"}, "unauthorized_client"),
    ],
)
async def test_a_wrong_token_request_is_refused(desk: Desk, changes: dict[str, str | None], error: str) -> None:
    page = desk.page()
    fields: dict[str, str | None] = {
        "grant_type": "authorization_code",
        "code": await desk.code(page),
        "redirect_uri": page.redirect_uri,
        "code_verifier": page.verifier,
        **changes,
    }

    answer = await desk.ask(page, page.token_form(**fields))

    assert (answer.status, answer.body["error"]) == (400, error)
    assert answer.headers == {"Cache-Control": "no-store", "DPoP-Nonce": desk.nonces.current(page.origin)}


async def test_the_client_that_a_code_was_made_for_is_the_only_one_to_use_it(desk: Desk) -> None:
    page, other = desk.page(), desk.page("https://other.example")
    code = await desk.code(page)
    other.verifier = page.verifier

    answer = await desk.redeem(other, code, redirect_uri=page.redirect_uri)

    assert answer.body["error"] == "invalid_grant"


@pytest.mark.parametrize("origin", [None, "https://other.example", "https://APP.example", "null", BASE])
async def test_a_page_is_believed_only_with_its_own_origin(desk: Desk, origin: str | None) -> None:
    page = desk.page()
    body = page.code_form(await desk.code(page))

    answer = await desk.server.token(body, origin=origin, proofs=[page.proof("POST", TOKEN_URL)])

    assert answer.body["error"] == "invalid_client"


async def test_a_program_is_refused_with_an_origin(desk: Desk) -> None:
    page = desk.page("native:cli")

    answer = await desk.server.token(page.refresh_form("rt_x"), origin="https://app.example", proofs=[])

    assert answer.body["error"] == "invalid_client"


async def test_a_page_always_proves_its_key(desk: Desk) -> None:
    page = desk.page()

    answer = await desk.server.token(page.code_form(await desk.code(page)), origin=page.origin, proofs=[])

    assert answer.body["error"] == "invalid_client"


@pytest.mark.parametrize("changes", [{"htm": "GET"}, {"htu": BASE}, {"iat": 1.0}, {"jti": "x"}])
async def test_a_bad_proof_has_its_own_code_and_leaves_the_code_unused(desk: Desk, changes: dict[str, Any]) -> None:
    page = desk.page()
    body = page.code_form(await desk.code(page))

    answer = await desk.server.token(body, origin=page.origin, proofs=[page.proof("POST", TOKEN_URL, **changes)])

    assert (answer.status, answer.body["error"]) == (400, "invalid_dpop_proof")
    assert (await desk.ask(page, body)).status == 200


async def test_the_key_announced_at_authorization_is_the_one_to_prove(desk: Desk) -> None:
    page, other = desk.page(), desk.page()
    other.verifier = page.verifier

    answer = await desk.redeem(other, await desk.code(page))

    assert answer.body["error"] == "invalid_grant"


@pytest.mark.parametrize("name", ["code", "grant_type", "client_id", "code_verifier", "redirect_uri", "unknown"])
async def test_a_repeated_parameter_is_refused(desk: Desk, name: str) -> None:
    page = desk.page()
    body = page.code_form(await desk.code(page), unknown="x")

    answer = await desk.ask(page, body + f"&{name}=x".encode())

    assert answer.body["error"] == "invalid_request"


async def test_a_form_that_is_not_utf8_is_refused(desk: Desk) -> None:
    answer = await desk.ask(desk.page(), b"client_id=\xff")

    assert (answer.status, answer.body["error"]) == (400, "invalid_request")


async def test_a_grant_taken_back_before_the_code_was_used_gives_nothing(desk: Desk, store: Store) -> None:
    page = desk.page()
    code = await desk.code(page)
    grant = store.grant_of(page.origin)
    assert grant is not None
    store.revoke(grant.id)

    assert (await desk.redeem(page, code)).body["error"] == "invalid_grant"


async def test_the_owner_may_allow_less_than_was_asked(desk: Desk) -> None:
    page = desk.page()
    request = desk.server.authorization_request(page.authorize_query())

    redirect = desk.server.allow(request, frozenset({"player:read"}))

    assert (await desk.redeem(page, answer_of(redirect)["code"])).body["scope"] == "player:read"


async def test_nothing_is_handed_out_that_is_not_durable(desk: Desk, path: Path) -> None:
    page = desk.page()
    code = await desk.code(page)
    with sqlite3.connect(path) as other:
        other.execute("CREATE TRIGGER full BEFORE INSERT ON pairings BEGIN SELECT RAISE(ABORT, 'disk full'); END")
    other.close()

    answer = await desk.redeem(page, code)

    assert (answer.status, answer.body["error"]) == (503, "temporarily_unavailable")
    assert answer.body.keys() == {"error", "error_description"}
    replay = await desk.redeem(page, code)
    assert replay.body["error"] == "invalid_grant"


async def test_a_key_that_redeems_again_keeps_one_pairing(desk: Desk, store: Store) -> None:
    page: Page = desk.page()
    first = await desk.pair(page, ["player:read"])

    await desk.pair(page, ["player:control"])

    grant = store.grant_of(page.origin)
    assert grant is not None
    assert len(store.pairings(grant.id)) == 1
    assert (await desk.refresh(page, first.body["refresh_token"])).body["scope"] == "player:read"
