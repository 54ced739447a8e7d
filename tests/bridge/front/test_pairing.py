"""A page is asked for, allowed or denied, and from then on proves its key."""

import asyncio

import pytest

from oauth.dpop import thumbprint
from tests.bridge.amplifier import Amplifier
from tests.bridge.front.client import Front
from tests.bridge.front.visitor import SAME_ORIGIN, SCOPE, Visitor

WHO = "/v1/apps/amp/who"


@pytest.fixture(name="visitor")
def _visitor(front: Front) -> Visitor:
    return Visitor(front)


async def test_a_page_that_was_allowed_runs_commands(visitor: Visitor) -> None:
    await visitor.pairs()

    answer = await visitor.sends("POST", WHO)

    assert (200, {"client": visitor.origin}) == (answer.status, answer.json)
    assert visitor.origin == answer.headers["Access-Control-Allow-Origin"]
    assert "DPoP" == visitor.tokens["token_type"]


async def test_the_request_is_shown_in_plain_words(visitor: Visitor) -> None:
    asked = (await visitor.asks()).json

    assert "pending" == asked["status"]
    client = {"id": visitor.origin, "kind": "page", "origin": visitor.origin, "domain": "app.example"}
    assert {**client, "development": False} == asked["client"]
    assert (["once", "day", "revoked"], "revoked") == (asked["untils"], asked["until"])
    assert (False, False, None) == (asked["denied_before"], asked["quiet"], asked["command"])
    assert [
        {"scope": "amp:control", "sentence": "Change the volume", "granted": False},
        {"scope": "amp:read", "sentence": "See the volume", "granted": False},
    ] == asked["scopes"]
    assert 9 == len(asked["code"])


async def test_a_no_is_told_and_remembered_and_can_be_changed(visitor: Visitor) -> None:
    redirect = await visitor.is_answered(await visitor.asks(), "deny")
    assert ["access_denied"] == redirect["error"]
    assert [visitor.front.base] == redirect["iss"]

    again = await visitor.asks()
    assert (True, None) == (again.json["remembered"], again.json["redirect"])
    assert "access_denied" in again.json["redirect_denied"]

    redirect = await visitor.is_answered(again, "allow")
    assert 200 == (await visitor.redeems(visitor.code_form(redirect["code"][0]))).status


async def test_the_same_key_comes_back_without_a_question(visitor: Visitor) -> None:
    await visitor.pairs()

    again = await visitor.asks()

    assert ("allowed", True) == (again.json["status"], again.json["remembered"])
    assert f"{visitor.origin}/callback?code=" in again.json["redirect"]


async def test_another_key_of_the_same_site_asks_again(front: Front, visitor: Visitor) -> None:
    await visitor.pairs()

    again = await Visitor(front, visitor.origin).asks()

    assert ("pending", False) == (again.json["status"], again.json["remembered"])
    assert all(scope["granted"] for scope in again.json["scopes"])


async def test_more_scopes_than_were_allowed_ask_again(visitor: Visitor) -> None:
    await visitor.pairs("amp:read")

    assert "pending" == (await visitor.asks(SCOPE)).json["status"]


async def test_the_owner_may_allow_fewer_scopes(visitor: Visitor) -> None:
    asked = await visitor.asks()
    code = asked.json["code"]
    wrong = await visitor.front.owner("POST", f"/oauth/requests/{code}", json={"answer": "allow", "scopes": ["owner"]})
    none = await visitor.front.owner("POST", f"/oauth/requests/{code}", json={"answer": "allow", "scopes": []})
    assert [400, 400] == [wrong.status, none.status]

    fewer = {"answer": "allow", "scopes": ["amp:read"]}
    assert 200 == (await visitor.front.owner("POST", f"/oauth/requests/{code}", json=fewer)).status
    status = await visitor.front.send("GET", f"/oauth/requests/{asked.json['handle']}", headers=SAME_ORIGIN)
    code = status.json["redirect"].partition("code=")[2].partition("&")[0]
    visitor.tokens = (await visitor.redeems(visitor.code_form(code))).json

    assert "amp:read" == visitor.tokens["scope"]
    assert "scope_missing" == (await visitor.sends("POST", "/v1/apps/amp/set_volume", json={"volume": 0})).code


async def test_nobody_but_the_owner_answers(front: Front, visitor: Visitor) -> None:
    await visitor.pairs()
    asked = await Visitor(front, "https://other.example").asks()

    answers = [
        await visitor.sends("POST", f"/oauth/requests/{asked.json['code']}", json={"answer": "allow"}),
        await visitor.sends("GET", "/oauth/requests"),
        await front.send(
            "POST", f"/oauth/requests/{asked.json['code']}", headers={"Origin": front.base}, json={"answer": "allow"}
        ),
        await front.send(
            "POST", f"/oauth/requests/{asked.json['code']}", headers=await front.bearer(SCOPE), json={"answer": "allow"}
        ),
    ]

    assert ["scope_missing", "scope_missing", "token_required", "scope_missing"] == [answer.code for answer in answers]


