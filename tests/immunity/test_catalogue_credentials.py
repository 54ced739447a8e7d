"""Tokens, codes, tickets and links: each for its one purpose, none guessable, and none granted by saying so."""

import asyncio
import json
import secrets

import pytest

from bridge.consent.requests import BOUND
from tests.bridge.amplifier import Amplifier
from tests.bridge.front.client import Answer, Front
from tests.bridge.front.visitor import SAME_ORIGIN, SCOPE, Visitor

WHO = "/v1/apps/amp/who"
VOLUME = "/v1/apps/amp/set_volume"
DEADLINE = 30.0


@pytest.fixture(name="page")
async def _page(front: Front) -> Visitor:
    return await Visitor(front).pairs()


async def activation(front: Front) -> str:
    return str((await front.owner("POST", "/v1/activation-links")).json["link"].partition("#activate=")[2])


async def test_an_origin_alone_authenticates_nobody(front: Front, page: Visitor, amplifier: Amplifier) -> None:
    """What any program on this computer can send as well: S-28's npm clients did just that."""
    for headers in ({"Origin": page.origin}, {"Origin": front.base}, {"Origin": page.origin, **SAME_ORIGIN}):
        answer = await front.send("POST", WHO, headers=headers)

        assert (401, "token_required") == (answer.status, answer.code)
    assert 0 == amplifier.calls


async def test_a_cookie_counts_for_nothing_and_is_never_set(front: Front, page: Visitor, amplifier: Amplifier) -> None:
    token = page.tokens["access_token"]
    for cookie in (f"token={token}", f"access_token={token}", f"Authorization=DPoP {token}", f"session={token}"):
        answer = await front.send("POST", WHO, headers={"Origin": page.origin, "Cookie": cookie})

        assert (401, "token_required") == (answer.status, answer.code)
        assert "Set-Cookie" not in answer.headers
    assert 0 == amplifier.calls


@pytest.mark.parametrize(
    "token", ["", "undefined", "null", "None", "changeme", "true", "0", "*", "token", "at_", "at_" + "A" * 43]
)
async def test_a_placeholder_is_no_token(front: Front, amplifier: Amplifier, token: str) -> None:
    for scheme in ("Bearer", "DPoP", "Basic", "bearer"):
        answer = await front.send("POST", WHO, headers={"Authorization": f"{scheme} {token}"})

        assert 401 == answer.status, scheme
    assert 0 == amplifier.calls


async def test_a_thousand_guesses_of_a_code_come_to_nothing_and_lock_nobody_out(front: Front, page: Visitor) -> None:
    """Only the owner may answer, so that a page's guess is refused before the code is looked at, right or wrong."""
    asked = await Visitor(front, "https://other.example").asks()
    right = asked.json["code"]
    bearer = await front.bearer(SCOPE)
    extra = {"answer": "allow", "loopback": True, "admin": True}

    async def guesses(number: int) -> set[tuple[int, str]]:
        seen: set[tuple[int, str]] = set()
        for attempt in range(10):
            code = right if attempt == 9 else "".join(secrets.choice("BCDFGHJKLMNPQRSTVWXZ") for _ in range(8))
            path = f"/oauth/requests/{code}"
            headers = [bearer, {"Origin": front.base}, page.signs("POST", path)][number % 3]
            answer = await front.send("POST", path, headers=headers, json=extra)
            seen.add((answer.status, answer.code))
        return seen

    seen = set().union(*await asyncio.gather(*(guesses(number) for number in range(100))))

    assert {(401, "token_required"), (403, "scope_missing")} == seen
    status = await front.send("GET", f"/oauth/requests/{asked.json['handle']}", headers=SAME_ORIGIN)
    assert "pending" == status.json["status"]
    assert 200 == (await front.owner("POST", f"/oauth/requests/{right}", json={"answer": "allow"})).status


