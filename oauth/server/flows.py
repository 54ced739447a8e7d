"""The authorization server, and the fence around Authlib: the one file that imports it.

Authlib's server is synchronous and answers within microseconds; what waits (the commit) happens after it. It drives the
grants of the token endpoint; what it leaves open is closed here and beside it: S256 alone, one use of a code, rotation
with reuse detection, strict parameters, and a request built from our own base, never from the Host header.
"""

import logging
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from authlib.oauth2 import AuthorizationServer as AuthlibServer
from authlib.oauth2 import OAuth2Request
from authlib.oauth2.rfc6749 import BaseGrant, TokenEndpointMixin, grants
from authlib.oauth2.rfc6749.errors import UnauthorizedClientError
from authlib.oauth2.rfc6749.requests import BasicOAuth2Payload

from oauth import pkce
from oauth.errors import (
    AccessRefused,
    EndpointError,
    InvalidClient,
    InvalidGrant,
    InvalidRequest,
    InvalidScope,
    StorageFailed,
    TicketInvalid,
    Unavailable,
    UnsupportedGrantType,
)
from oauth.models import AuthorizationRequest, Clock
from oauth.nonces import Nonces
from oauth.scopes import OWNER, parse_scopes
from oauth.server import metadata
from oauth.server.answers import Answers, Remembered
from oauth.server.authorize import answer_url, read_request
from oauth.server.clients import own_bases, parse_client, parse_token_client
from oauth.server.codes import Code, Codes
from oauth.server.exchange import ACCESS_TOKEN, ACTIVATION_SECONDS, activation_links, read_exchange
from oauth.server.forms import read_form
from oauth.server.issuer import Issuer
from oauth.server.metadata import Metadata
from oauth.server.presented import PresentedClient, PresentedCode, PresentedRefreshToken
from oauth.server.proofs import TokenProofs
from oauth.server.results import TokenResult, refusal, result
from oauth.store import Store
from oauth.tickets import Tickets


