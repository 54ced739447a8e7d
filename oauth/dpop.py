"""DPoP proofs (RFC 9449), ES256 alone: the twelve checks of section 4.3, on the way of every page's command.

``cryptography`` does the curve; about 80 us a proof once its key is known, three quarters of it the signature.
"""

import json
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from hashlib import sha256
from hmac import compare_digest
from typing import Any

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

from oauth import base64url
from oauth.errors import ProofInvalid, TokenInvalid
from oauth.models import Clock
from oauth.nonces import MAX_STEP_BACK_SECONDS, Nonces
from oauth.replay import ReplaySet

ALGORITHM = "ES256"

MAX_PROOF_CHARS = 4096
MAX_AGE_SECONDS = 60.0
MAX_SKEW_SECONDS = 5.0
REPLAY_WINDOW_SECONDS = MAX_AGE_SECONDS + MAX_SKEW_SECONDS + MAX_STEP_BACK_SECONDS
"""A proof dated ``MAX_SKEW_SECONDS`` ahead is good for this long, on a clock that goes back as far as a nonce bears."""

MIN_JTI_CHARS = 8
MAX_JTI_CHARS = 128
KEY_CACHE_SIZE = 256
"""Header segments kept with their key; all proofs of a key carry the same one. The least recently used goes first."""

_COORDINATE_BYTES = 32
_SIGNATURE_BYTES = 64
_ES256 = ec.ECDSA(hashes.SHA256())
_DEFAULT_PORTS = {"http": ":80", "https": ":443"}

_Key = tuple[str, ec.EllipticCurvePublicKey]


class _Header(msgspec.Struct):
    typ: str
    alg: str
    jwk: dict[str, Any]
    crit: Any = msgspec.UNSET


class _Claims(msgspec.Struct):
    htm: str
    htu: str
    jti: str
    iat: float
    ath: str | None = None
    nonce: str | None = None


_read_header = msgspec.json.Decoder(_Header).decode
_read_claims = msgspec.json.Decoder(_Claims).decode


def thumbprint(jwk: Mapping[str, Any]) -> str:
    """Return the RFC 7638 thumbprint (SHA-256, base64url) of an EC public key ``{"kty","crv","x","y"}``.

    Raises:
        ValueError: a required member is missing or no string, or the key is not of type EC.
    """
    members = {name: jwk.get(name) for name in ("crv", "kty", "x", "y")}
    if members["kty"] != "EC" or not all(isinstance(value, str) for value in members.values()):
        raise ValueError("not an EC key")
    return base64url.encode(sha256(msgspec.json.encode(members)).digest())


def token_hash(token: str) -> str:
    """Return the ``ath`` of an access token: BASE64URL(SHA256(ASCII(token)))."""
    return base64url.encode(sha256(token.encode("ascii")).digest())


class Proof(msgspec.Struct, frozen=True):
    """A proof that fits its request: ``key`` is the thumbprint of the key that made it.

    ``is_late``: its nonce was not the current one, which the client is to be told (RFC 9449 8.2).
    """

    key: str
    jti: str
    is_late: bool


