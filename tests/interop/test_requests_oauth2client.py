"""requests_oauth2client: a third client, in another language, which shares no line with the two in Node."""

import socket
from collections.abc import Iterator
from typing import Any

import pytest
import requests
from requests.adapters import HTTPAdapter
from requests_oauth2client import (
    AuthorizationRequest,
    AuthorizationResponse,
    AuthorizationResponseError,
    BearerToken,
    DPoPKey,
    DPoPToken,
    InvalidGrant,
    MismatchingIssuer,
    OAuth2Client,
)
from requests_oauth2client.discovery import oauth2_discovery_document_url

from tests.interop.library import SCOPE
from tests.interop.owner import Owner

pytestmark = pytest.mark.real

HELLO = {"text": "hello"}


class Wire(HTTPAdapter):
    """Below the library: it notes each path, whether a proof went along, and the status."""

    def __init__(self) -> None:
        super().__init__()
        self.sent: list[tuple[str, bool, int]] = []

    def send(self, request: requests.PreparedRequest, *args: Any, **kwargs: Any) -> requests.Response:
        answer = super().send(request, *args, **kwargs)
        self.sent.append((request.path_url, "DPoP" in request.headers, answer.status_code))
        return answer


class Client:
    """The library as a client of this name; a program listens for its answer on a port of 127.0.0.1."""

    def __init__(self, owner: Owner, client_id: str, *, dpop: bool = True) -> None:
        self.owner = owner
        is_page = not client_id.startswith("native:")
        self.wire = Wire()
        self.traffic = requests.Session()
        self.traffic.trust_env = False
        self.traffic.mount("http://", self.wire)
        if is_page:
            self.traffic.headers["Origin"] = client_id
        self.redirect_uri = f"{client_id}/callback" if is_page else f"http://127.0.0.1:{_port()}/callback"
        self.library = OAuth2Client.from_discovery_endpoint(
            oauth2_discovery_document_url(owner.daemon.base),
            issuer=owner.daemon.base,
            client_id=client_id,
            redirect_uri=self.redirect_uri,
            session=self.traffic,
            testing=True,  # plain http
            dpop_bound_access_tokens=dpop,
        )

    def asks(self, **how: Any) -> AuthorizationRequest:
        """Return a request to the owner."""
        return self.library.authorization_request(scope=SCOPE, **how)

    def pairs(self) -> BearerToken:
        """Go the whole way to a token."""
        asked = self.asks()
        return self.library.authorization_code(asked.validate_callback(self.owner.follows(str(asked))))

    def says(self, token: BearerToken) -> requests.Response:
        """Run a command, with the library's own way to prove the token."""
        url = f"{self.owner.daemon.base}/v1/apps/system/echo"
        return self.traffic.post(url, json=HELLO, auth=token)


def _port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


@pytest.fixture(name="page")
def _page(owner: Owner, request: pytest.FixtureRequest) -> Iterator[Client]:
    # An origin of its own for each test: nobody was asked about it before.
    client = Client(owner, f"https://{request.node.name.replace('_', '-')[:60].strip('-')}.example")
    yield client
    client.traffic.close()


@pytest.mark.parametrize(
    ("client_id", "dpop"), [("https://way.example", True), ("native:prover", True), ("native:bearer", False)]
)
def test_a_client_pairs_calls_refreshes_and_outlives_a_restart(owner: Owner, client_id: str, dpop: bool) -> None:
    client = Client(owner, client_id, dpop=dpop)

    with client.traffic:
        token = client.pairs()
        answers = [client.says(token)]
        renewed = client.library.refresh_token(token)
        answers.append(client.says(renewed))
        owner.daemon.kill()
        owner.daemon.start()
        last = client.library.refresh_token(renewed)
        answers.append(client.says(last))

    assert [(200, HELLO)] * 3 == [(answer.status_code, answer.json()) for answer in answers]
    assert dpop == isinstance(token, DPoPToken)
    assert SCOPE == token.scope
    assert 3 == len({token.refresh_token, renewed.refresh_token, last.refresh_token})
    tokens = [(proved, status) for path, proved, status in client.wire.sent if path == "/oauth/token"]
    assert tokens == ([(dpop, 400)] * dpop + [(dpop, 200)] * 2 + [(dpop, 400)] * dpop + [(dpop, 200)])


