"""A person with a browser at a site that uses Tollbridge: clicks, waits, and reads what the site was told."""

from collections.abc import Callable
from typing import Any

from playwright.sync_api import Page

from tests.parts.browser import Profile, until
from tests.parts.daemon import Daemon

APP_HOST = "app.bridge.example"
OTHER_HOST = "other.bridge2.example"


class Visit:
    """One window of ``profile`` at the test's site (tests/e2e/site)."""

    def __init__(self, profile: Profile, origin: str, daemon: Daemon) -> None:
        self.profile = profile
        self.origin = origin
        self.daemon = daemon
        self.page: Page = profile.open(f"{origin}/?port={daemon.port}")
        self.wait(lambda: self.page.evaluate("window.visit?.seen.resumed ?? null") is not None, "the page has looked")

    def wait(self, is_so: Callable[[], object], what: str, *, deadline: float = 15.0) -> None:
        """Wait until ``is_so`` says so."""
        until(self.page, is_so, what, deadline=deadline)

    def seen(self, what: str) -> list[dict[str, Any]]:
        """Return what the page was told so far: statuses, events, gaps or faults."""
        return list(self.page.evaluate(f"visit.seen.{what}"))

    @property
    def status(self) -> str:
        """Return where the page's bridge stands."""
        return str(self.page.evaluate("visit.status()"))

    def becomes(self, status: str) -> None:
        """Wait until the bridge stands at ``status``."""
        self.wait(lambda: self.status == status, f"the page is {status}")

    def clicks_connect(self) -> Page:
        """Click, and return the popup that opens."""
        with self.page.expect_popup() as opened:
            self.page.click("#connect")
        return opened.value

    def code(self, popup: Page) -> str:
        """Return the code that the consent page shows."""
        popup.locator("#code").wait_for()
        return popup.locator("#code").inner_text()

    def is_approved(self) -> None:
        """Go the whole way: click, and the owner's yes in a terminal."""
        popup = self.clicks_connect()
        approved = self.daemon.cli("approve", self.code(popup), "--yes")
        assert 0 == approved.returncode, approved.stderr
        self.becomes("connected")

    def reload(self) -> None:
        """Load the page anew."""
        self.page.reload()
        self.wait(lambda: self.page.evaluate("window.visit?.seen.resumed ?? null") is not None, "the page has looked")

    def tries(self, command: str, **params: object) -> dict[str, Any]:
        """Run a command and return ``{"result"}`` or ``{"error"}``."""
        return dict(self.page.evaluate("([command, params]) => visit.call(command, params)", [command, params]))

    def call(self, command: str, **params: object) -> Any:
        """Run a command and return its result."""
        answer = self.tries(command, **params)
        assert "result" in answer, answer
        return answer["result"]

    def state(self, app: str = "player") -> Any:
        """Read an app's state."""
        answer = self.page.evaluate("(app) => visit.state(app)", app)
        assert "result" in answer, answer
        return answer["result"]["state"]


def becomes_owner(profile: Profile, daemon: Daemon) -> Page:
    """Follow the address of `tollbridge open --print`, and return the dashboard."""
    with daemon.begin("open", "--print") as opening:
        assert opening.stdout is not None
        dashboard = profile.open(opening.stdout.readline().strip())
        assert 0 == opening.wait(15)
    dashboard.locator("#owned").wait_for()
    return dashboard
