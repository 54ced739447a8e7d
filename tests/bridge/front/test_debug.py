"""At DEBUG the log says what came of each request, command, token and subscription; above it, nothing of them."""

import asyncio
import logging
import re
from collections.abc import Iterator

import pytest
from aiohttp import ClientError

from tests.bridge.amplifier import Amplifier
from tests.bridge.front.client import Front
from tests.bridge.front.visitor import Visitor
from tests.bridge.front.waits import until
from tests.immunity.canaries import Heard, everything_is_heard


@pytest.fixture(name="heard")
def _heard(front: Front) -> Iterator[Heard]:
    del front  # it starts in silence
    with everything_is_heard(("bridge", "oauth")) as heard:
        yield heard


def told(heard: Heard) -> list[str]:
    """Return the DEBUG lines without time, with the logger's last name, and without what differs from run to run."""
    lines = [line.partition(" DEBUG   ")[2] for line in heard.lines if " DEBUG   " in line]
    bare = [re.sub(r" (?:milli)?seconds=[\d.]+", "", line) for line in lines]
    return [re.sub(r"^[\w.]+\.(\w+: )", r"\1", line) for line in bare]


async def test_a_request_is_one_line_with_route_client_status_and_milliseconds(front: Front, heard: Heard) -> None:
    await front.owner("GET", "/v1/status?secret=canary")
    await front.send("GET", "/v1/apps")
    await front.send("GET", "/no/canary", headers=await front.bearer("amp:read"))
    await front.send("QUERY", "/canary")

    lines = [line for line in told(heard) if line.startswith("app: ")]
    assert [
        "app: a request has ended method=GET path=/v1/status client=owner status=400 outcome=invalid_params",
        "app: a request has ended method=GET path=/v1/apps client=- status=401 outcome=token_required",
        "app: a request has ended method=POST path=/v1/tokens client=owner status=200 outcome=-",
        "app: a request has ended method=GET path=/{path} client=- status=404 outcome=not_found",
        "app: a request has ended method=- path=/{path} client=- status=404 outcome=not_found",
    ] == lines
    assert re.search(
        r"path=/v1/status client=owner status=400 outcome=invalid_params milliseconds=\d+(\.\d)?$",
        heard.text,
        re.MULTILINE,
    )
    assert "canary" not in heard.text


async def test_a_request_that_is_closed_has_no_status(front: Front, heard: Heard) -> None:
    with pytest.raises(ClientError):
        await front.send("POST", "/v1/tickets", headers={"Via": "1.1 proxy"})

    closed = "app: a request has ended method=POST path=/v1/tickets client=- status=- outcome=-"
    assert {closed} == {line for line in told(heard) if line.startswith("app: ")}


async def test_a_connection_is_a_line_when_it_opens_and_one_when_it_ends(front: Front, heard: Heard) -> None:
    _, writer = await asyncio.open_connection("127.0.0.1", int(front.base.rpartition(":")[2]))
    await until(lambda: "connection: a connection is open" in told(heard))
    writer.close()

    await until(lambda: "connection: a connection has ended count=0" in told(heard))


async def test_a_stream_has_its_line_when_it_ends_and_a_subscription_when_it_begins(front: Front, heard: Heard) -> None:
    headers = {**await front.bearer("amp:read"), "Accept": "text/event-stream"}
    async with front._tcp.get(f"{front.base}/v1/events?topics=amp", headers=headers) as answer:
        await answer.content.readline()
        await until(lambda: "hub: a subscription begins client=native:test topics=amp" in told(heard))
        assert not any("path=/v1/events" in line for line in told(heard))
        answer.close()

    ended = "app: a request has ended method=GET path=/v1/events client=native:test status=200 outcome=-"
    await until(lambda: ended in told(heard))


async def test_a_command_is_one_line_however_it_comes_and_ends(
    front: Front, heard: Heard, amplifier: Amplifier
) -> None:
    page = await Visitor(front).pairs("amp:read amp:control")
    await page.sends("POST", "/v1/apps/amp/set_volume", json={"volume": 0.123456789})
    await page.sends("POST", "/v1/apps/amp/set_volume", json={"volume": 7})
    await page.sends("POST", "/v1/apps/amp/canary")
    await page.sends("POST", "/v1/apps/amp/explode")
    socket = await page.says_hello()
    await socket.receive()
    await socket.send_json({"type": "call", "id": 1, "command": "amp.wait"})
    await until(lambda: amplifier.calls == 1)
    amplifier.released.set()
    await socket.receive()
    await socket.close()

    by = "client=https://app.example"
    assert [
        f"dispatch: a command has ended {by} app=amp command=set_volume outcome=ok",
        f"dispatch: a command has ended {by} app=amp command=set_volume outcome=invalid_params",
        f"dispatch: a command was refused {by} app=- command=- outcome=not_found",
        f"dispatch: a command was refused {by} app=amp command=explode outcome=approval_required",
        f"dispatch: a command has ended {by} app=amp command=wait outcome=ok",
    ] == [line for line in told(heard) if line.startswith("dispatch: ")]
    assert "0.123456789" not in heard.text
    assert "canary" not in heard.text


async def test_tokens_are_told_by_whose_they_are_never_themselves(front: Front, heard: Heard) -> None:
    token = await front.token("amp:read", name="lamp")
    page = await Visitor(front).pairs("amp:read")
    first = dict(page.tokens)
    answer = await page.redeems(page.refresh_form(page.tokens["refresh_token"]))
    await page.redeems(page.refresh_form("wrong"))

    made = "issuer: an access token is made client="
    assert [
        f"{made}native:lamp",
        f"{made}{page.origin}",
        f"issuer: a token is refreshed client={page.origin}",
        f"{made}{page.origin}",
    ] == [line for line in told(heard) if line.startswith("issuer: ")]
    assert "audit: an OAuth request was refused path=/oauth/token code=invalid_grant" in told(heard)
    for secret in (token, first["access_token"], first["refresh_token"], answer.json["access_token"]):
        assert secret not in heard.text


async def test_above_debug_there_is_not_a_line(front: Front, heard: Heard) -> None:
    for name in ("bridge", "oauth"):
        logging.getLogger(name).setLevel(logging.INFO)
    page = await Visitor(front).pairs("amp:read amp:control")
    await page.sends("POST", "/v1/apps/amp/set_volume", json={"volume": 0.5})
    await asyncio.gather(front.token("amp:read"), front.owner("GET", "/v1/events?wait=0.01"))

    assert [] == heard.lines
