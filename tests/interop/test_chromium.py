"""oauth4webapi in a real browser: a page that never saw our SDK goes the whole way, CORS and permission included."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.interop.library import ROOT, SCOPE
from tests.interop.owner import Owner
from tests.parts.browser import Chromium, Profile, until
from tests.parts.certificate import Certificate
from tests.parts.site import Site

pytestmark = pytest.mark.e2e

HERE = Path(__file__).parent
HOST = "app.interop.example"
FOLDERS = {"/": HERE / "site", "/lib/": ROOT / "web_client/node_modules/oauth4webapi/build"}
HELLO = {"text": "hello"}


@pytest.fixture(name="certificate", scope="module")
def _certificate(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    return Certificate((HOST,), tmp_path_factory.mktemp("certificate"))


@pytest.fixture(name="site", scope="module")
def _site(certificate: Certificate) -> Iterator[Site]:
    with Site(FOLDERS, context=certificate.context) as site:
        yield site


@pytest.fixture(name="local_site", scope="module")
def _local_site() -> Iterator[Site]:
    with Site(FOLDERS) as site:
        yield site


@pytest.fixture(name="chromium", scope="module")
def _chromium(certificate: Certificate, site: Site) -> Iterator[Chromium]:
    with Chromium(hosts=(HOST,), public_port=site.port, pin=certificate.pin) as chromium:
        yield chromium


@pytest.fixture(name="profile")
def _profile(chromium: Chromium) -> Iterator[Profile]:
    with chromium.profile() as profile:
        yield profile
        assert [] == profile.errors


def _goes(profile: Profile, owner: Owner, origin: str, answer: str) -> Any:
    """Send a person from a page of ``origin`` to the owner and back; return what the page then did."""
    profile.permit(origin, "granted")
    page = profile.open(f"{origin}/")
    page.wait_for_function("window.visit?.isReady")
    page.evaluate("([base, scope]) => visit.leave(base, scope)", [owner.daemon.base, SCOPE])
    until(page, lambda: _asked(owner, origin), "the owner is asked")
    owner.answers(_asked(owner, origin), answer)
    page.wait_for_url(lambda url: url.startswith(f"{origin}/?"))
    return page.wait_for_function("window.visit?.result").json_value()


def _asked(owner: Owner, origin: str) -> str:
    waiting = owner.daemon.ask("GET", "/oauth/requests")["requests"]
    return next((asked["code"] for asked in waiting if origin == asked["client"]["id"]), "")


@pytest.mark.parametrize("where", ["https", "localhost"])
def test_a_page_made_with_the_library_goes_the_whole_way(
    profile: Profile, owner: Owner, site: Site, local_site: Site, where: str
) -> None:
    origin = f"https://{HOST}:{site.port}" if where == "https" else f"http://localhost:{local_site.port}"

    told = _goes(profile, owner, origin, "allow")

    assert "result" in told, told
    sent = told["result"].pop("sent")
    assert {
        "issuer": owner.daemon.base,
        "extractable": False,
        "type": "dpop",
        "answers": [HELLO] * 2,
        "ended": "invalid_grant",
    } == told["result"]
    assert [["no nonce", 400], ["nonce", 200], ["nonce", 200], ["nonce", 400]] == _of(sent, "POST /oauth/token")
    assert [["no proof", 200]] == _of(sent, "POST /oauth/revoke")
    assert [["nonce", 200]] * 2 == _of(sent, "POST /v1/apps/system/echo")


def test_a_no_reaches_the_page_as_the_library_reads_it(profile: Profile, owner: Owner, site: Site) -> None:
    told = _goes(profile, owner, f"https://{HOST}:{site.port}", "deny")

    assert "access_denied" == told["error"]


def _of(sent: list[list[Any]], what: str) -> list[list[Any]]:
    return [[how, status] for request, how, status in sent if request == what]
