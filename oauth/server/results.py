"""What the token endpoint answers (RFC 6749 5.1 and 5.2)."""

from typing import Any

import msgspec

from oauth.errors import EndpointError, ProofInvalid


class TokenResult(msgspec.Struct, frozen=True, kw_only=True):
    """An answer of the token endpoint; ``body`` is a JSON object."""

    status: int
    body: dict[str, Any]
    headers: dict[str, str]


def result(status: int, body: dict[str, Any]) -> TokenResult:
    """Return an answer, which nothing on the way may keep."""
    return TokenResult(status=status, body=body, headers={"Cache-Control": "no-store"})


def refusal(error: EndpointError | ProofInvalid) -> TokenResult:
    """Return the answer that tells ``error``; a bad proof has a code of its own here (RFC 9449 5)."""
    if isinstance(error, ProofInvalid):
        return result(400, {"error": "invalid_dpop_proof", "error_description": str(error)})
    return result(error.status, {"error": error.code, "error_description": str(error)})
