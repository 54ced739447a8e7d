"""The device flow over HTTP: a page without a callback, a program without a browser, the owner wherever he is."""

import asyncio
from typing import Any

import pytest

from tests.bridge.amplifier import Amplifier
from tests.bridge.front.client import Answer, Front
from tests.bridge.front.visitor import FORM, SCOPE, Visitor
from tests.bridge.front.waits import until

WHO = "/v1/apps/amp/who"
GRANT_TYPE = "urn:ietf:params:oauth:grant-type:device_code"


@pytest.fixture(name="visitor")
def _visitor(front: Front) -> Visitor:
    return Visitor(front)


@pytest.fixture(name="owner")
async def _owner(front: Front) -> Visitor:
    """The owner's page."""
    link = (await front.owner("POST", "/v1/activation-links")).json["link"]
    owner = Visitor(front, front.base)
    owner.tokens = (await owner.redeems(owner.activation_form(link.partition("#activate=")[2]))).json
    return owner


async def waiting(front: Front) -> list[dict[str, Any]]:
    requests: list[dict[str, Any]] = (await front.owner("GET", "/oauth/requests")).json["requests"]
    return requests


async def posts(front: Front, path: str, fields: str) -> Answer:
    """Post a form as a program does."""
    return await front.send("POST", path, headers=FORM, body=fields.encode())


async def test_a_page_pairs_by_a_code_that_the_owner_types(front: Front, visitor: Visitor) -> None:
    started = await visitor.starts_device()
    assert 200 == started.status, started.body
    assert visitor.origin == started.headers["Access-Control-Allow-Origin"]
    for told in ("authorization_pending", "slow_down"):
        assert told == (await visitor.polls(started.json["device_code"])).json["error"]
    audited = (await front.owner("GET", "/v1/audit")).json["records"]
    assert [] == [record for record in audited if record["kind"] == "refusal"], "to ask again is no refusal"
    (asked,) = await waiting(front)
    assert ("device", started.json["user_code"]) == (asked["kind"], asked["code"])
    assert (visitor.origin, "app.example") == (asked["client"]["origin"], asked["client"]["domain"])

    told = await front.owner("POST", f"/oauth/requests/{asked['code'].lower()}", json={"answer": "allow"})
    assert (200, "allowed") == (told.status, told.json["status"])
    answer = await visitor.polls(started.json["device_code"])

    assert (200, "DPoP") == (answer.status, answer.json["token_type"])
    visitor.tokens = answer.json
    assert {"client": visitor.origin} == (await visitor.sends("POST", WHO)).json
    assert "invalid_grant" == (await visitor.polls(started.json["device_code"])).json["error"]
    assert [] == await waiting(front)


async def test_a_program_pairs_without_a_browser(front: Front) -> None:
    started = await posts(front, "/oauth/device_authorization", f"client_id=native:tv&scope={SCOPE.replace(' ', '+')}")
    assert f"{front.base}/oauth/device" == started.json["verification_uri"]
    body = {"answer": "allow", "scopes": ["amp:read"]}
    assert 200 == (await front.owner("POST", f"/oauth/requests/{started.json['user_code']}", json=body)).status

    poll = f"client_id=native:tv&grant_type={GRANT_TYPE}&device_code={started.json['device_code']}"
    tokens = (await posts(front, "/oauth/token", poll)).json

    assert ("Bearer", "amp:read") == (tokens["token_type"], tokens["scope"])
    headers = {"Authorization": f"Bearer {tokens['access_token']}"}
    assert {"client": "native:tv"} == (await front.send("POST", WHO, headers=headers)).json
    volume = await front.send("POST", "/v1/apps/amp/set_volume", headers=headers, json={"volume": 0})
    assert "scope_missing" == volume.code


async def test_the_owner_answers_on_a_page_too(front: Front, owner: Visitor, visitor: Visitor) -> None:
    started = await visitor.starts_device()
    listed = (await owner.sends("GET", "/oauth/requests")).json["requests"]
    assert [started.json["user_code"]] == [asked["code"] for asked in listed]

    body = {"answer": "allow", "until": "once"}
    told = await owner.sends("POST", f"/oauth/requests/{started.json['user_code']}", json=body)

    assert "allowed" == told.json["status"]
    tokens = (await visitor.polls(started.json["device_code"])).json
    assert "refresh_token" not in tokens
    audited = (await front.owner("GET", "/v1/audit")).json["records"]
    assert ["page"] == [record["by"] for record in audited if record["kind"] == "consent" and "by" in record]


