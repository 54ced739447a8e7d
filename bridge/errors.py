"""Every error that leaves the daemon, with its stable code.

The tree, first split by whose fault it is:

    BridgeError
    ├── ClientError                 4xx: the caller can change something
    │   ├── MalformedRequest        400  malformed_request
    │   ├── InvalidParams           400  invalid_params            path
    │   ├── IdempotencyUnavailable  400  idempotency_unavailable
    │   ├── Unauthorized            401  token_required, token_invalid, proof_invalid, use_dpop_nonce
    │   ├── OriginNotApproved       403  origin_not_approved
    │   ├── OriginMismatch          403  origin_mismatch
    │   ├── ScopeMissing            403  scope_missing             scope
    │   ├── ApprovalRequired        403  approval_required         user_code, expires_in
    │   ├── ApprovalDenied          403  approval_denied           retry_after
    │   ├── ApprovalImpossible      403  approval_impossible
    │   ├── NotFound                404  not_found
    │   ├── MethodNotAllowed        405  method_not_allowed
    │   ├── RequestTimeout          408  request_timeout
    │   ├── Cancelled               409  cancelled
    │   ├── Gone                    410  gone
    │   ├── BodyTooLarge            413  body_too_large
    │   ├── WrongMediaType          415  wrong_media_type
    │   └── TooMany                 429  too_many                  retry_after
    └── BridgeFault                 5xx: the daemon, an app or the native program
        ├── Internal                500  internal
        ├── AppFailed               502  app_failed
        ├── Restarting              503  restarting                retry_after
        └── CommandTimeout          504  command_timeout

An app adds its own leaves (``bridge.apps.player.errors``); codes are listed in docs/protocol.md and equal the
TypeScript ones (tested).
"""

from typing import ClassVar

import msgspec


