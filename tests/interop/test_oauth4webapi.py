"""oauth4webapi, which our SDK is written apart from: page and program go its whole way against the real daemon."""

import pytest

from tests.interop.library import SCOPE, Library
from tests.interop.owner import Owner

pytestmark = pytest.mark.real

LIBRARY = "oauth4webapi"
TOKEN = "POST /oauth/token"
ECHO = "POST /v1/apps/system/echo"
HELLO = {"text": "hello"}

# What this library sends by itself: no nonce first, then the one it was told, until a restart makes it old.
PROVED = {
    TOKEN: [("no nonce", 400), ("nonce", 200), ("nonce", 200), ("nonce", 400), ("nonce", 200)],
    ECHO: [("nonce", 200)] * 3,
}
BARE = {TOKEN: [("no proof", 200)] * 3, ECHO: [("no proof", 200)] * 3}


@pytest.mark.parametrize(
    ("client", "flow", "kind", "requests"),
    [
        ("https://way.example", "wholeWay", "dpop", PROVED),
        ("http://localhost:8080", "wholeWay", "dpop", PROVED),
        ("native:prover", "wholeWay", "dpop", PROVED),
        ("native:bearer", "wholeWayAsBearer", "bearer", BARE),
    ],
)
def test_a_client_pairs_calls_refreshes_and_outlives_a_restart(
    owner: Owner, client: str, flow: str, kind: str, requests: dict[str, list[tuple[str, int]]]
) -> None:
    told = Library(LIBRARY, owner, client).runs(flow)

    assert None is told.error
    assert {
        "issuer": owner.daemon.base,
        "resource": owner.daemon.base,
        "type": kind,
        "scope": SCOPE,
        "life": 600,
        "answers": [HELLO] * 3,
        "refreshTokens": 3,
    } == told.result
    assert requests == {what: told.requests(what) for what in requests}
    assert [client] == [asked["client"]["id"] for asked in owner.shown]


def test_a_page_that_was_loaded_anew_is_told_the_nonce_by_the_api(owner: Owner) -> None:
    told = Library(LIBRARY, owner, "https://anew.example").runs("sameKeyWithoutANonce")

    assert HELLO == told.result
    assert [("no nonce", 401), ("nonce", 200)] == told.requests(ECHO)


def test_a_refresh_whose_answer_was_lost_gives_the_same_token_again(owner: Owner) -> None:
    assert True is Library(LIBRARY, owner, "https://lost.example").runs("refreshTwice").result


@pytest.mark.parametrize("client", ["https://twice.example", "native:twice"])
def test_a_code_used_twice_ends_what_came_of_it(owner: Owner, client: str) -> None:
    told = Library(LIBRARY, owner, client).runs("secondUse")

    assert {"second": "invalid_grant", "use": "invalid_token", "renew": "invalid_grant"} == told.result


@pytest.mark.parametrize("client", ["https://refused.example", "native:refused"])
@pytest.mark.parametrize(
    ("flow", "error"),
    [
        ("wrongVerifier", "invalid_grant"),
        ("otherKeyAtTheTokenEndpoint", "invalid_grant"),
        ("otherKeyAtTheApi", "invalid_token"),
        ("downgrade", "invalid_token"),
    ],
)
def test_what_does_not_fit_is_refused(owner: Owner, client: str, flow: str, error: str) -> None:
    told = Library(LIBRARY, owner, client).runs(flow)

    assert told.error is not None
    assert error == told.error["error"]


def test_a_refresh_token_in_a_thiefs_hands_is_refused_and_stays_good_for_its_owner(owner: Owner) -> None:
    told = Library(LIBRARY, owner, "https://stolen.example").runs("otherKeyAtRefresh")

    assert {"thief": "invalid_grant", "owner": "dpop"} == told.result


def test_a_no_is_an_error_that_the_library_takes_as_ours(owner: Owner) -> None:
    told = Library(LIBRARY, owner, "https://denied.example").runs("denied", answer="deny")

    assert told.error is not None
    assert "access_denied" == told.error["error"]


def test_an_answer_of_another_issuer_is_refused_by_the_client(owner: Owner) -> None:
    told = Library(LIBRARY, owner, "https://mixed.example").runs("foreignIssuer")

    assert told.error is not None
    assert 'unexpected "iss" (issuer) response parameter value' == told.error["message"]


def test_without_being_told_the_library_speaks_to_no_plain_http(owner: Owner) -> None:
    told = Library(LIBRARY, owner, "https://plain.example").runs("withoutAllowInsecureRequests")

    assert told.error is not None
    assert "OAUTH_HTTP_REQUEST_FORBIDDEN" == told.error["code"]
