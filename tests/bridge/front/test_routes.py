"""The route table is all there is, and who may use what is a list that a reviewer sees change."""

import re

from bridge.front.policy import Kind, Need
from tests.bridge.front.client import Front

WITHOUT_TOKEN = {
    ("GET", "/"),
    ("GET", "/oauth/authorize"),
    ("GET", "/oauth/device"),
    ("GET", "/offer"),
    ("GET", "/static/{name:.+}"),
    ("POST", "/oauth/requests"),
    ("GET", "/oauth/requests/{handle}"),
    ("DELETE", "/oauth/requests/{handle}"),
    ("POST", "/oauth/token"),
    ("POST", "/oauth/device_authorization"),
    ("POST", "/oauth/revoke"),
    ("POST", "/oauth/clean"),
    ("GET", "/.well-known/oauth-authorization-server"),
    ("GET", "/.well-known/oauth-protected-resource"),
    ("GET", "/v1/hello"),
    ("POST", "/v1/offers/redeem"),
}


async def test_the_routes_without_a_token_are_these_and_no_others(front: Front) -> None:
    assert WITHOUT_TOKEN == {(route.method, route.path) for route in front.house.routes if route.need is Need.NONE}


async def test_what_is_served_is_the_table(front: Front) -> None:
    served = {
        (route.method, canonical(route.resource.canonical))
        for route in front.house.application.router.routes()
        if route.resource is not None
    }
    table = {(route.method, canonical(route.path)) for route in front.house.routes}
    others = {("OPTIONS", path) for method, path in served if method == "OPTIONS"} | {("*", "/{path}")}

    assert served == table | others


async def test_no_route_that_needs_a_token_answers_without_one(front: Front) -> None:
    for route in front.house.routes:
        if route.need not in (Need.NONE, Need.TICKET):
            path = re.sub(r"\{\w+(:[^}]+)?\}", "x", route.path)
            answer = await front.send(route.method, path)
            assert (401, "token_required") == (answer.status, answer.code), route


async def test_no_owner_route_answers_another_caller(front: Front) -> None:
    headers = await front.bearer("amp:read amp:control")
    for route in front.house.routes:
        if route.need is Need.OWNER:
            answer = await front.send(route.method, re.sub(r"\{\w+\}", "x", route.path), headers=headers)
            assert (403, "scope_missing") == (answer.status, answer.code), route


async def test_no_api_or_own_route_answers_a_stranger(front: Front) -> None:
    stranger = {"Origin": "https://stranger.example"}
    for route in front.house.routes:
        if route.kind in (Kind.API, Kind.OWN, Kind.SOCKET, Kind.PAGE, Kind.STATIC):
            path = re.sub(r"\{\w+(:[^}]+)?\}", "x", route.path)
            assert 403 == (await front.send(route.method, path, headers=stranger)).status, route


def canonical(path: str) -> str:
    return re.sub(r"\{(\w+):[^}]+\}", r"{\1}", path)
