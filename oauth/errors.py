"""Every error of this package, with its stable code.

The tree, first split by who reads it:

    OAuthError
    ├── EndpointError               400, told to a client in the form of RFC 6749 5.2
    │   ├── InvalidRequest          invalid_request
    │   ├── InvalidClient           invalid_client
    │   ├── InvalidGrant            invalid_grant
    │   ├── InvalidScope            invalid_scope
    │   ├── InvalidTarget           invalid_target             RFC 8693 2.2.2
    │   ├── UnsupportedGrantType    unsupported_grant_type
    │   ├── UnsupportedResponseType unsupported_response_type  at the authorization endpoint (RFC 6749 4.1.2.1)
    │   └── Unavailable       503   temporarily_unavailable
    ├── RequestRefused              told at the authorization endpoint      code, description, redirect
    ├── AccessRefused               told to whoever uses a token
    │   ├── TokenRequired     401   token_required
    │   ├── TokenInvalid      401   token_invalid
    │   ├── ProofInvalid      401   proof_invalid              at the token endpoint: 400 invalid_dpop_proof
    │   ├── UseNonce          401   use_dpop_nonce             at the token endpoint: 400
    │   └── OriginMismatch    403   origin_mismatch
    ├── MalformedOrigin             malformed_origin
    ├── TicketInvalid               ticket_invalid
    ├── OfferUnknown                offer_unknown
    ├── OfferOver                   offer_over
    ├── StoreError                  the daemon's own trouble
    │   ├── StorageFailed           storage_failed
    │   ├── StoreTooNew             store_too_new
    │   ├── StoreDamaged            store_damaged
    │   └── StoreUnsafe             store_unsafe
    └── VaultError                  the master key cannot be had
        ├── KeyringMissing          keyring_missing
        ├── KeyringLocked           keyring_locked
        ├── KeyringSilent           keyring_silent
        ├── KeyringForgetful        keyring_forgetful
        ├── KeyringUnsafe           keyring_unsafe
        ├── KeyringFailed           keyring_failed
        ├── KeyMissing              key_missing
        ├── KeyDamaged              key_damaged
        └── KeyElsewhere            key_elsewhere

Messages are ASCII without quotes and backslashes, so that they may stand in an ``error_description`` (RFC 6749 5.2).
"""


class OAuthError(Exception):
    """Root of all errors here; ``str(error)`` says what to do about it."""

    code: str = "server_error"
    status: int = 500


class EndpointError(OAuthError):
    """A client's request is refused, in the form of RFC 6749 5.2."""

    status = 400


class InvalidRequest(EndpointError):
    """A parameter is missing, repeated or malformed."""

    code = "invalid_request"


class InvalidClient(EndpointError):
    """The client is not who the request says, or may not do this."""

    code = "invalid_client"


class InvalidGrant(EndpointError):
    """The code or refresh token is unknown, expired, ended, or bound to another client or key."""

    code = "invalid_grant"


class AuthorizationPending(EndpointError):
    """The owner has not answered yet (RFC 8628 3.5): ask again after the interval."""

    code = "authorization_pending"


class SlowDown(EndpointError):
    """The owner has not answered yet, and the client asks too often (RFC 8628 3.5): wait 5 seconds longer each time."""

    code = "slow_down"


class AccessDenied(EndpointError):
    """The owner said no."""

    code = "access_denied"


class ExpiredToken(EndpointError):
    """The device code is out of time (RFC 8628 3.5): ask for a new one."""

    code = "expired_token"


class InvalidScope(EndpointError):
    """The scope is malformed, unknown, or wider than what was allowed."""

    code = "invalid_scope"


class InvalidTarget(EndpointError):
    """The token was asked for another resource than this daemon."""

    code = "invalid_target"


class UnsupportedGrantType(EndpointError):
    """The grant type is not one of those in the metadata."""

    code = "unsupported_grant_type"


class UnsupportedResponseType(EndpointError):
    """The response type is not ``code``."""

    code = "unsupported_response_type"


