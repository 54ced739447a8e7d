import base64
import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oauth import dpop
from oauth.dpop import KEY_CACHE_SIZE, ProofVerifier, thumbprint, token_hash
from oauth.errors import ProofInvalid, TokenInvalid
from oauth.nonces import Nonces
from tests.oauth.clock import FakeClock
from tests.oauth.page import Page, b64

URL = "http://127.0.0.1:4380/v1/apps/player/play"
TOKEN = "at_0123456789"

# RFC 9449, figures 2 and 12 to 14: one key, a proof for the token endpoint and one for a resource.
RFC_JWK = {
    "kty": "EC",
    "x": "l8tFrhx-34tV3hRICRDY9zCkDlpBhF42UQUfWVAWBFs",
    "y": "9VE4jf_Ok_o64zbTTlcuNJajHmt6v9TDVrU0CdvGRDA",
    "crv": "P-256",
}
RFC_JKT = "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I"
RFC_TOKEN = "Kz~8mXK1EalYznwH-LC-1fBAo.4Ljp~zsPE_NeO.gxU"
RFC_ATH = "fUHyO2r2Z3DZ53EsNrWBb0xWXoaNy59IiKCAqksmQEo"
_RFC_HEADER = (
    "eyJ0eXAiOiJkcG9wK2p3dCIsImFsZyI6IkVTMjU2IiwiandrIjp7Imt0eSI6IkVDIiwieCI6Imw4dEZyaHgtMzR0VjNoUklDUkRZOXpDa0RscEJoRjQy"
    "VVFVZldWQVdCRnMiLCJ5IjoiOVZFNGpmX09rX282NHpiVFRsY3VOSmFqSG10NnY5VERWclUwQ2R2R1JEQSIsImNydiI6IlAtMjU2In19"
)
RFC_TOKEN_PROOF = (
    f"{_RFC_HEADER}."
    "eyJqdGkiOiItQndDM0VTYzZhY2MybFRjIiwiaHRtIjoiUE9TVCIsImh0dSI6Imh0dHBzOi8vc2VydmVyLmV4YW1wbGUuY29tL3Rva2VuIiwiaWF0Ijox"
    "NTYyMjYyNjE2fQ."
    "2-GxA6T8lP4vfrg8v-FdWP0A0zdrj8igiMLvqRMUvwnQg4PtFLbdLXiOSsX0x7NVY-FNyJK70nfbV37xRZT3Lg"
)
RFC_RESOURCE_PROOF = (
    f"{_RFC_HEADER}."
    "eyJqdGkiOiJlMWozVl9iS2ljOC1MQUVCIiwiaHRtIjoiR0VUIiwiaHR1IjoiaHR0cHM6Ly9yZXNvdXJjZS5leGFtcGxlLm9yZy9wcm90ZWN0ZWRyZXNv"
    "dXJjZSIsImlhdCI6MTU2MjI2MjYxOCwiYXRoIjoiZlVIeU8ycjJaM0RaNTNFc05yV0JiMHhXWG9hTnk1OUlpS0NBcWtzbVFFbyJ9."
    "2oW9RP35yRqzhrtNP86L-Ey71EOptxRimPPToA1plemAgR6pxHF8y6-yqyVnmcw6Fy1dqd-jfxSYoMxhAJpLjA"
)


@pytest.fixture(name="nonces")
def _nonces(clock: FakeClock) -> Nonces:
    return Nonces(clock)


@pytest.fixture(name="proofs")
def _proofs(clock: FakeClock, nonces: Nonces) -> ProofVerifier:
    return ProofVerifier(clock=clock, nonces=nonces, per_key=1000, keys=100)


@pytest.fixture(name="page")
def _page(clock: FakeClock, nonces: Nonces) -> Page:
    return Page("https://app.example", clock=clock, nonce=lambda: nonces.current("https://app.example"))


def _verify(proofs: ProofVerifier, page: Page, *values: str, **changes: Any) -> str:
    """Verify, use, and return the key, as an endpoint does that hands something out."""
    expected: dict[str, Any] = {
        "client": page.origin,
        "method": "POST",
        "url": URL,
        "token": TOKEN,
        "jkt": page.jkt,
        **changes,
    }
    proof = proofs.verify(values, **expected)
    proofs.use(proof)
    return proof.key


