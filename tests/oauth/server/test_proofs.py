"""The token endpoint's nonces (RFC 9449 section 8), and what it remembers of proofs."""

import pytest

from oauth.models import Access, token_id
from oauth.server.verify import Verifier
from tests.oauth.desk import BASE, TOKEN_URL, Desk
from tests.oauth.page import Page


async def _post(desk: Desk, page: Page, body: bytes, nonce: str | None) -> tuple[int, str | None, str | None]:
    proof = page.proof("POST", TOKEN_URL, nonce=nonce)
    answer = await desk.server.token(body, origin=page.origin, proofs=[proof])
    return answer.status, answer.body.get("error"), answer.headers.get("DPoP-Nonce")


@pytest.mark.parametrize("nonce", [None, "", "A" * 22])
async def test_a_code_waits_for_the_right_nonce(desk: Desk, nonce: str | None) -> None:
    page = desk.page()
    form = page.code_form(await desk.code(page))

    for _ in range(3):
        assert (400, "use_dpop_nonce", desk.nonces.current(page.origin)) == await _post(desk, page, form, nonce)
    status, _, told = await _post(desk, page, form, desk.nonces.current(page.origin))
    assert (200, desk.nonces.current(page.origin)) == (status, told)


async def test_a_refresh_token_is_not_rotated_without_the_nonce(desk: Desk) -> None:
    page = desk.page()
    tokens = (await desk.pair(page)).body
    form = page.refresh_form(tokens["refresh_token"])

    assert (400, "use_dpop_nonce", desk.nonces.current(page.origin)) == await _post(desk, page, form, None)
    kept = desk.store.refresh_token(token_id(tokens["refresh_token"]))
    assert kept is not None
    assert kept.rotated_at is None
    assert 200 == (await desk.refresh(page, tokens["refresh_token"])).status


async def test_an_activation_link_is_not_spent_without_the_nonce(desk: Desk) -> None:
    page = desk.page(BASE)
    form = page.activation_form(desk.server.activation_link()[0])

    assert (400, "use_dpop_nonce", desk.nonces.current(page.origin)) == await _post(desk, page, form, None)
    assert 200 == (await _post(desk, page, form, desk.nonces.current(page.origin)))[0]


async def test_the_nonce_before_is_taken_and_the_next_is_told(desk: Desk) -> None:
    page = desk.page()
    form = page.code_form(await desk.code(page))
    early = desk.nonces.current(page.origin)
    desk.clock.forward(300)

    status, _, told = await _post(desk, page, form, early)

    assert (200, desk.nonces.current(page.origin)) == (status, told)
    assert early != told


async def test_a_refused_grant_tells_the_nonce_too(desk: Desk) -> None:
    page = desk.page()

    answer = await _post(desk, page, page.code_form("unknown"), desk.nonces.current(page.origin))

    assert (400, "invalid_grant", desk.nonces.current(page.origin)) == answer


async def test_a_program_without_proof_is_told_no_nonce(desk: Desk) -> None:
    answer = await desk.ask_natively(b"grant_type=refresh_token&refresh_token=x&client_id=native:cli")

    assert "DPoP-Nonce" not in answer.headers


async def test_a_stranger_fills_no_memory(desk: Desk) -> None:
    for number in range(300):
        stranger = desk.page(f"https://stranger-{number}.example")
        assert "invalid_grant" == (await desk.redeem(stranger, "x" * 43)).body["error"]

    remembered = desk.server._proofs._verifier._replay
    assert {} == remembered._current | remembered._previous


async def test_a_proof_that_got_tokens_gets_none_again(desk: Desk) -> None:
    page = desk.page()
    refresh = (await desk.pair(page)).body["refresh_token"]
    proof = page.proof("POST", TOKEN_URL)

    first, second = [
        await desk.server.token(page.refresh_form(refresh), origin=page.origin, proofs=[proof]) for _ in range(2)
    ]

    assert (200, "invalid_dpop_proof") == (first.status, second.body["error"])
    assert "used before" in second.body["error_description"]


async def test_access_tells_the_next_nonce_once_the_proof_had_the_one_before(desk: Desk, verifier: Verifier) -> None:
    page = desk.page()
    token = (await desk.pair(page)).body["access_token"]
    early = desk.nonces.current(page.origin)

    def use(nonce: str) -> Access:
        return verifier.verify(
            authorization=f"DPoP {token}",
            proofs=[page.proof("GET", f"{BASE}/v1/apps", token, nonce=nonce)],
            method="GET",
            url=f"{BASE}/v1/apps",
            origin=page.origin,
        )

    assert use(early).nonce is None
    desk.clock.forward(300)
    assert desk.nonces.current(page.origin) == use(early).nonce == verifier.nonce(page.origin)
    assert use(desk.nonces.current(page.origin)).nonce is None
