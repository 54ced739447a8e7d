"""One live session by each transport, and what its client sees of its end."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import NamedTuple

from aiohttp import ClientResponse, ClientSession, ClientWebSocketResponse, WSMsgType

from tests.bridge.front.client import Answer, Front
from tests.bridge.front.visitor import Visitor
from tests.bridge.front.waits import DEADLINE, until


class Opened(NamedTuple):
    """A WebSocket, a stream of events and a long poll of one client."""

    socket: ClientWebSocketResponse
    stream: ClientResponse
    poll: "asyncio.Task[Answer]"

    async def closes(self) -> int:
        """Return the code with which the WebSocket is closed."""
        message = await self.socket.receive(timeout=DEADLINE)
        while message.type is WSMsgType.TEXT:
            message = await self.socket.receive(timeout=DEADLINE)
        assert WSMsgType.CLOSE == message.type, message
        return int(message.data)

    async def ends(self) -> tuple[int, int, str]:
        """Wait until all three have ended; return the close code, and status and code of the long poll."""
        async with asyncio.timeout(DEADLINE):
            code = await self.closes()
            await self.stream.content.read()  # to its end
            answer = await self.poll
        return code, answer.status, answer.code


@asynccontextmanager
async def opened(visitor: Visitor) -> AsyncIterator[Opened]:
    """Open one session by each transport, and wait until the daemon counts them."""
    front = visitor.front
    before = len(front.house.sessions)
    socket = await visitor.says_hello(topics=["amp"])
    await socket.receive_json(timeout=DEADLINE)
    async with (
        ClientSession() as session,
        session.get(
            f"{front.base}/v1/events?topics=amp", headers=_stream(visitor.signs("GET", "/v1/events"))
        ) as stream,
    ):
        assert 200 == stream.status
        poll = asyncio.create_task(visitor.sends("GET", "/v1/events?topics=amp&wait=20"))
        await until(lambda: len(front.house.sessions) == before + 3)
        try:
            yield Opened(socket, stream, poll)
        finally:
            poll.cancel()
            await socket.close()
            stream.close()


def _stream(headers: Mapping[str, str]) -> dict[str, str]:
    return {**headers, "Accept": "text/event-stream"}


def live(front: Front, origin: str) -> int:
    """Return how many sessions a client has now."""
    return len([session for session in front.house.sessions.open_now() if session.caller.client == origin])
