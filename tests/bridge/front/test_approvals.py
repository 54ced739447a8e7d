"""A dangerous command runs after a fresh yes to it: once, by who asked, with the parameters that were shown."""

import asyncio
from typing import Any

import pytest

from tests.bridge.amplifier import Amplifier
from tests.bridge.front.client import Answer, Front
from tests.bridge.front.visitor import Visitor

pytestmark = pytest.mark.broad

EXPLODE = "/v1/apps/amp/explode"
DETONATE = "/v1/apps/amp/detonate"


@pytest.fixture(name="visitor")
async def _visitor(front: Front) -> Visitor:
    return await Visitor(front).pairs()


@pytest.fixture(name="owner")
async def _owner(front: Front) -> Visitor:
    """The owner's page."""
    link = (await front.owner("POST", "/v1/activation-links")).json["link"]
    owner = Visitor(front, front.base)
    owner.tokens = (await owner.redeems(owner.activation_form(link.partition("#activate=")[2]))).json
    return owner


async def answers(front: Front, code: str, answer: str = "allow") -> Answer:
    return await front.owner("POST", f"/oauth/requests/{code}", json={"answer": answer})


async def asks(visitor: Visitor, json: object = None) -> str:
    """Have a question raised; return its code."""
    answer = await visitor.sends("POST", EXPLODE, json=json)
    assert (403, "approval_required") == (answer.status, answer.code)
    assert 0 < answer.json["expires_in"] <= 60
    code: str = answer.json["user_code"]
    return code


class Socket:
    """A page's WebSocket, for calls one after the other."""

    def __init__(self, socket: Any) -> None:
        self._socket = socket

    @classmethod
    async def of(cls, visitor: Visitor) -> "Socket":
        socket = await visitor.says_hello()
        await socket.receive_json(timeout=5)
        return cls(socket)

    async def calls(self, **fields: object) -> dict[str, Any]:
        await self._socket.send_json({"type": "call", "id": 1, "command": "amp.explode", **fields})
        reply: dict[str, Any] = await self._socket.receive_json(timeout=5)
        return reply

    async def close(self) -> None:
        await self._socket.close()


async def test_it_runs_once_after_a_yes(front: Front, visitor: Visitor, amplifier: Amplifier) -> None:
    code = await asks(visitor)
    (asked,) = (await front.owner("GET", "/oauth/requests")).json["requests"]
    assert (code, "command", ["once"], "once") == (asked["code"], asked["kind"], asked["untils"], asked["until"])
    assert {"app": "amp", "name": "explode", "summary": "Be dangerous.", "params": {}} == asked["command"]
    assert (visitor.origin, ["amp:control"]) == (
        asked["client"]["origin"],
        [scope["scope"] for scope in asked["scopes"]],
    )
    assert 0 == amplifier.calls

    assert 200 == (await answers(front, code)).status
    assert 0 == amplifier.calls, "the yes runs nothing by itself"
    assert (200, {"volume": 11}) == ((await visitor.sends("POST", EXPLODE)).status, {"volume": 11})

    assert 1 == amplifier.calls
    assert "approval_required" == (await visitor.sends("POST", EXPLODE)).code
    assert 1 == amplifier.calls


async def test_the_same_over_a_socket(front: Front, visitor: Visitor, amplifier: Amplifier) -> None:
    socket = await Socket.of(visitor)
    refused = (await socket.calls())["error"]
    assert ("approval_required", 403) == (refused["code"], refused["status"])

    await answers(front, refused["user_code"])

    assert {"volume": 11} == (await socket.calls())["result"]
    assert "approval_required" == (await socket.calls())["error"]["code"]
    assert 1 == amplifier.calls
    await socket.close()


async def test_a_yes_to_a_post_lets_the_socket_of_the_same_key_on(
    front: Front, visitor: Visitor, amplifier: Amplifier
) -> None:
    socket = await Socket.of(visitor)
    code = await asks(visitor)
    assert code == (await socket.calls())["error"]["user_code"], "two ways of one page are one question"
    await answers(front, code)

    assert {"volume": 11} == (await socket.calls())["result"]
    assert "approval_required" == (await visitor.sends("POST", EXPLODE)).code
    assert 1 == amplifier.calls
    await socket.close()


async def test_two_tabs_at_once_get_the_same_code_and_one_runs(
    front: Front, visitor: Visitor, amplifier: Amplifier
) -> None:
    refused = await asyncio.gather(*(visitor.sends("POST", EXPLODE) for _ in range(5)))
    (code,) = {answer.json["user_code"] for answer in refused}
    await answers(front, code)

    ran = await asyncio.gather(*(visitor.sends("POST", EXPLODE) for _ in range(5)))

    assert [200, 403, 403, 403, 403] == sorted(answer.status for answer in ran)
    assert 1 == amplifier.calls


async def test_a_no_is_told_and_holds(front: Front, visitor: Visitor, amplifier: Amplifier) -> None:
    await answers(front, await asks(visitor), "deny")

    for _ in range(2):
        refused = await visitor.sends("POST", EXPLODE)
        assert (403, "approval_denied", 60) == (refused.status, refused.code, refused.json["retry_after"])
    assert [] == (await front.owner("GET", "/oauth/requests")).json["requests"]
    assert 0 == amplifier.calls
    assert 200 == (await visitor.sends("POST", "/v1/apps/amp/who")).status


