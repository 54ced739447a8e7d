"""A client, a code and a refresh token in the shape in which Authlib asks about them (its model mixins)."""

from oauth.scopes import format_scopes
from oauth.server.clients import Client, ClientKind
from oauth.server.codes import Code, Spent
from oauth.server.issuer import Presented
from oauth.server.metadata import DEVICE_CODE, TOKEN_EXCHANGE


class PresentedClient:
    """A client: public, never with a secret."""

    def __init__(self, client: Client) -> None:
        self.client = client

    def get_client_id(self) -> str:
        """Return the ``client_id``."""
        return self.client.id

    def get_default_redirect_uri(self) -> None:
        """Return None: every request names its redirect URI."""

    def check_redirect_uri(self, uri: str) -> bool:
        """Say whether answers may go to ``uri``."""
        return self.client.may_redirect_to(uri)

    def check_client_secret(self, secret: str) -> bool:
        """Say no: there are no secrets."""
        del secret
        return False

    def check_endpoint_auth_method(self, method: str, endpoint: str) -> bool:
        """Say whether the client authenticates by ``method``: Origin and proof are checked before Authlib is asked."""
        del endpoint
        return method == "none"

    def check_response_type(self, response_type: str) -> bool:
        """Say whether it is ``code``."""
        return response_type == "code"

    def check_grant_type(self, grant_type: str) -> bool:
        """Say whether this kind of client may use a grant type: the dashboard alone, and it alone, uses exchange."""
        if self.client.kind is ClientKind.OWNER:
            return grant_type in (TOKEN_EXCHANGE, "refresh_token")
        return grant_type in ("authorization_code", "refresh_token", DEVICE_CODE)

    def get_allowed_scope(self, scope: str) -> str:
        """Return ``scope``: what may be asked for depends on the apps, not on the client."""
        return scope


class PresentedCode:
    """An authorization code that was just taken."""

    def __init__(self, spent: Spent, *, is_first: bool) -> None:
        self.spent = spent
        self.is_first = is_first

    @property
    def code(self) -> Code:
        """What the code stands for."""
        return self.spent.code

    def get_redirect_uri(self) -> str:
        """Return the redirect URI, which the token request repeats byte for byte."""
        return self.code.redirect_uri

    def get_scope(self) -> str:
        """Return the scopes that the owner allowed."""
        return format_scopes(self.code.yes.scopes)


class PresentedRefreshToken:
    """A refresh token whose client and key have been checked."""

    def __init__(self, presented: Presented) -> None:
        self.presented = presented

    def check_client(self, client: PresentedClient) -> bool:
        """Say whether it was issued to ``client``."""
        return self.presented.grant.client_id == client.client.id

    def get_scope(self) -> str:
        """Return its scopes, which a refresh may narrow."""
        return format_scopes(self.presented.token.scopes)