async def test_a_thousand_guesses_of_a_secret_come_to_nothing_and_lock_nobody_out(front: Front, page: Visitor) -> None:
    link = await activation(front)

    async def guesses() -> set[int]:
        guess = secrets.token_urlsafe(32)
        owner = Visitor(front, front.base)
        answers = [
            await owner.redeems(owner.activation_form(guess)),
            await page.redeems(page.code_form(guess)),
            await page.redeems(page.refresh_form(guess)),
            await front.send("POST", WHO, headers={"Authorization": f"Bearer at_{guess}"}),
            await front.send("GET", f"/oauth/requests/{guess}", headers=SAME_ORIGIN),
        ]
        return {answer.status for answer in answers}

    seen = set().union(*await asyncio.gather(*(guesses() for _ in range(200))))

    assert {400, 401, 404} == seen
    owner = Visitor(front, front.base)
    assert 200 == (await owner.redeems(owner.activation_form(link))).status
    assert 200 == (await page.sends("POST", WHO)).status


async def test_every_secret_that_is_handed_out_has_128_bits_or_more(front: Front, page: Visitor) -> None:
    asked = (await Visitor(front, "https://other.example").asks()).json
    handed = [page.tokens["access_token"], page.tokens["refresh_token"], await page.ticket(), await activation(front),
              asked["handle"], await front.token("amp:read")]  # fmt: skip

    assert [] == [len(secret) for secret in handed if len(secret.removeprefix("at_").removeprefix("rt_")) * 6 < 128]
    assert len(handed) == len(set(handed))


async def test_no_client_widens_its_own_scopes_by_saying_so(front: Front, amplifier: Amplifier) -> None:
    page = await Visitor(front).pairs("amp:read")
    claims = {"scope": "owner amp:control", "role": "admin", "admin": True, "scopes": ["owner"]}
    token = page.tokens["access_token"]
    url = f"{front.base}{VOLUME}"
    proof = page.proof("POST", url, token, **claims)
    proof_head = page.proof("POST", url, token, header={"scope": "owner"})
    signed = page.signs("POST", VOLUME)
    answers = [
        await page.sends("POST", VOLUME, json={"volume": 1, **claims}),
        await front.send(
            "POST", f"{VOLUME}?scope=owner&role=admin", headers=page.signs("POST", VOLUME), json={"volume": 1}
        ),
        await front.send("POST", VOLUME, headers={**signed, "DPoP": proof}, json={"volume": 1}),
        await front.send("POST", VOLUME, headers={**signed, "DPoP": proof_head}, json={"volume": 1}),
        await page.sends("POST", VOLUME, json={"volume": 1}, headers={"X-Scope": "owner", "X-Role": "admin"}),
        await page.sends("GET", "/v1/grants", headers={"X-Scope": "owner"}),
    ]
    wider = await page.redeems(page.refresh_form(page.tokens["refresh_token"], scope="amp:read amp:control owner"))

    queried = answers.pop(1)
    assert (400, "invalid_params") == (queried.status, queried.code)
    assert {(403, "scope_missing")} == {(answer.status, answer.code) for answer in answers}
    assert (400, "invalid_scope") == (wider.status, wider.json["error"])
    assert 0 == amplifier.calls


async def test_no_socket_widens_its_own_scopes_by_saying_so(front: Front, amplifier: Amplifier) -> None:
    page = await Visitor(front).pairs("amp:read")
    for extra in ({"scope": "owner"}, {"role": "admin"}, {"scopes": ["amp:control"]}):
        socket = await page.says_hello(**extra)
        await socket.send_json({"type": "call", "id": 1, "command": "amp.set_volume", "params": {"volume": 1}})

        async with asyncio.timeout(DEADLINE):
            heard = [message.data async for message in socket if "session" not in str(message.data)]
            if socket.close_code is None:
                await socket.close()
        assert 4400 == socket.close_code or "scope_missing" in str(heard)
    assert 0 == amplifier.calls