class AuthorizationServer:
    """Everything the daemon does as an authorization server; ``base`` (``http://127.0.0.1:PORT``) is its issuer.

    ``scopes`` returns what may be asked for, with a sentence each; ``daemon_key`` the public JWK that a page, by its
    origin, will know the daemon by (its salt exists when it is called).
    """

    def __init__(
        self,
        store: Store,
        base: str,
        *,
        scopes: Callable[[], Mapping[str, str]],
        daemon_key: Callable[[str], dict[str, str]],
        nonces: Nonces,
        clock: Clock,
    ) -> None:
        # At DEBUG Authlib logs whole token responses.
        logging.getLogger("authlib").setLevel(logging.WARNING)
        self._store = store
        self._base = base
        self._scopes = scopes
        self._daemon_key = daemon_key
        self._answers = Answers(store, clock)
        # A page may have been approved at this address while we listened at another.
        self._answers.forget(own_bases(base))
        self._codes = Codes(clock)
        self._issuer = Issuer(store, clock)
        self._activations = activation_links(clock)
        self._proofs = TokenProofs(base + metadata.TOKEN_PATH, nonces, clock)
        self._authlib = _Server(base, self._codes, self._issuer, self._activations)

    def authorization_request(self, query: str) -> AuthorizationRequest:
        """Return the checked request in ``query`` (without ``?``).

        Raises:
            RequestRefused: it is not valid; ``redirect`` tells the client, where it may be told.
        """
        return read_request(query, self._base, self._askable())

    def remembered(self, request: AuthorizationRequest) -> Remembered | None:
        """Return the owner's earlier answer if it holds for this client, key and scopes; None: ask."""
        return self._answers.remembered(request)

    def allow(self, request: AuthorizationRequest, scopes: frozenset[str]) -> str:
        """Remember the owner's yes to ``scopes``; return where the client hears of it. Then await ``store.commit``.

        Raises:
            InvalidScope: ``scopes`` is empty or more than was asked.
        """
        return self._with_code(request, self._answers.allow(request, scopes))

    def allow_again(self, request: AuthorizationRequest) -> str:
        """Return a redirect with a code under an earlier yes (``remembered`` says "allowed"), which it never extends.

        Raises:
            InvalidScope: there is no such yes.
        """
        return self._with_code(request, self._answers.allow_again(request))

    def deny(self, request: AuthorizationRequest) -> str:
        """Remember the owner's no; return where the client hears of it. Then await ``store.commit``."""
        self._answers.deny(request)
        return self.denied(request)

    def denied(self, request: AuthorizationRequest) -> str:
        """Return the redirect that says no, without remembering anything."""
        error = {"error": "access_denied", "error_description": "the owner said no"}
        return answer_url(self._base, request.redirect_uri, request.state, error)

    def _with_code(self, request: AuthorizationRequest, code: Code) -> str:
        return answer_url(self._base, request.redirect_uri, request.state, {"code": self._codes.make(code)})

    async def token(self, form: bytes, *, origin: str | None, proofs: Sequence[str]) -> TokenResult:
        """Answer ``POST /oauth/token``; ``origin`` and ``proofs`` are the headers Origin and DPoP as received.

        What it hands out or ends is durable when it returns.
        """
        try:
            answer = self._grant_token(form, origin, proofs)
        except (EndpointError, AccessRefused) as error:
            answer = refusal(error)
        try:
            await self._store.commit()
        except StorageFailed as error:
            answer = refusal(Unavailable(f"{error}; ask again"))
        if proofs:
            answer.headers["DPoP-Nonce"] = self._proofs.nonce(origin)
        return answer

    def _grant_token(self, form: bytes, origin: str | None, proofs: Sequence[str]) -> TokenResult:
        fields = read_form(form).single()
        client = parse_token_client(fields.get("client_id", ""), self._base)
        if client.origin != origin:
            raise InvalidClient("client_id is the Origin of a page, byte for byte; a native client sends no Origin")
        if fields.get("grant_type") not in metadata.GRANT_TYPES:
            raise UnsupportedGrantType("grant_type is one of those in the metadata")
        proof = self._proofs.read(client, proofs)
        status, body = self._authlib.create_token_response(_Request(self._base, fields, proof.key if proof else None))
        if status == 200:
            self._proofs.use(proof)
            if client.origin is not None:
                body["daemon_key"] = self._daemon_key(client.origin)
        return result(status, body)

    def activation_link(self) -> tuple[str, int]:
        """Return a secret that makes one browser the owner's, and its life in seconds."""
        return self._activations.make(None), ACTIVATION_SECONDS

    def is_activation_link(self, secret: str) -> bool:
        """Return whether ``secret`` would make a browser the owner's now; asking does not use it up."""
        return self._activations.is_live(secret)

    def issue_native(self, name: str, scopes: frozenset[str], ttl_seconds: float) -> dict[str, Any]:
        """Return an RFC 6749 5.1 response (Bearer, no refresh token, plus ``client``) for ``native:NAME``.

        The owner asks for it by hand; then await ``store.commit``. ``ttl_seconds`` is more than 0, at most 180 days.

        Raises:
            InvalidClient: the name is not ``[a-z0-9-]{1,32}``.
            InvalidScope: a scope is unknown, or none was named.
            InvalidRequest: the time is out of range.
        """
        client = parse_client(f"native:{name}", self._base)
        if not scopes or not scopes <= self._askable():
            raise InvalidScope("name at least one scope, each one that an app has declared")
        grant = self._answers.allow_native(client.id, scopes, ttl_seconds)
        return {**self._issuer.issue_native(grant, scopes, ttl_seconds).response(), "client": client.id}

    def _askable(self) -> frozenset[str]:
        return frozenset(self._scopes()) - {OWNER}

    def metadata(self) -> Metadata:
        """Return the RFC 8414 document."""
        return metadata.authorization_server(self._base)

    def protected_resource(self) -> Metadata:
        """Return the RFC 9728 document."""
        return metadata.protected_resource(self._base)


class _Request(OAuth2Request):  # type: ignore[misc]  # Authlib is untyped, here and below
    def __init__(self, base: str, fields: Mapping[str, str], jkt: str | None) -> None:
        super().__init__("POST", base + metadata.TOKEN_PATH)
        self.payload = BasicOAuth2Payload(fields)
        self.jkt = jkt

    @property
    def form(self) -> Mapping[str, str]:
        return self.payload.data  # type: ignore[no-any-return]


