"""Asks a front as a program, a page or the owner does."""

import json as jsonlib
from typing import Any, NamedTuple

from aiohttp import ClientSession, ClientWebSocketResponse, UnixConnector
from multidict import CIMultiDictProxy

from bridge.front.house import House
from oauth.store import Store


class Answer(NamedTuple):
    """A whole answer."""

    status: int
    headers: CIMultiDictProxy[str]
    body: bytes

    @property
    def json(self) -> Any:
        """Return the body read as JSON."""
        return jsonlib.loads(self.body)

    @property
    def code(self) -> str:
        """Return the problem's stable code."""
        return str(self.json["code"])


class Front:
    """A front under test; requests are sent as given, nothing is added but what HTTP needs."""

    def __init__(self, base: str, socket: str, house: House, store: Store) -> None:
        self.base = base
        self.house = house
        self.store = store
        self._tcp = ClientSession(skip_auto_headers=("User-Agent", "Content-Type", "Accept"), auto_decompress=False)
        self._unix = ClientSession(connector=UnixConnector(path=socket), skip_auto_headers=("Content-Type",))

    async def close(self) -> None:
        """End the connections."""
        await self._tcp.close()
        await self._unix.close()

    async def send(
        self,
        method: str,
        path: str,
        *,
        headers: dict[str, str] | None = None,
        json: object = None,
        body: bytes | None = None,
        unix: bool = False,
    ) -> Answer:
        """Send one request over TCP, or over the Unix socket."""
        session, base = (self._unix, "http://localhost") if unix else (self._tcp, self.base)
        return await self._send(session, base, method, path, headers, json, body)

    async def owner(
        self, method: str, path: str, *, json: object = None, headers: dict[str, str] | None = None
    ) -> Answer:
        """Send one request over the Unix socket."""
        return await self._send(self._unix, "http://localhost", method, path, headers, json, None)

    async def socket(
        self, *, headers: dict[str, str] | None = None, protocols: tuple[str, ...] = (), unix: bool = False
    ) -> ClientWebSocketResponse:
        """Open a WebSocket."""
        session, base = (self._unix, "http://localhost") if unix else (self._tcp, self.base)
        return await session.ws_connect(f"{base}/v1/socket", headers=headers, protocols=protocols)

    async def token(self, scope: str, *, ttl: int = 600, name: str = "test") -> str:
        """Return a bearer token for a native program."""
        answer = await self.owner("POST", "/v1/tokens", json={"scope": scope, "ttl": ttl, "name": name})
        assert 200 == answer.status, answer.body
        return str(answer.json["access_token"])

    async def bearer(self, scope: str) -> dict[str, str]:
        """Return the header of such a token."""
        return {"Authorization": f"Bearer {await self.token(scope)}"}

    async def _send(
        self,
        session: ClientSession,
        base: str,
        method: str,
        path: str,
        headers: dict[str, str] | None,
        json: object,
        body: bytes | None,
    ) -> Answer:
        sent = dict(headers or {})
        if json is not None:
            body = jsonlib.dumps(json).encode()
            sent.setdefault("Content-Type", "application/json")
        async with session.request(method, f"{base}{path}", headers=sent, data=body, allow_redirects=False) as answer:
            return Answer(answer.status, answer.headers, await answer.read())
