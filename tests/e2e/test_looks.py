"""Our own pages as people see them, state by state: light, dark and narrow, looked at by axe-core and put on record.

The screenshots go to ``$TOLLBRIDGE_SCREENSHOTS``, else to pytest's folder.
"""

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page

from tests.e2e.asking import (
    BACKUP,
    SHREDDER,
    answers,
    authorize_url,
    device_code,
    offer_link,
    owner_page,
    pending,
    shred_code,
)
from tests.parts.axe import findings
from tests.parts.browser import Chromium, Profile, until
from tests.parts.daemon import Daemon

pytestmark = pytest.mark.e2e

SITE = "https://music.shop.example.co.uk:8443"
LETTERS = "https://xn--pypal-4ve.example"
DEVELOPMENT = "http://localhost:5173"
PATH = "/home/ada/Documents/thesis-final\u202egpj.exe"
VALUES = {"path": PATH, "options": {"note": "x" * 400, "also": [f"chapter-{number}.odt" for number in range(40)]}}

LOOKS: dict[str, dict[str, Any]] = {
    "light": {"color_scheme": "light", "viewport": {"width": 480, "height": 640}},
    "dark": {"color_scheme": "dark", "viewport": {"width": 480, "height": 640}},
    "narrow": {"color_scheme": "light", "viewport": {"width": 320, "height": 640}},
}
STILL = {"reduced_motion": "reduce"}  # so that nothing is caught halfway
TALL = 5000  # so that nothing lies behind the buttons that stay in sight

_FRAMES = "void requestAnimationFrame(() => requestAnimationFrame(() => (globalThis.framed = true)))"

Show = Callable[[Profile, Daemon], Page]


def _owned(show: Show) -> Show:
    def shown(profile: Profile, daemon: Daemon) -> Page:
        owner_page(profile, daemon).close()
        return show(profile, daemon)

    return shown


def _consent(client_id: str) -> Show:
    def shown(profile: Profile, daemon: Daemon) -> Page:
        page = profile.open(authorize_url(daemon, client_id))
        page.locator("#question").wait_for()
        return page

    return shown


def _more(profile: Profile, daemon: Daemon) -> Page:
    page = profile.open(authorize_url(daemon, SITE, scope="player:read", key="b"))
    answers(page, "#allow")
    page.close()
    return _consent(SITE)(profile, daemon)


def _denied(profile: Profile, daemon: Daemon) -> Page:
    page = profile.open(authorize_url(daemon, SITE))
    answers(page, "#deny")
    page.close()
    page = profile.open(authorize_url(daemon, SITE))
    page.locator("#remembered").wait_for()
    return page


def _denied_elsewhere(profile: Profile, daemon: Daemon) -> Page:
    page = _consent(SITE)(profile, daemon)
    daemon.ask("POST", f"/oauth/requests/{pending(daemon)[0]['code']}", {"answer": "deny"})
    page.close()
    page = _consent(SITE)(profile, daemon)
    page.locator("#remembered").wait_for()
    return page


def _faulty(profile: Profile, daemon: Daemon) -> Page:
    page = profile.open(f"{daemon.base}/oauth/authorize?client_id=x")
    page.locator("#message").wait_for()
    return page


def _codes(profile: Profile, daemon: Daemon) -> Page:
    page = profile.open(f"{daemon.base}/oauth/device")
    page.locator("#typed").wait_for()
    return page


def _code(code: Callable[[Daemon], str], then: str | None) -> Show:
    def shown(profile: Profile, daemon: Daemon) -> Page:
        page = profile.open(f"{daemon.base}/oauth/device?user_code={code(daemon)}")
        page.locator("#enter-warning").wait_for()
        if then is not None:
            page.locator("#continue").click()
            page.locator(then).wait_for()
        return page

    return shown


def _offer(profile: Profile, daemon: Daemon) -> Page:
    page = profile.open(offer_link(daemon, "system.echo", {"text": "Good evening, Zoë " * 20}))
    page.locator("#run").wait_for()
    return page


def _redeemed(profile: Profile, daemon: Daemon) -> Page:
    page = _offer(profile, daemon)
    page.locator("#run").click()
    page.locator("#result").wait_for()
    return page


def _broken(profile: Profile, daemon: Daemon) -> Page:
    page = profile.open(f"{daemon.base}/offer#broken")
    page.locator("#message").wait_for()
    return page


def _dashboard(profile: Profile, daemon: Daemon) -> Page:
    page = profile.open(f"{daemon.base}/")
    page.locator("#owned, #stranger").locator("visible=true").first.wait_for()
    return page