class _NoNonces(Nonces):
    """For proofs from the RFC, which were made for no server of ours."""

    def is_current(self, nonce: str | None, client: str | None) -> bool:
        del nonce, client
        return True


def test_thumbprint_of_the_key_in_rfc_9449() -> None:
    assert thumbprint(RFC_JWK) == RFC_JKT


@pytest.mark.parametrize("jwk", [{}, {"kty": "EC"}, {**RFC_JWK, "x": 1}, {**RFC_JWK, "kty": "RSA"}])
def test_thumbprint_needs_an_ec_key(jwk: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="EC"):
        thumbprint(jwk)


def test_token_hash_of_rfc_9449() -> None:
    assert token_hash(RFC_TOKEN) == RFC_ATH


def test_proof_of_rfc_9449_for_the_token_endpoint() -> None:
    clock = FakeClock(1562262616)
    proofs = ProofVerifier(clock=clock, nonces=_NoNonces(clock), per_key=10, keys=10)

    assert (
        proofs.verify([RFC_TOKEN_PROOF], client=None, method="POST", url="https://server.example.com/token").key
        == RFC_JKT
    )


def test_proof_of_rfc_9449_for_a_resource() -> None:
    clock = FakeClock(1562262618)
    proofs = ProofVerifier(clock=clock, nonces=_NoNonces(clock), per_key=10, keys=10)
    url = "https://resource.example.org/protectedresource"

    assert (
        proofs.verify([RFC_RESOURCE_PROOF], client=None, method="GET", url=url, token=RFC_TOKEN, jkt=RFC_JKT).key
        == RFC_JKT
    )


def test_the_thumbprint_of_the_proving_key_is_returned(proofs: ProofVerifier, page: Page) -> None:
    assert _verify(proofs, page, page.proof("POST", URL, TOKEN)) == page.jkt


def test_each_request_needs_a_new_proof(proofs: ProofVerifier, page: Page) -> None:
    proof = page.proof("POST", URL, TOKEN)
    _verify(proofs, page, proof)

    with pytest.raises(ProofInvalid, match="used before"):
        _verify(proofs, page, proof)


def test_a_proof_that_did_not_fit_is_not_remembered(proofs: ProofVerifier, page: Page) -> None:
    proof = page.proof("POST", URL, TOKEN)
    with pytest.raises(TokenInvalid):
        _verify(proofs, page, proof, jkt=Page("https://other.example").jkt)

    assert _verify(proofs, page, proof) == page.jkt


@pytest.mark.parametrize("count", [0, 2])
def test_there_is_exactly_one_proof(proofs: ProofVerifier, page: Page, count: int) -> None:
    with pytest.raises(ProofInvalid):
        _verify(proofs, page, *[page.proof("POST", URL, TOKEN) for _ in range(count)])


@pytest.mark.parametrize(
    "changes",
    [
        {"htm": "GET"},
        {"htm": "post"},
        {"htm": None},
        {"htm": 1},
        {"htu": "http://127.0.0.1:4381/v1/apps/player/play"},
        {"htu": "http://localhost:4380/v1/apps/player/play"},
        {"htu": "https://127.0.0.1:4380/v1/apps/player/play"},
        {"htu": "http://127.0.0.1:4380/v1/apps/player/pause"},
        {"htu": "http://127.0.0.1:4380/v1/apps/player/play/"},
        {"htu": "/v1/apps/player/play"},
        {"htu": ""},
        {"htu": None},
        {"htu": ["http://127.0.0.1:4380/v1/apps/player/play"]},
        {"ath": None},
        {"ath": ""},
        {"ath": token_hash("another")},
        {"ath": "é"},
        {"ath": 1},
        {"iat": None},
        {"iat": "1800000000"},
        {"iat": True},
        {"iat": 1_800_000_000 - 61},
        {"iat": 1_800_000_000 + 6},
        {"iat": 10**400},
        {"iat": -1},
        {"jti": None},
        {"jti": 12345678},
        {"jti": "short"},
        {"jti": "x" * 129},
        {"jti": "x" * 3000},
        {"header": {"typ": "JWT"}},
        {"header": {"typ": "DPOP+JWT"}},
        {"header": {"typ": None}},
        {"header": {"alg": "none"}},
        {"header": {"alg": "ES384"}},
        {"header": {"alg": "HS256"}},
        {"header": {"alg": None}},
        {"header": {"jwk": None}},
        {"header": {"jwk": "key"}},
        {"header": {"jwk": {}}},
        {"header": {"crit": ["exp"], "exp": 1}},
        {"header": {"crit": []}},
    ],
    ids=lambda changes: json.dumps(changes)[:60],
)
def test_a_proof_that_does_not_fit_is_refused(proofs: ProofVerifier, page: Page, changes: dict[str, Any]) -> None:
    with pytest.raises(ProofInvalid):
        _verify(proofs, page, page.proof("POST", URL, TOKEN, **changes))


