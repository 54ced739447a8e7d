"""A page that is served once gives its secret to one browser that navigates to it, and nothing to anybody else."""

import http.client
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from urllib.parse import urlsplit

import pytest

from bridge.cli.once import MOST_CONNECTIONS, Once
from tests.parts import second_user
from tests.parts.processes import wait_until

pytestmark = pytest.mark.broad

PAGE = "<!doctype html><p>SECRET"
CSP = "default-src 'none'"
DEADLINE_SECONDS = 10.0


@pytest.fixture(name="once")
def _once() -> Iterator[Once]:
    with Once(PAGE, csp=CSP) as once:
        yield once


def ask(
    once: Once, method: str = "GET", *, path: str | None = None, headers: dict[str, str] | None = None
) -> tuple[int, dict[str, str], bytes]:
    """Send one request and return status, headers and body."""
    place = urlsplit(once.url)
    connection = http.client.HTTPConnection(place.hostname or "", place.port, timeout=DEADLINE_SECONDS)
    try:
        connection.putrequest(method, place.path if path is None else path, skip_host="Host" in (headers or {}))
        for name, value in (headers or {}).items():
            connection.putheader(name, value)
        connection.endheaders()
        answer = connection.getresponse()
        return answer.status, dict(answer.getheaders()), answer.read()
    finally:
        connection.close()


def is_served(once: Once) -> bool:
    try:
        return 200 == ask(once)[0]
    except ConnectionError:
        return False


def test_the_page_is_served_once(once: Once) -> None:
    assert not once.wait(0)

    status, headers, body = ask(once)

    assert (200, PAGE.encode()) == (status, body)
    assert once.wait(DEADLINE_SECONDS)
    assert (404, b"") == ask(once)[::2]
    assert CSP == headers["Content-Security-Policy"]
    assert "text/html; charset=utf-8" == headers["Content-Type"]
    assert "no-store" == headers["Cache-Control"]
    assert "no-referrer" == headers["Referrer-Policy"]
    assert "nosniff" == headers["X-Content-Type-Options"]
    assert "DENY" == headers["X-Frame-Options"]
    assert not {"Server", "Date", "Access-Control-Allow-Origin"} & headers.keys()


def test_two_that_come_at_once_get_one_page(once: Once) -> None:
    got: list[int] = []
    both = threading.Barrier(8)

    def come() -> None:
        both.wait(DEADLINE_SECONDS)
        got.append(ask(once)[0])

    threads = [threading.Thread(target=come) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(DEADLINE_SECONDS)

    assert [200] + 7 * [404] == sorted(got)


def test_its_path_is_another_each_time_and_cannot_be_guessed(once: Once) -> None:
    with Once(PAGE, csp=CSP) as other:
        assert urlsplit(once.url).path != urlsplit(other.url).path
    assert 44 == len(urlsplit(once.url).path)
    assert "127.0.0.1" == urlsplit(once.url).hostname


@pytest.mark.parametrize("method", ["HEAD", "POST", "PUT", "DELETE", "OPTIONS", "CONNECT", "JUMP"])
def test_another_method_gets_nothing_and_uses_nothing_up(once: Once, method: str) -> None:
    assert (404, b"") == ask(once, method)[::2]
    assert 200 == ask(once)[0]


@pytest.mark.parametrize(
    "path", ["/", "/favicon.ico", "*", "PATH/", "PATH?", "PATH?x=1", "//PATH", "http://HOSTPATH", "/%C3"]
)
def test_another_path_gets_nothing_and_uses_nothing_up(once: Once, path: str) -> None:
    place = urlsplit(once.url)

    assert (404, b"") == ask(once, path=path.replace("PATH", place.path).replace("HOST", place.netloc))[::2]
    assert 200 == ask(once)[0]


@pytest.mark.parametrize(
    "host", ["localhost:PORT", "127.0.0.1", "127.0.0.2:PORT", "evil.example:PORT", "127.0.0.1:PORT.", ""]
)
def test_another_host_gets_nothing_and_uses_nothing_up(once: Once, host: str) -> None:
    sent = host.replace("PORT", str(urlsplit(once.url).port))

    assert (404, b"") == ask(once, headers={"Host": sent})[::2]
    assert 200 == ask(once)[0]


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Dest": "empty"},
        {"Sec-Fetch-Dest": "iframe"},
        {"Sec-Fetch-Dest": "script"},
        {"Sec-Fetch-Dest": ""},
        {"Sec-Fetch-Dest": "document", "Sec-Fetch-Site": "same-origin"},
        {"Sec-Fetch-Dest": "document", "Sec-Fetch-Site": "same-site"},
        {"Sec-Fetch-Dest": "document", "Sec-Purpose": "prefetch;prerender"},
        {"Sec-Purpose": "prefetch"},
        {"Sec-Fetch-Dest": "document", "Origin": "https://evil.example"},
        {"Origin": "null"},
    ],
    ids=str,
)
@pytest.mark.parametrize("site", ["none", "cross-site"])
def test_a_browser_that_does_not_navigate_for_a_person_gets_nothing_and_uses_nothing_up(
    once: Once, headers: dict[str, str], site: str
) -> None:
    assert (404, b"") == ask(once, headers=headers)[::2]
    assert 200 == ask(once, headers={"Sec-Fetch-Dest": "document", "Sec-Fetch-Site": site})[0]


