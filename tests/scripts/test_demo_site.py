"""The demo site shows integrators the headers that a page needs, and serves nothing but its own folder."""

from pathlib import Path

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient
from pytest_aiohttp import AiohttpClient
from yarl import URL

from scripts import demo_site

Site = TestClient[web.Request, web.Application]


@pytest.fixture(name="site")
async def _site(tmp_path: Path, aiohttp_client: AiohttpClient) -> Site:
    pages = tmp_path / "pages"
    pages.mkdir()
    (pages / "index.html").write_text("<p>demo</p>")
    (tmp_path / "secret.txt").write_text("secret")
    return await aiohttp_client(demo_site.application(pages, ["http://127.0.0.1:4380"]))


async def test_page_may_reach_the_daemon_and_itself_only(site: Site) -> None:
    answer = await site.get("/")

    rules = answer.headers["Content-Security-Policy"].split("; ")
    assert await answer.text() == "<p>demo</p>"
    assert "connect-src 'self' http://127.0.0.1:4380 ws://127.0.0.1:4380" in rules
    assert "default-src 'none'" in rules
    assert answer.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize("path", ["/missing.js", "/..%2Fsecret.txt", "/%2E%2E/secret.txt", "//etc/passwd"])
async def test_nothing_outside_its_folder_is_served(site: Site, path: str) -> None:
    answer = await site.session.get(URL(f"http://{site.host}:{site.port}{path}", encoded=True))

    assert answer.status == 404