def _private(page: Page) -> dict[str, Any]:
    return {**page.jwk, "d": b64(page.key.private_numbers().private_value.to_bytes(32, "big"))}


BAD_KEYS: dict[str, Callable[[Page], dict[str, Any]]] = {
    "private": _private,
    "symmetric": lambda _: {"kty": "oct", "k": b64(b"secret")},
    "other curve": lambda page: {**page.jwk, "crv": "P-384"},
    "other type": lambda page: {**page.jwk, "kty": "OKP"},
    "not on the curve": lambda page: {**page.jwk, "y": page.jwk["x"]},
    "of another page": lambda _: Page("https://other.example").jwk,
    "short coordinate": lambda page: {**page.jwk, "x": b64(b"x" * 31)},
    "long coordinate": lambda page: {**page.jwk, "x": b64(b"\0" + base64.urlsafe_b64decode(page.jwk["x"] + "="))},
    "padded coordinate": lambda page: {**page.jwk, "x": page.jwk["x"] + "="},
    "number for a coordinate": lambda page: {**page.jwk, "x": 7},
}


@pytest.mark.parametrize("kind", BAD_KEYS)
def test_a_key_that_is_no_public_p256_key_is_refused(proofs: ProofVerifier, page: Page, kind: str) -> None:
    with pytest.raises(ProofInvalid):
        _verify(proofs, page, page.proof("POST", URL, TOKEN, header={"jwk": BAD_KEYS[kind](page)}))


@pytest.mark.parametrize("htu", [f"{URL}?wait=1", f"{URL}#top", URL.replace("http://", "HTTP://")])
def test_query_fragment_and_case_of_the_scheme_do_not_matter_in_htu(
    proofs: ProofVerifier, page: Page, htu: str
) -> None:
    assert _verify(proofs, page, page.proof("POST", URL, TOKEN, htu=htu)) == page.jkt


def test_the_default_port_does_not_matter_in_htu(proofs: ProofVerifier, page: Page) -> None:
    proof = page.proof("POST", "http://127.0.0.1:80", TOKEN)

    assert _verify(proofs, page, proof, url="http://127.0.0.1/") == page.jkt


@pytest.mark.parametrize("seconds", [-60, 0, 5])
def test_iat_may_be_a_minute_old_and_five_seconds_ahead(proofs: ProofVerifier, page: Page, seconds: int) -> None:
    assert _verify(proofs, page, page.proof("POST", URL, TOKEN, iat=1_800_000_000 + seconds)) == page.jkt


def test_a_proof_without_token_needs_no_ath(proofs: ProofVerifier, page: Page) -> None:
    assert _verify(proofs, page, page.proof("POST", URL), token=None) == page.jkt


def test_unknown_members_are_ignored(proofs: ProofVerifier, page: Page) -> None:
    proof = page.proof("POST", URL, TOKEN, more={"a": [1]}, header={"kid": "1", "jwk": {**page.jwk, "use": "sig"}})

    assert _verify(proofs, page, proof) == page.jkt


def test_the_longest_proof_is_4096_characters(proofs: ProofVerifier, page: Page) -> None:
    with pytest.raises(ProofInvalid, match="4096"):
        _verify(proofs, page, page.proof("POST", URL, TOKEN, more="x" * 4096))


