"""A daemon's front in this process, on real sockets, with an app of the test's own."""

import secrets
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from bridge import listen, paths
from bridge.audit.notes import open_audit
from bridge.broker.embedded import EmbeddedBroker
from bridge.config import Limits, Settings
from bridge.front.house import House
from bridge.front.owner import Facts
from bridge.front.pages import Pages
from bridge.front.server import serving
from bridge.identity import Identity
from bridge.worker import Worker
from oauth.store import Store
from oauth.vault import Vault
from tests.bridge.amplifier import Amplifier
from tests.bridge.front.client import Front

PAGES = {
    "dashboard.html": "<!doctype html><title>Dashboard</title>",
    "consent.html": "<!doctype html><title>Consent</title>",
    "device.html": "<!doctype html><title>Device</title>",
    "offer.html": "<!doctype html><title>Offer</title>",
    "consent.js": "export {};",
}


@pytest.fixture(name="limits")
def _limits() -> Limits:
    return Limits(commands_per_second=1000, burst=1000)


@pytest.fixture(name="amplifier")
def _amplifier() -> Amplifier:
    return Amplifier()


@pytest.fixture(name="front")
async def _front(tmp_path: Path, amplifier: Amplifier, limits: Limits) -> AsyncIterator[Front]:
    web_folder = tmp_path / "web"
    web_folder.mkdir()
    for name, text in PAGES.items():
        (web_folder / name).write_text(text, encoding="utf-8")
    async with AsyncExitStack() as stack:
        tcp = listen.open_tcp(tmp_path, (0,))
        unix = listen.open_unix(tmp_path / "socket")
        stack.callback(unix.close)
        stack.callback(tcp.close)
        opening = open_audit(tmp_path / "audit.sqlite", secrets.token_bytes(32), version="test", clock=time.time)
        audit = await stack.enter_async_context(opening)
        store = await stack.enter_async_context(Store.open(tmp_path / "grants.sqlite", clock=time.time))
        worker = Worker([amplifier.app])
        facts = Facts(f"http://127.0.0.1:{tcp.getsockname()[1]}", str(tmp_path / "socket"), time.time())
        house = House(
            Settings(limits=limits),
            facts,
            pages=Pages(web_folder),
            identity=Identity(secrets.token_bytes(32)),
            store=store,
            broker=EmbeddedBroker(worker),
            audit=audit,
            vault=Vault(tmp_path, paths, key_file=True),
        )
        await stack.enter_async_context(worker.run())
        await stack.enter_async_context(serving(house, (tcp, unix), limits))
        front = Front(facts.base, facts.socket, house, store)
        stack.push_async_callback(front.close)
        yield front