async def test_nothing_is_granted_while_nobody_answers(front: Front) -> None:
    """There is no surface that says yes by itself, and none that a request could skip."""
    visitor = Visitor(front)
    asked = await visitor.asks()
    handle = asked.json["handle"]

    for form in (visitor.code_form(asked.json["code"]), visitor.code_form(handle), visitor.refresh_form(handle)):
        assert 400 == (await visitor.redeems(form)).status
    answers = [
        await front.send("POST", f"/oauth/requests/{handle}", headers={"Origin": front.base}, json={"answer": "allow"}),
        await front.send("GET", f"/oauth/requests/{handle}?answer=allow&wait=0", headers=SAME_ORIGIN),
        await front.send("GET", f"/oauth/requests/{handle}?wait=0", headers=SAME_ORIGIN),
        await front.send("POST", "/oauth/requests", headers={"Origin": visitor.origin}, json={"query": "approve=1"}),
    ]

    assert [401, 400, 200, 403] == [answer.status for answer in answers]
    assert ("pending", None) == (answers[2].json["status"], answers[2].json["redirect"])
    assert () == tuple(front.store.grants())


async def test_each_credential_opens_the_door_that_it_is_for_and_no_other(
    front: Front, page: Visitor, amplifier: Amplifier
) -> None:
    asked = (await Visitor(front, "https://other.example").asks()).json
    mine = {
        "ticket": await page.ticket(),
        "refresh": page.tokens["refresh_token"],
        "link": await activation(front),
        "approval code": asked["code"],
        "handle": asked["handle"],
        "access": page.tokens["access_token"],
    }
    refused: dict[str, list[int]] = {}
    for name, secret in mine.items():
        signed = page.signs("POST", WHO)
        url = f"{front.base}{WHO}"
        proof = page.proof("POST", url, secret)
        statuses = refused[name] = []
        if name != "access":
            as_token = {**signed, "Authorization": f"DPoP {secret}", "DPoP": proof}
            statuses.append((await front.send("POST", WHO, headers=as_token)).status)
        statuses.append((await front.send("POST", WHO, headers={"Authorization": f"Bearer {secret}"})).status)
        statuses.append((await page.redeems(page.code_form(secret))).status)
        if name != "refresh":
            statuses.append((await page.redeems(page.refresh_form(secret))).status)
        if name != "ticket":
            socket = await page.opens_socket(secret)
            await socket.receive(timeout=DEADLINE)
            statuses.append(int(socket.close_code or 0))
        owner = Visitor(front, front.base)
        if name != "link":
            statuses.append((await owner.redeems(owner.activation_form(secret))).status)

    assert set() == {status for statuses in refused.values() for status in statuses} - {400, 401, 403, 4401}
    assert 0 == amplifier.calls
    assert 200 == (await page.sends("POST", WHO)).status


async def test_a_body_is_not_waited_for_before_the_caller_is_known(front: Front, amplifier: Amplifier) -> None:
    """A mebibyte is announced and never sent: the answer comes from the head alone."""
    port = int(front.base.rpartition(":")[2])
    heads = {
        b"": b"401",
        b"Authorization: Bearer at_wrong\r\n": b"401",
        b"Origin: https://stranger.example\r\n": b"403",
        b"Origin: null\r\n": b"403",
    }
    for extra, status in heads.items():
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        head = f"POST {VOLUME} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nContent-Type: application/json\r\n"
        writer.write(head.encode() + extra + b"Content-Length: 60000\r\n\r\n")
        async with asyncio.timeout(30):
            answer = await reader.readline()
        writer.close()

        assert answer.startswith(b"HTTP/1.1 " + status), extra
    assert 0 == amplifier.calls


async def test_the_queue_of_questions_is_one_a_site_and_has_an_end(front: Front) -> None:
    site = Visitor(front, "https://eager.example")
    for _ in range(100):
        asked: Answer = await site.asks()
        assert 200 == asked.status

    assert 1 == len((await front.owner("GET", "/oauth/requests")).json["requests"])
    others = [await Visitor(front, f"https://site-{number}.example").asks() for number in range(BOUND + 5)]
    assert {200} == {answer.status for answer in others}, "nobody holds the places against those who come after"
    assert BOUND == len((await front.owner("GET", "/oauth/requests")).json["requests"])


async def test_the_question_names_the_exact_origin_in_ascii(front: Front) -> None:
    asked = await Visitor(front, "https://xn--pp-7kc.example:8443").asks()

    assert "https://xn--pp-7kc.example:8443" == asked.json["client"]["origin"]
    assert json.dumps(asked.json).isascii()
