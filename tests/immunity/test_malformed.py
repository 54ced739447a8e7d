"""Everything malformed, at the real daemon, under both of aiohttp's parsers: a 4xx or a close, and nothing else.

All requests of a parser are sent once, side by side, because some are answered by a deadline; each is judged by itself.
"""

import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.immunity.malformed import Case, all_cases, chunked
from tests.immunity.malformed import request as written
from tests.immunity.raw import Heard, ask, ask_late, connect, exchange
from tests.parts.daemon import Daemon

pytestmark = pytest.mark.real

CASES = all_cases()
AT_ONCE = 48
"""Below the cap of silent connections."""
GROWTH_BYTES = 64 * 1024 * 1024
PIPELINED = 10_000
SETTINGS = "[limits]\ncommands_per_second = 100000\nburst = 200000\nsockets = 1024\n"
NEVER = (
    *(b"canary", b"pathmark", b"traceback", b"python", b"aiohttp", b"x-injected"),
    *(b"server:", b"set-cookie:", b"location:", b"allow-origin: *"),
)


@pytest.fixture(name="daemon", scope="module", params=["c", "python"])
def _daemon(request: pytest.FixtureRequest) -> Iterator[Daemon]:
    env = {"AIOHTTP_NO_EXTENSIONS": "1"} if request.param == "python" else {}
    with Daemon(settings=SETTINGS, env=env) as daemon:
        assert ("_http_parser" in Path(f"/proc/{daemon.pid}/maps").read_text(encoding="utf-8")) == (
            request.param == "c"
        )
        yield daemon


@pytest.fixture(name="token", scope="module")
def _token(daemon: Daemon) -> str:
    return daemon.token("system:read")


@pytest.fixture(name="memory", scope="module")
def _memory(daemon: Daemon, token: str) -> int:
    """Return what the daemon holds (bytes) after its first answers, before anything malformed."""
    for _ in range(20):
        assert 200 == good(daemon, token)
    return resident(daemon, "VmRSS")


@pytest.fixture(name="heard", scope="module")
def _heard(daemon: Daemon, token: str, memory: int) -> dict[str, Heard]:
    del memory

    def send(case: Case) -> Heard:
        pieces = [filled(piece, daemon, token) for piece in case.pieces]
        if case.is_late:
            return ask_late(("127.0.0.1", daemon.port), *pieces)
        return ask(daemon.socket if case.is_unix else ("127.0.0.1", daemon.port), *pieces)

    with ThreadPoolExecutor(AT_ONCE) as pool:
        return dict(zip((case.id for case in CASES), pool.map(send, CASES), strict=True))


def filled(piece: bytes, daemon: Daemon, token: str) -> bytes:
    return piece.replace(b"@HOST@", f"127.0.0.1:{daemon.port}".encode()).replace(b"@TOKEN@", token.encode())


def good(daemon: Daemon, token: str) -> int:
    request = b"GET /v1/apps HTTP/1.1\r\nHost: @HOST@\r\nAuthorization: Bearer @TOKEN@\r\n\r\n"
    (status,) = ask(("127.0.0.1", daemon.port), filled(request, daemon, token)).statuses
    return status


def resident(daemon: Daemon, field: str) -> int:
    """Return the daemon's memory in bytes, now (VmRSS) or at most so far (VmHWM)."""
    status = Path(f"/proc/{daemon.pid}/status").read_text(encoding="ascii")
    return int(re.search(rf"{field}:\s+(\d+) kB", status)[1]) * 1024  # type: ignore[index]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
def test_what_is_malformed_gets_a_4xx_or_a_close_and_learns_nothing(heard: dict[str, Heard], case: Case) -> None:
    content, is_closed, seconds = heard[case.id]

    assert [] == [word for word in NEVER if word in content.lower()]
    assert {status // 100 for status in heard[case.id].statuses} <= ({2, 4} if case.want == "any" else {4})
    assert content or is_closed, f"neither answered nor closed in {seconds:.1f} s"
    if case.want == "close":
        assert (b"", True) == (content, is_closed)
    if case.want == "4xx":
        assert content


@pytest.mark.parametrize(("host", "status"), [("@HOST@", 200), ("canary.example", 403)])
def test_10000_pipelined_requests_are_answered_in_turn_or_not_at_all(
    daemon: Daemon, token: str, heard: dict[str, Heard], host: str, status: int
) -> None:
    del heard
    one = filled(written(host=f"Host: {host}"), daemon, token)
    last = filled(written("Connection: close"), daemon, token)

    with connect(("127.0.0.1", daemon.port)) as link:
        answer = exchange(link, [one * PIPELINED + last], is_enough=lambda _: False)

    assert answer.is_closed
    assert {status, 200} >= set(answer.statuses)
    assert b"canary" not in answer.content


def test_a_million_one_byte_chunks_are_not_kept(daemon: Daemon, token: str, heard: dict[str, Heard]) -> None:
    del heard  # apart from them
    count = 100_000 if "AIOHTTP_NO_EXTENSIONS" in daemon.env else 1_000_000  # Python's parser takes seconds for them
    sent = filled(chunked(b"1\r\na\r\n" * count + b"0\r\n\r\n"), daemon, token)

    answer = ask(("127.0.0.1", daemon.port), sent)

    assert answer.is_closed or answer.content
    assert {413} >= set(answer.statuses)


def test_the_daemon_is_as_it_was(daemon: Daemon, token: str, heard: dict[str, Heard], memory: int) -> None:
    del heard
    log = daemon.log.read_text(encoding="utf-8")

    assert 200 == good(daemon, token)
    assert {"text": "x"} == daemon.call("system.echo", text="x")
    assert resident(daemon, "VmHWM") - memory < GROWTH_BYTES
    assert "Traceback" not in log
    assert "ERROR" not in log
    assert "canary" not in log
    assert token not in log
    assert "\x00" not in log
