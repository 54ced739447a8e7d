"""Origins that almost are one that was approved, and all that a page could try to be taken for somebody else."""

import asyncio

import pytest
from aiohttp import WSServerHandshakeError

from bridge.errors import AppFailed, CommandTimeout, Restarting
from tests.bridge.amplifier import Amplifier
from tests.bridge.front.client import Answer, Front
from tests.bridge.front.visitor import Visitor
from tests.immunity.keepalive import CLOSED, KeptConnection, Seen, parsed
from tests.immunity.verdict import faults

WHO = "/v1/apps/amp/who"
APPROVED = "https://app.example"

MUTATIONS = [
    "", " ", "*", "null", "NULL", "undefined", "about:blank", "file://", "file:///", "data:", "blob:https://app.example",
    "https://app.example/", "https://app.example/x", "https://app.example?", "https://app.example#", "https://app.example.",
    "https://app.example:443", "https://app.example:80", "https://app.example:0", "https://app.example:", "https://app.example:444",
    "https://app.example:0443", "https://app.example:65536", "https://app.example:4390x", "http://app.example",
    "http://app.example:443", "HTTPS://app.example", "https://APP.example", "https://App.Example", "wss://app.example",
    "ftp://app.example", "//app.example", "app.example", "https:app.example", "https:/app.example", "https:///app.example",
    "https:\\\\app.example", "https://app.example,https://evil.example", "https://app.example https://evil.example",
    "https://app.example\thttps://evil.example", "https://evil.example,https://app.example", "https://app.example@evil.example",
    "https://evil.example@app.example", "https://user:word@app.example", "https://app.example.evil.example",
    "https://evilapp.example", "https://evil-app.example", "https://app.examples", "https://pp.example", "https://app-example",
    "https://app%2eexample", "https://app.example%00", "https://app.example%20", "https://.app.example", "https://app..example",
    "https://xn--pp-7kc.example", "https://\xe0pp.example", "https://*.example", "https://[::1]", "http://[::1]:1", "https://127.0.0.1",
    "https://127.0.0.1:4380", "http://203.0.113.9", "http://10.0.0.1", "http://127.0.0.2", "http://127.1", "http://0.0.0.0",
    "http://2130706433", "http://0x7f.1", "http://localhost.evil.example", "http://localhost:*", "http://localhost6",
    "http://evil.localhost", "chrome-extension://abcdefghijklmnop", "moz-extension://00000000-0000", "resource://x", "vscode-webview://x",
    "capacitor://localhost", "tauri://localhost", "app://.", "javascript:alert(1)",
]  # fmt: skip


@pytest.fixture(name="page")
async def _page(front: Front) -> Visitor:
    return await Visitor(front, APPROVED).pairs()


async def asks(front: Front, method: str, path: str, headers: dict[str, str]) -> Seen:
    connection = KeptConnection(port=int(front.base.rpartition(":")[2]))
    try:
        return await connection.send(method, path, [("Host", front.base[7:]), *headers.items()])
    finally:
        connection.close()


async def test_no_near_miss_of_an_approved_origin_uses_its_token(
    front: Front, page: Visitor, amplifier: Amplifier
) -> None:
    assert len(MUTATIONS) == len(set(MUTATIONS)) >= 40

    for origin in MUTATIONS:
        seen = await asks(front, "POST", WHO, {**page.signs("POST", WHO), "Origin": origin})

        assert seen is CLOSED or 403 == seen.status, (origin, seen)
        assert b"" == seen.body or b'"origin_not_approved"' in seen.body, origin
        assert seen.all("access-control-allow-origin") in ([], [origin]), origin
        assert not seen.body or seen.all("access-control-allow-origin"), "a body that nobody could read"
    assert 0 == amplifier.calls
    assert 200 == (await page.sends("POST", WHO)).status


async def test_no_near_miss_opens_a_socket_with_a_good_ticket(front: Front, page: Visitor) -> None:
    for origin in MUTATIONS:
        if not origin.isprintable() or not origin.isascii():
            continue  # aiohttp's client would not send it
        protocols = ("tollbridge.v1", f"ticket.{await page.ticket()}")
        with pytest.raises(WSServerHandshakeError) as refused:
            await front.socket(headers={"Origin": origin}, protocols=protocols)

        assert 403 == refused.value.status, origin


async def test_a_socket_from_a_browser_without_origin_is_not_opened(front: Front, page: Visitor) -> None:
    for site in ("cross-site", "same-site", "none"):
        with pytest.raises(WSServerHandshakeError) as refused:
            await front.socket(
                headers={"Sec-Fetch-Site": site, "Sec-Fetch-Dest": "websocket"},
                protocols=("tollbridge.v1", f"ticket.{await page.ticket()}"),
            )

        assert 403 == refused.value.status


