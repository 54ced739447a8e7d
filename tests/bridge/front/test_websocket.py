"""The socket: one way for commands with HTTP, readable close codes, resumption, revocation."""

import asyncio
from typing import Any

import pytest
from aiohttp import ClientWebSocketResponse, WSMsgType, WSServerHandshakeError

from bridge.config import Limits
from tests.bridge.amplifier import Amplifier
from tests.bridge.front.client import Front
from tests.bridge.front.visitor import Visitor
from tests.bridge.front.waits import DEADLINE, until


@pytest.fixture(name="visitor")
async def _visitor(front: Front) -> Visitor:
    return await Visitor(front).pairs()


async def next_frame(socket: ClientWebSocketResponse) -> dict[str, Any]:
    frame: dict[str, Any] = await socket.receive_json(timeout=DEADLINE)
    return frame


async def closes(socket: ClientWebSocketResponse) -> int:
    message = await socket.receive(timeout=DEADLINE)
    while message.type is WSMsgType.TEXT:
        message = await socket.receive(timeout=DEADLINE)
    assert WSMsgType.CLOSE == message.type
    return int(message.data)


async def welcomed(visitor: Visitor, **fields: object) -> ClientWebSocketResponse:
    socket = await visitor.says_hello(**fields)
    assert "welcome" == (await next_frame(socket))["type"]
    return socket


async def test_a_page_is_welcomed_with_a_proof(visitor: Visitor) -> None:
    socket = await visitor.says_hello(nonce="n" * 16)

    welcome = await next_frame(socket)

    assert "tollbridge.v1" == socket.protocol
    assert ["welcome", 3] == [welcome["type"], len(welcome["proof"].split("."))]
    assert welcome["cursor"].endswith(".0")
    await socket.close()


async def test_a_call_is_replied_with_its_number(visitor: Visitor) -> None:
    socket = await welcomed(visitor)

    await socket.send_json({"type": "call", "id": 7, "command": "amp.set_volume", "params": {"volume": 0.25}})

    assert {"type": "reply", "id": 7, "result": {"volume": 0.25}} == await next_frame(socket)
    await socket.close()


@pytest.mark.parametrize(
    ("frame", "code"),
    [
        ({"command": "amp.set_volume", "params": {"volume": 2}}, "invalid_params"),
        ({"command": "amp.nothing"}, "not_found"),
        ({"command": "nothing"}, "not_found"),
        ({"command": "amp.explode"}, "approval_required"),
        ({"command": "amp.who", "key": "k"}, "idempotency_unavailable"),
    ],
)
async def test_a_refused_call_has_the_problem_of_http(visitor: Visitor, frame: dict[str, Any], code: str) -> None:
    socket = await welcomed(visitor)

    await socket.send_json({"type": "call", "id": "a", **frame})

    reply = await next_frame(socket)
    assert ("reply", "a", code) == (reply["type"], reply["id"], reply["error"]["code"])
    await socket.close()


@pytest.mark.parametrize(
    "text",
    ["", "{", "[]", '{"type":"dance"}', '{"type":"call"}', '{"type":"hello"}', "[" * 60_000, '{"type":"subscribe"}'],
)
async def test_a_malformed_frame_is_told_and_the_talk_goes_on(visitor: Visitor, text: str) -> None:
    socket = await welcomed(visitor)

    await socket.send_str(text)
    fault = await next_frame(socket)
    await socket.send_json({"type": "ping", "t": [1]})

    assert "error" == fault["type"]
    assert 400 == fault["error"]["status"]
    assert {"type": "pong", "t": [1]} == await next_frame(socket)
    await socket.close()


async def test_events_come_for_the_topics_that_were_asked(visitor: Visitor) -> None:
    socket = await welcomed(visitor)
    await visitor.sends("POST", "/v1/apps/amp/set_volume", json={"volume": 0.1})
    await socket.send_json({"type": "subscribe", "topics": ["amp"] * 3})
    subscribed = await next_frame(socket)

    await visitor.sends("POST", "/v1/apps/amp/set_volume", json={"volume": 0.2})
    event = await next_frame(socket)
    await socket.send_json({"type": "unsubscribe", "topics": ["amp"]})
    await visitor.sends("POST", "/v1/apps/amp/set_volume", json={"volume": 0.3})
    await socket.send_json({"type": "ping"})

    assert ("subscribed", ["amp"]) == (subscribed["type"], subscribed["topics"])
    assert ("event", 0.2) == (event["type"], event["event"]["data"]["volume"])
    assert "pong" == (await next_frame(socket))["type"]
    await socket.close()


