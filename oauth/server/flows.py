"""The fence around Authlib: the one file that imports it.

Authlib's server is synchronous and answers within microseconds; what waits (the commit) happens after it. It drives the
grants of the token endpoint; what it leaves open is closed here and beside it: S256 alone, one use of a code, rotation
with reuse detection, strict parameters, and a request built from our own base, never from the Host header.
"""

import logging
from collections.abc import Mapping
from typing import Any

from authlib.oauth2 import AuthorizationServer as AuthlibServer
from authlib.oauth2 import OAuth2Request
from authlib.oauth2.rfc6749 import BaseGrant, TokenEndpointMixin, grants
from authlib.oauth2.rfc6749.errors import UnauthorizedClientError
from authlib.oauth2.rfc6749.requests import BasicOAuth2Payload

from oauth import pkce
from oauth.errors import InvalidGrant, InvalidRequest, TicketInvalid
from oauth.scopes import OWNER, parse_scopes
from oauth.server import metadata
from oauth.server.clients import parse_token_client
from oauth.server.codes import Codes
from oauth.server.devices import Devices
from oauth.server.exchange import ACCESS_TOKEN, read_exchange
from oauth.server.issuer import Issuer
from oauth.server.presented import PresentedClient, PresentedCode, PresentedRefreshToken
from oauth.tickets import Tickets


class Flows:
    """The grants of the token endpoint of the daemon at ``base``."""

    def __init__(
        self, base: str, *, codes: Codes, devices: Devices, issuer: Issuer, activations: Tickets[None]
    ) -> None:
        # At DEBUG Authlib logs whole token responses.
        logging.getLogger("authlib").setLevel(logging.WARNING)
        self._base = base
        self._server = _Server(base, codes, devices, issuer, activations)

    def answer(self, fields: Mapping[str, str], jkt: str | None) -> tuple[int, dict[str, Any]]:
        """Return status and body for a token request with ``fields``, whose client has proved the key ``jkt``.

        Raises:
            EndpointError: it is refused, in other words than Authlib's own, which come as a status and a body.
        """
        status, body = self._server.create_token_response(_Request(self._base, fields, jkt))
        return status, body


class _Request(OAuth2Request):  # type: ignore[misc]  # Authlib is untyped, here and below
    def __init__(self, base: str, fields: Mapping[str, str], jkt: str | None) -> None:
        super().__init__("POST", base + metadata.TOKEN_PATH)
        self.payload = BasicOAuth2Payload(fields)
        self.jkt = jkt

    @property
    def form(self) -> Mapping[str, str]:
        return self.payload.data  # type: ignore[no-any-return]


class _Server(AuthlibServer):  # type: ignore[misc]
    def __init__(self, base: str, codes: Codes, devices: Devices, issuer: Issuer, activations: Tickets[None]) -> None:
        super().__init__()
        self.base, self.codes, self.devices, self.issuer, self.activations = base, codes, devices, issuer, activations
        self.register_grant(_CodeGrant)
        self.register_grant(_RefreshGrant)
        self.register_grant(_ActivationGrant)
        self.register_grant(_DeviceGrant)

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
        if spent.code.yes.client_id != client.get_client_id() or spent.code.yes.jkt not in (None, self.request.jkt):
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
        issued = self.server.issuer.redeem(presented.code.yes, self.request.jkt)
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


class _DeviceGrant(BaseGrant, TokenEndpointMixin):  # type: ignore[misc]
    # Authlib's own says invalid_request of an unknown code, and lets one be used twice.
    GRANT_TYPE = metadata.DEVICE_CODE
    TOKEN_ENDPOINT_AUTH_METHODS = ("none",)

    def validate_token_request(self) -> None:
        client = self.authenticate_token_endpoint_client()
        if not client.check_grant_type(self.GRANT_TYPE):
            raise UnauthorizedClientError("the dashboard asks for no device code")
        code = self.request.form.get("device_code")
        if code is None:
            raise InvalidRequest("device_code is the code that was given for this device")
        self.request.credential = self.server.devices.poll(code, client.get_client_id(), self.request.jkt)

    def create_token_response(self) -> tuple[int, dict[str, Any], object]:
        issued = self.server.issuer.redeem(self.request.credential, self.request.jkt)
        return 200, issued.response(), self.TOKEN_RESPONSE_HEADER
