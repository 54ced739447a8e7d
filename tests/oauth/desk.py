"""The owner's desk: an authorization server, and the short way through its flows for tests about what comes after."""

from collections.abc import Iterable
from urllib.parse import parse_qs, urlsplit

from cryptography.hazmat.primitives.asymmetric import ec

from oauth.models import DeviceRequest
from oauth.nonces import Nonces
from oauth.server.results import TokenResult
from oauth.server.server import AuthorizationServer
from oauth.store import Store
from tests.oauth.clock import FakeClock
from tests.oauth.page import Page

BASE = "http://127.0.0.1:4380"
TOKEN_URL = f"{BASE}/oauth/token"
SCOPES = {"player:read": "See what is playing", "player:control": "Play and pause"}
DEVICE_CODE = "urn:ietf:params:oauth:grant-type:device_code"
REDIRECT = "https://app.example/callback"


class Desk:
    """One daemon's server on ``store``, at ``base``."""

    def __init__(self, store: Store, clock: FakeClock, *, base: str = BASE) -> None:
        self.store = store
        self.clock = clock
        self.token_url = f"{base}/oauth/token"
        self.nonces = Nonces(clock)
        self.asked: list[DeviceRequest] = []
        self.server = AuthorizationServer(
            store, base, scopes=lambda: SCOPES, daemon_key=self._daemon_key, nonces=self.nonces, clock=clock
        )

    def page(self, origin: str = "https://app.example", *, key: ec.EllipticCurvePrivateKey | None = None) -> Page:
        """Return a page with a new key, or this one; its proofs are dated by our clock and carry the server's nonce."""
        client = None if origin.startswith("native:") else origin
        return Page(origin, clock=self.clock, nonce=lambda: self.nonces.current(client), key=key)

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

    async def start_device(
        self, page: Page, scope: str = " ".join(sorted(SCOPES)), *, natively: bool = False, **changes: str | None
    ) -> TokenResult:
        """Ask for a device code; ``asked`` has the request that the owner is then asked."""
        url = self.token_url.replace("/token", "/device_authorization")
        form = page.token_form(scope=scope, **changes)
        origin = None if natively else page.origin
        proofs = [] if natively else [page.proof("POST", url, nonce=self.nonces.current(origin))]
        return await self.server.device_authorization(form, origin=origin, proofs=proofs, ask=self._ask)

    async def poll(self, page: Page, code: str, **changes: str | None) -> TokenResult:
        """Poll with a device code."""
        return await self.ask(page, self.poll_form(page, code, **changes))

    async def poll_natively(self, page: Page, code: str) -> TokenResult:
        """Poll as a program without a key does."""
        return await self.ask_natively(self.poll_form(page, code))

    def poll_form(self, page: Page, code: str, **changes: str | None) -> bytes:
        """Return the body of a poll."""
        return page.token_form(**{"grant_type": DEVICE_CODE, "device_code": code, **changes})

    async def revoke(self, page: Page, token: str, **changes: str | None) -> TokenResult:
        """Give a token back."""
        url = self.token_url.replace("/token", "/revoke")
        proof = page.proof("POST", url, nonce=self.nonces.current(page.origin))
        return await self.server.revoke(page.token_form(token=token, **changes), origin=page.origin, proofs=[proof])

    async def revoke_natively(self, page: Page, token: str) -> TokenResult:
        """Give a token back as a program without a key does."""
        return await self.server.revoke(page.token_form(token=token), origin=None, proofs=[])

    def _ask(self, request: DeviceRequest) -> str:
        self.asked.append(request)
        return f"BCDF-{len(self.asked):04}"

    def _daemon_key(self, origin: str) -> dict[str, str]:
        salt = self.store.salt(origin)
        assert salt is not None, "the salt exists before the key is asked for"
        return {"kty": "EC", "crv": "P-256", "x": salt.hex(), "y": origin}


def answer_of(redirect: str) -> dict[str, str]:
    """Return the query of a redirect; each parameter must be there once."""
    answer = parse_qs(urlsplit(redirect).query, strict_parsing=True)
    assert all(len(values) == 1 for values in answer.values()), answer
    return {name: values[0] for name, values in answer.items()}