async def test_a_no_is_told(front: Front, visitor: Visitor) -> None:
    started = await visitor.starts_device()
    await front.owner("POST", f"/oauth/requests/{started.json['user_code']}", json={"answer": "deny"})

    assert "access_denied" == (await visitor.polls(started.json["device_code"])).json["error"]
    again = await front.owner("POST", f"/oauth/requests/{started.json['user_code']}", json={"answer": "allow"})
    assert (410, "gone") == (again.status, again.code)


async def test_another_key_or_origin_gets_nothing_and_the_code_lives(front: Front, visitor: Visitor) -> None:
    started = (await visitor.starts_device()).json
    await front.owner("POST", f"/oauth/requests/{started['user_code']}", json={"answer": "allow"})
    thief, evil = Visitor(front), Visitor(front, "https://evil.example")
    code = started["device_code"]
    form = visitor.token_form(grant_type=GRANT_TYPE, device_code=code)

    attempts = [
        await thief.polls(code),
        await evil.polls(code),
        await evil.redeems(form),
        await evil.redeems(form, Origin=visitor.origin),
        await posts(front, "/oauth/token", form.decode()),
        await posts(front, "/oauth/token", f"client_id=native:tv&grant_type={GRANT_TYPE}&device_code={code}"),
    ]

    told = [answer.json["error"] for answer in attempts]
    grant, client = "invalid_grant", "invalid_client"
    assert [grant, grant, client, "use_dpop_nonce", client, grant] == told
    assert 200 == (await visitor.polls(code)).status


async def test_a_newer_request_of_the_same_site_takes_the_place(front: Front, visitor: Visitor) -> None:
    first = (await visitor.starts_device()).json
    second = (await Visitor(front, "https://tv.app.example").starts_device()).json

    assert [second["user_code"]] == [asked["code"] for asked in await waiting(front)]
    assert "expired_token" == (await visitor.polls(first["device_code"])).json["error"]
    told = await front.owner("POST", f"/oauth/requests/{first['user_code']}", json={"answer": "allow"})
    assert (410, "gone") == (told.status, told.code)


async def test_for_a_sixth_site_the_oldest_gives_way_and_is_told(front: Front) -> None:
    visitors = [Visitor(front, f"https://{number}.example") for number in range(6)]
    codes = [(await each.starts_device()).json["device_code"] for each in visitors]

    assert 5 == len(await waiting(front))
    assert "expired_token" == (await visitors[0].polls(codes[0])).json["error"]
    assert "authorization_pending" == (await visitors[5].polls(codes[5])).json["error"]


async def test_a_code_in_the_address_answers_nothing(front: Front, visitor: Visitor) -> None:
    started = (await visitor.starts_device()).json
    navigation = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"}

    path = started["verification_uri_complete"].removeprefix(front.base)
    page = await front.send("GET", path, headers=navigation)

    assert (200, "DENY") == (page.status, page.headers["X-Frame-Options"])
    assert started["user_code"].encode() not in page.body
    assert "authorization_pending" == (await visitor.polls(started["device_code"])).json["error"]
    assert 1 == len(await waiting(front))


async def test_who_waits_for_the_list_hears_of_a_request_at_once(front: Front, visitor: Visitor) -> None:
    listening = asyncio.create_task(front.owner("GET", "/oauth/requests?wait=20"))
    await until(lambda: bool(front.house.consent._listeners))

    started = (await visitor.starts_device()).json

    async with asyncio.timeout(5):
        (asked,) = (await listening).json["requests"]
    assert started["user_code"] == asked["code"]
    assert asked["age"] < 5
    listening = asyncio.create_task(front.owner("GET", "/oauth/requests?wait=20"))
    await until(lambda: bool(front.house.consent._listeners))
    await front.owner("POST", f"/oauth/requests/{started['user_code']}", json={"answer": "deny"})
    async with asyncio.timeout(5):
        assert [] == (await listening).json["requests"]
    assert [] == front.house.consent._listeners


@pytest.mark.parametrize("wait", ["-1", "21", "x", "nan"])
async def test_a_wait_is_at_most_20_seconds(front: Front, wait: str) -> None:
    assert "invalid_params" == (await front.owner("GET", f"/oauth/requests?wait={wait}")).code


async def test_nothing_ran_before_the_answer(front: Front, visitor: Visitor, amplifier: Amplifier) -> None:
    started = (await visitor.starts_device()).json
    for text in (started["device_code"], started["user_code"]):
        for scheme in ("Bearer", "DPoP"):
            headers = {"Authorization": f"{scheme} {text}", "Origin": visitor.origin}
            assert (await front.send("POST", WHO, headers=headers)).status in (401, 403)
    assert 0 == amplifier.calls
    assert [] == (await front.owner("GET", "/v1/grants")).json["grants"]
