"""Revocation (RFC 7009): who holds a token may end it, and nobody else's; what is unknown is as good as ended."""

import asyncio

import pytest

from oauth.errors import AccessRefused
from oauth.models import Pairing
from oauth.server.results import TokenResult
from oauth.server.verify import Verifier
from oauth.store import PairingChange, Store
from tests.oauth.desk import BASE, Desk
from tests.oauth.page import Page


@pytest.fixture(name="ended")
def _ended(store: Store) -> list[PairingChange]:
    told: list[PairingChange] = []
    store.on_paired(lambda grant, pairing, change: told.append(change) if change != "begun" else None)
    return told


def is_good(verifier: Verifier, page: Page, token: str) -> bool:
    origin = None if page.origin.startswith("native:") else page.origin
    proofs = [] if origin is None else [page.proof("GET", f"{BASE}/v1/apps", token)]
    scheme = "Bearer" if origin is None else "DPoP"
    try:
        verifier.verify(
            authorization=f"{scheme} {token}", proofs=proofs, method="GET", url=f"{BASE}/v1/apps", origin=origin
        )
    except AccessRefused:
        return False
    return True


def is_silent(answer: TokenResult) -> bool:
    return (answer.status, answer.body) == (200, {})


async def test_a_refresh_token_ends_its_pairing_and_leaves_the_grant(
    desk: Desk, store: Store, verifier: Verifier, ended: list[PairingChange]
) -> None:
    page, other = desk.page(), desk.page()
    tokens, others = (await desk.pair(page)).body, (await desk.pair(other)).body

    assert is_silent(await desk.revoke(page, tokens["refresh_token"]))

    assert ["revoked"] == ended
    assert not is_good(verifier, page, tokens["access_token"])
    assert "invalid_grant" == (await desk.refresh(page, tokens["refresh_token"])).body["error"]
    assert is_good(verifier, other, others["access_token"])
    grant = store.grant_of(page.origin)
    assert grant is not None
    assert grant.is_allowed
    assert [other.jkt] == [pairing.jkt for pairing in store.pairings(grant.id)]
    assert is_silent(await desk.revoke(page, tokens["refresh_token"])), "again is no error"


async def test_any_refresh_token_of_the_family_ends_it(desk: Desk, ended: list[PairingChange]) -> None:
    page = desk.page()
    first = (await desk.pair(page)).body["refresh_token"]
    second = (await desk.refresh(page, first)).body["refresh_token"]

    await desk.revoke(page, first)

    assert ["revoked"] == ended
    assert "invalid_grant" == (await desk.refresh(page, second)).body["error"]


async def test_an_access_token_ends_alone(desk: Desk, verifier: Verifier, ended: list[PairingChange]) -> None:
    page = desk.page()
    tokens = (await desk.pair(page)).body
    second = (await desk.refresh(page, tokens["refresh_token"])).body

    assert is_silent(await desk.revoke(page, tokens["access_token"]))

    assert not is_good(verifier, page, tokens["access_token"])
    assert is_good(verifier, page, second["access_token"])
    assert 200 == (await desk.refresh(page, second["refresh_token"])).status
    assert [] == ended


async def test_the_last_token_of_a_pairing_ends_it(desk: Desk, ended: list[PairingChange], store: Store) -> None:
    program = desk.page("native:cli")
    token = desk.server.issue_native("cli", frozenset({"player:read"}), 3600)["access_token"]

    assert is_silent(await desk.revoke_natively(program, token))

    assert ["revoked"] == ended
    grant = store.grant_of("native:cli")
    assert grant is not None
    assert () == store.pairings(grant.id)


@pytest.mark.parametrize("token", ["rt_unknown", "at_unknown", "x", "é"])
@pytest.mark.parametrize("hint", [None, "refresh_token", "access_token", "id_token", "nobody-knows"])
async def test_what_is_unknown_is_no_error(desk: Desk, token: str, hint: str | None) -> None:
    page = desk.page()
    await desk.pair(page)

    assert is_silent(await desk.revoke(page, token, token_type_hint=hint))


@pytest.mark.parametrize("hint", ["access_token", "refresh_token", "nobody-knows"])
@pytest.mark.parametrize("kind", ["access_token", "refresh_token"])
async def test_a_hint_is_no_more_than_that(desk: Desk, verifier: Verifier, hint: str, kind: str) -> None:
    page = desk.page()
    tokens = (await desk.pair(page)).body

    assert is_silent(await desk.revoke(page, tokens[kind], token_type_hint=hint))

    assert not is_good(verifier, page, tokens["access_token"])


@pytest.mark.parametrize("kind", ["access_token", "refresh_token"])
@pytest.mark.parametrize("thief", ["https://app.example", "https://evil.example"])
async def test_another_clients_or_keys_token_is_left_alone_in_silence(
    desk: Desk, verifier: Verifier, ended: list[PairingChange], kind: str, thief: str
) -> None:
    page = desk.page()
    tokens = (await desk.pair(page)).body

    assert is_silent(await desk.revoke(desk.page(thief), tokens[kind]))
    assert is_silent(await desk.revoke_natively(desk.page("native:cli"), tokens[kind]))

    assert [] == ended
    assert is_good(verifier, page, tokens["access_token"])
    assert 200 == (await desk.refresh(page, tokens["refresh_token"])).status