async def test_the_owner_answers_in_the_browser_that_was_activated(front: Front, visitor: Visitor) -> None:
    link = (await front.owner("POST", "/v1/activation-links")).json["link"]
    secret = link.partition("#activate=")[2]
    owner = Visitor(front, front.base)
    owner.tokens = (await owner.redeems(owner.activation_form(secret))).json
    assert "owner" == owner.tokens["scope"]

    asked = await visitor.asks()
    listed = await owner.sends("GET", "/oauth/requests")
    answered = await owner.sends("POST", f"/oauth/requests/{asked.json['code']}", json={"answer": "allow"})

    assert [asked.json["code"]] == [request["code"] for request in listed.json["requests"]]
    assert (200, "allowed") == (answered.status, answered.json["status"])
    assert 400 == (await Visitor(front, front.base).redeems(owner.activation_form(secret))).status  # single use


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({"redirect_uri": "https://evil.example/"}, 400),
        ({"redirect_uri": "https://app.example.evil.example/"}, 400),
        ({"redirect_uri": ""}, 400),
        ({"client_id": "null"}, 400),
        ({"client_id": "https://app.example/"}, 400),
        ({"client_id": "https://evil.example"}, 400),
    ],
)
async def test_a_request_that_names_a_wrong_place_never_redirects(
    visitor: Visitor, changes: dict[str, str | None], status: int
) -> None:
    asked = await visitor.asks(**changes)

    assert status == asked.status
    assert "application/problem+json" == asked.headers["Content-Type"]
    assert b'redirect"' not in asked.body


@pytest.mark.parametrize(
    "changes",
    [
        {"code_challenge": None},
        {"code_challenge_method": "plain"},
        {"code_challenge_method": None},
        {"dpop_jkt": None},
        {"response_type": "token"},
        {"scope": "amp:read nobody:knows"},
        {"scope": "owner"},
    ],
)
async def test_any_other_fault_is_told_to_the_site(visitor: Visitor, changes: dict[str, str | None]) -> None:
    changes = {"scope": SCOPE, **changes}
    asked = await visitor.asks(**changes)  # type: ignore[arg-type]  # scope is never None here

    assert (200, "refused") == (asked.status, asked.json["status"])
    assert asked.json["redirect"].startswith(f"{visitor.origin}/callback?error=")


async def test_the_client_id_is_checked_against_the_origin(front: Front, visitor: Visitor) -> None:
    redirect = await visitor.is_answered(await visitor.asks())
    form = visitor.code_form(redirect["code"][0])

    for origin in ("https://other.example", front.base):
        assert "invalid_client" == (await visitor.redeems(form, Origin=origin)).json["error"]
    assert 403 == (await visitor.redeems(form, Origin="null")).status
    without = await front.send(
        "POST",
        "/oauth/token",
        headers={
            "Content-Type": "application/x-www-form-urlencoded",
            "DPoP": visitor.proof("POST", f"{front.base}/oauth/token"),
        },
        body=form,
    )
    assert "invalid_client" == without.json["error"]
    assert 200 == (await visitor.redeems(form)).status  # no refusal has spent the code


async def test_a_page_token_without_its_proof_key_or_origin_is_refused(
    front: Front, visitor: Visitor, amplifier: Amplifier
) -> None:
    await visitor.pairs()
    token = visitor.tokens["access_token"]
    thief = Visitor(front, visitor.origin)
    thief.tokens = visitor.tokens
    good = visitor.signs("POST", WHO)
    attempts = [
        ({**good, "DPoP": ""}, 401),
        ({name: value for name, value in good.items() if name != "DPoP"}, 401),
        ({"Origin": visitor.origin, "Authorization": f"Bearer {token}"}, 401),
        ({**visitor.signs("POST", WHO), "Authorization": f"Bearer {token}"}, 401),  # RFC 9449 7.2
        (thief.signs("POST", WHO), 401),
        (visitor.signs("POST", WHO, htm="GET"), 401),
        (visitor.signs("POST", WHO, htu="http://127.0.0.1:1/v1/apps/amp/who"), 401),
        (visitor.signs("POST", WHO, ath=None), 401),
        (visitor.signs("POST", WHO, iat=0), 401),
        ({name: value for name, value in good.items() if name != "Origin"}, 403),
        ({**good, "Origin": front.base}, 403),
        ({**good, "Origin": "https://other.example"}, 403),
        ({**good, "Origin": "null"}, 403),
    ]

    for headers, status in attempts:
        assert status == (await front.send("POST", WHO, headers=headers)).status, headers
    in_url = await front.send("POST", f"{WHO}?access_token={token}", headers={"Origin": visitor.origin})
    assert 401 == in_url.status
    assert 0 == amplifier.calls

    assert 200 == (await front.send("POST", WHO, headers=good)).status
    assert 401 == (await front.send("POST", WHO, headers=good)).status  # a proof is good once
    assert 1 == amplifier.calls


