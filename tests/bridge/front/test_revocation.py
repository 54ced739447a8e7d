"""A token given back over HTTP (RFC 7009), and a grant taken back: what was open ends at once, by every transport."""

import asyncio

import pytest

from tests.bridge.front.client import Front
from tests.bridge.front.sessions import live, opened
from tests.bridge.front.visitor import FORM, SCOPE, Visitor
from tests.bridge.front.waits import until

WHO = "/v1/apps/amp/who"


@pytest.fixture(name="visitor")
async def _visitor(front: Front) -> Visitor:
    return await Visitor(front).pairs()


async def test_a_refresh_token_that_is_given_back_ends_everything_of_its_key(front: Front, visitor: Visitor) -> None:
    other = await Visitor(front, visitor.origin).pairs()
    async with opened(visitor) as mine, opened(other) as others:
        answer = await visitor.revokes(visitor.tokens["refresh_token"])

        assert (200, b"") == (answer.status, answer.body)
        assert (4401, 401, "token_invalid") == await mine.ends()
        assert "token_invalid" == (await visitor.sends("POST", WHO)).code
        assert not others.socket.closed
        assert 3 == live(front, visitor.origin)
    assert 200 == (await other.sends("POST", WHO)).status
    audited = (await front.owner("GET", "/v1/audit")).json["records"]
    assert ["revoked"] == [record["outcome"] for record in audited if record["kind"] == "pairing"][-1:]


async def test_an_access_token_ends_itself_and_its_session_goes_on(front: Front, visitor: Visitor) -> None:
    socket = await visitor.says_hello()
    await socket.receive_json(timeout=5)

    answer = await visitor.revokes(visitor.tokens["access_token"])

    assert (200, b"") == (answer.status, answer.body)
    assert "token_invalid" == (await visitor.sends("POST", WHO)).code
    await socket.send_json({"type": "call", "id": 1, "command": "amp.who"})
    assert {"client": visitor.origin} == (await socket.receive_json(timeout=5))["result"]
    renewed = await visitor.redeems(visitor.refresh_form(visitor.tokens["refresh_token"]))
    assert 200 == renewed.status
    await socket.close()


async def test_a_programs_only_token_ends_its_sessions(front: Front) -> None:
    token = await front.token(SCOPE, name="cli")
    headers = {"Authorization": f"Bearer {token}"}
    ticket = (await front.send("POST", "/v1/tickets", headers=headers)).json["ticket"]
    socket = await front.socket(protocols=("tollbridge.v1", f"ticket.{ticket}"))
    await socket.send_json({"type": "hello", "topics": []})
    await socket.receive_json(timeout=5)

    form = f"client_id=native:cli&token={token}".encode()
    assert 200 == (await front.send("POST", "/oauth/revoke", headers=FORM, body=form)).status

    await socket.receive(timeout=5)
    assert 4401 == socket.close_code
    assert "token_invalid" == (await front.send("POST", WHO, headers=headers)).code


@pytest.mark.parametrize("token", ["rt_unknown", "x", "%E2%82%AC"])
async def test_what_is_unknown_is_no_error(front: Front, visitor: Visitor, token: str) -> None:
    form = f"client_id={visitor.origin}&token={token}&token_type_hint=nobody-knows".encode()

    answer = await visitor.posts("/oauth/revoke", form)

    assert (200, b"", "no-store") == (answer.status, answer.body, answer.headers["Cache-Control"])
    assert visitor.origin == answer.headers["Access-Control-Allow-Origin"]
    assert 200 == (await visitor.sends("POST", WHO)).status


async def test_anothers_token_is_left_alone(front: Front, visitor: Visitor) -> None:
    thief, evil = Visitor(front), Visitor(front, "https://evil.example")
    for kind in ("refresh_token", "access_token"):
        token = visitor.tokens[kind]
        answers = [
            await thief.revokes(token),
            await evil.revokes(token),
            await front.send("POST", "/oauth/revoke", headers=FORM, body=f"client_id=native:x&token={token}".encode()),
        ]
        assert [(200, b"")] * 3 == [(answer.status, answer.body) for answer in answers]
    named = await evil.posts("/oauth/revoke", visitor.token_form(token=visitor.tokens["refresh_token"]))
    assert "invalid_client" == named.json["error"]

    assert 200 == (await visitor.sends("POST", WHO)).status
    assert 200 == (await visitor.redeems(visitor.refresh_form(visitor.tokens["refresh_token"]))).status


async def test_a_repeated_parameter_is_refused(visitor: Visitor) -> None:
    form = visitor.token_form(token=visitor.tokens["refresh_token"])

    for more in (b"&token=x", b"&client_id=native:x", b"&token_type_hint=a&token_type_hint=a"):
        answer = await visitor.posts("/oauth/revoke", form + more)
        assert (400, "invalid_request") == (answer.status, answer.json["error"])
    assert 200 == (await visitor.sends("POST", WHO)).status


async def test_taking_a_grant_back_ends_what_is_open_by_every_transport(front: Front, visitor: Visitor) -> None:
    other = await Visitor(front, "https://other.example").pairs()
    (grant,) = [
        grant
        for grant in (await front.owner("GET", "/v1/grants")).json["grants"]
        if grant["client"]["id"] == visitor.origin
    ]
    async with opened(visitor) as mine, opened(other) as others:
        assert 204 == (await front.owner("DELETE", f"/v1/grants/{grant['id']}")).status

        assert (4401, 401, "token_invalid") == await mine.ends()
        assert (0, 3) == (live(front, visitor.origin), live(front, other.origin))
        assert not others.socket.closed
    answer = await visitor.sends("POST", WHO)
    assert "origin_not_approved" == answer.code


async def test_a_no_to_the_paired_key_ends_what_is_open(front: Front, visitor: Visitor) -> None:
    async with opened(visitor) as mine:
        started = (await visitor.starts_device()).json
        await front.owner("POST", f"/oauth/requests/{started['user_code']}", json={"answer": "deny"})

        assert (4401, 401, "token_invalid") == await mine.ends()


async def test_a_refresh_token_used_long_ago_ends_what_is_open(front: Front, visitor: Visitor) -> None:
    first = visitor.tokens["refresh_token"]
    second = (await visitor.redeems(visitor.refresh_form(first))).json
    async with opened(visitor) as mine:
        await visitor.redeems(visitor.refresh_form(second["refresh_token"]))
        issuer = front.house._server._issuer
        clock, issuer._clock = issuer._clock, lambda: clock() + 31

        assert "invalid_grant" == (await visitor.redeems(visitor.refresh_form(first))).json["error"]

        assert (4401, 401, "token_invalid") == await mine.ends()


async def test_fifty_tabs_that_refresh_at_once_get_one_successor_and_stay(front: Front, visitor: Visitor) -> None:
    old = visitor.tokens["refresh_token"]
    socket = await visitor.says_hello()
    await socket.receive_json(timeout=5)

    answers = await asyncio.gather(*(visitor.redeems(visitor.refresh_form(old)) for _ in range(50)))

    assert {200} == {answer.status for answer in answers}
    (successor,) = {answer.json["refresh_token"] for answer in answers}
    assert old != successor
    assert 50 == len({answer.json["access_token"] for answer in answers})
    for answer in (answers[0], answers[-1]):
        visitor.tokens = answer.json
        assert 200 == (await visitor.sends("POST", WHO)).status
    assert 200 == (await visitor.redeems(visitor.refresh_form(successor))).status
    assert not socket.closed
    await socket.close()
    await until(lambda: 0 == live(front, visitor.origin))
