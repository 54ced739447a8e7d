"""The policy on the wire: what a raw client sees, and that nothing runs behind a refusal."""

import asyncio

import pytest

from tests.bridge.amplifier import Amplifier
from tests.bridge.front.client import Front
from tests.bridge.front.visitor import Visitor

WHO = "/v1/apps/amp/who"


async def raw(front: Front, request: str) -> bytes:
    """Send bytes as they are and return all that comes until the daemon closes, or what came within the deadline."""
    reader, writer = await asyncio.open_connection("127.0.0.1", int(front.base.rpartition(":")[2]))
    writer.write(request.replace("\n", "\r\n").encode("latin-1"))
    try:
        async with asyncio.timeout(5):
            return await reader.read()
    finally:
        writer.close()


def ask(front: Front, *headers: str, method: str = "POST", path: str = WHO, host: bool = True) -> str:
    lines = [f"{method} {path} HTTP/1.1"]
    if host:
        lines.append(f"Host: {front.base.removeprefix('http://')}")
    return "\n".join([*lines, *headers, "Connection: close", "", ""])


async def test_the_same_request_with_nothing_wrong_runs(front: Front, amplifier: Amplifier) -> None:
    token = await front.token("amp:read")

    answer = await raw(front, ask(front, f"Authorization: Bearer {token}"))

    assert answer.startswith(b"HTTP/1.1 200")
    assert 1 == amplifier.calls


@pytest.mark.parametrize(
    "headers",
    [
        ("Host: rebound.example",),
        ("Host: 127.0.0.1",),
        ("Host: localhost:1",),
        ("Host: ",),
    ],
)
async def test_a_wrong_host_gets_an_empty_403_before_anything_runs(
    front: Front, amplifier: Amplifier, headers: tuple[str, ...]
) -> None:
    token = await front.token("amp:read")

    answer = await raw(front, ask(front, *headers, f"Authorization: Bearer {token}", host=False))

    assert_empty_403(answer)
    assert 0 == amplifier.calls
    assert "host" == (await front.owner("GET", "/v1/refusals")).json["refusals"][-1]["reason"]


@pytest.mark.parametrize(
    "origin", ["null", "file://", "http://evil.example", "https://app.example/", "https://a.example,https://b.example"]
)
async def test_a_wrong_origin_gets_an_empty_403(front: Front, amplifier: Amplifier, origin: str) -> None:
    token = await front.token("amp:read")

    answer = await raw(front, ask(front, f"Origin: {origin}", f"Authorization: Bearer {token}"))

    assert_empty_403(answer)
    assert 0 == amplifier.calls


@pytest.mark.parametrize(
    "headers",
    [
        ("Origin: https://app.example", "Origin: https://app.example"),
        ("Authorization: Bearer a", "Authorization: Bearer b"),
        ("DPoP: a", "dpop: b"),
        ("Forwarded: for=127.0.0.1",),
        ("X-Forwarded-For: 127.0.0.1",),
        ("X-Real-IP: 127.0.0.1",),
        ("Via: 1.1 proxy",),
    ],
)
async def test_what_no_honest_client_sends_is_closed_without_an_answer(
    front: Front, amplifier: Amplifier, headers: tuple[str, ...]
) -> None:
    assert b"" == await raw(front, ask(front, *headers))
    assert 0 == amplifier.calls
    assert 1 == len((await front.owner("GET", "/v1/refusals")).json["refusals"])


@pytest.mark.parametrize("line", ["POST {base}/v1/apps/amp/who HTTP/1.1", "POST /v1/apps/amp/who HTTP/1.0"])
async def test_absolute_targets_and_old_versions_are_closed(front: Front, amplifier: Amplifier, line: str) -> None:
    token = await front.token("amp:read")
    host = front.base.removeprefix("http://")
    head = line.format(base=front.base)

    assert b"" == await raw(front, f"{head}\nHost: {host}\nAuthorization: Bearer {token}\n\n")
    assert 0 == amplifier.calls


@pytest.mark.parametrize(
    "request_bytes",
    [
        "OPTIONS * HTTP/1.1\nHost: evil.example\nOrigin: null\nVia: x\n\n",
        "CONNECT evil.example:443 HTTP/1.1\nHost: evil.example:443\n\n",
        "GET /v1/hello#x HTTP/1.1\nHost: {host}\n\n",
        "GET v1/hello HTTP/1.1\nHost: {host}\n\n",
        "GET /v1/hello HTTP/1.1\nHost: {host}\nHost: {host}\n\n",
        "GET /v1/hello HTTP/1.1\n\n",
        "GET /v1/hello HTTP/1.1\nHost: {host}\nX: " + "a" * 10_000 + "\n\n",
        "GET /v1/hello HTTP/1.1\nHost: {host}\nAuthorization: Bearer secret-canary\x00\n\n",
        "POST /v1/apps HTTP/1.1\nHost: {host}\nContent-Length: 1\nTransfer-Encoding: chunked\n\n0\n\n",
        "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        "*1\n$4\nPING\n",
        "EHLO evil.example\n",
    ],
)
async def test_what_is_no_request_of_ours_is_closed_and_noted(
    front: Front, caplog: pytest.LogCaptureFixture, request_bytes: str
) -> None:
    answer = await raw(front, request_bytes.replace("{host}", front.base.removeprefix("http://")))

    assert b"" == answer
    assert 1 == len((await front.owner("GET", "/v1/refusals")).json["refusals"])
    assert "Traceback" not in caplog.text
    assert "canary" not in caplog.text