async def test_refreshing_rotates_and_a_lost_answer_can_be_had_again(visitor: Visitor) -> None:
    await visitor.pairs()
    old = visitor.tokens["refresh_token"]

    first = await visitor.redeems(visitor.refresh_form(old))
    again = await visitor.redeems(visitor.refresh_form(old))

    assert first.json["refresh_token"] == again.json["refresh_token"] != old
    visitor.tokens = again.json
    assert 200 == (await visitor.sends("POST", WHO)).status


async def test_a_second_origin_sees_nothing_of_the_first(front: Front, visitor: Visitor) -> None:
    await visitor.pairs()
    other = await Visitor(front, "https://other.example").pairs()

    first, second = await visitor.sends("GET", "/v1/apps/amp/state"), await other.sends("GET", "/v1/apps/amp/state")

    assert first.json["cursor"].partition(".")[0] != second.json["cursor"].partition(".")[0]
    assert visitor.tokens["daemon_key"] != other.tokens["daemon_key"]


async def test_a_local_page_is_for_development(front: Front) -> None:
    local = await Visitor(front, "http://localhost:4390").pairs()

    (grant,) = (await front.owner("GET", "/v1/grants")).json["grants"]

    assert (True, "http://localhost:4390") == (grant["client"]["development"], grant["client"]["origin"])
    assert grant["until"] is not None
    assert 200 == (await local.sends("POST", WHO)).status


async def test_the_consent_page_goes_on_by_itself(front: Front, visitor: Visitor) -> None:
    asked = await visitor.asks()
    waiting = asyncio.create_task(
        front.send("GET", f"/oauth/requests/{asked.json['handle']}?wait=20", headers=SAME_ORIGIN)
    )
    await asyncio.sleep(0)

    await front.owner(
        "POST", f"/oauth/requests/{asked.json['code'].lower().replace('-', '')}", json={"answer": "allow"}
    )

    assert "allowed" == (await waiting).json["status"]


async def test_a_stranger_learns_whether_it_is_approved_and_nothing_else(front: Front) -> None:
    answer = await front.send("GET", "/v1/apps", headers={"Origin": "https://stranger.example"})

    assert (403, "origin_not_approved") == (answer.status, answer.code)
    assert "https://stranger.example" == answer.headers["Access-Control-Allow-Origin"]


async def test_hello_is_the_same_for_every_stranger_and_proves_itself_to_a_friend(
    front: Front, visitor: Visitor
) -> None:
    await visitor.pairs()
    pinned = thumbprint(visitor.tokens["daemon_key"])
    query = f"/v1/hello?nonce={'n' * 16}&key={pinned}"

    strangers = [
        (await front.send("GET", "/v1/hello")).body,
        (await front.send("GET", query)).body,
        (await front.send("GET", query, headers={"Origin": "https://stranger.example"})).body,
        (await front.send("GET", query.replace(pinned, "x" * 43), headers={"Origin": visitor.origin})).body,
        (await front.send("GET", "/v1/hello", headers={"Origin": visitor.origin})).body,
    ]
    friend = await front.send("GET", query, headers={"Origin": visitor.origin})

    assert {b'{"service":"tollbridge","api":{"min":1,"max":1}}'} == set(strangers)
    assert 3 == len(friend.json["proof"].split("."))


@pytest.mark.parametrize(
    ("content_type", "status"),
    [
        ("application/json", 415),
        ("text/plain", 415),
        ("application/x-www-form-urlencoded; charset=latin-1", 415),
        ("multipart/form-data; boundary=x", 415),
        ("Application/X-WWW-Form-Urlencoded; charset=UTF-8", 200),
    ],
)
async def test_the_token_endpoint_takes_a_form_and_nothing_else(
    visitor: Visitor, content_type: str, status: int
) -> None:
    redirect = await visitor.is_answered(await visitor.asks())

    answer = await visitor.redeems(visitor.code_form(redirect["code"][0]), **{"Content-Type": content_type})

    assert status == answer.status


async def test_a_form_that_is_too_long_is_refused(visitor: Visitor) -> None:
    assert 413 == (await visitor.redeems(b"x=" + b"y" * 70_000)).status
