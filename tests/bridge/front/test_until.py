"""For how long a yes holds, as pages and their sessions meet it."""

import time

import pytest

from bridge.front import session as front_session
from tests.bridge.amplifier import Amplifier
from tests.bridge.front.client import Front
from tests.bridge.front.sessions import live, opened
from tests.bridge.front.visitor import SCOPE, Visitor
from tests.bridge.front.waits import until

WHO = "/v1/apps/amp/who"
VOLUME = "/v1/apps/amp/set_volume"
DAY = 86_400.0


def later(front: Front, seconds: float) -> None:
    """Let time pass for everything that is kept."""
    front.store.clock = lambda: time.time() + seconds


@pytest.fixture(name="visitor")
def _visitor(front: Front) -> Visitor:
    return Visitor(front)


async def test_once_is_one_token_and_the_page_is_asked_about_again(front: Front, visitor: Visitor) -> None:
    await visitor.pairs(until="once")

    assert ("refresh_token" in visitor.tokens, visitor.tokens["expires_in"]) == (False, 600)
    assert 200 == (await visitor.sends("POST", WHO)).status
    again = await visitor.asks()
    assert ("pending", False) == (again.json["status"], again.json["remembered"])
    assert not any(scope["granted"] for scope in again.json["scopes"])
    (grant,) = (await front.owner("GET", "/v1/grants")).json["grants"]
    assert ("allowed", [], 1) == (grant["answer"], grant["scopes"], grant["pairings"])


async def test_once_beside_a_lasting_yes_is_for_its_own_token_alone(front: Front, visitor: Visitor) -> None:
    lasting = (await visitor.pairs("amp:read")).tokens
    once = (await visitor.pairs("amp:control", until="once")).tokens

    assert 200 == (await visitor.sends("POST", VOLUME, json={"volume": 0.25})).status
    assert "scope_missing" == (await visitor.sends("POST", WHO)).code
    visitor.tokens = lasting
    assert "scope_missing" == (await visitor.sends("POST", VOLUME, json={"volume": 0.5})).code
    renewed = (await visitor.redeems(visitor.refresh_form(lasting["refresh_token"]))).json
    assert ("amp:control", "amp:read") == (once["scope"], renewed["scope"])
    (grant,) = (await front.owner("GET", "/v1/grants")).json["grants"]
    assert ["amp:read"] == grant["scopes"]


async def test_a_session_for_once_runs_nothing_after_its_end_and_is_closed(
    front: Front, visitor: Visitor, amplifier: Amplifier
) -> None:
    await visitor.pairs(until="once")
    async with opened(visitor) as mine:
        later(front, 601)
        amplifier.shout(1, 10)  # an event after its end, which it must not hear
        await mine.socket.send_json({"type": "call", "id": 1, "command": "amp.set_volume", "params": {"volume": 1}})

        assert 4401 == await mine.closes()
        await mine.stream.content.read(0)
        assert 0 == amplifier.calls
        assert not mine.stream.content.is_eof()
        assert b"noise" not in mine.stream.content.read_nowait()