@pytest.mark.parametrize(
    "spoil",
    [
        lambda header, payload, signature: f"{header}.{payload}",
        lambda header, payload, signature: f"{header}.{payload}.",
        lambda header, payload, signature: f"{header}.{payload}.{signature}.",
        lambda header, payload, signature: f"{header}.{payload}.{signature}==",
        lambda header, payload, signature: f"{header}.{payload}.{signature[:-4]}",
        lambda header, payload, signature: f"{header}.{payload}.{signature}AAAA",
        lambda header, payload, signature: f"{header}.{payload}.{b64(bytes(64))}",
        lambda header, payload, signature: f"{header}.{payload}.{b64(b'0' * 70)}",
        lambda header, payload, signature: f"{header}.{payload[:-2]}.{signature}",
        lambda header, payload, signature: f"{header} .{payload}.{signature}",
        lambda header, payload, signature: f"..{signature}",
        lambda header, payload, signature: f"é.{payload}.{signature}",
        lambda header, payload, signature: "",
    ],
)
def test_a_spoilt_proof_is_refused(proofs: ProofVerifier, page: Page, spoil: Callable[[str, str, str], str]) -> None:
    proof = page.proof("POST", URL, TOKEN)
    _verify(proofs, page, page.proof("POST", URL, TOKEN))

    with pytest.raises(ProofInvalid):
        _verify(proofs, page, spoil(*proof.split(".")))


def test_a_der_signature_is_refused(proofs: ProofVerifier, page: Page) -> None:
    signed = page.proof("POST", URL, TOKEN).rpartition(".")[0]
    der = page.key.sign(signed.encode(), dpop._ES256)

    with pytest.raises(ProofInvalid):
        _verify(proofs, page, f"{signed}.{b64(der)}")


ODD_JSON = [
    b"",
    b"[1]",
    b"1",
    b"null",
    b'"x"',
    b"{",
    b"[" * 2500,
    b'{"a":' * 400,
    b"\xff",
    b'{"iat":NaN}',
    b'{"jti":"\\ud800"}',
]


@pytest.mark.parametrize("payload", ODD_JSON, ids=lambda value: value[:12].decode("latin-1"))
def test_odd_json_in_a_signed_payload_is_refused(proofs: ProofVerifier, page: Page, payload: bytes) -> None:
    header = json.dumps({"typ": "dpop+jwt", "alg": "ES256", "jwk": page.jwk}).encode()

    with pytest.raises(ProofInvalid):
        _verify(proofs, page, page.sign(header, payload))


@pytest.mark.parametrize("header", ODD_JSON, ids=lambda value: value[:12].decode("latin-1"))
def test_odd_json_in_the_header_is_refused(proofs: ProofVerifier, page: Page, header: bytes) -> None:
    with pytest.raises(ProofInvalid):
        _verify(proofs, page, page.sign(header, b"{}"))


def test_deep_json_in_an_ignored_member_never_breaks_the_verifier(proofs: ProofVerifier, page: Page) -> None:
    claims = json.dumps({"htm": "POST", "htu": URL, "iat": 1_800_000_000, "jti": "x" * 16, "ath": token_hash(TOKEN)})
    payload = claims[:-1].encode() + b',"more":' + b"[" * 1200 + b"]" * 1200 + b"}"
    header = json.dumps({"typ": "dpop+jwt", "alg": "ES256", "jwk": page.jwk}).encode()

    with pytest.raises(ProofInvalid):
        _verify(proofs, page, page.sign(header, payload))


@given(proof=st.text(max_size=200) | st.from_regex(r"[A-Za-z0-9_-]{0,60}\.[A-Za-z0-9_-]{0,60}\.[A-Za-z0-9_-]{0,90}"))
def test_nothing_but_a_refusal_comes_of_noise(proof: str) -> None:
    clock = FakeClock()
    proofs = ProofVerifier(clock=clock, nonces=Nonces(clock), per_key=1, keys=1)

    with pytest.raises(ProofInvalid):
        proofs.verify([proof], client="https://app.example", method="POST", url=URL)


def test_the_key_cache_is_bounded_and_keeps_what_is_used(proofs: ProofVerifier, page: Page) -> None:
    for number in range(KEY_CACHE_SIZE + 50):
        _verify(proofs, page, page.proof("POST", URL, TOKEN, header={"kid": str(number)}))
        _verify(proofs, page, page.proof("POST", URL, TOKEN))

    assert len(proofs._keys) == KEY_CACHE_SIZE
    assert page.proof("POST", URL).partition(".")[0] in proofs._keys


def test_a_wrong_signature_does_not_enter_the_key_cache(proofs: ProofVerifier, page: Page) -> None:
    header, payload, _ = page.proof("POST", URL, TOKEN).split(".")

    with pytest.raises(ProofInvalid):
        _verify(proofs, page, f"{header}.{payload}.{b64(b'1' * 64)}")

    assert not proofs._keys
