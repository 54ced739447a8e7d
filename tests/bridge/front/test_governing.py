"""What the owner sees of those whom he has allowed, and how he takes it back."""

import pytest

from tests.bridge.front.client import Front
from tests.bridge.front.sessions import opened
from tests.bridge.front.visitor import SCOPE, Visitor
from tests.bridge.front.waits import until

WHO = "/v1/apps/amp/who"
EXPLODE = "/v1/apps/amp/explode"


@pytest.fixture(name="visitor")
async def _visitor(front: Front) -> Visitor:
    return await Visitor(front).pairs()


async def grant_of(front: Front, client: str) -> dict:  # type: ignore[type-arg]
    grants = (await front.owner("GET", "/v1/grants")).json["grants"]
    (found,) = [grant for grant in grants if grant["client"]["id"] == client]
    return found  # type: ignore[no-any-return]


async def test_a_grant_is_shown_with_all_that_stands_under_it(front: Front, visitor: Visitor) -> None:
    other = await Visitor(front, visitor.origin).pairs("amp:read")

    grant = await grant_of(front, visitor.origin)

    page = {"id": visitor.origin, "kind": "page", "origin": visitor.origin, "domain": "app.example"}
    assert {**page, "development": False} == grant["client"]
    assert ("allowed", ["amp:control", "amp:read"]) == (grant["answer"], grant["scopes"])
    assert ["Change the volume", "See the volume"] == grant["sentences"]
    assert ({}, None, 2, 0, 0, 0) == tuple(
        grant[name] for name in ("limits", "until", "pairings", "denied_keys", "sessions", "commands_today")
    )
    shown = (await front.owner("GET", f"/v1/grants/{grant['id']}")).json
    keys = shown.pop("keys")
    assert grant == shown
    assert {visitor.jkt: ["amp:control", "amp:read"], other.jkt: ["amp:read"]} == {
        key["thumbprint"]: key["scopes"] for key in keys
    }
    assert {"id", "thumbprint", "scopes", "created", "consented", "until", "sessions"} == set(keys[0])


async def test_sessions_are_counted_by_grant_and_key(front: Front, visitor: Visitor) -> None:
    other = await Visitor(front, visitor.origin).pairs()
    async with opened(visitor):
        grant = await grant_of(front, visitor.origin)
        shown = (await front.owner("GET", f"/v1/grants/{grant['id']}")).json

        assert (3, 3) == (grant["sessions"], shown["sessions"])
        assert {visitor.jkt: 3, other.jkt: 0} == {key["thumbprint"]: key["sessions"] for key in shown["keys"]}
    await until(lambda: len(front.house.sessions) == 0)
    assert 0 == (await grant_of(front, visitor.origin))["sessions"]


async def test_commands_that_ran_are_counted_and_no_others(front: Front, visitor: Visitor) -> None:
    other = await Visitor(front, "https://other.example").pairs("amp:read")
    for _ in range(3):
        await visitor.sends("POST", WHO)
    socket = await visitor.says_hello()
    await socket.receive_json(timeout=5)
    await socket.send_json({"type": "call", "id": 1, "command": "amp.who"})
    await socket.receive_json(timeout=5)
    assert "scope_missing" == (await other.sends("POST", "/v1/apps/amp/set_volume", json={"volume": 0})).code
    assert "approval_required" == (await visitor.sends("POST", EXPLODE)).code
    await front.owner("POST", WHO)

    assert (4, 0) == tuple(
        [(await grant_of(front, origin))["commands_today"] for origin in (visitor.origin, other.origin)]
    )
    await socket.close()


async def test_keys_that_were_told_no_are_counted_and_can_be_forgotten(front: Front, visitor: Visitor) -> None:
    denied, never = Visitor(front, visitor.origin), Visitor(front, "https://never.example")
    for page in (denied, never):
        await page.is_answered(await page.asks(), "deny")
    grant, refused = await grant_of(front, visitor.origin), await grant_of(front, never.origin)
    assert ("allowed", 1, "denied", 1) == (
        grant["answer"],
        grant["denied_keys"],
        refused["answer"],
        refused["denied_keys"],
    )
    assert (await denied.asks()).json["denied_before"]

    for each in (grant, refused):
        assert 204 == (await front.owner("DELETE", f"/v1/grants/{each['id']}/denials")).status

    assert 0 == (await grant_of(front, visitor.origin))["denied_keys"]
    assert 200 == (await visitor.sends("POST", WHO)).status, "what was allowed stays"
    assert [visitor.origin] == [
        each["client"]["id"] for each in (await front.owner("GET", "/v1/grants")).json["grants"]
    ]
    assert not (await denied.asks()).json["denied_before"]


async def test_a_grant_that_is_taken_back_is_forgotten_with_its_no(front: Front, visitor: Visitor) -> None:
    denied = Visitor(front, visitor.origin)
    await denied.is_answered(await denied.asks(), "deny")
    grant = await grant_of(front, visitor.origin)

    assert 204 == (await front.owner("DELETE", f"/v1/grants/{grant['id']}")).status

    assert [] == (await front.owner("GET", "/v1/grants")).json["grants"]
    assert (
        "invalid_grant" == (await visitor.redeems(visitor.refresh_form(visitor.tokens["refresh_token"]))).json["error"]
    )
    for page in (denied, visitor):
        asked = (await page.asks()).json
        assert ("pending", False, False) == (asked["status"], asked["denied_before"], asked["remembered"])


@pytest.mark.parametrize("method", ["GET", "DELETE"])
async def test_what_is_not_there_is_not_found(front: Front, visitor: Visitor, method: str) -> None:
    grant = await grant_of(front, visitor.origin)

    for name in ("nothing", visitor.origin, grant["id"][:-1]):
        answer = await front.owner(method, f"/v1/grants/{name.replace('/', '%2F')}")
        assert (404, "not_found") == (answer.status, answer.code)


async def test_nobody_else_governs(front: Front, visitor: Visitor) -> None:
    grant = await grant_of(front, visitor.origin)
    bearer = await front.bearer(SCOPE)
    for method, path in (
        ("GET", "/v1/grants"),
        ("GET", f"/v1/grants/{grant['id']}"),
        ("DELETE", f"/v1/grants/{grant['id']}"),
        ("DELETE", f"/v1/grants/{grant['id']}/denials"),
    ):
        assert "scope_missing" == (await visitor.sends(method, path)).code
        assert "scope_missing" == (await front.send(method, path, headers=bearer)).code
        assert "token_required" == (await front.send(method, path)).code
    assert 200 == (await visitor.sends("POST", WHO)).status


async def test_the_dashboards_own_grant_is_called_the_owners(front: Front) -> None:
    link = (await front.owner("POST", "/v1/activation-links")).json["link"]
    owner = Visitor(front, front.base)
    owner.tokens = (await owner.redeems(owner.activation_form(link.partition("#activate=")[2]))).json

    assert "owner" == (await grant_of(front, front.base))["client"]["kind"]