class _Server(AuthlibServer):  # type: ignore[misc]
    def __init__(self, base: str, codes: Codes, issuer: Issuer, activations: Tickets[None]) -> None:
        super().__init__()
        self.base, self.codes, self.issuer, self.activations = base, codes, issuer, activations
        self.register_grant(_CodeGrant)
        self.register_grant(_RefreshGrant)
        self.register_grant(_ActivationGrant)

    def query_client(self, client_id: str) -> PresentedClient:
        return PresentedClient(parse_token_client(client_id, self.base))

    def create_oauth2_request(self, request: _Request) -> _Request:
        return request

    def send_signal(self, name: str, *args: object, **kwargs: object) -> None:
        pass

    def handle_response(self, status: int, body: dict[str, Any], headers: object) -> tuple[int, dict[str, Any]]:
        return status, body


class _CodeGrant(grants.AuthorizationCodeGrant):  # type: ignore[misc]
    TOKEN_ENDPOINT_AUTH_METHODS = ("none",)

    def query_authorization_code(self, code: str, client: PresentedClient) -> PresentedCode:
        try:
            spent, is_first = self.server.codes.take(code)
        except TicketInvalid as error:
            raise InvalidGrant(str(error)) from error
        if spent.code.client_id != client.get_client_id() or spent.code.jkt not in (None, self.request.jkt):
            raise InvalidGrant("the code is bound to another client or key")
        return PresentedCode(spent, is_first=is_first)

    def validate_token_request(self) -> None:
        super().validate_token_request()
        presented = self.request.authorization_code
        pkce.check_verifier(self.request.form.get("code_verifier"), presented.code.challenge)
        # Only after redirect URI and verifier fitted: whoever merely saw the code must not end the pairing.
        if not presented.is_first:
            self.server.issuer.replayed(presented.spent.pairing_id)
            raise InvalidGrant("the code was used before; the pairing made from it has ended")

    def authenticate_user(self, presented: PresentedCode) -> str:
        return OWNER

    def generate_token(self, **_: object) -> dict[str, Any]:
        presented = self.request.authorization_code
        issued = self.server.issuer.redeem(presented.code, self.request.jkt)
        presented.spent.pairing_id = issued.pairing_id
        return issued.response()  # type: ignore[no-any-return]

    def save_token(self, token: object) -> None:
        """The issuer has kept it."""

    def delete_authorization_code(self, code: object) -> None:
        """It ended when it was taken."""


class _RefreshGrant(grants.RefreshTokenGrant):  # type: ignore[misc]
    TOKEN_ENDPOINT_AUTH_METHODS = ("none",)

    def authenticate_refresh_token(self, text: str) -> PresentedRefreshToken:
        client_id = self.request.client.get_client_id()
        return PresentedRefreshToken(self.server.issuer.present(text, client_id, self.request.jkt))

    def authenticate_user(self, token: PresentedRefreshToken) -> str:
        return OWNER

    def generate_token(self, **_: object) -> dict[str, Any]:
        scope = self.request.payload.scope
        asked = parse_scopes(scope) if scope else None
        return self.server.issuer.rotate(self.request.refresh_token.presented, asked).response()  # type: ignore[no-any-return]

    def save_token(self, token: object) -> None:
        """The issuer has kept it."""

    def revoke_old_credential(self, token: object) -> None:
        """It was marked when its successor was made."""


class _ActivationGrant(BaseGrant, TokenEndpointMixin):  # type: ignore[misc]
    GRANT_TYPE = metadata.TOKEN_EXCHANGE
    TOKEN_ENDPOINT_AUTH_METHODS = ("none",)

    def validate_token_request(self) -> None:
        client = self.authenticate_token_endpoint_client()
        if not client.check_grant_type(self.GRANT_TYPE):
            raise UnauthorizedClientError("an activation link is for the pages of the daemon itself")
        secret = read_exchange(self.request.form, self.server.base)
        try:
            self.server.activations.take(secret)
        except TicketInvalid as error:
            raise InvalidRequest(str(error)) from error  # RFC 8693 2.2.2 wants this code

    def create_token_response(self) -> tuple[int, dict[str, Any], object]:
        issued = self.server.issuer.activate(self.server.base, self.request.jkt)
        return 200, {**issued.response(), "issued_token_type": ACCESS_TOKEN}, self.TOKEN_RESPONSE_HEADER