class Unavailable(EndpointError):
    """The answer could not be made durable, so nothing was handed out; ask again."""

    code = "temporarily_unavailable"
    status = 503


class RequestRefused(OAuthError):
    """An authorization request is refused.

    ``code`` is RFC 6749 4.1.2.1 (also ``invalid_client``, ``invalid_redirect_uri``); ``redirect`` is the URL that tells
    the client, or None where the redirect URI itself cannot be trusted and only the person may be told.
    """

    status = 400

    def __init__(self, code: str, description: str, *, redirect: str | None = None) -> None:
        super().__init__(description)
        self.code = code
        self.description = description
        self.redirect = redirect


class AccessRefused(OAuthError):
    """A token, or the way it was used, is refused."""

    status = 401


class TokenRequired(AccessRefused):
    """No token was sent."""

    code = "token_required"


class TokenInvalid(AccessRefused):
    """The token is unknown, expired, ended, or used with another key or scheme: refresh, or ask the owner again."""

    code = "token_invalid"


class ProofInvalid(AccessRefused):
    """The DPoP proof is missing or does not fit (RFC 9449 4.3): make a new one for this very request."""

    code = "proof_invalid"


class UseNonce(AccessRefused):
    """The DPoP proof has no nonce of ours, or an old one (RFC 9449 8 and 9): the DPoP-Nonce header has a new one."""

    code = "use_dpop_nonce"


class OriginMismatch(AccessRefused):
    """The token belongs to another origin than the one that used it."""

    code = "origin_mismatch"
    status = 403


class MalformedOrigin(OAuthError):
    """The text is not an origin that may be a client."""

    code = "malformed_origin"
    status = 400


class TicketInvalid(OAuthError):
    """The single-use secret is unknown, spent or too old: get a new one."""

    code = "ticket_invalid"
    status = 401


class OfferUnknown(OAuthError):
    """The text is no offer that this daemon has signed: ask for a new link."""

    code = "offer_unknown"


class OfferOver(OAuthError):
    """The offer was ours, and is used up, revoked or out of time."""

    code = "offer_over"


class StoreError(OAuthError):
    """The store of grants and tokens cannot do its work."""


class StorageFailed(StoreError):
    """A change could not be made durable and was undone in memory; nothing that depends on it may be handed out."""

    code = "storage_failed"


class StoreTooNew(StoreError):
    """The file was written by a newer version; it is left untouched."""

    code = "store_too_new"


class StoreDamaged(StoreError):
    """The file is not a store, or a row in it cannot be read; it is never overwritten silently."""

    code = "store_damaged"


class StoreUnsafe(StoreError):
    """The file, or a journal beside it, is a link, a pipe, another user's, has a second name, or is open to others."""

    code = "store_unsafe"


class VaultError(OAuthError):
    """The master key cannot be had; what it seals stays sealed, and nothing is kept in plain text instead."""

    code = "vault_failed"


class KeyringMissing(VaultError):
    """No keyring of an allowed kind can be reached from the daemon."""

    code = "keyring_missing"


class KeyringLocked(VaultError):
    """The keyring is locked, and the prompt to unlock it was dismissed or could not be shown."""

    code = "keyring_locked"


class KeyringSilent(VaultError):
    """The keyring has not answered in time; it may be waiting for a person, and the call to it still stands."""

    code = "keyring_silent"


class KeyringForgetful(VaultError):
    """The keyring took a secret and gave back another, or none."""

    code = "keyring_forgetful"


class KeyringUnsafe(VaultError):
    """What was loaded is not the backend that it should be."""

    code = "keyring_unsafe"


class KeyringFailed(VaultError):
    """The keyring failed in a way of its own."""

    code = "keyring_failed"


class KeyMissing(VaultError):
    """There are sealed rows, but not the key that sealed them: the person has to log in again."""

    code = "key_missing"


class KeyDamaged(VaultError):
    """What lies in the key's place is not a key of ours; it is never overwritten silently."""

    code = "key_damaged"


class KeyElsewhere(VaultError):
    """The settings name one place for the key, and it lies in the other."""

    code = "key_elsewhere"
