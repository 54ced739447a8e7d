"""The clients: raw sockets on uvloop, so that what is measured is the server. Every answer is looked at."""

import asyncio
import os
import re
import time
from collections.abc import Sequence
from typing import cast

_LENGTH = re.compile(rb"\r\ncontent-length: *([0-9]+)", re.IGNORECASE)


class WrongAnswer(Exception):
    """The server did not answer as it should; a fast refusal is no result."""


class Connection:
    """One HTTP/1.1 or WebSocket connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    async def ask(self, request: bytes) -> bytes:
        """Send a request and return the body of its 200 answer."""
        self.writer.write(request)
        head = await self.reader.readuntil(b"\r\n\r\n")
        length = _LENGTH.search(head)
        body = await self.reader.readexactly(int(length[1])) if length else b""
        if not head.startswith(b"HTTP/1.1 200"):
            raise WrongAnswer(head.decode("latin-1") + body.decode("latin-1"))
        return body

    async def upgrade(self, path: str, headers: Sequence[str]) -> None:
        """Make the connection a WebSocket."""
        lines = [f"GET {path} HTTP/1.1", *headers, "Connection: Upgrade", "Upgrade: websocket"]
        lines += ["Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==", "", ""]
        self.writer.write("\r\n".join(lines).encode())
        head = await self.reader.readuntil(b"\r\n\r\n")
        if not head.startswith(b"HTTP/1.1 101"):
            raise WrongAnswer(head.decode("latin-1"))

    async def say(self, frame: bytes) -> bytes:
        """Send a ready frame and return the next message."""
        self.writer.write(frame)
        return await self.hear()

    async def hear(self) -> bytes:
        """Return the next message."""
        first, size = await self.reader.readexactly(2)
        if size == 126:
            size = int.from_bytes(await self.reader.readexactly(2), "big")
        elif size == 127:
            size = int.from_bytes(await self.reader.readexactly(8), "big")
        body = await self.reader.readexactly(size)
        if first != 0x81:
            raise WrongAnswer(f"frame {first:#x}: {body!r}")
        return body

    def close(self) -> None:
        """End it."""
        self.writer.transport.abort()


async def connect(port: int) -> Connection:
    """Open a connection to 127.0.0.1:``port``."""
    return Connection(*await asyncio.open_connection("127.0.0.1", port, limit=1024 * 1024))


def frame(payload: bytes) -> bytes:
    """Return a client's text frame; the mask is random, as a client's must be (RFC 6455 section 5.3)."""
    mask = os.urandom(4)
    size = len(payload)
    head = bytes((0x81, 0x80 | size)) if size < 126 else bytes((0x81, 0xFE)) + size.to_bytes(2, "big")
    return head + mask + bytes(byte ^ mask[index % 4] for index, byte in enumerate(payload))


async def latency(connection: Connection, messages: Sequence[bytes], *, socket: bool) -> float:
    """Return the median time of one answer, in microseconds, one after the other."""
    ask = connection.say if socket else connection.ask
    times = []
    for message in messages:
        begun = time.perf_counter()
        await ask(message)
        times.append(time.perf_counter() - begun)
    times.sort()
    return times[len(times) // 2] * 1e6


async def throughput(connections: Sequence[Connection], messages: Sequence[bytes], *, socket: bool) -> float:
    """Return answers a second while every connection has one request under way."""
    waiting = iter(messages)

    async def work(connection: Connection) -> None:
        ask = connection.say if socket else connection.ask
        for message in waiting:
            await ask(message)

    begun = time.perf_counter()
    await asyncio.gather(*(work(connection) for connection in connections))
    return len(messages) / (time.perf_counter() - begun)


class Listener(asyncio.Protocol):
    """One SSE client that counts events."""

    def __init__(self, request: bytes, opened: asyncio.Event) -> None:
        self.events = 0
        self._request = request
        self._opened = opened
        self._rest = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Ask for the stream."""
        self.transport = cast(asyncio.Transport, transport)  # uvloop's own is one in all but name
        self.transport.write(self._request)

    def data_received(self, data: bytes) -> None:
        """Count; a mark may lie across two pieces."""
        self._opened.set()
        seen = self._rest + data
        self.events += seen.count(b"data: ")
        self._rest = seen[-5:]


async def listen(port: int, request: bytes, count: int) -> list[Listener]:
    """Open ``count`` streams; each has answered when this returns."""
    loop = asyncio.get_running_loop()
    listeners = []
    for start in range(0, count, 100):
        events = [asyncio.Event() for _ in range(min(100, count - start))]
        for opened in events:
            _, listener = await loop.create_connection(lambda e=opened: Listener(request, e), "127.0.0.1", port)  # type: ignore[misc]  # bound early
            listeners.append(listener)
        await asyncio.wait_for(asyncio.gather(*(opened.wait() for opened in events)), 30)
    return listeners


async def fan_out(listeners: Sequence[Listener], publisher: Connection, messages: Sequence[bytes]) -> float:
    """Return deliveries a second, from the first publication until every listener has every event."""
    expected = [listener.events + len(messages) for listener in listeners]
    begun = time.perf_counter()
    for message in messages:
        await publisher.ask(message)
    while any(listener.events < wanted for listener, wanted in zip(listeners, expected, strict=True)):
        if time.perf_counter() - begun > 60:
            raise WrongAnswer("events were lost")
        await asyncio.sleep(0.001)
    return len(messages) * len(listeners) / (time.perf_counter() - begun)
