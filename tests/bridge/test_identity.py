import json
from base64 import urlsafe_b64decode
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

from bridge.audit.key import chain_key
from bridge.identity import DaemonKey, Identity, IdentityDamaged, read_secret
from bridge.paths import write_private

SECRET = bytes(range(32))
ORIGIN, OTHER = "https://a.example", "https://b.example"


def decode(part: str) -> bytes:
    return urlsafe_b64decode(part + "=" * (-len(part) % 4))


def verify(key: DaemonKey, jws: str) -> tuple[dict[str, object], dict[str, object]]:
    header, claims, signature = jws.split(".")
    x, y = decode(key.jwk["x"]), decode(key.jwk["y"])
    public = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), b"\4" + x + y)
    raw = decode(signature)
    der = encode_dss_signature(int.from_bytes(raw[:32], "big"), int.from_bytes(raw[32:], "big"))
    public.verify(der, f"{header}.{claims}".encode(), ec.ECDSA(hashes.SHA256()))
    return json.loads(decode(header)), json.loads(decode(claims))


def test_a_proof_says_nonce_origin_port_time_and_purpose() -> None:
    key = Identity(SECRET).key(ORIGIN, b"s" * 32)

    header, claims = verify(key, key.prove(nonce="n" * 16, origin=ORIGIN, port=4380, purpose="hello", issued_at=7))

    assert {"alg": "ES256", "typ": "tollbridge-proof+jwt"} == header
    assert {"nonce": "n" * 16, "origin": ORIGIN, "port": 4380, "iat": 7, "for": "hello"} == claims


def test_no_two_origins_see_the_same_key() -> None:
    identity = Identity(SECRET)

    assert identity.key(ORIGIN, b"s" * 32).jwk != identity.key(OTHER, b"s" * 32).jwk


def test_forgetting_a_site_forgets_the_key() -> None:
    identity = Identity(SECRET)

    assert identity.key(ORIGIN, b"s" * 32).jwk != identity.key(ORIGIN, b"t" * 32).jwk


def test_the_key_is_the_same_after_a_restart() -> None:
    assert Identity(SECRET).key(ORIGIN, b"s" * 32).jwk == Identity(SECRET).key(ORIGIN, b"s" * 32).jwk


def test_the_key_of_offers_is_its_own_and_the_same_after_a_restart() -> None:
    key = Identity(SECRET).offer_key()

    assert (32, True) == (len(key), key == Identity(SECRET).offer_key())
    assert key not in (SECRET, chain_key(SECRET), Identity(SECRET[::-1]).offer_key())


def test_two_installations_differ(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()

    first, second = read_secret(tmp_path / "a"), read_secret(tmp_path / "b")

    assert first != second
    assert first == read_secret(tmp_path / "a")
    assert 0o600 == (tmp_path / "a/identity").stat().st_mode & 0o777


def test_a_damaged_secret_is_never_overwritten(tmp_path: Path) -> None:
    write_private(tmp_path / "identity", b"short")

    with pytest.raises(IdentityDamaged):
        read_secret(tmp_path)

    assert b"short" == (tmp_path / "identity").read_bytes()
