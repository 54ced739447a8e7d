import pytest

from oauth.errors import OriginMismatch, ProofInvalid, TokenInvalid, TokenRequired
from oauth.models import Access
from oauth.server.verify import Verifier
from oauth.store import Store
from tests.oauth.clock import FakeClock
from tests.oauth.desk import BASE, Desk
from tests.oauth.page import Page

PATH_URL = f"{BASE}/v1/apps/player/play"


@pytest.fixture(name="page")
def _page(desk: Desk) -> Page:
    return desk.page()


@pytest.fixture(name="token")
async def _token(desk: Desk, page: Page) -> str:
    token = (await desk.pair(page)).body["access_token"]
    assert isinstance(token, str)
    return token


def _use(
    verifier: Verifier,
    page: Page,
    token: str,
    *,
    scheme: str = "DPoP",
    origin: str | None = "https://app.example",
    proofs: list[str] | None = None,
) -> Access:
    return verifier.verify(
        authorization=f"{scheme} {token}",
        proofs=[page.proof("POST", PATH_URL, token)] if proofs is None else proofs,
        method="POST",
        url=PATH_URL,
        origin=origin,
    )


def test_a_token_with_its_proof_and_origin_gives_access(
    verifier: Verifier, page: Page, token: str, store: Store, clock: FakeClock
) -> None:
    access = _use(verifier, page, token)

    grant = store.grant_of(page.origin)
    assert grant is not None
    assert access == Access(
        client_id="https://app.example",
        origin="https://app.example",
        scopes=frozenset({"player:read", "player:control"}),
        grant=grant.id,
        pairing=store.pairings(grant.id)[0].id,
        jkt=page.jkt,
        expires_at=clock() + 600,
        is_owner=False,
    )


@pytest.mark.parametrize("scheme", ["dpop", "DPOP", "DPoP "])
def test_the_scheme_is_read_without_case(verifier: Verifier, page: Page, token: str, scheme: str) -> None:
    assert _use(verifier, page, token, scheme=scheme).jkt == page.jkt


@pytest.mark.parametrize(
    "authorization", [None, "", "DPoP", "DPoP ", "Basic YTpi", "Bearer a b", "DPoP \u00e9", "token"]
)
def test_without_a_token_one_is_required(verifier: Verifier, authorization: str | None) -> None:
    with pytest.raises(TokenRequired):
        verifier.verify(authorization=authorization, proofs=[], method="GET", url=PATH_URL, origin=None)


def test_an_unknown_token_is_refused(verifier: Verifier, page: Page) -> None:
    with pytest.raises(TokenInvalid):
        _use(verifier, page, "at_unknown")


async def test_a_refresh_token_is_no_access_token(verifier: Verifier, desk: Desk, page: Page) -> None:
    refresh = (await desk.pair(page)).body["refresh_token"]

    with pytest.raises(TokenInvalid):
        _use(verifier, page, refresh)


def test_a_token_ends_after_ten_minutes(verifier: Verifier, page: Page, token: str, clock: FakeClock) -> None:
    clock.forward(599)
    _use(verifier, page, token)

    clock.forward(1)

    with pytest.raises(TokenInvalid):
        _use(verifier, page, token)


def test_a_token_ends_with_its_grant(verifier: Verifier, page: Page, token: str, store: Store) -> None:
    store.revoke(store.grants()[0].id)

    with pytest.raises(TokenInvalid):
        _use(verifier, page, token)


@pytest.mark.parametrize(
    "origin", [None, "https://other.example", "https://APP.example", "https://app.example:443", BASE]
)
def test_a_token_works_only_from_its_origin(verifier: Verifier, page: Page, token: str, origin: str | None) -> None:
    with pytest.raises(OriginMismatch):
        _use(verifier, page, token, origin=origin)


def test_a_bound_token_is_no_bearer_token(verifier: Verifier, page: Page, token: str) -> None:
    with pytest.raises(TokenInvalid):
        _use(verifier, page, token, scheme="Bearer")
    with pytest.raises(TokenInvalid):
        _use(verifier, page, token, scheme="Bearer", proofs=[])


def test_a_token_without_proof_is_refused(verifier: Verifier, page: Page, token: str) -> None:
    with pytest.raises(ProofInvalid):
        _use(verifier, page, token, proofs=[])


def test_a_proof_works_once(verifier: Verifier, page: Page, token: str) -> None:
    proof = page.proof("POST", PATH_URL, token)
    _use(verifier, page, token, proofs=[proof])

    with pytest.raises(ProofInvalid):
        _use(verifier, page, token, proofs=[proof])


def test_a_proof_for_another_token_is_refused(verifier: Verifier, page: Page, token: str) -> None:
    with pytest.raises(ProofInvalid):
        _use(verifier, page, token, proofs=[page.proof("POST", PATH_URL, "at_other")])


def test_another_key_is_refused_and_leaves_no_trace(verifier: Verifier, desk: Desk, page: Page, token: str) -> None:
    thief = desk.page()

    with pytest.raises(TokenInvalid):
        _use(verifier, thief, token)

    assert thief.jkt not in verifier._proofs._replay._current


async def test_a_native_token_is_refused_with_any_origin(verifier: Verifier, desk: Desk, page: Page) -> None:
    token = desk.server.issue_native("cli", frozenset({"player:read"}), 60)["access_token"]

    for origin in ("https://app.example", BASE):
        with pytest.raises(OriginMismatch):
            _use(verifier, page, token, scheme="Bearer", origin=origin)


async def test_a_bearer_token_under_the_dpop_scheme_is_refused(verifier: Verifier, desk: Desk, page: Page) -> None:
    token = desk.server.issue_native("cli", frozenset({"player:read"}), 60)["access_token"]

    with pytest.raises(TokenInvalid):
        _use(verifier, page, token, origin=None)


async def test_scopes_follow_the_answer_at_once(verifier: Verifier, desk: Desk, page: Page, token: str) -> None:
    request = desk.server.authorization_request(page.authorize_query())

    desk.server.allow(request, frozenset({"player:read"}))

    assert _use(verifier, page, token).scopes == {"player:read"}