class Problem(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """An error as it travels: RFC 9457 ``application/problem+json`` with a stable ``code``.

    Shape: ``{"title", "status", "code", "detail", "path"?, "scope"?, "retry_after"?, "user_code"?, "expires_in"?}``;
    times in seconds.
    """

    title: str
    status: int
    code: str
    detail: str
    path: str | None = None
    scope: str | None = None
    retry_after: float | None = None
    user_code: str | None = None
    expires_in: int | None = None


class BridgeError(Exception):
    """Root of all errors that a caller may see; ``detail`` says what to do about it."""

    code: ClassVar[str] = "internal"
    status: ClassVar[int] = 500
    title: ClassVar[str] = "Internal error"

    def __init__(
        self,
        detail: str,
        *,
        path: str | None = None,
        scope: str | None = None,
        retry_after: float | None = None,
    ) -> None:
        super().__init__(detail)
        self.detail = detail
        self.path = path
        self.scope = scope
        self.retry_after = retry_after

    def problem(self) -> Problem:
        """Return the error as it is sent."""
        return Problem(
            title=self.title,
            status=self.status,
            code=self.code,
            detail=self.detail,
            path=self.path,
            scope=self.scope,
            retry_after=self.retry_after,
        )


class ClientError(BridgeError):
    """The caller asked for something that cannot be done as asked (4xx)."""

    code = "malformed_request"
    status = 400
    title = "Malformed request"


class MalformedRequest(ClientError):
    """The request is not what the protocol allows, before any parameter was looked at."""


class InvalidParams(ClientError):
    """A command's parameters do not fit its schema; ``path`` names the fault (``$.volume``)."""

    code = "invalid_params"
    title = "Invalid parameters"


class IdempotencyUnavailable(ClientError):
    """An idempotency key was sent to a daemon that keeps no ledger: refused rather than ignored."""

    code = "idempotency_unavailable"
    title = "Idempotency keys are not available"


class Unauthorized(ClientError):
    """No token was sent where one is needed."""

    code = "token_required"
    status = 401
    title = "A token is required"


class TokenInvalid(Unauthorized):
    """The token is unknown, expired or revoked: refresh it, or ask the owner again."""

    code = "token_invalid"
    title = "The token is not valid"


class ProofInvalid(Unauthorized):
    """The DPoP proof is missing or does not fit (RFC 9449 section 4.3)."""

    code = "proof_invalid"
    title = "The DPoP proof is not valid"


class UseNonce(Unauthorized):
    """The DPoP proof needs the nonce in this answer's ``DPoP-Nonce`` header (RFC 9449 section 9); nothing was run."""

    code = "use_dpop_nonce"
    title = "The DPoP proof needs another nonce"


class OriginNotApproved(ClientError):
    """A well-formed origin that has no grant: the page asks the owner through ``/oauth/authorize``."""

    code = "origin_not_approved"
    status = 403
    title = "This site is not approved"


class OriginMismatch(ClientError):
    """A token issued to one client was used from another origin."""

    code = "origin_mismatch"
    status = 403
    title = "The token belongs to another client"


class ScopeMissing(ClientError):
    """The caller's grant does not cover ``scope``."""

    code = "scope_missing"
    status = 403
    title = "The grant does not cover this"


class ApprovalRequired(ClientError):
    """A dangerous command needs a fresh yes of the owner, who knows it by ``user_code`` for ``expires_in`` seconds."""

    code = "approval_required"
    status = 403
    title = "The owner has to approve this"

    def __init__(self, detail: str, *, user_code: str, expires_in: int) -> None:
        super().__init__(detail)
        self.user_code = user_code
        self.expires_in = expires_in

    def problem(self) -> Problem:
        """Return the error as it is sent."""
        return msgspec.structs.replace(super().problem(), user_code=self.user_code, expires_in=self.expires_in)


class ApprovalDenied(ClientError):
    """The owner has just said no to this dangerous command; ``retry_after`` seconds later it may be asked again."""

    code = "approval_denied"
    status = 403
    title = "The owner said no"


class ApprovalImpossible(ClientError):
    """No yes covers this client's dangerous commands."""

    code = "approval_impossible"
    status = 403
    title = "This client cannot run dangerous commands"


class NotFound(ClientError):
    """Nothing of that name, or nothing that this caller may know of."""

    code = "not_found"
    status = 404
    title = "Not found"


class MethodNotAllowed(ClientError):
    """The path exists, not with this method."""

    code = "method_not_allowed"
    status = 405
    title = "Method not allowed"


class RequestTimeout(ClientError):
    """The body did not arrive within its deadline."""

    code = "request_timeout"
    status = 408
    title = "The request took too long to arrive"


class Cancelled(ClientError):
    """The caller cancelled the command; whether it took effect is not known."""

    code = "cancelled"
    status = 409
    title = "Cancelled"


class Gone(ClientError):
    """What was named existed and has been used or withdrawn."""

    code = "gone"
    status = 410
    title = "Gone"


class BodyTooLarge(ClientError):
    """The body or message is over 64 KiB."""

    code = "body_too_large"
    status = 413
    title = "The body is too large"


class WrongMediaType(ClientError):
    """The Content-Type is not the one that the route takes."""

    code = "wrong_media_type"
    status = 415
    title = "Wrong media type"


class TooMany(ClientError):
    """A limit of this grant is reached; ``retry_after`` seconds later there is room."""

    code = "too_many"
    status = 429
    title = "Too many requests"


class BridgeFault(BridgeError):
    """The daemon, an app or the native program behind it failed (5xx)."""


class Internal(BridgeFault):
    """An error nobody foresaw; the daemon's log has the trace."""


class AppFailed(BridgeFault):
    """The native program answered with an error or went away during the command."""

    code = "app_failed"
    status = 502
    title = "The native program failed"


class Restarting(BridgeFault):
    """The daemon is stopping; come back after ``retry_after`` seconds."""

    code = "restarting"
    status = 503
    title = "The daemon is restarting"


class CommandTimeout(BridgeFault):
    """The command did not end within its deadline; whether it took effect is not known."""

    code = "command_timeout"
    status = 504
    title = "The command took too long"
