"""An authorization server on a real file, with a clock that the test moves."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from oauth.server.server import AuthorizationServer
from oauth.server.verify import Verifier
from oauth.store import Store
from tests.oauth.clock import FakeClock
from tests.oauth.desk import BASE, Desk


@pytest.fixture(name="clock")
def _clock() -> FakeClock:
    return FakeClock()


@pytest.fixture(name="path")
def _path(tmp_path: Path) -> Path:
    return tmp_path / "grants.sqlite"


@pytest.fixture(name="store")
async def _store(path: Path, clock: FakeClock) -> AsyncIterator[Store]:
    async with Store.open(path, clock=clock) as store:
        yield store


@pytest.fixture(name="desk")
def _desk(store: Store, clock: FakeClock) -> Desk:
    return Desk(store, clock)


@pytest.fixture(name="server")
def _server(desk: Desk) -> AuthorizationServer:
    return desk.server


@pytest.fixture(name="verifier")
def _verifier(store: Store, desk: Desk) -> Verifier:
    return Verifier(store, base=BASE, nonces=desk.nonces)
