"""Proofs over HTTP (RFC 9449 sections 7 to 9): refused ones run nothing, and the nonce reaches who needs it."""

import time
from typing import Any

import pytest

from oauth.nonces import SLOT_SECONDS
from tests.bridge.amplifier import Amplifier
from tests.bridge.front.client import Answer, Front
from tests.bridge.front.visitor import Visitor
from tests.oauth.crafted import REFUSED, Wanted

WHO = "/v1/apps/amp/who"
NO_HEADER = {"form: no proof", "form: two proofs"}
"""Two headers never get here: the policy closes the connection (test_wire)."""
SENDABLE = sorted(
    name
    for name in REFUSED
    if name not in {*NO_HEADER, "base64: line feed", "base64: NUL", "base64: not ASCII", "form: over 4096 characters"}
)
CODES = {"ProofInvalid": "proof_invalid", "TokenInvalid": "token_invalid", "UseNonce": "use_dpop_nonce"}
FAULTS = {"ProofInvalid": "invalid_dpop_proof", "TokenInvalid": "invalid_token", "UseNonce": "use_dpop_nonce"}


@pytest.fixture(name="visitor")
async def _visitor(front: Front) -> Visitor:
    return await Visitor(front).pairs()


def _turn(front: Front, slots: int) -> None:
    """Let the slots pass for the nonces alone: real time stands still beside them."""
    front.house.nonces._clock = lambda: time.time() + slots * SLOT_SECONDS


async def _tries(visitor: Visitor, proof: str, **headers: str) -> Answer:
    signs = {**visitor.signs("POST", WHO), "DPoP": proof, **headers}
    return await visitor.front.send("POST", WHO, headers=signs)


async def test_a_crafted_proof_runs_nothing(visitor: Visitor, amplifier: Amplifier) -> None:
    for name in SENDABLE:
        case, error = REFUSED[name]
        wanted = Wanted(visitor, "POST", visitor.front.base + WHO, visitor.tokens["access_token"])
        (proof,) = case(wanted)

        answer = await _tries(visitor, proof)

        assert (401, CODES[error.__name__]) == (answer.status, answer.code), name
        assert f'error="{FAULTS[error.__name__]}"' in answer.headers["WWW-Authenticate"], name
        assert "DPoP-Nonce" in answer.headers["Access-Control-Expose-Headers"], name
        if "token_invalid" != answer.code:
            assert visitor.front.house.nonces.current(visitor.origin) == answer.headers["DPoP-Nonce"], name
    assert 0 == amplifier.calls
    assert 200 == (await visitor.sends("POST", WHO)).status
    assert 190 <= len(SENDABLE)


@pytest.mark.parametrize("name", ["form: empty", "alg: none", "jwk: private", "signature: zeros", "htm: lower case"])
async def test_a_crafted_proof_gets_no_tokens_and_spends_no_code(front: Front, name: str) -> None:
    visitor = Visitor(front)
    redirect = await visitor.is_answered(await visitor.asks())
    form, url = visitor.code_form(redirect["code"][0]), f"{front.base}/oauth/token"
    (proof,) = REFUSED[name][0](Wanted(visitor, "POST", url, "none"))

    refused = await visitor.redeems(form, DPoP=proof)

    assert (400, "invalid_dpop_proof") == (refused.status, refused.json["error"])
    assert front.house.nonces.current(visitor.origin) == refused.headers["DPoP-Nonce"]
    assert 200 == (await visitor.redeems(form)).status