def test_each_half_of_the_daemon_tells_the_nonce_of_its_own(page: Client) -> None:
    answer = page.says(page.pairs())

    assert HELLO == answer.json()
    # This library keeps the API's nonce apart from the token endpoint's, and so is told twice.
    assert [400, 200] == [status for path, _, status in page.wire.sent if path == "/oauth/token"]
    assert [401, 200] == [status for path, _, status in page.wire.sent if path.startswith("/v1/")]


def test_a_code_is_good_once_and_its_second_use_ends_what_came_of_it(page: Client) -> None:
    asked = page.asks()
    code = asked.validate_callback(page.owner.follows(str(asked)))
    token = page.library.authorization_code(code)

    with pytest.raises(InvalidGrant):
        page.library.authorization_code(code)
    with pytest.raises(InvalidGrant):
        page.library.refresh_token(token)


def test_another_verifier_is_refused(page: Client) -> None:
    asked, other = page.asks(), page.asks()
    code = asked.validate_callback(page.owner.follows(str(asked)))

    with pytest.raises(InvalidGrant):
        page.library.authorization_code(
            code.code,
            code_verifier=other.code_verifier,
            redirect_uri=page.redirect_uri,
            dpop_key=code.dpop_key,
            dpop=True,
        )


def test_another_key_is_refused_with_the_code_with_the_refresh_token_and_at_the_api(page: Client) -> None:
    asked = page.asks()
    code = asked.validate_callback(page.owner.follows(str(asked)))
    assert code.code_verifier is not None
    with pytest.raises(InvalidGrant):
        page.library.authorization_code(
            code.code,
            code_verifier=code.code_verifier,
            redirect_uri=page.redirect_uri,
            dpop_key=DPoPKey.generate(),
            dpop=True,
        )

    token = page.pairs()
    with pytest.raises(InvalidGrant):
        page.library.refresh_token(str(token.refresh_token), dpop_key=DPoPKey.generate())
    thief = DPoPToken(access_token=token.access_token, _dpop_key=DPoPKey.generate())
    assert (401, "invalid_token") == _challenge(page.says(thief))
    assert 200 == page.says(token).status_code


def test_a_bound_token_is_no_bearer_token(page: Client) -> None:
    token = page.pairs()

    assert (401, "invalid_token") == _challenge(page.says(BearerToken(token.access_token)))


def test_an_answer_of_another_issuer_is_refused_by_the_client(page: Client) -> None:
    asked = page.asks()
    redirect = page.owner.follows(str(asked))
    start = redirect.index("iss=")

    with pytest.raises(MismatchingIssuer):
        asked.validate_callback(f"{redirect[:start]}iss=https%3A%2F%2Fevil.example")


def test_a_no_is_an_error_that_the_library_takes_as_ours(page: Client) -> None:
    asked = page.asks()

    with pytest.raises(AuthorizationResponseError) as refused:
        asked.validate_callback(page.owner.follows(str(asked), "deny"))

    assert "access_denied" == refused.value.error


def _redeem(page: Client, code: AuthorizationResponse, **changes: Any) -> BearerToken:
    """Redeem a code by hand, with something changed; the library would not."""
    sent = {"code_verifier": code.code_verifier, "dpop_key": code.dpop_key, "redirect_uri": page.redirect_uri}
    return page.library.authorization_code(code.code, validate=False, **{**sent, **changes})


def _challenge(answer: requests.Response) -> tuple[int, str]:
    challenge = answer.headers["WWW-Authenticate"]
    return answer.status_code, challenge.partition('error="')[2].partition('"')[0]
