"""Debian's Chromium, driven by Playwright; sites that do not exist resolve to this machine, as the internet."""

import time
from collections.abc import Callable, Mapping, Sequence
from types import TracebackType
from typing import Any, Literal, Self

from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

EXECUTABLE = "/usr/bin/chromium"

Setting = Literal["granted", "denied", "prompt"]

# All three: the browser does not keep the older names in step.
_PERMISSIONS = ("loopback-network", "local-network", "local-network-access")

DEADLINE_SECONDS = 15.0


class Chromium:
    """A headless browser. ``hosts`` resolve to 127.0.0.1, whose ``public_port`` counts as the public internet.

    ``pin``: the public key of a certificate to take (`tests.parts.certificate`). Without a permission given by
    `Profile.permit`, a headless browser answers each of its own questions with no.
    """

    def __init__(self, *, hosts: Sequence[str] = (), public_port: int | None = None, pin: str | None = None) -> None:
        self._arguments = [
            "--no-sandbox",  # the tests may run as root
            "--disable-gpu",
            "--disable-quic",
            "--password-store=basic",
            "--host-resolver-rules=" + ",".join(f"MAP {host} 127.0.0.1" for host in hosts),
        ]
        if public_port is not None:
            self._arguments.append(f"--ip-address-space-overrides=127.0.0.1:{public_port}=public")
        if pin is not None:
            self._arguments.append(f"--ignore-certificate-errors-spki-list={pin}")
        self._playwright: Any = None
        self._browser: Browser | None = None

    def __enter__(self) -> Self:
        self._playwright = sync_playwright()
        chromium = self._playwright.start().chromium
        # Playwright would turn the popup blocker off: then nothing would show that the popup opens within the click.
        self._browser = chromium.launch(
            executable_path=EXECUTABLE, args=self._arguments, ignore_default_args=["--disable-popup-blocking"]
        )
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        assert self._browser is not None
        self._browser.close()
        self._playwright.__exit__(None, None, None)

    def profile(self, **options: Any) -> "Profile":
        """Return a fresh profile; ``options`` are those of Playwright's `new_context`."""
        assert self._browser is not None
        return Profile(self._browser, options)


class Profile:
    """One person's browser: storage, permissions and windows of its own."""

    def __init__(self, browser: Browser, options: Mapping[str, Any]) -> None:
        self.context: BrowserContext = browser.new_context(**options)
        self.context.set_default_timeout(DEADLINE_SECONDS * 1000)
        self.errors: list[str] = []
        """What scripts threw and nobody caught, in any window."""
        self.context.on("weberror", lambda error: self.errors.append(str(error.error)))
        self._cdp = browser.new_browser_cdp_session()
        self._id: str | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        self.context.close()
        self._cdp.detach()

    def open(self, url: str) -> Page:
        """Open a window at ``url``."""
        page = self.context.new_page()
        page.goto(url)
        return page

    def permit(self, origin: str, setting: Setting) -> None:
        """Answer, for good, whether pages of ``origin`` may reach programs on this computer."""
        if self._id is None:
            page = self.context.new_page()
            session = self.context.new_cdp_session(page)
            self._id = str(session.send("Target.getTargetInfo")["targetInfo"]["browserContextId"])
            page.close()
        for name in _PERMISSIONS:
            permission = {"permission": {"name": name}, "setting": setting, "origin": origin}
            self._cdp.send("Browser.setPermission", {**permission, "browserContextId": self._id})


def until(page: Page, is_so: Callable[[], object], what: str, *, deadline: float = DEADLINE_SECONDS) -> None:
    """Return once ``is_so`` says so; ``page`` is asked meanwhile, so that what the browser reports is heard."""
    end = time.monotonic() + deadline
    while not is_so():
        assert time.monotonic() < end, f"not within {deadline:g} s: {what}"
        page.wait_for_timeout(10)
