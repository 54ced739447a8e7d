"""A site on the (simulated) internet, a real browser, the real daemon."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.e2e.visit import APP_HOST, OTHER_HOST, Visit
from tests.parts.browser import Chromium, Profile
from tests.parts.certificate import Certificate
from tests.parts.daemon import Daemon
from tests.parts.site import Site

HERE = Path(__file__).parent
SDK = HERE.parents[1] / "web_client/dist"


@pytest.fixture(name="certificate", scope="session")
def _certificate(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    return Certificate((APP_HOST, OTHER_HOST), tmp_path_factory.mktemp("certificate"))


@pytest.fixture(name="site", scope="session")
def _site(certificate: Certificate) -> Iterator[Site]:
    with Site({"/": HERE / "site", "/sdk/": SDK}, context=certificate.context) as site:
        yield site


# Of the module: while Playwright's synchronous half lives, no other test of its thread could run an event loop.
@pytest.fixture(name="chromium", scope="module")
def _chromium(certificate: Certificate, site: Site) -> Iterator[Chromium]:
    with Chromium(hosts=(APP_HOST, OTHER_HOST), public_port=site.port, pin=certificate.pin) as chromium:
        yield chromium


@pytest.fixture(name="profile")
def _profile(chromium: Chromium) -> Iterator[Profile]:
    with chromium.profile() as profile:
        yield profile
        assert [] == profile.errors


@pytest.fixture(name="origin", scope="session")
def _origin(site: Site) -> str:
    return f"https://{APP_HOST}:{site.port}"


@pytest.fixture(name="other_origin", scope="session")
def _other_origin(site: Site) -> str:
    return f"https://{OTHER_HOST}:{site.port}"


@pytest.fixture(name="daemon")
def _daemon() -> Iterator[Daemon]:
    with Daemon() as daemon:
        yield daemon
        assert "Traceback" not in daemon.log.read_text(encoding="utf-8")


# The daemon first, so that the windows are closed before it is.
@pytest.fixture(name="visit")
def _visit(daemon: Daemon, profile: Profile, origin: str) -> Visit:
    profile.permit(origin, "granted")
    return Visit(profile, origin, daemon)


@pytest.fixture(name="profiles")
def _profiles(chromium: Chromium) -> Iterator[Callable[[], Profile]]:
    with ExitStack() as stack:
        yield lambda: stack.enter_context(chromium.profile())
