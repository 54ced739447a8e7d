"""One connection on the wire: deadlines, caps and what is closed for them. The bounds are shortened, not the code."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from bridge.config import Limits
from bridge.front import connection
from tests.bridge.front.client import Front

pytestmark = pytest.mark.broad

SOON = 0.4
"""Of a deadline under test; whoever is not closed by it is asked again after twice that."""

Link = tuple[asyncio.StreamReader, asyncio.StreamWriter]


@pytest.fixture(name="limits")
def _limits() -> Limits:
    return Limits(connections=12, silent_connections=3, commands_per_second=1000, burst=1000)


@pytest.fixture(autouse=True)
def _soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "HEAD_SECONDS", SOON)
    monkeypatch.setattr(connection, "GRACE_SECONDS", 0.05)
    monkeypatch.setattr(connection, "READ_SECONDS", SOON)


@asynccontextmanager
async def connected(front: Front) -> AsyncIterator[Link]:
    reader, writer = await asyncio.open_connection("127.0.0.1", int(front.base.rpartition(":")[2]))
    try:
        yield reader, writer
    finally:
        writer.close()


def hello(front: Front, *, method: str = "GET", path: str = "/v1/hello", more: str = "") -> bytes:
    return f"{method} {path} HTTP/1.1\r\nHost: {front.base.removeprefix('http://')}\r\n{more}\r\n".encode()


async def answered(link: Link, request: bytes) -> bytes:
    link[1].write(request)
    async with asyncio.timeout(5):
        head = await link[0].readuntil(b"\r\n\r\n")
        length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])
        return head + await link[0].readexactly(length)


async def closed(link: Link) -> bytes:
    """Return what came before the daemon closed; it has to, within a deadline far beyond any that is tested here."""
    async with asyncio.timeout(10):
        try:
            return await link[0].read()
        except ConnectionResetError:
            return b""


async def reasons(front: Front) -> list[str]:
    return [refusal["reason"] for refusal in (await front.owner("GET", "/v1/refusals")).json["refusals"]]


@pytest.mark.parametrize("part", [b"G", b"GET /v1/hello HT", b"GET /v1/hello HTTP/1.1\r\nHo", b"\r\n"])
async def test_a_head_that_does_not_end_is_closed(front: Front, part: bytes) -> None:
    async with connected(front) as link:
        link[1].write(part)

        assert b"" == await closed(link)
    assert ["head_too_slow"] == await reasons(front)


async def test_the_deadline_starts_anew_with_each_request_of_a_connection(front: Front) -> None:
    async with connected(front) as link:
        for _ in range(3):
            assert (await answered(link, hello(front))).startswith(b"HTTP/1.1 200")
            await asyncio.sleep(SOON * 2)  # idle for longer than a head may take: that is no head
        link[1].write(hello(front)[:20])

        assert b"" == await closed(link)
    assert ["head_too_slow"] == await reasons(front)


async def test_bytes_that_drip_do_not_extend_the_deadline(front: Front) -> None:
    async with connected(front) as link:
        for byte in hello(front, more="X: " + "x" * 200 + "\r\n"):
            link[1].write(bytes([byte]))
            await asyncio.sleep(0.01)
            if link[0].at_eof() or link[1].is_closing():
                break

        assert b"" == await closed(link)


async def test_the_head_of_a_pipelined_request_has_the_same_deadline(front: Front) -> None:
    async with connected(front) as link:
        link[1].write(hello(front) + hello(front)[:20])

        assert (await closed(link)).count(b"HTTP/1.1 200") == 1
    assert ["head_too_slow"] == await reasons(front)


FORM = "Content-Type: application/x-www-form-urlencoded\r\n"
BODIES = {
    "length": (f"{FORM}Content-Length: 9\r\n", b"a=b\r\n\r\ncd"),
    "chunks": (f"{FORM}Transfer-Encoding: chunked\r\n", b"3\r\na=b\r\n0\r\n\r\n"),
    "trailer": (f"{FORM}Transfer-Encoding: chunked\r\n", b"3\r\na=b\r\n0\r\nX: y\r\n\r\n"),
}
NEXT = (b"G", b"GET /v1/hello HTTP/1.1\r\n", b"GET /v1/hello HTTP/1.1\r\nX: 0\r\n")


@pytest.mark.parametrize("part", NEXT)
@pytest.mark.parametrize("kind", BODIES)
@pytest.mark.parametrize("cut", ["one packet", "head alone", "in the body", "in the head"])
async def test_the_head_behind_a_body_has_the_same_deadline(front: Front, kind: str, part: bytes, cut: str) -> None:
    more, body = BODIES[kind]
    head = hello(front, method="POST", path="/oauth/token", more=more)
    sent = head + body + part
    at = {"one packet": len(sent), "head alone": len(head), "in the body": len(head) + 2, "in the head": len(head) - 2}
    async with connected(front) as link:
        link[1].write(sent[: at[cut]])
        await asyncio.sleep(0.02)
        link[1].write(sent[at[cut] :])

        assert (await closed(link)).count(b"HTTP/1.1 400") == 1
    assert ["head_too_slow"] == await reasons(front)


@pytest.mark.parametrize("kind", BODIES)
async def test_a_head_behind_pipelined_bodies_has_the_same_deadline(front: Front, kind: str) -> None:
    more, body = BODIES[kind]
    one = hello(front, method="POST", path="/oauth/token", more=more) + body
    async with connected(front) as link:
        link[1].write(hello(front) + one * 3 + NEXT[1])

        assert (await closed(link)).count(b"HTTP/1.1 400") == 3
    assert ["head_too_slow"] == await reasons(front)


@pytest.mark.parametrize("kind", BODIES)
@pytest.mark.parametrize("times", [1, 3])
@pytest.mark.parametrize("back", [0, 1, 2, 3, 5, 10, 20])
async def test_a_connection_lives_behind_a_body_that_came_in_parts(
    front: Front, kind: str, times: int, back: int
) -> None:
    more, body = BODIES[kind]
    sent = b"\r\n" + (hello(front, method="POST", path="/oauth/token", more=more) + body) * times
    async with connected(front) as link:
        for part in (sent[: len(sent) - back], sent[len(sent) - back :]):
            link[1].write(part)
            await asyncio.sleep(0.02)
        async with asyncio.timeout(5):
            for _ in range(times):
                await link[0].readuntil(b'"}')
        await asyncio.sleep(SOON * 2)

        assert (await answered(link, hello(front))).startswith(b"HTTP/1.1 200")
    assert [] == await reasons(front)


@pytest.mark.parametrize("kind", BODIES)
@pytest.mark.parametrize("size", [50, 1000, 100_000])
async def test_more_pipelined_requests_than_wait_at_once_are_all_answered(
    front: Front, monkeypatch: pytest.MonkeyPatch, kind: str, size: int
) -> None:
    monkeypatch.setattr(connection, "HEAD_SECONDS", 20.0)  # not what this is about
    more, body = BODIES[kind]
    sent = (hello(front, method="POST", path="/oauth/token", more=more) + body) * 100
    async with connected(front) as link:
        for at in range(0, len(sent), size):
            link[1].write(sent[at : at + size])
            await asyncio.sleep(0)
        async with asyncio.timeout(20):
            for _ in range(100):
                await link[0].readuntil(b'"}')


@pytest.mark.parametrize("back", [1, 2, 3])
async def test_a_head_whose_end_came_in_two_parts_has_ended(front: Front, back: int) -> None:
    async with connected(front) as link:
        link[1].write(hello(front)[:-back])
        await asyncio.sleep(0.02)
        assert (await answered(link, hello(front)[-back:])).startswith(b"HTTP/1.1 200")
        await asyncio.sleep(SOON * 2)

        assert (await answered(link, hello(front))).startswith(b"HTTP/1.1 200")


async def test_whole_pipelined_requests_are_answered_and_the_connection_lives(front: Front) -> None:
    async with connected(front) as link:
        link[1].write(hello(front) * 40)
        async with asyncio.timeout(5):
            for _ in range(40):
                await link[0].readuntil(b'"max":1}}')
        await asyncio.sleep(SOON * 2)

        assert (await answered(link, hello(front))).startswith(b"HTTP/1.1 200")


async def test_a_body_is_not_held_to_the_deadline_of_a_head(front: Front) -> None:
    token = await front.token("amp:read")
    async with connected(front) as link:
        more = f"Authorization: Bearer {token}\r\nContent-Type: application/json\r\nContent-Length: 2\r\n"
        link[1].write(hello(front, method="POST", path="/v1/apps/amp/who", more=more) + b"{")
        await asyncio.sleep(SOON * 2)

        assert (await answered(link, b"}")).startswith(b"HTTP/1.1 200")
        await asyncio.sleep(SOON * 2)
        assert (await answered(link, hello(front))).startswith(b"HTTP/1.1 200")


async def test_a_socket_is_not_held_to_the_deadline_of_a_head(front: Front) -> None:
    socket = await front.socket(headers=await front.bearer("amp:read"), protocols=("tollbridge.v1",))
    await socket.send_json({"type": "hello", "nonce": "n" * 16, "topics": []})
    assert "welcome" == (await socket.receive_json(timeout=5))["type"]
    await socket.send_json({"type": "ping", "t": 1})
    assert "pong" == (await socket.receive_json(timeout=5))["type"]
    await asyncio.sleep(SOON * 2)

    await socket.send_json({"type": "ping", "t": 2})
    assert "pong" == (await socket.receive_json(timeout=5))["type"]
    await socket.close()


async def test_one_silent_connection_too_many_closes_the_oldest(front: Front) -> None:
    async with connected(front) as first:
        await asyncio.sleep(0.1)
        async with connected(front) as second, connected(front), connected(front) as newest:
            assert b"" == await closed(first)
            assert ["too_many_silent"] == await reasons(front)
            for link in (second, newest):
                assert (await answered(link, hello(front))).startswith(b"HTTP/1.1 200")


async def test_connections_that_have_spoken_are_not_silent(front: Front) -> None:
    async with connected(front) as one, connected(front) as two, connected(front) as three, connected(front) as four:
        for link in (one, two, three, four):
            await answered(link, hello(front))
        async with connected(front), connected(front), connected(front):
            await asyncio.sleep(SOON)
            for link in (one, two, three, four):
                assert (await answered(link, hello(front))).startswith(b"HTTP/1.1 200")
    assert [] == await reasons(front)


async def test_one_connection_too_many_closes_an_idle_one_and_the_new_one_is_answered(front: Front) -> None:
    async with connected(front) as oldest:
        await answered(oldest, hello(front))
        links = [await asyncio.open_connection("127.0.0.1", int(front.base.rpartition(":")[2])) for _ in range(12)]
        for link in links:
            assert (await answered(link, hello(front))).startswith(b"HTTP/1.1 200")

        assert b"" == await closed(oldest)
        assert ["too_many_connections"] == await reasons(front)
        for link in links:
            link[1].close()


async def test_the_unix_socket_has_room_of_its_own(front: Front) -> None:
    links = [await asyncio.open_connection("127.0.0.1", int(front.base.rpartition(":")[2])) for _ in range(12)]

    assert 200 == (await front.owner("GET", "/v1/status")).status
    for link in links:
        link[1].close()


async def test_a_client_that_does_not_read_is_closed(front: Front) -> None:
    async with connected(front) as link:
        link[1].transport.pause_reading()
        for _ in range(400):
            link[1].write(hello(front) * 100)
            await asyncio.sleep(0)
            if link[1].is_closing() or "read_too_slow" in await reasons(front):
                break

        async with asyncio.timeout(10):
            while "read_too_slow" not in await reasons(front):  # noqa: ASYNC110  # the product signals nobody
                await asyncio.sleep(0.05)