async def test_a_missing_origin_with_a_pages_token_is_refused(front: Front, amplifier: Amplifier) -> None:
    visitor = await Visitor(front).pairs()
    headers = [f"{name}: {value}" for name, value in visitor.signs("POST", WHO).items() if name != "Origin"]

    answer = await raw(front, ask(front, *headers))

    assert answer.startswith(b"HTTP/1.1 403")
    assert b"origin_mismatch" in answer
    assert 0 == amplifier.calls


async def test_localhost_is_told_the_right_base(front: Front) -> None:
    port = front.base.rpartition(":")[2]

    answer = await raw(front, ask(front, f"Host: localhost:{port}", host=False))

    assert answer.startswith(b"HTTP/1.1 421")
    assert front.base.encode() in answer


async def test_the_unix_socket_refuses_an_origin(front: Front, amplifier: Amplifier) -> None:
    answer = await front.owner("POST", WHO, headers={"Origin": "https://app.example"})

    assert (403, b"") == (answer.status, answer.body)
    assert 0 == amplifier.calls


@pytest.mark.parametrize("path", ["/v1/apps", "/v1/hello", WHO, "/v1/events", "/oauth/token"])
async def test_a_preflight_needs_no_token(front: Front, path: str) -> None:
    headers = {"Origin": "https://app.example", "Access-Control-Request-Method": "POST"}

    answer = await front.send("OPTIONS", path, headers=headers)

    assert (204, "https://app.example", "7200") == (
        answer.status,
        answer.headers["Access-Control-Allow-Origin"],
        answer.headers["Access-Control-Max-Age"],
    )
    assert "GET, POST, DELETE" == answer.headers["Access-Control-Allow-Methods"]
    assert "Access-Control-Allow-Credentials" not in answer.headers
    assert "Access-Control-Allow-Private-Network" not in answer.headers


@pytest.mark.parametrize("path", ["/", "/oauth/authorize", "/oauth/requests", "/static/consent.js"])
async def test_our_own_paths_have_no_preflight(front: Front, path: str) -> None:
    headers = {"Origin": "https://app.example", "Access-Control-Request-Method": "POST"}

    answer = await front.send("OPTIONS", path, headers=headers)

    assert answer.status in (403, 405)
    assert "Access-Control-Allow-Methods" not in answer.headers


async def test_pages_are_documents_for_a_person_and_nothing_else(front: Front) -> None:
    navigation = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"}

    home = await front.send("GET", "/", headers=navigation)
    consent = await front.send("GET", "/oauth/authorize?x=1", headers=navigation)
    framed = await front.send("GET", "/oauth/authorize", headers={**navigation, "Sec-Fetch-Dest": "iframe"})
    script = await front.send("GET", "/static/consent.js", headers={"Sec-Fetch-Site": "same-origin"})
    foreign = await front.send("GET", "/static/consent.js", headers={"Sec-Fetch-Site": "cross-site"})
    curl = await front.send("GET", "/")
    curl_consent = await front.send("GET", "/oauth/authorize")
    outside = await front.send("GET", "/static/../grants.sqlite", headers={"Sec-Fetch-Site": "same-origin"})

    assert [200, 200, 403, 200, 403, 200, 400] == [
        answer.status for answer in (home, consent, framed, script, foreign, curl, curl_consent)
    ]
    assert outside.status in (403, 404)
    assert ("same-origin", None) == (
        home.headers["Cross-Origin-Opener-Policy"],
        consent.headers.get("Cross-Origin-Opener-Policy"),
    )
    for page in (home, consent):
        assert "frame-ancestors 'none'" in page.headers["Content-Security-Policy"]
        assert "unsafe" not in page.headers["Content-Security-Policy"]
        assert ("DENY", "same-origin") == (page.headers["X-Frame-Options"], page.headers["Referrer-Policy"])
    assert "text/javascript" == script.headers["Content-Type"]
    assert 3 == len(curl.body.splitlines())


async def test_a_planted_service_worker_is_sent_away(front: Front) -> None:
    headers = {"Service-Worker": "script", "Sec-Fetch-Site": "same-origin", "Sec-Fetch-Dest": "serviceworker"}

    answer = await front.send("GET", "/anything.js", headers=headers)

    assert 200 == answer.status
    assert b"registration.unregister" in answer.body
    assert "text/javascript" in answer.headers["Content-Type"]


async def test_no_refusal_says_why_on_the_wire(front: Front) -> None:
    answers = {
        await raw(front, ask(front, "Host: evil.example", host=False)),
        await raw(front, ask(front, "Origin: null")),
        await raw(front, ask(front, "Origin: file://")),
        await raw(front, ask(front, "Sec-Fetch-Site: cross-site")),
    }

    assert 1 == len({answer.partition(b"Date:")[0] for answer in answers})


def assert_empty_403(answer: bytes) -> None:
    head, _, body = answer.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 403")
    assert b"" == body
    assert b"access-control" not in head.lower()
    assert b"server:" not in head.lower()