class ProofVerifier:
    """Checks proofs; keeps the keys it has read and the proofs that were used: ``per_key`` each of ``keys`` keys."""

    def __init__(self, *, clock: Clock, nonces: Nonces, per_key: int, keys: int) -> None:
        self._clock = clock
        self._nonces = nonces
        self._replay = ReplaySet(window=REPLAY_WINDOW_SECONDS, per_key=per_key, keys=keys, clock=clock)
        self._keys: OrderedDict[str, _Key] = OrderedDict()

    def verify(
        self,
        proofs: Sequence[str],
        *,
        client: str | None,
        method: str,
        url: str,
        token: str | None = None,
        jkt: str | None = None,
    ) -> Proof:
        """Return the one proof in ``proofs`` (the values of the DPoP headers) if it fits and is new; then ``use`` it.

        ``client`` is the origin that sent it, None for a program; ``url`` is the canonical one, without query;
        ``token`` the access token that came with it, ``jkt`` the key it is bound to. Of all that a proof says the
        nonce comes first: a client learns it whatever else is wrong.

        Raises:
            ProofInvalid: the proof does not fit this request.
            UseNonce: it has no nonce of ours, or an old one.
            TokenInvalid: the proof fits, but ``token`` is bound to another key (RFC 9449 7.1).
        """
        proof = _only(proofs)
        try:
            made_by, claims = self._open(proof)
        except (ValueError, TypeError, RecursionError, InvalidSignature, msgspec.MsgspecError) as error:
            raise ProofInvalid("the DPoP proof is malformed or its signature is wrong") from error
        is_current = self._nonces.is_current(claims.nonce, client)
        self._check(claims, method, url)
        if token is not None and not _is_hash_of(claims.ath, token):
            raise ProofInvalid("ath is not the hash of this access token")
        if jkt is not None and not compare_digest(made_by, jkt):
            raise TokenInvalid("the token is bound to another key")
        self._replay.check(made_by, claims.jti)
        return Proof(made_by, claims.jti, not is_current)

    def use(self, proof: Proof) -> None:
        """Remember a proof that was just verified, so that it is good once.

        Apart from ``verify`` for the token endpoint, where anybody may show a key: what gets nothing is not remembered,
        so that strangers cannot fill the memory.
        """
        self._replay.add(proof.key, proof.jti)

    def _open(self, proof: str) -> tuple[str, _Claims]:
        """Return thumbprint and claims of a proof whose signature is right."""
        header, payload, signature = proof.split(".")
        jkt, key = self._keys.get(header) or _read_key(header)
        raw = base64url.decode(signature)
        if len(raw) != _SIGNATURE_BYTES:
            raise ValueError("an ES256 signature has 64 bytes")
        der = encode_dss_signature(int.from_bytes(raw[:32], "big"), int.from_bytes(raw[32:], "big"))
        key.verify(der, f"{header}.{payload}".encode("ascii"), _ES256)
        self._keys[header] = (jkt, key)
        self._keys.move_to_end(header)
        if len(self._keys) > KEY_CACHE_SIZE:
            self._keys.popitem(last=False)
        return jkt, _read_payload(base64url.decode(payload))

    def _check(self, claims: _Claims, method: str, url: str) -> None:
        if claims.htm != method:
            raise ProofInvalid(f"htm is not {method}, the method of this request")
        if claims.htu != url and _normal(claims.htu) != _normal(url):
            raise ProofInvalid("htu is not the URL of this request")
        now = self._clock()
        if not now - MAX_AGE_SECONDS <= claims.iat <= now + MAX_SKEW_SECONDS:
            raise ProofInvalid("iat is too far from the clock of this computer")
        if not MIN_JTI_CHARS <= len(claims.jti) <= MAX_JTI_CHARS:
            raise ProofInvalid("jti has 8 to 128 characters")


def _is_hash_of(ath: str | None, token: str) -> bool:
    return ath is not None and compare_digest(ath.encode(), token_hash(token).encode())


def _only(proofs: Sequence[str]) -> str:
    if len(proofs) != 1:
        raise ProofInvalid("send exactly one DPoP header")
    (proof,) = proofs
    if len(proof) > MAX_PROOF_CHARS:
        raise ProofInvalid("the DPoP proof is longer than 4096 characters")
    return proof


def _read_payload(payload: bytes) -> _Claims:
    claims = _read_claims(payload)
    # A name takes two quotes and so does a text: no more of them than these claims need, and nothing else is there.
    quotes = 14 + (4 if claims.ath is not None else 0) + (4 if claims.nonce is not None else 0)
    if payload.count(b'"') != quotes:
        _refuse_repeated(payload)
    return claims


def _refuse_repeated(text: bytes) -> None:
    """Refuse a member that stands twice in an object (RFC 7515 4, RFC 7519 4): readers differ in which one counts."""
    json.loads(text.decode(), object_pairs_hook=_unique)


def _unique(pairs: list[tuple[str, Any]]) -> None:
    if len(dict(pairs)) != len(pairs):
        raise ValueError("a member stands twice")


def _read_key(segment: str) -> _Key:
    text = base64url.decode(segment)
    header = _read_header(text)
    _refuse_repeated(text)
    jwk = header.jwk
    if header.typ != "dpop+jwt" or header.alg != ALGORITHM or header.crit is not msgspec.UNSET:
        raise ValueError("typ is dpop+jwt, alg ES256, without crit")
    if jwk.get("crv") != "P-256" or "d" in jwk:
        raise ValueError("jwk is a public P-256 key")
    jkt = thumbprint(jwk)  # which looks at kty
    x, y = base64url.decode(jwk["x"]), base64url.decode(jwk["y"])
    if len(x) != _COORDINATE_BYTES:  # a y of another length makes a point of another length, which is none
        raise ValueError("a P-256 coordinate has 32 bytes")
    return jkt, ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), b"\4" + x + y)


def _normal(url: str) -> tuple[str, str, str]:
    """Return scheme, authority and path: without query and fragment, in lower case, without the default port.

    RFC 9449 4.3 check 9; RFC 3986 6.2.2 and 6.2.3.
    """
    bare = url.partition("#")[0].partition("?")[0]
    scheme, _, rest = bare.partition("://")
    authority, _, path = rest.partition("/")
    scheme, authority = scheme.lower(), authority.lower()
    return scheme, authority.removesuffix(_DEFAULT_PORTS.get(scheme, "")), path
