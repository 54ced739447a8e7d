"""The owner's desk: an authorization server, and the short way through its flows for tests about what comes after."""

from collections.abc import Iterable
from urllib.parse import parse_qs, urlsplit

from oauth.nonces import Nonces
from oauth.server.flows import AuthorizationServer
from oauth.server.results import TokenResult
from oauth.store import Store
from tests.oauth.clock import FakeClock
from tests.oauth.page import Page

BASE = "http://127.0.0.1:4380"
TOKEN_URL = f"{BASE}/oauth/token"
SCOPES = {"player:read": "See what is playing", "player:control": "Play and pause"}
REDIRECT = "https://app.example/callback"


class Desk:
    """One daemon's server on ``store``, at ``base``."""

    def __init__(self, store: Store, clock: FakeClock, *, base: str = BASE) -> None:
        self.store = store
        self.clock = clock
        self.token_url = f"{base}/oauth/token"
        self.nonces = Nonces(clock)
        self.server = AuthorizationServer(
            store, base, scopes=lambda: SCOPES, daemon_key=self._daemon_key, nonces=self.nonces, clock=clock
        )

    def page(self, origin: str = "https://app.example") -> Page:
        """Return a page with a new key, whose proofs are dated by the test's clock and carry the server's nonce."""
        client = None if origin.startswith("native:") else origin
        return Page(origin, clock=self.clock, nonce=lambda: self.nonces.current(client))

    async def code(self, page: Page, scopes: Iterable[str] = SCOPES, **query: str | None) -> str:
        """Ask, say yes, and return the code."""
        request = self.server.authorization_request(page.authorize_query(scope=" ".join(sorted(scopes)), **query))
        redirect = self.server.allow(request, request.scopes)
        await self.store.commit()
        return answer_of(redirect)["code"]

    async def pair(self, page: Page, scopes: Iterable[str] = SCOPES) -> TokenResult:
        """Go all the way to the first tokens."""
        answer = await self.redeem(page, await self.code(page, scopes))
        assert answer.status == 200, answer
        return answer

    async def redeem(self, page: Page, code: str, **changes: str | None) -> TokenResult:
        """Present a code."""
        return await self.ask(page, page.code_form(code, **changes))

    async def refresh(self, page: Page, token: str, **changes: str | None) -> TokenResult:
        """Present a refresh token."""
        return await self.ask(page, page.refresh_form(token, **changes))

    async def activate(self, page: Page, secret: str | None = None, **changes: str | None) -> TokenResult:
        """Exchange an activation link."""
        secret = self.server.activation_link()[0] if secret is None else secret
        return await self.ask(page, page.activation_form(secret, **changes))

    async def ask(self, page: Page, body: bytes) -> TokenResult:
        """Post ``body`` to the token endpoint as ``page`` would: with its Origin and a new proof."""
        proof = page.proof("POST", self.token_url, nonce=self.nonces.current(page.origin))
        return await self.server.token(body, origin=page.origin, proofs=[proof])

    async def ask_natively(self, body: bytes) -> TokenResult:
        """Post ``body`` as a program would: no Origin, no proof."""
        return await self.server.token(body, origin=None, proofs=[])

    def _daemon_key(self, origin: str) -> dict[str, str]:
        salt = self.store.salt(origin)
        assert salt is not None, "the salt exists before the key is asked for"
        return {"kty": "EC", "crv": "P-256", "x": salt.hex(), "y": origin}


def answer_of(redirect: str) -> dict[str, str]:
    """Return the query of a redirect; each parameter must be there once."""
    answer = parse_qs(urlsplit(redirect).query, strict_parsing=True)
    assert all(len(values) == 1 for values in answer.values()), answer
    return {name: values[0] for name, values in answer.items()}
