"""openid-client, the certified relying party: it discovers, retries with nonces and refuses a mix-up by itself."""

import pytest

from tests.interop.library import SCOPE, Library
from tests.interop.owner import Owner

pytestmark = pytest.mark.real

LIBRARY = "openid_client"
TOKEN = "POST /oauth/token"
ECHO = "POST /v1/apps/system/echo"
METADATA = "GET /.well-known/oauth-authorization-server"
HELLO = {"text": "hello"}


@pytest.mark.parametrize(
    ("client", "flow", "kind", "tokens"),
    [
        ("https://way.example", "wholeWay", "dpop", ["no nonce", "nonce", "nonce", "nonce", "nonce"]),
        ("native:prover", "wholeWay", "dpop", ["no nonce", "nonce", "nonce", "nonce", "nonce"]),
        ("native:bearer", "wholeWayAsBearer", "bearer", ["no proof", "no proof", "no proof"]),
    ],
)
def test_a_client_pairs_calls_refreshes_and_outlives_a_restart(
    owner: Owner, client: str, flow: str, kind: str, tokens: list[str]
) -> None:
    told = Library(LIBRARY, owner, client).runs(flow)

    assert None is told.error
    assert {
        "issuer": owner.daemon.base,
        "type": kind,
        "scope": SCOPE,
        "life": 600,
        "answers": [HELLO] * 3,
        "refreshTokens": 3,
    } == told.result
    assert tokens == [how for how, _ in told.requests(TOKEN)]
    assert [200, 200, 200] == [status for _, status in told.requests(ECHO)]


@pytest.mark.parametrize(
    ("flow", "because"),
    [
        ("foreignIssuer", 'unexpected "iss" (issuer) response parameter value'),
        ("missingIssuer", 'response parameter "iss" (issuer) missing'),
        ("foreignState", 'unexpected "state" response parameter value'),
    ],
)
def test_an_answer_that_is_not_ours_is_refused_by_the_client_and_its_code_never_sent(
    owner: Owner, flow: str, because: str
) -> None:
    told = Library(LIBRARY, owner, "https://mixed.example").runs(flow)

    assert told.error is not None
    assert because == told.error["because"]
    assert [METADATA] == [request for request, _, _ in told.sent]


@pytest.mark.parametrize(
    ("flow", "error"),
    [
        ("wrongVerifier", "invalid_grant"),
        ("otherKeyAtTheTokenEndpoint", "invalid_grant"),
        ("otherKeyAtTheApi", "invalid_token"),
        ("downgrade", "invalid_token"),
    ],
)
def test_what_does_not_fit_is_refused(owner: Owner, flow: str, error: str) -> None:
    told = Library(LIBRARY, owner, "https://refused.example").runs(flow)

    assert told.error is not None
    assert error == told.error["error"]


def test_a_code_used_twice_ends_what_came_of_it(owner: Owner) -> None:
    told = Library(LIBRARY, owner, "https://twice.example").runs("secondUse")

    assert {"second": "invalid_grant", "renew": "invalid_grant"} == told.result


def test_a_no_is_an_error_that_the_library_takes_as_ours(owner: Owner) -> None:
    told = Library(LIBRARY, owner, "https://denied.example").runs("denied", answer="deny")

    assert told.error is not None
    assert ("AuthorizationResponseError", "access_denied") == (told.error["name"], told.error["error"])


def test_a_program_that_comes_again_is_asked_about_again(owner: Owner) -> None:
    library = Library(LIBRARY, owner, "native:again")

    assert ["bearer", "bearer"] == [library.runs("pairAsBearer").result for _ in range(2)]
    assert ["pending", "pending"] == [asked["status"] for asked in owner.shown]
