"""WebSocket frames that no browser sends, each on a socket that was let in: told or closed, never believed."""

import json
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import chain
from socket import socket
from typing import Any, NamedTuple

import pytest

from tests.immunity.malformed import BODIES, UPGRADE, request
from tests.immunity.raw import Heard, connect, exchange
from tests.parts.daemon import Daemon

pytestmark = pytest.mark.real

MASK = b"\x11\x22\x33\x44"
CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG = 0, 1, 2, 8, 9, 10
FAULTS = {1002, 1007, 1009}
"""RFC 6455 section 7.4.1: protocol error, not UTF-8, too big."""


class Frame(NamedTuple):
    """A frame of the daemon's."""

    opcode: int
    payload: bytes


@pytest.fixture(name="daemon", scope="module")
def _daemon() -> Iterator[Daemon]:
    with Daemon(settings="[limits]\ncommands_per_second = 100000\nburst = 200000\n") as daemon:
        yield daemon
        log = daemon.log.read_text(encoding="utf-8")
        assert "Traceback" not in log
        assert "canary" not in log


@pytest.fixture(name="token", scope="module")
def _token(daemon: Daemon) -> str:
    return daemon.token("system:read")


def frame(opcode: int, payload: bytes = b"", *, fin: bool = True, rsv: int = 0, masked: bool = True) -> bytes:
    """Write a client's frame."""
    first, size, bit = opcode | rsv << 4 | fin << 7, len(payload), masked << 7
    if size < 126:
        head = struct.pack(">BB", first, bit | size)
    elif size < 65_536:
        head = struct.pack(">BBH", first, bit | 126, size)
    else:
        head = struct.pack(">BBQ", first, bit | 127, size)
    if not masked:
        return head + payload
    mask = (MASK * (size // 4 + 1))[:size]
    return head + MASK + (int.from_bytes(payload, "big") ^ int.from_bytes(mask, "big")).to_bytes(size, "big")


def frames(content: bytes) -> list[Frame]:
    """Cut what the daemon sent into frames."""
    found = []
    while content:
        size, start = content[1], 2
        if size >= 126:
            start = 4 if size == 126 else 10
            size = int.from_bytes(content[2:start], "big")
        found.append(Frame(content[0] & 15, content[start : start + size]))
        content = content[start + size :]
    return found


@contextmanager
def let_in(daemon: Daemon, token: str, *lines: str) -> Iterator[socket]:
    """Open a socket and say hello; the welcome has been read."""
    upgrade = request(f"Authorization: Bearer {token}", *UPGRADE, *lines, line="GET /v1/socket HTTP/1.1")
    with connect(("127.0.0.1", daemon.port)) as link:
        link.sendall(upgrade.replace(b"@HOST@", f"127.0.0.1:{daemon.port}".encode()))
        link.sendall(frame(TEXT, b'{"type":"hello"}'))
        heard = b""
        while b'"welcome"' not in heard or not heard.endswith(b"}"):
            came = link.recv(65_536)
            assert came, heard
            heard += came
        assert heard.startswith(b"HTTP/1.1 101 ")
        assert b"sec-websocket-extensions" not in heard.lower()
        yield link


def sent(link: socket, *pieces: bytes) -> Heard:
    """Send ``pieces`` and then a close, so that a socket that stands everything ends as well."""
    return exchange(link, chain(pieces, [frame(CLOSE, b"\x03\xe8")]), is_enough=lambda _: False)


def problems(heard: Heard) -> list[dict[str, Any]]:
    texts = [json.loads(each.payload) for each in frames(heard.content) if each.opcode == TEXT]
    return [text["error"] for text in texts if "error" in text]


BROKEN = {
    **{f"rsv-{rsv}": (frame(TEXT, b'{"type":"ping"}', rsv=rsv),) for rsv in range(1, 8)},
    **{f"rsv-control-{rsv}": (frame(PING, rsv=rsv),) for rsv in (1, 2, 4)},
    **{f"opcode-{opcode}": (frame(opcode, b"canary"),) for opcode in (3, 4, 5, 6, 7, 11, 12, 13, 14, 15)},
    "rsv-on-continuation": (frame(TEXT, b'{"type"', fin=False), frame(CONTINUATION, b':"ping"}', rsv=4)),
    "ping-in-parts": (frame(PING, b"a", fin=False), frame(CONTINUATION, b"b")),
    "ping-long": (frame(PING, b"a" * 126),),
    "ping-64k": (frame(PING, b"a" * 65_536),),
    "close-long": (frame(CLOSE, b"\x03\xe8" + b"a" * 124),),
    "pong-long": (frame(PONG, b"a" * 126),),
    "continuation-of-nothing": (frame(CONTINUATION, b"canary"),),
    "text-amid-parts": (frame(TEXT, b"{", fin=False), frame(TEXT, b'{"type":"ping"}')),
    "length-2-62": (b"\x81\xff" + (2**62).to_bytes(8, "big") + MASK,),
    "length-2-63": (b"\x81\xff" + (2**63).to_bytes(8, "big") + MASK,),
    "length-2-64": (b"\x81\xff" + (2**64 - 1).to_bytes(8, "big") + MASK,),
    "length-65537": (frame(TEXT, b" " * 65_537),),
    "binary-long": (frame(BINARY, b" " * 1_000_000),),
    "dribbled-long": tuple(bytes([byte]) for byte in b"\x81\xff" + (2**20).to_bytes(8, "big") + MASK),
    "endless-parts": (frame(TEXT, b" ", fin=False), *[frame(CONTINUATION, b" " * 1024, fin=False)] * 80),
    "endless-small-parts": (frame(TEXT, b" ", fin=False), frame(CONTINUATION, b" ", fin=False) * 70_000),
    "http": (b"GET /v1/hello HTTP/1.1\r\nHost: canary\r\n\r\n",),
    "noise": (b"\xff" * 4096,),
}  # fmt: skip


@pytest.mark.parametrize("name", BROKEN)
def test_a_frame_against_the_rfc_ends_the_socket(daemon: Daemon, token: str, name: str) -> None:
    with let_in(daemon, token) as link:
        heard = sent(link, *BROKEN[name])

    assert heard.is_closed
    assert b"canary" not in heard.content
    ends = [int.from_bytes(each.payload[:2], "big") for each in frames(heard.content) if each.opcode == CLOSE]
    assert ends == [] or ends[0] in FAULTS
    assert [] == [each for each in frames(heard.content) if each.opcode not in (TEXT, CLOSE)]


@pytest.mark.parametrize(
    "payload", [b"\x03", b"\x03\xe7", b"\x03\xed", b"\x03\xee", b"\x13\x88", b"\x03\xe8\xff\xfe", b"\x00\x00"]
)
def test_a_close_that_is_none_ends_the_socket_as_well(daemon: Daemon, token: str, payload: bytes) -> None:
    with let_in(daemon, token) as link:
        heard = sent(link, frame(CLOSE, payload))

    assert heard.is_closed


@pytest.mark.parametrize("body", [body for body in BODIES if body.isascii() and len(body) <= 65_536])
def test_text_that_is_no_frame_of_ours_is_told_and_the_socket_lives(daemon: Daemon, token: str, body: bytes) -> None:
    with let_in(daemon, token) as link:
        heard = sent(link, frame(TEXT, body), frame(TEXT, b'{"type":"ping","t":7}'))

    (problem,) = problems(heard)
    assert (400, True) == (problem["status"], problem["code"] in ("malformed_request", "invalid_params"))
    assert b'{"type":"pong","t":7}' in heard.content
    assert b"canary" not in heard.content


@pytest.mark.parametrize(
    ("text", "status"),
    [
        (b'{"type":"call","id":1,"command":"system.echo","params":{"text":"canary","text":"canary"}}', 400),
        (b'{"type":"call","id":1,"command":"system.echo","params":{"text":"\\ud800"}}', 400),
        (b'{"type":"call","id":1,"command":"system.echo","params":{"text":NaN}}', 400),
        (b'{"type":"call","id":1,"command":"system.echo","params":{"canary":1}}', 400),
        (b'{"type":"call","id":1,"command":"system.echo","params":["canary"]}', 400),
        (b'{"type":"call","id":1,"command":"system.canary"}', 404),
        (b'{"type":"call","id":1,"command":"canary.echo"}', 404),
        (b'{"type":"call","id":1,"command":"canary"}', 404),
        (b'{"type":"call","id":1,"command":"../canary/../../etc/passwd"}', 404),
        (b'{"type":"call","id":1,"id":2,"command":"system.version"}', 400),
        (b'{"type":"call","id":1.5,"command":"system.version"}', 400),
        (b'{"type":"call","id":[],"command":"system.version"}', 400),
        (b'{"type":"call","id":1e999,"command":"system.version"}', 400),
        (b'{"type":"call","command":"system.version"}', 400),
        (b'{"type":"canary"}', 400),
        (b'{"type":"hello"}', 400),
        (b'{"type":"subscribe","topics":["canary"]}', 404),
        (b'{"type":"subscribe","topics":"canary"}', 400),
        (b'{"type":"ping","t":1e999}', 400),
        (b'{"type":"ping","t":{"a":1,"a":2}}', 400),
        (b'{"type":"ping","t":"\\udc00"}', 400),
    ],
)
def test_a_frame_that_asks_for_what_is_not_is_told_without_its_words(
    daemon: Daemon, token: str, text: bytes, status: int
) -> None:
    with let_in(daemon, token) as link:
        heard = sent(link, frame(TEXT, text), frame(TEXT, b'{"type":"ping","t":7}'))

    (problem,) = problems(heard)
    assert status == problem["status"]
    assert b'{"type":"pong","t":7}' in heard.content
    assert b"canary" not in heard.content


@pytest.mark.parametrize("text", [b"\xff", b"\xc0\xaf", b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"\xe2\x82"])
def test_text_that_is_not_utf_8_is_told_or_ends_the_socket(daemon: Daemon, token: str, text: bytes) -> None:
    whole = (frame(TEXT, b'{"type":"ping","t":"%b"}' % text),)
    parts = (frame(TEXT, b'{"type":"ping","t":"' + text[:1], fin=False), frame(CONTINUATION, text[1:] + b'"}'))

    for pieces in (whole, parts):
        with let_in(daemon, token) as link:
            heard = sent(link, *pieces)

        assert heard.is_closed
        assert b"pong" not in heard.content
        assert ["malformed_request"] == [problem["code"] for problem in problems(heard)] or b"\x03\xef" in heard.content


def test_binary_is_told(daemon: Daemon, token: str) -> None:
    with let_in(daemon, token) as link:
        heard = sent(link, frame(BINARY, b'{"type":"ping","t":7}'))

    assert ["malformed_request"] == [problem["code"] for problem in problems(heard)]


def test_an_honest_frame_in_single_bytes_and_in_parts_is_heard(daemon: Daemon, token: str) -> None:
    ping = b'{"type":"ping","t":7}'
    dribbled = [bytes([byte]) for byte in frame(TEXT, ping)]
    parts = [frame(TEXT, ping[:9], fin=False), frame(PING, b"amid"), frame(CONTINUATION, ping[9:])]

    for pieces in (dribbled, parts):
        with let_in(daemon, token) as link:
            assert 1 == sent(link, *pieces).content.count(b'{"type":"pong","t":7}')


def test_an_unmasked_frame_gains_nothing_over_a_masked_one(daemon: Daemon, token: str) -> None:
    """aiohttp takes both (RFC 6455 5.1: close). The mask protects proxies from pages; here is no proxy to protect."""
    with let_in(daemon, token) as link:
        heard = sent(link, frame(TEXT, b'{"type":"call","id":1,"command":"system.canary"}', masked=False))

    assert heard.is_closed
    assert [404] >= [problem["status"] for problem in problems(heard)]
    assert b"canary" not in heard.content


def test_compression_that_is_offered_is_not_taken(daemon: Daemon, token: str) -> None:
    bomb = b"\xec\xc1\x01\x01\x00\x00\x00\x80\x90\xfe\xaf\xee\x08\x0a" + b"\x00" * 1000
    with let_in(daemon, token, "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits") as link:
        heard = sent(link, frame(TEXT, bomb, rsv=4))

    assert heard.is_closed
    assert [] == problems(heard)