@pytest.mark.parametrize("header", ["Access-Control-Request-Private-Network", "Access-Control-Request-Local-Network"])
async def test_a_preflight_never_answers_for_private_networks(front: Front, page: Visitor, header: str) -> None:
    preflight = {"Access-Control-Request-Method": "POST", header: "true"}

    approved = await asks(front, "OPTIONS", WHO, {**preflight, "Origin": page.origin})
    stranger = await asks(front, "OPTIONS", WHO, {**preflight, "Origin": "https://stranger.example"})
    null = await asks(front, "OPTIONS", WHO, {**preflight, "Origin": "null"})

    assert [204, 204, 403] == [approved.status, stranger.status, null.status]
    for seen in (approved, stranger, null):
        assert not [name for name, _ in seen.headers if "private-network" in name or "local-network" in name]


async def test_two_values_that_a_page_can_both_choose_are_never_compared(front: Front, amplifier: Amplifier) -> None:
    port = front.base.rpartition(":")[2]
    bearer = await front.bearer("amp:read")
    for host in ("evil.example", f"evil.example:{port}", "stranger.example", f"localhost:{port}"):
        for origin in (f"http://{host}", f"https://{host}", front.base):
            connection = KeptConnection(port=int(port))
            seen = await connection.send("POST", WHO, [("Host", host), ("Origin", origin), *bearer.items()])
            connection.close()

            assert (403, b"", []) == (seen.status, seen.body, seen.all("access-control-allow-origin")), (host, origin)
    assert 0 == amplifier.calls


async def test_a_failure_has_the_headers_of_every_answer_and_tells_nothing(
    front: Front, page: Visitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    errors = [
        RuntimeError("canary"),
        CommandTimeout("too slow"),
        AppFailed("it broke"),
        Restarting("soon", retry_after=1),
    ]
    for error in errors:

        def fails(*_: object, error: Exception = error) -> None:
            raise error

        monkeypatch.setattr(front.house.dispatch, "command", fails)
        seen = await asks(front, "POST", WHO, page.signs("POST", WHO))

        assert [f"status {seen.status}"] == faults(seen, page.origin), "that is all that may be wrong with it"
        assert seen.status in (500, 502, 503, 504)
        assert [page.origin] == seen.all("access-control-allow-origin")
        assert b"canary" not in seen.body
        assert b"Traceback" not in seen.body


async def test_a_stream_and_a_socket_begin_with_the_headers_of_every_answer(front: Front, page: Visitor) -> None:
    events = {**page.signs("GET", "/v1/events"), "Accept": "text/event-stream"}
    upgrade = {
        "Origin": page.origin,
        "Connection": "Upgrade",
        "Upgrade": "websocket",
        "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Key": "AAAAAAAAAAAAAAAAAAAAAA==",
        "Sec-WebSocket-Protocol": f"tollbridge.v1, ticket.{await page.ticket()}",
    }
    for path, headers, found in (("/v1/events", events, []), ("/v1/socket", upgrade, ["status 101"])):
        reader, writer = await asyncio.open_connection("127.0.0.1", int(front.base.rpartition(":")[2]))
        lines = [
            f"GET {path} HTTP/1.1",
            f"Host: {front.base[7:]}",
            *(f"{name}: {text}" for name, text in headers.items()),
        ]
        writer.write("\r\n".join([*lines, "", ""]).encode())
        async with asyncio.timeout(30):
            head = await reader.readuntil(b"\r\n\r\n")
        writer.close()

        assert found == faults(parsed(head), page.origin), path
        assert [page.origin] == parsed(head).all("access-control-allow-origin")


async def test_five_hundred_probes_of_a_strange_page_are_answered_with_the_same_bytes(front: Front) -> None:
    """What is there and what is not looks the same; that it has not been approved is all that a stranger may know."""
    stranger = {"Origin": "https://stranger.example"}
    paths = ["/v1/apps", "/v1/apps/amp/state", "/v1/apps/no/state", "/v1/status", "/v1/grants", "/v1", "/favicon.ico"]
    connection = KeptConnection(port=int(front.base.rpartition(":")[2]))

    answers = set()
    for number in range(500):
        path = paths[number % len(paths)] if number % 3 else f"/{number}"
        headers = [("Host", front.base[7:]), *stranger.items()]
        seen = await connection.send("GET", path, headers)
        answers.add((seen.status, frozenset(seen.headers) - {("date", seen.one("date"))}, seen.body))
    connection.close()

    assert 1 == len(answers)
    ((status, _, body),) = answers
    assert 403 == status
    assert b"origin_not_approved" in body
    assert not any(word in body.lower() for word in (b"aiohttp", b"python", b"version", b"amp"))


async def test_hello_tells_every_stranger_the_same_and_no_version(front: Front, page: Visitor) -> None:
    headers = [
        {"Origin": page.origin},
        {"Origin": "https://stranger.example"},
        {"Origin": "https://other.example"},
        {},
    ]

    answers: list[Answer] = [await front.send("GET", "/v1/hello", headers=sent) for sent in headers]

    assert {b'{"service":"tollbridge","api":{"min":1,"max":1}}'} == {answer.body for answer in answers}
    assert not [
        answer for answer in answers if answer.headers.keys() & {"Server", "ETag", "Last-Modified", "X-Version"}
    ]
