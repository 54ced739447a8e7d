"""The daemon's key: a different P-256 key for every origin, derived, so that no two sites can compare what they see.

key(origin) = P-256 scalar from HKDF-SHA256(identity secret, salt of the origin, origin). The salt is made with the
origin's first grant and dropped with its last: forgetting a site forgets the identifier (protocol section 2).
"""

import secrets
from base64 import urlsafe_b64encode
from hashlib import sha256
from pathlib import Path
from typing import Literal

import msgspec
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from bridge import paths
from bridge.errors import BridgeFault
from oauth.secret import Secret

SECRET_BYTES = 32
_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
"""Order of P-256 (FIPS 186-5, SP 800-186 section 3.2.1.3)."""

_HEADER = b'{"alg":"ES256","typ":"tollbridge-proof+jwt"}'

Purpose = Literal["hello", "socket"]
Jwk = dict[str, str]


class IdentityDamaged(BridgeFault):
    """The identity file is not 32 bytes: it was cut or overwritten by something else."""

    code = "identity_damaged"
    title = "The identity file is damaged"


def read_secret(folder: Path) -> bytes:
    """Return the identity secret (32 bytes), made at the first start in a 0600 file of the state folder.

    Raises:
        IdentityDamaged: the file has another length; it is never overwritten silently.
        UnsafeFile: it is a link, or others own, read or write it.
    """
    file = folder / "identity"
    try:
        secret = paths.read_private(file)
    except FileNotFoundError:
        secret = secrets.token_bytes(SECRET_BYTES)
        paths.write_private(file, secret)
    if len(secret) != SECRET_BYTES:
        raise IdentityDamaged(f"{file} is damaged; remove it and every site pairs again")
    return secret


class DaemonKey:
    """The key that one origin knows the daemon by."""

    def __init__(self, private: ec.EllipticCurvePrivateKey) -> None:
        self._private = private
        numbers = private.public_key().public_numbers()
        self.jwk: Jwk = {
            "crv": "P-256",
            "kty": "EC",
            "x": _base64url(numbers.x.to_bytes(32, "big")),
            "y": _base64url(numbers.y.to_bytes(32, "big")),
        }
        self.thumbprint = _base64url(sha256(msgspec.json.encode(self.jwk, order="sorted")).digest())
        """RFC 7638."""

    def prove(self, *, nonce: str, origin: str, port: int, purpose: Purpose, issued_at: int) -> str:
        """Return the compact JWS over ``{"nonce","origin","port","iat","for"}``."""
        claims = {"nonce": nonce, "origin": origin, "port": port, "iat": issued_at, "for": purpose}
        signed = f"{_base64url(_HEADER)}.{_base64url(msgspec.json.encode(claims))}"
        r, s = decode_dss_signature(self._private.sign(signed.encode(), ec.ECDSA(hashes.SHA256())))
        return f"{signed}.{_base64url(r.to_bytes(32, 'big') + s.to_bytes(32, 'big'))}"


class Identity:
    """Makes the key of each origin from the secret."""

    def __init__(self, secret: bytes) -> None:
        self._secret = Secret(secret)
        self._keys: dict[tuple[str, bytes], DaemonKey] = {}

    def offer_key(self) -> bytes:
        """Return the key (32 bytes) that signs offers, and nothing else (HKDF-SHA256, RFC 5869)."""
        return HKDF(hashes.SHA256(), 32, None, b"tollbridge offers\0").derive(self._secret.reveal())

    def key(self, origin: str, salt: bytes) -> DaemonKey:
        """Return the key that ``origin`` knows; the same for the same salt."""
        found = self._keys.get((origin, salt))
        if found is None:
            derivation = HKDF(hashes.SHA256(), 48, salt, b"tollbridge daemon key\0" + origin.encode())
            wide = derivation.derive(self._secret.reveal())
            # 128 bits more than the order, so that the remainder is not biased (FIPS 186-5 A.2.1).
            scalar = int.from_bytes(wide, "big") % (_ORDER - 1) + 1
            found = DaemonKey(ec.derive_private_key(scalar, ec.SECP256R1()))
            if len(self._keys) >= 256:
                self._keys.clear()
            self._keys[origin, salt] = found
        return found


def _base64url(value: bytes) -> str:
    return urlsafe_b64encode(value).rstrip(b"=").decode()
