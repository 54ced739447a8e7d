"""Our own documents: which there are, and under which policies a browser shows them."""

from pathlib import Path

import pytest

from bridge.front.pages import DOCUMENTS, Pages, PagesMissing
from tests.bridge.front.client import Front

NAVIGATION = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"}


@pytest.mark.parametrize("path", ["/", "/oauth/authorize", "/oauth/device?user_code=BCDF-GHJK", "/offer"])
async def test_every_page_runs_our_own_scripts_alone_and_is_framed_by_nobody(front: Front, path: str) -> None:
    page = await front.send("GET", path, headers=NAVIGATION)
    framed = await front.send("GET", path, headers={**NAVIGATION, "Sec-Fetch-Dest": "iframe"})

    assert (200, 403) == (page.status, framed.status)
    policy = page.headers["Content-Security-Policy"]
    assert "default-src 'none'; script-src 'self';" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    assert ("DENY", "same-origin") == (page.headers["X-Frame-Options"], page.headers["Referrer-Policy"])
    # The consent page alone is heard by its opener, which may know no other way to its callback.
    opener = None if path == "/oauth/authorize" else "same-origin"
    assert opener == page.headers.get("Cross-Origin-Opener-Policy")


@pytest.mark.parametrize("missing", DOCUMENTS)
def test_an_installation_without_one_of_its_pages_does_not_start(tmp_path: Path, missing: str) -> None:
    for name in DOCUMENTS:
        if name != missing:
            (tmp_path / name).write_text("<!doctype html>", encoding="utf-8")

    with pytest.raises(PagesMissing, match=missing):
        Pages(tmp_path)
