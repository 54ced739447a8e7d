from collections.abc import AsyncIterator

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer
from yarl import URL

from oauth.server.routes import Endpoints
from tests.oauth.desk import TOKEN_URL, Desk

FORM = "application/x-www-form-urlencoded"


@pytest.fixture(name="client")
async def _client(desk: Desk) -> AsyncIterator["TestClient[web.Request, web.Application]"]:
    endpoints = Endpoints(desk.server, web.Request.read, lambda _: "BCDF-GHJK")
    application = web.Application()
    application.router.add_post("/oauth/token", endpoints.token)
    application.router.add_post("/oauth/device_authorization", endpoints.device_authorization)
    application.router.add_post("/oauth/revoke", endpoints.revoke)
    application.router.add_get("/.well-known/oauth-authorization-server", endpoints.authorization_server)
    application.router.add_get("/.well-known/oauth-protected-resource", endpoints.protected_resource)
    async with TestClient(TestServer(application, host="127.0.0.1")) as client:
        yield client


async def test_tokens_over_http(desk: Desk, client: "TestClient[web.Request, web.Application]") -> None:
    page = desk.page()
    headers = {"Content-Type": FORM, "Origin": page.origin, "DPoP": page.proof("POST", TOKEN_URL)}

    async with client.post("/oauth/token", data=page.code_form(await desk.code(page)), headers=headers) as answer:
        body = await answer.json()

    assert answer.status == 200
    assert answer.headers["Cache-Control"] == "no-store"
    assert body["token_type"] == "DPoP"


async def test_refusals_over_http(client: "TestClient[web.Request, web.Application]") -> None:
    async with client.post("/oauth/token", data=b"grant_type=%ff", headers={"Content-Type": FORM}) as answer:
        body = await answer.json()

    assert answer.status == 400
    assert answer.headers["Cache-Control"] == "no-store"
    assert body["error"] == "invalid_request"


async def test_two_proofs_are_seen_as_two(desk: Desk, client: "TestClient[web.Request, web.Application]") -> None:
    page = desk.page()
    proofs = [("DPoP", page.proof("POST", TOKEN_URL)) for _ in range(2)]
    headers = [("Content-Type", FORM), ("Origin", page.origin), *proofs]

    async with client.post("/oauth/token", data=page.code_form(await desk.code(page)), headers=headers) as answer:
        body = await answer.json()

    assert body["error"] == "invalid_dpop_proof"


@pytest.mark.parametrize("name", ["oauth-authorization-server", "oauth-protected-resource"])
async def test_metadata_is_json(client: "TestClient[web.Request, web.Application]", name: str) -> None:
    async with client.get(URL(f"/.well-known/{name}")) as answer:
        assert answer.content_type == "application/json"
        assert isinstance(await answer.json(), dict)
