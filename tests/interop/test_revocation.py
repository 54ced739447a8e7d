"""Revocation (RFC 7009) with clients that nobody here wrote; none of them proves a key there, and none has to."""

import pytest
from requests_oauth2client import InvalidGrant

from tests.interop.library import SCOPE, Library
from tests.interop.owner import Owner
from tests.interop.program import program

pytestmark = pytest.mark.real

CLIENTS = [
    ("https://ending.example", "revokeRefreshToken"),
    ("native:ending-prover", "revokeRefreshToken"),
    ("native:ending-bearer", "revokeRefreshTokenAsBearer"),
]


@pytest.mark.parametrize("library", ["oauth4webapi", "openid_client"])
@pytest.mark.parametrize(("client", "flow"), CLIENTS)
def test_a_refresh_token_that_is_revoked_ends_its_pairing(owner: Owner, library: str, client: str, flow: str) -> None:
    told = Library(library, owner, client).runs(flow)

    assert None is told.error
    assert {"use": "invalid_token", "renew": "invalid_grant"} == told.result
    assert {200} == {status for request, _, status in told.sent if request == "POST /oauth/revoke"}


@pytest.mark.parametrize("library", ["oauth4webapi", "openid_client"])
@pytest.mark.parametrize("client", ["https://ending.example", "native:ending-prover"])
def test_an_access_token_that_is_revoked_ends_alone(owner: Owner, library: str, client: str) -> None:
    told = Library(library, owner, client).runs("revokeAccessToken")

    assert None is told.error
    assert {"use": "invalid_token", "renew": "worked"} == told.result


def test_what_is_unknown_is_no_error(owner: Owner) -> None:
    with program(owner, "unknown") as client:
        device = client.authorize_device(scope=SCOPE)
        owner.answers(device.user_code)
        token = client.device_code(device)

        assert client.revoke_token("rt_unknown", token_type_hint="refresh_token")
        assert client.revoke_token("no token at all")
        # A hint that nobody knows, and one that is wrong, are no more than hints.
        assert client.revoke_token("rt_unknown", token_type_hint="id_token")
        assert token.refresh_token != client.refresh_token(token).refresh_token
        assert client.revoke_token(str(token.refresh_token), token_type_hint="access_token")
        with pytest.raises(InvalidGrant):
            client.refresh_token(token)
