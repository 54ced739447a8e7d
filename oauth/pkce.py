"""Proof Key for Code Exchange (RFC 7636), S256 alone."""

import re
from hashlib import sha256
from hmac import compare_digest

from oauth import base64url
from oauth.errors import InvalidGrant, InvalidRequest

METHOD = "S256"

_VERIFIER = re.compile(r"[A-Za-z0-9\-._~]{43,128}", re.ASCII)  # RFC 7636 4.1
_CHALLENGE = re.compile(r"[A-Za-z0-9_-]{43}", re.ASCII)  # base64url of 32 bytes


def challenge_of(verifier: str) -> str:
    """Return the S256 challenge: BASE64URL(SHA256(ASCII(verifier))) (RFC 7636 4.2)."""
    return base64url.encode(sha256(verifier.encode("ascii")).digest())


def check_challenge(challenge: str | None, method: str | None) -> str:
    """Return the challenge of an authorization request.

    Raises:
        InvalidRequest: it is missing or malformed, or the method is not said to be S256 (no method would mean plain).
    """
    if method != METHOD or challenge is None or _CHALLENGE.fullmatch(challenge) is None:
        raise InvalidRequest("send code_challenge (43 characters) with code_challenge_method=S256")
    return challenge


def check_verifier(verifier: str | None, challenge: str) -> str:
    """Return the verifier that ``challenge`` was made from.

    Raises:
        InvalidRequest: it is missing or malformed.
        InvalidGrant: it is another one (RFC 7636 4.6).
    """
    if verifier is None or _VERIFIER.fullmatch(verifier) is None:
        raise InvalidRequest("send code_verifier, 43 to 128 unreserved characters (RFC 7636 4.1)")
    if not compare_digest(challenge_of(verifier), challenge):
        raise InvalidGrant("code_verifier does not belong to this code")
    return verifier
