"""Every route reads what it is sent strictly: JSON bodies, and the parameters of queries, also where it needs none."""

import pytest

from bridge.front.policy import Body
from tests.bridge.front.client import Answer, Front

pytestmark = pytest.mark.broad

JSON = {"Content-Type": "application/json"}
SPOILT = (
    *(b"garbage{NaN", b'{"x":1,"x":2}', b'{"x":NaN}', b'{"x":1e999}', b'{"x":"\\ud800"}', b"[]", b"null", b'""'),
    *(b"\xef\xbb\xbf{}", b"{}{}", b'{"x":"\xff"}', b'{"no such field":1}'),
)
OURS = ("/v1/", "/oauth/requests")
"""Here unknown parameters of a query are refused; elsewhere stand pages and OAuth, which has them ignored."""
BARE = {"POST /v1/tickets", "POST /v1/activation-links"}
"""They take a body, but no field."""


def filled(path: str) -> str:
    """Return a route's path with names that exist."""
    for part, name in {
        "{app}/{command}": "amp/who",
        "{app}": "amp",
        "{handle}": "x",
        "{code}": "x",
        "{id}": "x",
    }.items():
        path = path.replace(part, name)
    return path


async def asked(front: Front, method: str, path: str, body: bytes | None = None) -> Answer:
    """Ask as the owner, or as our own page where no token counts."""
    headers = JSON if body is not None else {}
    if path.startswith("/oauth/requests") and path != "/oauth/requests/x":
        headers = {**headers, "Origin": front.base}
        return await front.send(method, path, headers=headers, body=body)
    return await front.send(method, path, headers=headers, body=body, unix=True)


@pytest.mark.parametrize("body", SPOILT)
async def test_every_route_that_takes_json_reads_it_strictly(front: Front, body: bytes) -> None:
    routes = [route for route in front.house.routes if route.body is Body.JSON]
    assert {f"{route.method} {route.path}" for route in routes} > BARE

    for route in routes:
        answer = await asked(front, route.method, filled(route.path), body)
        assert 400 == answer.status, (route.path, answer.body)
        assert answer.code in ("malformed_request", "invalid_params")


@pytest.mark.parametrize("body", [b"", b"{}", b" { } "])
@pytest.mark.parametrize("bare", sorted(BARE))
async def test_a_route_without_fields_takes_an_empty_object_or_nothing(front: Front, bare: str, body: bytes) -> None:
    method, _, path = bare.partition(" ")

    assert 200 == (await asked(front, method, path, body)).status


async def test_every_route_of_ours_declares_the_parameters_of_its_query(front: Front) -> None:
    for route in front.house.routes:
        assert route.path.startswith(OURS) == (route.query is not None), route.path


@pytest.mark.parametrize("unknown", ["foo=1", "foo", "=1", "Wait=1", "wait%20=1", "%77ait=1&wait=1"])
async def test_a_route_refuses_unknown_and_repeated_parameters(front: Front, unknown: str) -> None:
    for route in front.house.routes:
        if route.query is None:
            continue
        is_own = route.kind == "own"
        headers = {"Origin": front.base} if is_own else {}
        path = f"{filled(route.path)}?{unknown}"
        answer = await front.send(route.method, path, headers=headers, unix=not is_own)
        assert (400, "invalid_params") == (answer.status, answer.code), route.path
        assert "foo" not in answer.json["detail"]
        for name in route.query:
            path = f"{filled(route.path)}?{name}=0&{name}=0"
            answer = await front.send(route.method, path, headers=headers, unix=not is_own)
            assert (400, name) == (answer.status, answer.json["path"]), path


async def test_oauth_and_pages_ignore_unknown_parameters(front: Front) -> None:
    for path in ("/.well-known/oauth-authorization-server?foo=1", "/.well-known/oauth-protected-resource?foo=1"):
        assert 200 == (await front.send("GET", path)).status
    browser = {"Sec-Fetch-Dest": "document", "Sec-Fetch-Site": "none", "Sec-Fetch-Mode": "navigate"}
    assert 200 == (await front.send("GET", "/?utm_source=x", headers=browser)).status


@pytest.mark.parametrize(
    "number",
    ["0_1", "%D9%A1", "1e1", "+1", "%201", "1%20", "0x1", ".5", "1.", "-0", "inf", "nan", "1_0", "%EF%BC%91", "", "61"],
)
@pytest.mark.parametrize("path", ["/v1/events?wait=", "/v1/apps/amp/state?returnafter=", "/oauth/requests?wait="])
async def test_a_number_of_seconds_is_plain_ascii(front: Front, path: str, number: str) -> None:
    answer = await front.owner("GET", path + number)

    assert (400, "invalid_params") == (answer.status, answer.code)
    assert path.rpartition("?")[2][:-1] == answer.json["path"]


@pytest.mark.parametrize("number", ["0", "0.05", "00.010"])
async def test_plain_numbers_of_seconds_are_taken(front: Front, number: str) -> None:
    assert 200 == (await front.owner("GET", f"/v1/events?wait={number}")).status


@pytest.mark.parametrize("query", ["limit=1&limit=2", "limit=0_1", "limit=%D9%A1", "after=1&after=1", "limit=1&x=1"])
async def test_the_audits_query_is_read_strictly(front: Front, query: str) -> None:
    assert 400 == (await front.owner("GET", f"/v1/audit?{query}")).status
