"""A client masks its WebSocket frames (RFC 6455 5.1), wherever packets are cut; the first that is bare ends it all."""

import asyncio
import random
import struct
from typing import Any

import pytest

from bridge.front.masking import MaskedReader
from tests.bridge.front.client import Front

NO_FRAME = b"\xff\x80"
SIZES = (0, 1, 125, 126, 127, 65535, 65536, 70_000)


def frame(size: int, *, is_masked: bool = True, opcode: int = 1) -> bytes:
    """Return one frame whose payload looks like heads of frames without a mask."""
    flag = 0x80 if is_masked else 0
    if size < 126:
        head = bytes([0x80 | opcode, flag | size])
    elif size < 65536:
        head = struct.pack("!BBH", 0x80 | opcode, flag | 126, size)
    else:
        head = struct.pack("!BBQ", 0x80 | opcode, flag | 127, size)
    return head + (b"\x00\x01\x02\x03" if is_masked else b"") + (b"\x81\x05" * size)[:size]


class Reader:
    """Keeps what it is fed."""

    def __init__(self) -> None:
        self.fed = b""

    def feed_data(self, data: bytes) -> tuple[bool, bytes]:
        self.fed += data
        return False, b""


def fed(content: bytes, cuts: list[int]) -> bytes:
    inner: Any = Reader()
    reader = MaskedReader(inner)
    for begin, end in zip([0, *cuts], [*cuts, len(content)], strict=True):
        reader.feed_data(content[begin:end])
    return bytes(inner.fed)


def test_masked_frames_are_handed_on_wherever_they_are_cut() -> None:
    content = b"".join(map(frame, SIZES * 2))
    chance = random.Random(7)  # noqa: S311  # the same cuts in every run

    for pieces in (1, 2, 5, 50, 1000):
        assert content == fed(content, sorted(chance.sample(range(1, len(content)), pieces - 1)))
    assert content[:500] == fed(content[:500], list(range(1, 500)))


@pytest.mark.parametrize("size", SIZES)
def test_in_place_of_a_frame_without_a_mask_comes_no_frame_and_nothing_behind_it(size: int) -> None:
    before = frame(3) + frame(200)
    content = before + frame(size, is_masked=False) + frame(1)

    for cut in range(1, len(before) + 4):
        assert before + NO_FRAME == fed(content, [cut])


@pytest.mark.parametrize("opcode", [0x1, 0x2, 0x8, 0x9, 0xA])
async def test_a_socket_is_closed_with_1002_and_nothing_has_run(front: Front, opcode: int) -> None:
    reader, writer = await asyncio.open_unix_connection(front.house._facts.socket)  # the fixture's own path
    lines = ("GET /v1/socket HTTP/1.1", "Host: x", "Connection: Upgrade", "Upgrade: websocket")
    key = ("Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==", "", "")
    writer.write("\r\n".join((*lines, *key)).encode())
    async with asyncio.timeout(10):
        assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 101")
        writer.write(frame(2, is_masked=False, opcode=opcode))
        answer = await reader.read()
    writer.close()

    assert b"\x88\x02\x03\xea" == answer[:4]  # a close frame with 1002, and nothing else
    assert 4 == len(answer)
