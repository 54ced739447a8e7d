"""The other side of `test_browsers.py`: an approved page gets through, in both browsers, while it is approved."""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.immunity.stage import Counted, Stage
from tests.parts.browser import Profile, until
from tests.parts.firefox import FirefoxProfile

pytestmark = pytest.mark.e2e

LONGEST_END_SECONDS = 5.0
"""It takes milliseconds; what is left open would stay so for 55 s (the poll) or for ever."""


@pytest.fixture(name="stage", scope="module", params=["chromium", "firefox"])
def _stage(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    with Stage(request.param, tmp_path_factory.mktemp("stage")) as stage:
        yield stage


@pytest.fixture(name="counted")
def _counted(tmp_path: Path) -> Iterator[Counted]:
    with Counted(tmp_path) as counted:
        yield counted


@pytest.fixture(name="profile")
def _profile(stage: Stage, counted: Counted) -> Iterator[Profile | FirefoxProfile]:
    del counted  # the windows are closed before it stops
    with stage.profile() as profile:
        yield profile


@pytest.fixture(name="page")
def _page(stage: Stage, counted: Counted, profile: Profile | FirefoxProfile) -> Any:
    page: Any = profile.open(f"{stage.stranger}/approved/?port={counted.daemon.port}")
    with page.expect_popup() as opened:
        page.click("#connect")
    code = opened.value.locator("#code")
    code.wait_for()
    approved = counted.daemon.cli("approve", code.inner_text(), "--yes")
    assert 0 == approved.returncode, approved.stderr
    until(page, lambda: page.evaluate("page.status()") == "connected", "the page is connected")
    return page


def test_an_approved_page_reaches_the_app(counted: Counted, page: Any) -> None:
    assert {"count": 1} == page.evaluate("page.call('counter.add')")
    assert [200, None] == page.evaluate("page.asks('/v1/apps/counter/state')")
    assert ["add", "state"] == counted.reached


def test_a_page_whose_grant_ends_hears_and_reaches_nothing_from_then_on(counted: Counted, page: Any) -> None:
    assert page.evaluate("page.listens()")
    until(page, lambda: counted.daemon.ask("GET", "/v1/status")["sessions"] == 3, "socket, stream and poll are open")
    (grant,) = counted.daemon.ask("GET", "/v1/grants")["grants"]

    begun = time.monotonic()
    counted.daemon.send("DELETE", f"/v1/grants/{grant['id']}")
    until(page, lambda: len(page.evaluate("page.ends")) == 3, "all three have ended")

    assert time.monotonic() - begun < LONGEST_END_SECONDS
    ends = page.evaluate("page.ends")
    assert 4401 == ends["socket"]
    assert ends["stream"] in ("closed", "broken")
    assert ends["poll"] in (401, 403, "broken")
    assert [403, "origin_not_approved"] == page.evaluate("page.asks('/v1/apps/counter/state')"), "preflighted before"
    counted.daemon.call("counter.add")
    assert ["add"] == counted.reached, "by the owner alone"