@pytest.mark.parametrize(
    "sent",
    [
        b"\x16\x03\x01\x02\x00\r\n\r\n",
        b"GET\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
        b"GET / HTTP/1.1\r\n" + 200 * b"x: y\r\n" + b"\r\n",
    ],
)
def test_what_is_no_request_gets_no_word(once: Once, sent: bytes) -> None:
    place = urlsplit(once.url)
    with socket.create_connection((place.hostname, place.port), DEADLINE_SECONDS) as link:
        link.sendall(sent)
        link.shutdown(socket.SHUT_WR)
        told = b"".join(iter(lambda: link.recv(4096), b""))

    assert told == b"" or (told.startswith(b"HTTP/1.0 404 ") and told.endswith(b"\r\n\r\n"))
    assert 200 == ask(once)[0]


def test_those_who_connect_and_say_nothing_have_a_bound_and_do_not_keep_it_from_ending() -> None:
    with Once(PAGE, csp=CSP) as once:
        place = urlsplit(once.url)
        links = [
            socket.create_connection((place.hostname, place.port), DEADLINE_SECONDS) for _ in range(MOST_CONNECTIONS)
        ]
        with socket.create_connection((place.hostname, place.port), DEADLINE_SECONDS) as one_more:
            assert b"" == one_more.recv(1), "there is no room for it"
        links.pop().close()
        wait_until(lambda: is_served(once), "the room that it leaves being given back", seconds=DEADLINE_SECONDS)
    for link in links:
        link.close()


ASK = """
import socket, sys
port, path = int(sys.argv[1]), sys.argv[2]
links = [socket.create_connection(("127.0.0.1", port), 30) for _ in range(int(sys.argv[3]))]
told = b""
for link in links[:1]:
    try:
        link.sendall(f"GET {path} HTTP/1.1\\r\\nHost: 127.0.0.1:{port}\\r\\n\\r\\n".encode())
        told = link.recv(4096)
    except OSError:
        pass
print(len(told), flush=True)
sys.stdin.read()
"""


@pytest.mark.real
@pytest.mark.skipif(not second_user.is_possible(), reason=second_user.WHY_NOT)
def test_another_user_who_knows_the_path_gets_nothing_uses_nothing_up_and_takes_no_room(once: Once) -> None:
    place = urlsplit(once.url)
    other = second_user.start(ASK, place.port, place.path, 3 * MOST_CONNECTIONS)
    try:
        assert other.stdout is not None
        assert "0" == other.stdout.readline().strip()
        assert not once.wait(0)
        assert 200 == ask(once)[0]
    finally:
        second_user.result(other)


@pytest.mark.real
def test_the_same_program_of_this_user_gets_it(once: Once) -> None:
    place = urlsplit(once.url)

    assert int(second_user.result(second_user.start_as_ourselves(ASK, place.port, place.path, 1))) > len(PAGE)
    assert once.wait(0)


def test_when_it_is_left_nobody_listens(once: Once) -> None:
    place = urlsplit(once.url)
    once.__exit__(None, None, None)

    with pytest.raises(ConnectionRefusedError):
        socket.create_connection((place.hostname, place.port), DEADLINE_SECONDS)


def test_connections_that_drip_are_closed_at_the_deadline_of_their_whole_head(
    once: Once, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bridge.cli.once.HEAD_SECONDS", 0.5)
    place = urlsplit(once.url)
    links = [
        socket.create_connection(("127.0.0.1", place.port or 0), timeout=DEADLINE_SECONDS)
        for _ in range(MOST_CONNECTIONS)
    ]
    for link in links:
        link.sendall(b"GET ")
    begun, dripped = time.monotonic(), 0
    is_free = False
    while not is_free and time.monotonic() - begun < DEADLINE_SECONDS:
        for link in links:
            with suppress(OSError):  # closed, as it should be
                link.sendall(b"x")
        dripped += 1
        time.sleep(0.05)
        is_free = is_served(once)

    assert is_free, "each byte began the deadline anew"
    assert dripped > 2
    for link in links:
        link.close()
