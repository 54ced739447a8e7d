"""A page as the daemon sees it: an origin with a real P-256 key that makes real DPoP proofs.

page = Page("https://app.example")
query = page.authorize_query(redirect_uri="https://app.example/callback", scope="player:read", state="s")
proof = page.proof("POST", "http://127.0.0.1:4380/oauth/token")
"""

import base64
import hashlib
import json
import secrets
import time
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlencode

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature


class Page:
    """A page (or, as ``native:NAME``, a program) with one key and one PKCE verifier; written apart from the product.

    ``jwk`` is its public key, ``jkt`` that key's RFC 7638 thumbprint; ``clock`` dates the proofs, ``nonce`` is asked
    for each. ``page.takes(answer.headers)`` takes the nonce of an answer, as a page does that talks to a real daemon.
    """

    def __init__(
        self,
        origin: str,
        *,
        clock: Callable[[], float] = time.time,
        nonce: Callable[[], str | None] = lambda: None,
        key: ec.EllipticCurvePrivateKey | None = None,
    ) -> None:
        self.origin = origin
        self.client_id = origin
        self.verifier = secrets.token_urlsafe(32)
        self.key = key or ec.generate_private_key(ec.SECP256R1())
        self._clock = clock
        self._nonce = nonce
        numbers = self.key.public_key().public_numbers()
        x, y = (b64(number.to_bytes(32, "big")) for number in (numbers.x, numbers.y))
        self.jwk = {"crv": "P-256", "kty": "EC", "x": x, "y": y}
        self.jkt = b64(hashlib.sha256(json.dumps(self.jwk, separators=(",", ":"), sort_keys=True).encode()).digest())

    @property
    def challenge(self) -> str:
        """The S256 challenge of ``verifier``."""
        return b64(hashlib.sha256(self.verifier.encode()).digest())

    def proof(self, method: str, url: str, token: str | None = None, **changes: Any) -> str:
        """Return a DPoP proof for one request; ``token`` adds ``ath``.

        ``changes`` replaces claims (None leaves one out); ``header={...}`` replaces header members in the same way.
        """
        header = {"typ": "dpop+jwt", "alg": "ES256", "jwk": self.jwk, **changes.pop("header", {})}
        claims: dict[str, Any] = {"htm": method, "htu": url, "iat": self._clock(), "jti": secrets.token_urlsafe(16)}
        claims["nonce"] = self._nonce()
        if token is not None:
            claims["ath"] = b64(hashlib.sha256(token.encode()).digest())
        claims.update(changes)
        return self.sign(
            json.dumps({name: value for name, value in header.items() if value is not None}).encode(),
            json.dumps({name: value for name, value in claims.items() if value is not None}).encode(),
        )

    def takes(self, headers: Mapping[str, str]) -> bool:
        """Take the nonce for all further proofs from an answer's headers; say whether there was one."""
        nonce = headers.get("DPoP-Nonce")
        if nonce is not None:
            self._nonce = lambda: nonce
        return nonce is not None

    def sign(self, header: bytes, payload: bytes) -> str:
        """Return the compact ES256 JWS over any two byte strings."""
        signed = f"{b64(header)}.{b64(payload)}"
        r, s = decode_dss_signature(self.key.sign(signed.encode(), ec.ECDSA(hashes.SHA256())))
        return f"{signed}.{b64(r.to_bytes(32, 'big') + s.to_bytes(32, 'big'))}"

    def authorize_query(
        self,
        *,
        redirect_uri: str | None = None,
        scope: str = "player:read player:control",
        state: str | None = "state-of-the-page",
        **changes: str | None,
    ) -> str:
        """Return the query of ``/oauth/authorize``; ``changes`` replaces or adds parameters (None leaves one out)."""
        return form(
            {
                "response_type": "code",
                "client_id": self.client_id,
                "redirect_uri": self.redirect_uri if redirect_uri is None else redirect_uri,
                "scope": scope,
                "state": state,
                "code_challenge": self.challenge,
                "code_challenge_method": "S256",
                "dpop_jkt": self.jkt,
                **changes,
            }
        )

    @property
    def redirect_uri(self) -> str:
        """Where answers go by default."""
        return f"{self.origin}/callback"

    def code_form(self, code: str, **changes: str | None) -> bytes:
        """Return the body that redeems ``code`` at the token endpoint."""
        fields = {"code": code, "redirect_uri": self.redirect_uri, "code_verifier": self.verifier}
        return self.token_form(**{"grant_type": "authorization_code", **fields, **changes})

    def refresh_form(self, refresh_token: str, **changes: str | None) -> bytes:
        """Return the body that refreshes."""
        return self.token_form(**{"grant_type": "refresh_token", "refresh_token": refresh_token, **changes})

    def activation_form(self, secret: str, **changes: str | None) -> bytes:
        """Return the body that exchanges an activation link's secret (the page is the daemon's own)."""
        fields = {"subject_token": secret, "subject_token_type": "urn:tollbridge:token-type:activation-link"}
        return self.token_form(**{"grant_type": "urn:ietf:params:oauth:grant-type:token-exchange", **fields, **changes})

    def token_form(self, **fields: str | None) -> bytes:
        """Return any body for the token endpoint, with this page's ``client_id``."""
        return form({"client_id": self.client_id, **fields}).encode()


def form(fields: dict[str, str | None]) -> str:
    """Return ``fields`` as ``application/x-www-form-urlencoded``, without those that are None."""
    return urlencode({name: value for name, value in fields.items() if value is not None})


def b64(value: bytes) -> str:
    """Return base64url without padding."""
    return base64.urlsafe_b64encode(value).rstrip(b"=").decode()
