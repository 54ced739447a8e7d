"""The device flow (RFC 8628) with clients that nobody here wrote: a page without a callback, and programs."""

import http.client
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest
from requests_oauth2client import AccessDenied, AuthorizationPending, OAuth2Client, SlowDown

from tests.interop.library import SCOPE, Library
from tests.interop.owner import Owner
from tests.interop.program import program

pytestmark = pytest.mark.real

HELLO = {"text": "hello"}


@pytest.mark.parametrize(
    ("client", "flow", "kind"),
    [
        ("https://device.example", "device", "dpop"),
        ("native:device-prover", "device", "dpop"),
        ("native:device-bearer", "deviceAsBearer", "bearer"),
    ],
)
def test_a_client_asks_shows_a_code_and_polls(owner: Owner, client: str, flow: str, kind: str) -> None:
    told = Library("oauth4webapi", owner, client).runs(flow)

    assert None is told.error
    started = told.result["started"]
    page = f"{owner.daemon.base}/oauth/device"
    assert 43 == len(started.pop("device_code"))
    assert 9 == len(started["user_code"])
    assert {
        "user_code": started["user_code"],
        "verification_uri": page,
        "verification_uri_complete": f"{page}?user_code={started['user_code']}",
        "expires_in": 600,
        "interval": 5,
    } == started
    assert ["authorization_pending", "slow_down"] == told.result["early"]
    assert (kind, HELLO, True) == (told.result["type"], told.result["answer"], told.result["renews"])
    assert "invalid_grant" == told.result["second"]


@pytest.mark.parametrize(
    ("client", "flow", "kind"),
    [
        ("https://polling.example", "device", "dpop"),
        ("native:polling-bearer", "deviceAsBearer", "bearer"),
    ],
)
def test_the_certified_client_polls_by_itself_until_the_answer(owner: Owner, client: str, flow: str, kind: str) -> None:
    told = Library("openid_client", owner, client).runs(flow)

    assert None is told.error
    assert {"type": kind, "answer": HELLO} == told.result


@pytest.mark.parametrize("client", ["https://bound.example", "native:bound"])
def test_the_key_that_was_named_at_the_start_is_the_one_to_prove(owner: Owner, client: str) -> None:
    told = Library("oauth4webapi", owner, client).runs("deviceWithAnotherKey")

    assert told.error is not None
    assert "invalid_grant" == told.error["error"]


@pytest.fixture(name="client")
def _client(owner: Owner, request: pytest.FixtureRequest) -> Iterator[OAuth2Client]:
    with program(owner, request.node.name.removeprefix("test_").replace("_", "-")[:32].rstrip("-")) as client:
        yield client


def test_a_third_client_is_told_each_thing_by_its_name(owner: Owner, client: OAuth2Client) -> None:
    device = client.authorize_device(scope=SCOPE)

    with pytest.raises(AuthorizationPending):
        client.device_code(device)
    with pytest.raises(SlowDown):
        client.device_code(device)
    owner.answers(device.user_code, "deny")
    with pytest.raises(AccessDenied):
        client.device_code(device)


def test_the_owner_may_allow_less_and_for_once(owner: Owner, client: OAuth2Client) -> None:
    device = client.authorize_device(scope=SCOPE)
    owner.answers(device.user_code, scopes=["system:read"], until="once")

    token = client.device_code(device)

    assert ("system:read", None) == (token.scope, token.refresh_token)


def test_an_address_with_the_code_in_it_answers_nothing(owner: Owner, client: OAuth2Client) -> None:
    device = client.authorize_device(scope=SCOPE)

    assert 200 == _opens(owner, str(device.verification_uri_complete)).status

    with pytest.raises(AuthorizationPending):
        client.device_code(device)
    waiting = owner.daemon.ask("GET", "/oauth/requests")["requests"]
    assert ["device"] == [asked["kind"] for asked in waiting if device.user_code == asked["code"]]


def _opens(owner: Owner, url: str) -> Any:
    """Navigate to ``url``, as a person does who was sent there."""
    address = urlsplit(url)
    connection = http.client.HTTPConnection("127.0.0.1", owner.daemon.port, timeout=15)
    navigation = {"Sec-Fetch-Site": "none", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"}
    connection.request("GET", f"{address.path}?{address.query}", headers=navigation)
    answer = connection.getresponse()
    answer.read()
    connection.close()
    return answer