async def test_whoever_holds_a_token_may_end_it_without_a_proof(desk: Desk, verifier: Verifier) -> None:
    page = desk.page()
    tokens = (await desk.pair(page)).body

    answer = await desk.server.revoke(page.token_form(token=tokens["refresh_token"]), origin=page.origin, proofs=[])

    assert is_silent(answer)
    assert not is_good(verifier, page, tokens["access_token"])


async def test_a_token_is_not_another_clients_who_has_the_same_key(desk: Desk, verifier: Verifier) -> None:
    page = desk.page()
    tokens = (await desk.pair(page)).body
    evil = desk.page("https://evil.example", key=page.key)

    for kind in ("access_token", "refresh_token"):
        assert is_silent(await desk.revoke(evil, tokens[kind]))

    assert is_good(verifier, page, tokens["access_token"])
    assert 200 == (await desk.refresh(page, tokens["refresh_token"])).status


async def test_who_holds_a_token_and_proves_no_key_may_end_it(desk: Desk, verifier: Verifier) -> None:
    """RFC 7009 knows no proofs, and so do the libraries; whoever stole a token may do its owner this favour."""
    page, evil = desk.page(), desk.page("https://evil.example")
    tokens = (await desk.pair(page)).body
    form = page.token_form(token=tokens["refresh_token"])

    named = await desk.server.revoke(form, origin=evil.origin, proofs=[])
    assert "invalid_client" == named.body["error"]
    other = await desk.server.revoke(evil.token_form(token=tokens["refresh_token"]), origin=evil.origin, proofs=[])
    assert is_silent(other)
    assert is_good(verifier, page, tokens["access_token"])

    assert is_silent(await desk.server.revoke(form, origin=page.origin, proofs=[]))
    assert not is_good(verifier, page, tokens["access_token"])


async def test_a_programs_token_is_not_anothers_to_end(desk: Desk, verifier: Verifier) -> None:
    cli = desk.page("native:cli")
    token = desk.server.issue_native("cli", frozenset({"player:read"}), 3600)["access_token"]

    assert is_silent(await desk.revoke_natively(desk.page("native:other"), token))
    assert is_silent(await desk.revoke(desk.page(), token))

    assert is_good(verifier, cli, token)


@pytest.mark.parametrize(
    ("more", "told"),
    [
        (b"&token=x", "invalid_request"),
        (b"&client_id=https%3A%2F%2Fapp.example", "invalid_request"),
        (b"&token_type_hint=access_token&token_type_hint=access_token", "invalid_request"),
        (b"&nothing=1&nothing=2", "invalid_request"),
        (b"&%ff=1", "invalid_request"),
    ],
)
async def test_a_form_that_is_wrong_ends_nothing(desk: Desk, more: bytes, told: str) -> None:
    page = desk.page()
    token = (await desk.pair(page)).body["refresh_token"]
    proofs = [page.proof("POST", f"{BASE}/oauth/revoke")]

    answer = await desk.server.revoke(page.token_form(token=token) + more, origin=page.origin, proofs=proofs)

    assert (400, told) == (answer.status, answer.body["error"])
    assert 200 == (await desk.refresh(page, token)).status


async def test_a_token_is_named(desk: Desk) -> None:
    page = desk.page()
    assert (
        "invalid_request" == (await desk.revoke(page, "")).body["error"]
    )  # empty is as good as missing (RFC 6749 3.2)


async def test_the_origin_is_the_clients(desk: Desk) -> None:
    page, evil = desk.page(), desk.page("https://evil.example")
    token = (await desk.pair(page)).body["refresh_token"]

    answer = await desk.revoke(evil, token, client_id=page.origin)

    assert (400, "invalid_client") == (answer.status, answer.body["error"])
    assert 200 == (await desk.refresh(page, token)).status


async def test_what_was_given_back_is_durable(desk: Desk, store: Store) -> None:
    page = desk.page()
    token = (await desk.pair(page)).body["refresh_token"]

    await desk.revoke(page, token)

    writer = store._writer
    rows = await asyncio.get_running_loop().run_in_executor(writer._thread, writer._database.load)
    assert ([], [], []) == (rows["pairings"], rows["refresh_tokens"], rows["access_tokens"])
    assert 1 == len(rows["grants"])


async def test_a_yes_for_once_is_given_back_with_its_token(
    desk: Desk, store: Store, ended: list[PairingChange]
) -> None:
    page = desk.page()
    request = desk.server.authorization_request(page.authorize_query())
    redirect = desk.server.allow(request, request.scopes, "once")
    code = redirect.partition("code=")[2].partition("&")[0]
    token = (await desk.redeem(page, code)).body["access_token"]
    grant = store.grant_of(page.origin)
    assert grant is not None
    pairing: Pairing = store.pairings(grant.id)[0]
    assert store.allowed(grant.id, pairing.id)

    await desk.revoke(page, token)

    assert None is store.allowed(grant.id, pairing.id)
    assert ["revoked"] == ended
