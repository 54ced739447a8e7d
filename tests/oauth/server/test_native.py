from pathlib import Path

import pytest

from oauth.errors import InvalidClient, InvalidRequest, InvalidScope, TokenInvalid
from oauth.nonces import Nonces
from oauth.server.server import AuthorizationServer
from oauth.server.verify import Verifier
from oauth.store import Store
from tests.oauth.clock import FakeClock
from tests.oauth.desk import BASE, Desk

READ = frozenset({"player:read"})
URL = f"{BASE}/v1/apps"


def _use(verifier: Verifier, token: str) -> frozenset[str]:
    return verifier.verify(authorization=f"Bearer {token}", proofs=[], method="GET", url=URL, origin=None).scopes


def test_the_owner_gets_a_bearer_token_for_a_program(server: AuthorizationServer, verifier: Verifier) -> None:
    body = server.issue_native("cli", READ, 3600)

    assert _use(verifier, body.pop("access_token")) == READ
    assert body == {"token_type": "Bearer", "expires_in": 3600, "scope": "player:read", "client": "native:cli"}


def test_it_ends_at_its_time_with_its_grant(
    server: AuthorizationServer, store: Store, verifier: Verifier, clock: FakeClock
) -> None:
    token = server.issue_native("cli", READ, 3600)["access_token"]
    longer = server.issue_native("cli", READ, 7200)["access_token"]

    clock.forward(3600)
    with pytest.raises(TokenInvalid):
        _use(verifier, token)
    assert _use(verifier, longer) == READ
    clock.forward(3600)

    assert store.grant_of("native:cli") is None


async def test_it_survives_a_restart(path: Path, clock: FakeClock) -> None:
    async with Store.open(path, clock=clock) as store:
        token = Desk(store, clock).server.issue_native("cli", READ, 86_400)["access_token"]
        await store.commit()

    async with Store.open(path, clock=clock) as store:
        assert _use(Verifier(store, base=BASE, nonces=Nonces(clock)), token) == READ


async def test_an_open_ended_grant_stays_so(desk: Desk, store: Store) -> None:
    page = desk.page("native:cli")
    await desk.code(page, redirect_uri="http://127.0.0.1:5000/")

    desk.server.issue_native("cli", READ, 60)

    grant = store.grant_of("native:cli")
    assert grant is not None
    assert grant.ends_at is None


@pytest.mark.parametrize("name", ["", "Upper", "a b", "a" * 33, "https://app.example"])
def test_a_name_is_short_and_plain(server: AuthorizationServer, name: str) -> None:
    with pytest.raises(InvalidClient):
        server.issue_native(name, READ, 60)


@pytest.mark.parametrize("scopes", [frozenset(), frozenset({"owner"}), frozenset({"unknown"}), READ | {"owner"}])
def test_only_scopes_of_apps_are_given(server: AuthorizationServer, scopes: frozenset[str]) -> None:
    with pytest.raises(InvalidScope):
        server.issue_native("cli", scopes, 60)


@pytest.mark.parametrize("seconds", [0, -1, 181 * 86_400, float("nan"), float("inf")])
def test_a_time_is_positive_and_bounded(server: AuthorizationServer, seconds: float) -> None:
    with pytest.raises(InvalidRequest):
        server.issue_native("cli", READ, seconds)
