"""A second opinion on proofs: what we take, the verifier of requests_oauth2client takes too, and we take its proofs."""

import time
from typing import Any

import jwskate
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from requests_oauth2client import DPoPKey
from requests_oauth2client.dpop import validate_dpop_proof

from oauth.dpop import ProofVerifier, token_hash
from oauth.errors import AccessRefused
from oauth.nonces import Nonces
from tests.oauth.crafted import REFUSED, Wanted
from tests.oauth.page import Page

pytestmark = pytest.mark.broad

URL = "http://127.0.0.1:4380/v1/apps/player/play"
TOKEN = "at_0123456789"
ORIGIN = "https://app.example"
NONCES = Nonces(lambda: 1e9)  # one nonce for the whole of the test, while proofs are dated by the real clock
PAGE = Page(ORIGIN, nonce=lambda: NONCES.current(ORIGIN))
WANTED = Wanted(PAGE, "POST", URL, TOKEN)
VERIFIER = ProofVerifier(clock=time.time, nonces=NONCES, per_key=1000, keys=100)

STRICTER = {"form", "base64", "header", "alg", "crit", "payload", "twice", "jti", "iat"}
"""Where we refuse and the other may not: how a proof is written, what its header says beside the key, its times."""


def ours(*proofs: str, jkt: str = PAGE.jkt) -> bool:
    """Whether we take the values of DPoP headers."""
    try:
        VERIFIER.verify(proofs, client=ORIGIN, method="POST", url=URL, token=TOKEN, jkt=jkt)
    except AccessRefused:
        return False
    return True


def theirs(*proofs: str) -> bool:
    """Whether the other verifier takes them; how many headers there are and whose key it is it leaves to its caller."""
    if len(proofs) != 1:
        return False
    nonce, ath = NONCES.current(ORIGIN), token_hash(TOKEN)
    try:
        proof = validate_dpop_proof(proofs[0], htm="POST", htu=URL, ath=ath, nonce=nonce, algs=["ES256"])
        return bool(PAGE.jkt == jwskate.Jwk(proof.headers["jwk"]).thumbprint())
    except Exception:  # noqa: BLE001  # it raises many things at what is malformed
        return False


def test_a_right_proof_is_right_for_both() -> None:
    assert (True, True) == (ours(WANTED.proof()), theirs(WANTED.proof()))


def test_what_is_refused_by_us_alone_is_so_for_being_written_oddly() -> None:
    taken = [name for name, (case, _) in REFUSED.items() if theirs(*case(WANTED))]

    assert [] == [name for name in taken if name.partition(":")[0] not in STRICTER]
    assert 150 <= len(REFUSED) - len(taken)  # most are refused by both


def test_a_proof_that_the_library_made_is_taken() -> None:
    key = DPoPKey.generate()
    proof = key.proof(htm="POST", htu=f"{URL}?wait=1#top", ath=token_hash(TOKEN), nonce=NONCES.current(ORIGIN))

    assert ours(str(proof), jkt=key.dpop_jkt)
    assert not ours(str(proof))  # by the key that it was made with alone


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)


@pytest.mark.parametrize("name", ["htm", "htu", "iat", "jti", "ath", "nonce", "more"])
@settings(deadline=None)
@given(value=st.text(max_size=20) | JSON)
def test_no_value_of_a_claim_is_taken_by_us_alone(name: str, value: Any) -> None:
    proof = WANTED.proof(**{name: value})

    assert theirs(proof) or not ours(proof)


@settings(deadline=None)
@given(st.integers(min_value=0), st.characters(codec="ascii"))
def test_no_changed_letter_of_a_proof_is_taken_by_us_alone(place: int, letter: str) -> None:
    proof = WANTED.proof()
    place %= len(proof)
    changed = proof[:place] + letter + proof[place + 1 :]

    assert theirs(changed) or not ours(changed)