def _busy(profile: Profile, daemon: Daemon) -> Page:
    _denied(profile, daemon)  # its window stays: one that is left withdraws its request
    _more_of(profile, daemon, DEVELOPMENT)
    _more_of(profile, daemon, "https://radio.example.org")
    daemon.token("player:read", name="backup-tool")
    profile.open(authorize_url(daemon, "https://new.example.net"))
    device_code(daemon, client_id="native:kitchen-radio")
    shred_code(daemon, **VALUES)
    offer_link(daemon, "system.echo", {"text": "Good evening"}, uses=5)
    page = _dashboard(profile, daemon)
    page.locator("#requests .request").nth(3).wait_for()
    page.locator("#allowed details").first.locator("summary").click()
    page.locator("#allowed details[open] li").first.wait_for()
    return page


def _more_of(profile: Profile, daemon: Daemon, client_id: str) -> None:
    page = profile.open(authorize_url(daemon, client_id))
    answers(page, "#allow")
    page.close()


SHOWN: dict[str, Show] = {
    "consent": _owned(_consent(SITE)),
    "consent-letters": _owned(_consent(LETTERS)),
    "consent-development": _owned(_consent(DEVELOPMENT)),
    "consent-program": _owned(_consent(BACKUP)),
    "consent-more": _owned(_more),
    "consent-denied": _owned(_denied),
    "consent-elsewhere": _consent(SITE),
    "consent-denied-elsewhere": _denied_elsewhere,
    "consent-faulty": _faulty,
    "device": _codes,
    "device-given": _code(device_code, None),
    "device-elsewhere": _code(device_code, "#elsewhere"),
    "device-question": _owned(_code(device_code, "#question")),
    "device-command": _owned(_code(lambda daemon: shred_code(daemon, **VALUES), "#question")),
    "device-wrong": _owned(_code(lambda daemon: "BCDF-GHJK", "#wrong:not(:empty)")),
    "offer": _offer,
    "offer-done": _redeemed,
    "offer-broken": _broken,
    "dashboard": _owned(_busy),
    "dashboard-quiet": _owned(_dashboard),
    "dashboard-stranger": _dashboard,
}


@pytest.fixture(name="folder", scope="module")
def _folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = Path(os.environ.get("TOLLBRIDGE_SCREENSHOTS") or tmp_path_factory.mktemp("screenshots"))
    folder.mkdir(parents=True, exist_ok=True)
    return folder


@pytest.fixture(name="daemon")
def _daemon() -> Iterator[Daemon]:
    with Daemon(program=SHREDDER) as daemon:
        yield daemon


@pytest.mark.parametrize("shown", SHOWN)
def test_a_page_can_be_read_and_used_by_everybody_in_every_look(
    chromium: Chromium, daemon: Daemon, folder: Path, shown: str
) -> None:
    with chromium.profile(**LOOKS["light"], **STILL) as profile:
        page = SHOWN[shown](profile, daemon)
        for name, plain in LOOKS.items():
            look = _whole(page, plain) if shown.startswith("dashboard") else plain
            _put_on(page, look)
            page.screenshot(path=folder / f"{shown}-{name}.png")

            assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), f"{name}: nothing overflows"
            hidden = [one for one in _answers(page) if not _is_in_sight(page, one)]
            assert [] == hidden, f"{name}: the answer is in sight without scrolling"
            _put_on(page, {**look, "viewport": {**look["viewport"], "height": TALL}})
            assert [] == findings(page), name
        assert [] == profile.errors


def _whole(page: Page, look: dict[str, Any]) -> dict[str, Any]:
    """Return the look with a window as high as the page; a wide one, but for the narrow look."""
    width = 320 if look["viewport"]["width"] == 320 else 900
    page.set_viewport_size({"width": width, "height": 640})
    return {**look, "viewport": {"width": width, "height": page.evaluate("document.documentElement.scrollHeight")}}


def _put_on(page: Page, look: dict[str, Any]) -> None:
    page.set_viewport_size(look["viewport"])
    page.emulate_media(color_scheme=look["color_scheme"], reduced_motion="reduce")
    page.bring_to_front()  # a page in the back is drawn no frame
    page.evaluate("scrollTo(0, 0); globalThis.framed = false")
    page.evaluate(_FRAMES)  # the page hears of its size with a frame, and lets no answer count for a moment then
    until(page, lambda: page.evaluate("globalThis.framed"), "two frames are drawn")
    until(page, lambda: page.locator('[aria-disabled="true"]:visible').count() == 0, "every answer counts")


def _answers(page: Page) -> list[str]:
    return [one for one in ("#deny", "#allow", "#run") if page.locator(one).is_visible()]


def _is_in_sight(page: Page, selector: str) -> bool:
    """Whether it lies within the window, whole, and nothing lies upon it."""
    return bool(
        page.locator(selector).evaluate(
            """(element) => {
              const { left, right, top, bottom } = element.getBoundingClientRect();
              const isWithin = left >= 0 && top >= 0 && right <= innerWidth && bottom <= innerHeight;
              return isWithin && document.elementFromPoint((left + right) / 2, (top + bottom) / 2) === element;
            }"""
        )
    )
