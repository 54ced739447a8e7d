"""What the token endpoint answers (RFC 6749 5.1 and 5.2)."""

from typing import Any

import msgspec

from oauth.errors import AccessRefused, EndpointError, ProofInvalid
from oauth.secret import hidden


class TokenResult(msgspec.Struct, frozen=True, kw_only=True):
    """An answer of the token endpoint; ``body`` is a JSON object."""

    status: int
    body: dict[str, Any]
    headers: dict[str, str]

    __repr__ = hidden


def result(status: int, body: dict[str, Any]) -> TokenResult:
    """Return an answer, which nothing on the way may keep."""
    return TokenResult(status=status, body=body, headers={"Cache-Control": "no-store"})


def refusal(error: EndpointError | AccessRefused) -> TokenResult:
    """Return the answer that tells ``error``; what is 401 elsewhere is 400 here (RFC 9449 5 and 8)."""
    if isinstance(error, ProofInvalid):
        return result(400, {"error": "invalid_dpop_proof", "error_description": str(error)})
    status = error.status if isinstance(error, EndpointError) else 400
    return result(status, {"error": error.code, "error_description": str(error)})