async def test_a_silent_session_is_closed_with_the_next_heartbeat_after_its_end(
    front: Front, visitor: Visitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(front_session, "HEARTBEAT_SECONDS", 0.01)
    lasting = await Visitor(front, "https://other.example").pairs()
    await visitor.pairs(until="once")
    async with opened(lasting) as others, opened(visitor) as mine:
        mine.poll.cancel()
        assert 3 == live(front, lasting.origin)
        later(front, 601)

        assert 4401 == await mine.closes()
        await mine.stream.content.read()
        assert not others.socket.closed


async def test_a_session_of_a_token_by_hand_ends_with_that_token_though_another_lives(front: Front) -> None:
    short, long = await front.token(SCOPE, ttl=60, name="cli"), await front.token(SCOPE, ttl=3600, name="cli")
    sockets = []
    for token in (short, long):
        headers = {"Authorization": f"Bearer {token}"}
        ticket = (await front.send("POST", "/v1/tickets", headers=headers)).json["ticket"]
        socket = await front.socket(protocols=("tollbridge.v1", f"ticket.{ticket}"))
        await socket.send_json({"type": "hello", "topics": []})
        await socket.receive_json(timeout=5)
        sockets.append(socket)
    later(front, 61)
    for socket in sockets:
        await socket.send_json({"type": "call", "id": 1, "command": "amp.who"})

    assert {"client": "native:cli"} == (await sockets[1].receive_json(timeout=5))["result"]
    await sockets[0].receive(timeout=5)
    assert 4401 == sockets[0].close_code
    await sockets[1].close()


async def test_a_day_is_shown_and_ends_what_is_open(front: Front, visitor: Visitor) -> None:
    await visitor.pairs(until="day")
    (grant,) = (await front.owner("GET", "/v1/grants")).json["grants"]
    assert {"amp:control", "amp:read"} == grant["limits"].keys()
    assert {grant["until"]} == set(grant["limits"].values())

    async with opened(visitor) as mine:
        later(front, DAY)
        assert 0 == len((await front.owner("GET", "/v1/grants")).json["grants"])
        assert (4401, 401, "token_invalid") == await mine.ends()
    assert (
        "invalid_grant" == (await visitor.redeems(visitor.refresh_form(visitor.tokens["refresh_token"]))).json["error"]
    )
    audited = (await front.owner("GET", "/v1/audit")).json["records"]
    assert ["expired"] == [record["outcome"] for record in audited if record["kind"] == "grant"]


async def test_a_scope_that_has_ended_is_gone_from_an_open_session(front: Front, visitor: Visitor) -> None:
    await visitor.pairs("amp:read")
    await visitor.pairs("amp:control", until="day")
    visitor.tokens = (await visitor.redeems(visitor.code_form(await _again(visitor)))).json
    assert "amp:control amp:read" == visitor.tokens["scope"]
    async with opened(visitor) as mine:
        call = {"type": "call", "id": 1, "command": "amp.set_volume", "params": {"volume": 0.25}}
        await mine.socket.send_json(call)
        assert "result" in await _reply(mine.socket)
        later(front, DAY)

        await mine.socket.send_json(call)
        assert "scope_missing" == (await _reply(mine.socket))["error"]["code"]
        await mine.socket.send_json({"type": "call", "id": 2, "command": "amp.who"})
        assert {"client": visitor.origin} == (await _reply(mine.socket))["result"]
    await until(lambda: 0 == live(front, visitor.origin))


async def _again(visitor: Visitor) -> str:
    redirect: str = (await visitor.asks(SCOPE)).json["redirect"]
    return redirect.partition("code=")[2].partition("&")[0]


async def _reply(socket) -> dict:  # type: ignore[no-untyped-def, type-arg]
    while True:
        frame = await socket.receive_json(timeout=5)
        if frame["type"] == "reply":
            return frame  # type: ignore[no-any-return]


@pytest.mark.parametrize(
    ("origin", "answers"),
    [
        ("https://app.example", {"once": 200, "day": 200, "revoked": 200, "week": 400, "never": 400}),
        ("http://localhost:4390", {"once": 200, "day": 200, "revoked": 400, "week": 200, "": 400}),
    ],
)
async def test_only_what_is_offered_can_be_answered(front: Front, origin: str, answers: dict[str, int]) -> None:
    for choice, status in answers.items():
        asked = (await Visitor(front, origin).asks()).json
        body = {"answer": "allow", "until": choice}
        assert status == (await front.owner("POST", f"/oauth/requests/{asked['code']}", json=body)).status
        assert (choice in asked["untils"]) == (status == 200)
        assert 5 > len((await front.owner("GET", "/oauth/requests")).json["requests"])


async def test_development_is_for_a_day_where_nothing_is_said(front: Front) -> None:
    await Visitor(front, "http://localhost:4390").pairs()

    (grant,) = (await front.owner("GET", "/v1/grants")).json["grants"]

    assert {"amp:control", "amp:read"} == grant["limits"].keys()
    assert grant["client"]["development"]