async def test_a_yes_is_for_the_key_that_asked(front: Front, visitor: Visitor, amplifier: Amplifier) -> None:
    other = await Visitor(front, visitor.origin).pairs()
    stranger = await Visitor(front, "https://other.example").pairs()
    await answers(front, await asks(visitor))

    for caller in (other, stranger):
        assert "approval_required" == (await caller.sends("POST", EXPLODE)).code
    native = await front.send("POST", EXPLODE, headers=await front.bearer("amp:control"))
    assert "approval_required" == native.code
    assert 0 == amplifier.calls
    assert 200 == (await visitor.sends("POST", EXPLODE)).status


async def test_a_page_in_development_runs_none(front: Front, amplifier: Amplifier) -> None:
    local = await Visitor(front, "http://localhost:4390").pairs()
    socket = await Socket.of(local)

    refused = await local.sends("POST", EXPLODE)
    assert (403, "approval_impossible") == (refused.status, refused.code)
    assert "approval_impossible" == (await socket.calls())["error"]["code"]
    assert [] == (await front.owner("GET", "/oauth/requests")).json["requests"]
    assert 0 == amplifier.calls
    await socket.close()


async def test_the_owner_at_the_terminal_needs_none(front: Front, amplifier: Amplifier) -> None:
    assert 200 == (await front.owner("POST", EXPLODE)).status
    assert 1 == amplifier.calls
    assert [] == (await front.owner("GET", "/oauth/requests")).json["requests"]


async def test_the_owners_page_asks_its_owner(front: Front, owner: Visitor, amplifier: Amplifier) -> None:
    code = await asks(owner)
    (asked,) = (await owner.sends("GET", "/oauth/requests")).json["requests"]
    assert "owner" == asked["client"]["kind"]

    assert 200 == (await owner.sends("POST", f"/oauth/requests/{code}", json={"answer": "allow"})).status
    assert 200 == (await owner.sends("POST", EXPLODE)).status
    assert 1 == amplifier.calls


async def test_who_has_not_the_scope_raises_no_question(front: Front, amplifier: Amplifier) -> None:
    reader = await Visitor(front).pairs("amp:read")
    socket = await Socket.of(reader)

    assert "scope_missing" == (await reader.sends("POST", EXPLODE)).code
    assert "scope_missing" == (await socket.calls())["error"]["code"]
    native = await front.send("POST", EXPLODE, headers=await front.bearer("amp:read"))
    assert "scope_missing" == native.code
    assert [] == (await front.owner("GET", "/oauth/requests")).json["requests"]
    assert 0 == amplifier.calls
    await socket.close()


async def test_nobody_approves_his_own_command(front: Front, visitor: Visitor, amplifier: Amplifier) -> None:
    code = await asks(visitor)
    path, body = f"/oauth/requests/{code}", {"answer": "allow"}

    answers = [
        await visitor.sends("POST", path, json=body),
        await front.send("POST", path, headers={"Origin": front.base}, json=body),
        await front.send("POST", path, json=body),
        await front.send("POST", path, headers=await front.bearer("amp:control"), json=body),
    ]

    assert ["scope_missing", "token_required", "token_required", "scope_missing"] == [one.code for one in answers]
    assert "approval_required" == (await visitor.sends("POST", EXPLODE)).code
    assert 0 == amplifier.calls


async def test_a_code_is_no_page_of_its_own(front: Front, visitor: Visitor) -> None:
    code = await asks(visitor)

    answer = await front.send("GET", f"/oauth/requests/{code}", headers={"Sec-Fetch-Site": "same-origin"})

    assert "not_found" == answer.code


async def test_a_command_is_asked_about_however_many_sites_ask(
    front: Front, visitor: Visitor, amplifier: Amplifier
) -> None:
    for number in range(5):
        await Visitor(front, f"https://{number}.example").asks()

    asked = await visitor.sends("POST", EXPLODE)

    assert (403, "approval_required") == (asked.status, asked.code)
    assert 0 == amplifier.calls


async def test_other_words_for_the_same_parameters_are_the_same(
    front: Front, visitor: Visitor, amplifier: Amplifier
) -> None:
    headers = {"Content-Type": "application/json"}

    async def sends(body: bytes) -> Answer:
        return await front.send("POST", DETONATE, headers={**visitor.signs("POST", DETONATE), **headers}, body=body)

    code = (await sends(b'{"volume":0.5,"where":"here"}')).json["user_code"]
    assert code == (await sends(b'{ "where": "here",\n "volume": 0.5 }')).json["user_code"]
    (asked,) = (await front.owner("GET", "/oauth/requests")).json["requests"]
    assert {"volume": 0.5, "where": "here"} == asked["command"]["params"]
    await answers(front, code)

    other = await sends(b'{"volume":0.5,"where":"there"}')
    assert ("approval_required", True) == (other.code, code != other.json["user_code"])
    assert 0 == amplifier.calls
    assert 200 == (await sends(b'{"where":"here","volume":0.5}')).status
    assert 1 == amplifier.calls


@pytest.mark.parametrize(
    "body",
    [b"[" * 33 + b"]" * 33, b'{"volume":1e400}', b'{"volume":1,"volume":1}', b'{"volume":"\\ud800"}', b"\xff", b"{"],
)
async def test_what_is_no_json_asks_nobody(front: Front, visitor: Visitor, body: bytes) -> None:
    headers = {**visitor.signs("POST", DETONATE), "Content-Type": "application/json"}

    answer = await front.send("POST", DETONATE, headers=headers, body=body)

    assert (400, "malformed_request") == (answer.status, answer.code)
    assert [] == (await front.owner("GET", "/oauth/requests")).json["requests"]