async def test_a_socket_resumes_by_cursor(visitor: Visitor) -> None:
    socket = await welcomed(visitor, topics=["amp"])
    await visitor.sends("POST", "/v1/apps/amp/set_volume", json={"volume": 0.1})
    cursor = (await next_frame(socket))["event"]["id"]
    await socket.close()
    await visitor.sends("POST", "/v1/apps/amp/set_volume", json={"volume": 0.2})

    socket = await welcomed(visitor, topics=["amp"], after=cursor)

    assert 0.2 == (await next_frame(socket))["event"]["data"]["volume"]
    await socket.close()


async def test_a_cursor_of_another_run_is_told_as_a_gap(visitor: Visitor) -> None:
    socket = await welcomed(visitor, topics=["amp"], after="AAAAAAAA.3")

    event = (await next_frame(socket))["event"]

    assert ("tollbridge", "gap", "AAAAAAAA.3") == (event["topic"], event["name"], event["data"]["from"])
    await socket.close()


async def test_a_call_can_be_cancelled_and_others_go_on(visitor: Visitor, amplifier: Amplifier) -> None:
    socket = await welcomed(visitor)
    await socket.send_json({"type": "call", "id": 1, "command": "amp.wait"})
    await socket.send_json({"type": "call", "id": 2, "command": "amp.wait"})
    await until(lambda: amplifier.calls == 2)

    await socket.send_json({"type": "cancel", "id": 1})
    cancelled = await next_frame(socket)
    amplifier.released.set()

    assert (1, "cancelled") == (cancelled["id"], cancelled["error"]["code"])
    assert {"type": "reply", "id": 2, "result": {"volume": 0.5}} == await next_frame(socket)
    await socket.close()


async def test_a_number_under_way_is_not_used_twice(visitor: Visitor, amplifier: Amplifier) -> None:
    socket = await welcomed(visitor)
    for _ in range(2):
        await socket.send_json({"type": "call", "id": 1, "command": "amp.wait"})

    assert "malformed_request" == (await next_frame(socket))["error"]["code"]
    amplifier.released.set()
    await socket.close()


async def test_a_command_runs_to_its_end_when_its_socket_goes(visitor: Visitor, amplifier: Amplifier) -> None:
    socket = await welcomed(visitor)
    await socket.send_json({"type": "call", "id": 1, "command": "amp.wait"})
    await until(lambda: amplifier.calls == 1)

    await socket.close()
    await until(lambda: len(visitor.front.house.sessions) == 0)

    assert 1 == visitor.front.house.dispatch.under_way
    amplifier.released.set()
    await until(lambda: visitor.front.house.dispatch.under_way == 0)


async def test_a_ticket_is_good_once_and_for_its_origin_alone(front: Front, visitor: Visitor) -> None:
    used = await visitor.ticket()
    await (await visitor.opens_socket(used)).close()
    other = await Visitor(front, "https://other.example").pairs()

    assert 4401 == await closes(await visitor.opens_socket(used))
    assert 4401 == await closes(await other.opens_socket(await visitor.ticket()))
    assert 4401 == await closes(await visitor.opens_socket("made-up"))
    bare = await front.socket(headers={"Origin": visitor.origin}, protocols=("tollbridge.v1",))
    assert 4401 == await closes(bare)


async def test_another_version_is_told_in_a_way_chromium_can_read(visitor: Visitor) -> None:
    socket = await visitor.opens_socket(version="v2")

    assert "tollbridge.v2" == socket.protocol
    assert 4426 == await closes(socket)


@pytest.mark.parametrize(
    "hello", ["{}", '{"type":"call","id":1,"command":"amp.who"}', '{"type":"hello","after":"x"}', "x"]
)
async def test_a_wrong_first_frame_is_4400(visitor: Visitor, amplifier: Amplifier, hello: str) -> None:
    socket = await visitor.opens_socket()

    await socket.send_str(hello)

    assert 4400 == await closes(socket)
    assert 0 == amplifier.calls


