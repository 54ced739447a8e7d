"""A reader that stops reading costs the others nothing, is told what it missed, and is dropped in the end."""

import asyncio
import json
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from bridge.events import outbox
from bridge.front.session import Session
from tests.bridge.amplifier import Amplifier
from tests.bridge.front.client import Front
from tests.bridge.front.waits import until

pytestmark = pytest.mark.broad

TIMES, SIZE = 12_000, 1000
"""About 12 MB: far more than the kernel's buffers and the outbox hold together."""


@asynccontextmanager
async def reader(front: Front, buffer: int) -> AsyncIterator[asyncio.StreamReader]:
    """Open a stream whose socket takes only ``buffer`` bytes before somebody reads."""
    sock = socket.socket()
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffer)
    sock.setblocking(False)
    host = front.base.removeprefix("http://")
    await asyncio.get_running_loop().sock_connect(sock, ("127.0.0.1", int(host.partition(":")[2])))
    stream, writer = await asyncio.open_connection(sock=sock, limit=4096)
    token = await front.token("amp:read")
    writer.write(
        f"GET /v1/events?topics=amp HTTP/1.1\r\nHost: {host}\r\nAccept: text/event-stream\r\n"
        f"Authorization: Bearer {token}\r\n\r\n".encode()
    )
    try:
        yield stream
    finally:
        writer.close()


async def events(stream: asyncio.StreamReader) -> AsyncIterator[dict[str, object]]:
    """Yield each event; lines may be longer than the buffer."""
    rest = b""
    while piece := await stream.read(65536):
        *lines, rest = (rest + piece).split(b"\n")
        for line in lines:
            if line.startswith(b"data: "):
                yield json.loads(line[6:])


def number(event: dict[str, object]) -> int:
    return int(str(event["id"]).partition(".")[2])


async def test_every_number_arrives_once_or_lies_in_a_gap(front: Front, amplifier: Amplifier) -> None:
    async with reader(front, 4096) as slow, reader(front, 1 << 20) as healthy:
        await until(lambda: len(front.house.sessions) == 2)

        amplifier.shout(TIMES, SIZE)
        amplifier.shout(1, 10)

        for stream in (slow, healthy):  # at such a pace even the second one is late
            last, gaps = 0, 0
            async with asyncio.timeout(10):
                async for event in events(stream):
                    if event["topic"] == "tollbridge":
                        gaps += 1
                        assert isinstance(event["data"], dict)
                        assert last == int(event["data"]["from"].partition(".")[2])
                        last = int(event["data"]["to"].partition(".")[2])
                    else:
                        assert last + 1 == number(event)
                        last = number(event)
                    if last == TIMES + 1:
                        break
            assert gaps >= 1


async def test_others_lose_nothing_while_one_does_not_read(front: Front, amplifier: Amplifier) -> None:
    async with reader(front, 4096), reader(front, 1 << 20) as healthy:
        await until(lambda: len(front.house.sessions) == 2)
        told = events(healthy)

        async with asyncio.timeout(20):
            for step in range(1, 601):
                amplifier.shout(10, SIZE)
                for _ in range(10):
                    event = await anext(told)
                    assert event["name"] == "noise"
                assert step * 10 == number(event)


async def test_what_waits_for_a_slow_reader_is_bounded(front: Front, amplifier: Amplifier) -> None:
    async with reader(front, 4096):
        await until(lambda: len(front.house.sessions) == 1)
        amplifier.shout(TIMES, SIZE)

        (session,) = front.house.sessions.open_now()
        assert isinstance(session, Session)
        assert len(session.outbox) <= outbox.BOUND_EVENTS + 1


@pytest.mark.real
async def test_a_reader_that_takes_nothing_is_dropped(front: Front, amplifier: Amplifier) -> None:
    async with reader(front, 4096):
        await until(lambda: len(front.house.sessions) == 1)

        amplifier.shout(TIMES, SIZE)

        async with asyncio.timeout(9):  # the write deadline is 5 s
            while len(front.house.sessions):  # noqa: ASYNC110  # the product signals nobody
                await asyncio.sleep(0.05)
