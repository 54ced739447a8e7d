"""A page that pairs and asks through a front, with a real key and real proofs."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qs, urlsplit

from aiohttp import ClientWebSocketResponse

from tests.bridge.front.client import Answer, Front
from tests.oauth.page import Page

SCOPE = "amp:read amp:control"


class Visitor(Page):
    """A page at ``origin`` in one browser profile."""

    def __init__(self, front: Front, origin: str = "https://app.example") -> None:
        super().__init__(origin, nonce=lambda: front.house.nonces.current(origin))
        self.front = front
        self.tokens: dict[str, Any] = {}

    async def asks(self, scope: str = SCOPE, **changes: str | None) -> Answer:
        """Open an authorization request, as the consent page does for it."""
        query = self.authorize_query(scope=scope, **changes)
        return await self.front.send(
            "POST", "/oauth/requests", headers={"Origin": self.front.base}, json={"query": query}
        )

    async def is_answered(
        self, asked: Answer, answer: str = "allow", *, until: str | None = None
    ) -> dict[str, list[str]]:
        """Have the owner answer, and return the query of the redirect that the consent page then follows."""
        body = {"answer": answer} if until is None else {"answer": answer, "until": until}
        told = await self.front.owner("POST", f"/oauth/requests/{asked.json['code']}", json=body)
        assert 200 == told.status, told.body
        handle = asked.json["handle"]
        status = await self.front.send("GET", f"/oauth/requests/{handle}?wait=5", headers=SAME_ORIGIN)
        return parse_qs(urlsplit(status.json["redirect"]).query)

    async def redeems(self, form: bytes, **headers: str) -> Answer:
        """Post to the token endpoint with a fresh proof."""
        sent = {
            "Origin": self.origin,
            "Content-Type": "application/x-www-form-urlencoded",
            "DPoP": self.proof("POST", f"{self.front.base}/oauth/token"),
            **headers,
        }
        return await self.front.send("POST", "/oauth/token", headers=sent, body=form)

    async def posts(self, path: str, form: bytes, **headers: str) -> Answer:
        """Post a form to one of the OAuth endpoints with a fresh proof."""
        sent = {"Origin": self.origin, **FORM, "DPoP": self.proof("POST", self.front.base + path), **headers}
        return await self.front.send("POST", path, headers=sent, body=form)

    async def starts_device(self, scope: str = SCOPE) -> Answer:
        """Ask for a device code."""
        return await self.posts("/oauth/device_authorization", self.token_form(scope=scope))

    async def polls(self, device_code: str) -> Answer:
        """Ask whether the owner has answered."""
        grant_type = "urn:ietf:params:oauth:grant-type:device_code"
        return await self.redeems(self.token_form(grant_type=grant_type, device_code=device_code))

    async def revokes(self, token: str) -> Answer:
        """Give a token back."""
        return await self.posts("/oauth/revoke", self.token_form(token=token))

    async def pairs(self, scope: str = SCOPE, until: str | None = None) -> "Visitor":
        """Go the whole way to a token."""
        redirect = await self.is_answered(await self.asks(scope), until=until)
        answer = await self.redeems(self.code_form(redirect["code"][0]))
        assert 200 == answer.status, answer.body
        self.tokens = answer.json
        return self

    def signs(self, method: str, path: str, **changes: Any) -> dict[str, str]:
        """Return the headers of one request with its proof."""
        token = self.tokens["access_token"]
        url = self.front.base + path.partition("?")[0]
        return {
            "Origin": self.origin,
            "Authorization": f"DPoP {token}",
            "DPoP": self.proof(method, url, token, **changes),
        }

    async def sends(self, method: str, path: str, *, json: object = None, headers: Mapping[str, str] = {}) -> Answer:
        """Send one request as the paired page."""
        return await self.front.send(method, path, headers={**self.signs(method, path), **headers}, json=json)

    async def ticket(self) -> str:
        """Get a socket ticket."""
        return str((await self.sends("POST", "/v1/tickets")).json["ticket"])

    async def opens_socket(self, ticket: str | None = None, *, version: str = "v1") -> ClientWebSocketResponse:
        """Open a WebSocket, with a fresh ticket unless one is given."""
        ticket = await self.ticket() if ticket is None else ticket
        protocols = (f"tollbridge.{version}", f"ticket.{ticket}")
        return await self.front.socket(headers={"Origin": self.origin}, protocols=protocols)

    async def says_hello(self, **fields: object) -> ClientWebSocketResponse:
        """Open a WebSocket and say hello; the welcome is still to be read."""
        socket = await self.opens_socket()
        await socket.send_json({"type": "hello", "topics": [], **fields})
        return socket


FORM = {"Content-Type": "application/x-www-form-urlencoded"}
SAME_ORIGIN = {"Sec-Fetch-Site": "same-origin"}