async def test_topics_that_cannot_be_heard_are_told_and_the_socket_lives(front: Front) -> None:
    visitor = await Visitor(front).pairs("amp:control")
    socket = await welcomed(visitor, topics=["amp", "nobody"])

    faults = [await next_frame(socket) for _ in range(2)]
    await socket.send_json({"type": "call", "id": 1, "command": "amp.set_volume", "params": {"volume": 1}})

    assert [("error", "scope_missing"), ("error", "not_found")] == [
        (fault["type"], fault["error"]["code"]) for fault in faults
    ]
    assert {"type": "reply", "id": 1, "result": {"volume": 1.0}} == await next_frame(socket)
    await socket.close()


@pytest.mark.parametrize("limits", [Limits(sockets=1)])
async def test_too_many_sockets_are_4429(visitor: Visitor) -> None:
    first = await welcomed(visitor)

    assert 4429 == await closes(await visitor.opens_socket())
    await first.close()


async def test_a_message_that_is_too_big_ends_the_socket(visitor: Visitor) -> None:
    socket = await welcomed(visitor)

    await socket.send_str('{"type":"ping","t":"' + "x" * 70_000 + '"}')

    assert 1009 == await closes(socket)


async def test_revoking_closes_the_socket_at_once(front: Front, visitor: Visitor) -> None:
    socket = await welcomed(visitor)
    (grant,) = front.store.grants()

    await front.owner("DELETE", f"/v1/grants/{grant.id}")

    assert 4401 == await closes(socket)


async def test_a_former_client_can_read_why(front: Front, visitor: Visitor) -> None:
    ticket = await visitor.ticket()
    (grant,) = front.store.grants()
    await front.owner("DELETE", f"/v1/grants/{grant.id}")

    assert 4401 == await closes(await visitor.opens_socket(ticket))


@pytest.mark.parametrize("origin", ["https://stranger.example", "null", "http://evil.example", "file://"])
async def test_a_stranger_gets_no_upgrade(front: Front, origin: str) -> None:
    with pytest.raises(WSServerHandshakeError) as refused:
        await front.socket(headers={"Origin": origin}, protocols=("tollbridge.v1",))

    assert 403 == refused.value.status


async def test_native_clients_need_a_token_or_the_unix_socket(front: Front) -> None:
    native = await front.socket(headers=await front.bearer("amp:read"))
    local = await front.socket(unix=True)
    for socket in (native, local):
        await socket.send_json({"type": "hello"})
        welcome = await next_frame(socket)
        assert "welcome" == welcome["type"]
        assert "proof" not in welcome
        await socket.close()

    assert 4401 == await closes(await front.socket())


async def test_stopping_is_told_with_a_time_to_come_back(front: Front, visitor: Visitor) -> None:
    socket = await welcomed(visitor)

    await front.house.stop()

    assert {"type": "closing", "retry": 1.0} == await next_frame(socket)
    assert 1012 == await closes(socket)


async def test_a_get_without_upgrade_is_a_400(front: Front) -> None:
    answer = await front.send("GET", "/v1/socket", headers=await front.bearer("amp:read"))

    assert (400, "malformed_request") == (answer.status, answer.code)


async def test_two_hundred_calls_keep_their_numbers(visitor: Visitor) -> None:
    socket = await welcomed(visitor)
    calls = [
        socket.send_json(
            {"type": "call", "id": number, "command": "amp.set_volume", "params": {"volume": number / 200}}
        )
        for number in range(200)
    ]

    await asyncio.gather(*calls)

    replies = [await next_frame(socket) for _ in range(200)]
    assert {number: number / 200 for number in range(200)} == {
        reply["id"]: reply["result"]["volume"] for reply in replies
    }
    await socket.close()


async def test_a_result_that_is_too_long_for_a_message_is_told(visitor: Visitor) -> None:
    socket = await welcomed(visitor)

    await socket.send_json({"type": "call", "id": 1, "command": "amp.recite", "params": {"size": 1_100_000}})

    assert "app_failed" == (await next_frame(socket))["error"]["code"]
    await socket.close()


async def test_a_ticket_without_a_version_is_refused_and_logged_nowhere(
    visitor: Visitor, caplog: pytest.LogCaptureFixture
) -> None:
    ticket = await visitor.ticket()

    with pytest.raises(WSServerHandshakeError) as refused:
        await visitor.front.socket(headers={"Origin": visitor.origin}, protocols=(f"ticket.{ticket}",))

    assert 400 == refused.value.status
    assert ticket not in caplog.text
