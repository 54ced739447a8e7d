"""The authorization server: what the daemon does as one, whole; the grants of its token endpoint are `Flows`."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

from oauth.errors import (
    AccessRefused,
    EndpointError,
    InvalidClient,
    InvalidRequest,
    InvalidScope,
    StorageFailed,
    Unavailable,
    UnsupportedGrantType,
)
from oauth.models import Asked, AuthorizationRequest, Clock, DeviceRequest, Grant, Until
from oauth.nonces import Nonces
from oauth.scopes import OWNER
from oauth.server import metadata
from oauth.server.answers import Answers, Remembered
from oauth.server.authorize import answer_url, askable_scopes, named_key, read_request
from oauth.server.clients import Client, ClientKind, own_bases, parse_client, parse_token_client
from oauth.server.codes import Code, Codes, Yes
from oauth.server.devices import DEVICE_SECONDS, INTERVAL_SECONDS, Devices
from oauth.server.exchange import ACTIVATION_SECONDS, activation_links
from oauth.server.flows import Flows
from oauth.server.forms import read_form
from oauth.server.issuer import Issuer
from oauth.server.latest import Latest
from oauth.server.metadata import Metadata
from oauth.server.proofs import TokenProofs
from oauth.server.results import TokenResult, refusal, result
from oauth.store import Store

_Answer = Callable[[bytes, str | None, Sequence[str]], TokenResult]

Ask = Callable[[DeviceRequest], str]
"""Asks the owner; returns the user code. Raises Unavailable where too many are asked already."""


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
        self._store = store
        self._base = base
        self._scopes = scopes
        self._daemon_key = daemon_key
        latest = Latest(clock)
        self._answers = Answers(store, latest, clock)
        # A page may have been approved at this address while we listened at another.
        self._answers.forget(own_bases(base))
        self._codes = Codes(clock)
        self._issuer = Issuer(store, latest, clock)
        self._activations = activation_links(clock)
        self._devices = Devices(clock)
        self._proofs = TokenProofs(base, nonces, clock)
        self._flows = Flows(
            base, codes=self._codes, devices=self._devices, issuer=self._issuer, activations=self._activations
        )

    def authorization_request(self, query: str) -> AuthorizationRequest:
        """Return the checked request in ``query`` (without ``?``).

        Raises:
            RequestRefused: it is not valid; ``redirect`` tells the client, where it may be told.
        """
        return read_request(query, self._base, self._askable())

    def remembered(self, asked: Asked) -> Remembered | None:
        """Return the owner's earlier answer if it holds for this client, key and scopes; None: ask."""
        return self._answers.remembered(asked)

    def allow(self, asked: AuthorizationRequest, scopes: frozenset[str], until: Until | None = None) -> str:
        """Remember the owner's yes to ``scopes``, for as long as is usual where ``until`` is None.

        Returns where the client hears of it. Then await ``store.commit``.

        Raises:
            InvalidScope: ``scopes`` is empty or more than was asked.
            InvalidRequest: this client cannot be allowed for so long.
        """
        return self._with_code(asked, self._answers.allow(asked, scopes, until))

    def allow_again(self, asked: AuthorizationRequest) -> str:
        """Return a redirect with a code under an earlier yes (``remembered`` says "allowed"), which it never extends.

        Raises:
            InvalidScope: there is no such yes.
        """
        return self._with_code(asked, self._answers.allow_again(asked))

    def deny(self, asked: AuthorizationRequest) -> str:
        """Remember the owner's no; return where the client hears of it. Then await ``store.commit``."""
        self._answers.deny(asked)
        return self.denied(asked)

    def denied(self, request: AuthorizationRequest) -> str:
        """Return the redirect that says no, without remembering anything."""
        error = {"error": "access_denied", "error_description": "the owner said no"}
        return answer_url(self._base, request.redirect_uri, request.state, error)

    def allow_device(
        self, asked: DeviceRequest, scopes: frozenset[str], until: Until | None = None
    ) -> Callable[[], None]:
        """Remember the owner's yes, as ``allow``; return what tells the device, to be called after ``store.commit``."""
        return partial(self._devices.allow, asked.id, self._answers.allow(asked, scopes, until))

    def deny_device(self, asked: DeviceRequest) -> Callable[[], None]:
        """Remember the owner's no, as ``deny``; return what tells the device, to be called after ``store.commit``."""
        self._answers.deny(asked)
        return partial(self._devices.deny, asked.id)

    def forget_denials(self, grant: Grant) -> None:
        """Forget the keys that were told no; what was allowed stays. Then await ``store.commit``."""
        self._answers.forget_denials(grant)

    def is_waited_for(self, request: DeviceRequest) -> bool:
        """Say whether the device that asks still waits for an answer."""
        return self._devices.is_waited_for(request.id)

    def drop(self, request: DeviceRequest) -> None:
        """Tell the device that asks, when it asks next, that its request is over without an answer."""
        self._devices.drop(request.id)

    def _with_code(self, request: AuthorizationRequest, yes: Yes) -> str:
        code = Code(yes=yes, redirect_uri=request.redirect_uri, challenge=request.challenge)
        return answer_url(self._base, request.redirect_uri, request.state, {"code": self._codes.make(code)})

    async def token(self, form: bytes, *, origin: str | None, proofs: Sequence[str]) -> TokenResult:
        """Answer ``POST /oauth/token``; ``origin`` and ``proofs`` are the headers Origin and DPoP as received.

        What it hands out or ends is durable when it returns.
        """
        return await self._answered(self._grant_token, form, origin, proofs)

    async def revoke(self, form: bytes, *, origin: str | None, proofs: Sequence[str]) -> TokenResult:
        """Answer ``POST /oauth/revoke`` (RFC 7009) as ``token`` does: a refresh token ends its pairing.

        Whoever holds a token may end it: no library proves a key here, but where one does it has to be the token's.
        What is unknown, or another client's or key's, is left alone, and the answer is the same.
        """
        return await self._answered(self._revoke, form, origin, proofs)

    async def device_authorization(
        self, form: bytes, *, origin: str | None, proofs: Sequence[str], ask: Ask
    ) -> TokenResult:
        """Answer ``POST /oauth/device_authorization`` (RFC 8628 3.1) as ``token`` does; ``ask`` asks the owner."""
        return await self._answered(partial(self._begin_device, ask), form, origin, proofs)

    async def _answered(self, answer: _Answer, form: bytes, origin: str | None, proofs: Sequence[str]) -> TokenResult:
        try:
            told = answer(form, origin, proofs)
        except (EndpointError, AccessRefused) as error:
            told = refusal(error)
        try:
            await self._store.commit()
        except StorageFailed as error:
            told = refusal(Unavailable(f"{error}; ask again"))
        if proofs:
            told.headers["DPoP-Nonce"] = self._proofs.nonce(origin)
        return told

    def _client(self, form: bytes, origin: str | None) -> tuple[Client, dict[str, str]]:
        """Return who asks, by ``client_id`` and Origin, and the fields of the form."""
        fields = read_form(form).single()
        client = parse_token_client(fields.get("client_id", ""), self._base)
        if client.origin != origin:
            raise InvalidClient("client_id is the Origin of a page, byte for byte; a native client sends no Origin")
        if "client_secret" in fields:
            raise InvalidClient("there are no secrets of clients here; leave client_secret out")
        return client, fields

    def _grant_token(self, form: bytes, origin: str | None, proofs: Sequence[str]) -> TokenResult:
        client, fields = self._client(form, origin)
        if fields.get("grant_type") not in metadata.GRANT_TYPES:
            raise UnsupportedGrantType("grant_type is one of those in the metadata")
        proof = self._proofs.needed(client, proofs, metadata.TOKEN_PATH)
        status, body = self._flows.answer(fields, proof.key if proof else None)
        if status == 200:
            self._proofs.use(proof)
            if client.origin is not None:
                body["daemon_key"] = self._daemon_key(client.origin)
        return result(status, body)

    def _revoke(self, form: bytes, origin: str | None, proofs: Sequence[str]) -> TokenResult:
        client, fields = self._client(form, origin)
        token = fields.get("token")
        if token is None:
            raise InvalidRequest("token is the one that is to end")
        proof = self._proofs.read(client, proofs, metadata.REVOCATION_PATH)
        self._issuer.give_back(token, client.id, proof.key if proof else None)
        self._proofs.use(proof)
        return result(200, {})

    def _begin_device(self, ask: Ask, form: bytes, origin: str | None, proofs: Sequence[str]) -> TokenResult:
        client, fields = self._client(form, origin)
        if client.kind is ClientKind.OWNER:
            raise InvalidClient("the dashboard opens an activation link instead")
        proof = self._proofs.read(client, proofs, metadata.DEVICE_AUTHORIZATION_PATH)
        asked = Asked(
            client_id=client.id,
            scopes=askable_scopes(fields.get("scope", ""), self._askable()),
            is_development=client.is_development,
            # No library proves a key here (RFC 9449 knows proofs at the token endpoint); it names the key instead.
            dpop_jkt=proof.key if proof else named_key(fields.get("dpop_jkt"), client),
        )
        code, request = self._devices.make(asked)
        try:
            user_code = ask(request)
        except EndpointError:
            self._devices.drop(request.id)
            raise
        self._proofs.use(proof)
        verification = self._base + metadata.VERIFICATION_PATH
        told = {
            "device_code": code,
            "user_code": user_code,
            "verification_uri": verification,
            "verification_uri_complete": f"{verification}?user_code={user_code}",
            "expires_in": DEVICE_SECONDS,
            "interval": INTERVAL_SECONDS,
        }
        return result(200, told)

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