async def test_a_page_without_a_nonce_is_told_one_and_its_second_try_runs_once(
    visitor: Visitor, amplifier: Amplifier
) -> None:
    first = await visitor.front.send("POST", WHO, headers=visitor.signs("POST", WHO, nonce=None))

    second = await visitor.front.send(
        "POST", WHO, headers=visitor.signs("POST", WHO, nonce=first.headers["DPoP-Nonce"])
    )

    assert (401, "use_dpop_nonce", 200) == (first.status, first.code, second.status)
    assert 1 == amplifier.calls
    assert "DPoP-Nonce" not in second.headers


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("POST", WHO, 200),
        ("GET", "/v1/apps", 200),
        ("GET", "/v1/apps/amp/state", 200),
        ("POST", "/v1/tickets", 200),
        ("GET", "/v1/events?wait=0", 200),
        ("POST", "/v1/apps/amp/nothing", 404),
        ("GET", "/v1/status", 403),
    ],
)
async def test_a_page_with_the_nonce_before_is_answered_and_told_the_next(
    visitor: Visitor, method: str, path: str, status: int
) -> None:
    early = visitor.front.house.nonces.current(visitor.origin)
    _turn(visitor.front, 1)

    late = await visitor.front.send(method, path, headers=visitor.signs(method, path, nonce=early))
    current = await visitor.sends(method, path)

    assert (status, status) == (late.status, current.status), late.body
    assert visitor.front.house.nonces.current(visitor.origin) == late.headers["DPoP-Nonce"]
    assert "DPoP-Nonce" not in current.headers


@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_no_route_takes_an_old_nonce(visitor: Visitor, amplifier: Amplifier, method: str) -> None:
    path = WHO if method == "POST" else "/v1/apps/amp/state"
    signed = visitor.signs(method, path)
    _turn(visitor.front, 2)

    answer = await visitor.front.send(method, path, headers=signed)

    assert (401, "use_dpop_nonce") == (answer.status, answer.code)
    assert 0 == amplifier.calls


async def test_a_ticket_needs_the_nonce_as_well(visitor: Visitor) -> None:
    answer = await visitor.front.send("POST", "/v1/tickets", headers=visitor.signs("POST", "/v1/tickets", nonce=None))

    assert (401, "use_dpop_nonce") == (answer.status, answer.code)


async def test_who_has_no_token_is_told_no_nonce(visitor: Visitor) -> None:
    proof = visitor.proof("POST", visitor.front.base + WHO, "at_unknown", nonce=None)

    answer = await _tries(visitor, proof, Authorization="DPoP at_unknown")

    assert (401, "token_invalid") == (answer.status, answer.code)
    assert "DPoP-Nonce" not in answer.headers


async def test_a_code_is_not_spent_by_a_request_without_nonce(front: Front) -> None:
    visitor = Visitor(front)
    redirect = await visitor.is_answered(await visitor.asks())
    form = visitor.code_form(redirect["code"][0])
    url = f"{front.base}/oauth/token"

    refused = await visitor.redeems(form, DPoP=visitor.proof("POST", url, nonce=None))
    granted = await visitor.redeems(form, DPoP=visitor.proof("POST", url, nonce=refused.headers["DPoP-Nonce"]))

    assert (400, "use_dpop_nonce") == (refused.status, refused.json["error"])
    assert "DPoP-Nonce" in refused.headers["Access-Control-Expose-Headers"]
    assert visitor.origin == refused.headers["Access-Control-Allow-Origin"]
    assert 200 == granted.status


async def test_a_program_with_a_key_needs_the_nonce_and_one_with_a_bearer_token_none(front: Front) -> None:
    program = Visitor(front, "native:cli")
    program.origin = "http://127.0.0.1:5000"  # only its redirect goes there; it sends no Origin

    redirect = await program.is_answered(await program.asks())
    form, url = program.code_form(redirect["code"][0]), f"{front.base}/oauth/token"
    told: list[Any] = []
    for nonce in (None, front.house.nonces.current(None)):
        headers = {
            "Content-Type": "application/x-www-form-urlencoded",
            "DPoP": program.proof("POST", url, nonce=nonce),
        }
        told.append(await front.send("POST", "/oauth/token", headers=headers, body=form))
    program.tokens = told[1].json
    native = {name: value for name, value in program.signs("POST", WHO, nonce=None).items() if name != "Origin"}
    bearer = await front.bearer("amp:read amp:control")

    assert [400, 200] == [answer.status for answer in told]
    assert "use_dpop_nonce" == (await front.send("POST", WHO, headers=native)).code
    assert 200 == (await front.send("POST", WHO, headers=bearer)).status
