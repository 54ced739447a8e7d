"""Where a hostile page meets the daemon: a real browser, a stranger's sites, and an app that counts who reaches it."""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from tests.parts.browser import Chromium, Profile
from tests.parts.certificate import Certificate
from tests.parts.daemon import Daemon
from tests.parts.firefox import Firefox, FirefoxProfile
from tests.parts.site import Site

HERE = Path(__file__).parent
SDK = HERE.parents[1] / "web_client/dist"

STRANGER = "stranger.example"
REBOUND = "rebound.test"
"""A name of the stranger's that resolves to this computer; the daemon must not care."""

Seen = dict[str, dict[str, list[str]]]
"""What a page saw, by kind of attack and by path (tests/immunity/hostile/attacks.js)."""


class Stage:
    """One browser, and the stranger's two sites: on the simulated internet, and on another port of this computer."""

    def __init__(self, browser: str, folder: Path) -> None:
        self.browser = browser
        self._certificate = Certificate((STRANGER,), folder)
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            files = {"/": HERE / "hostile", "/approved/": HERE / "approved", "/sdk/": SDK}
            self.public = stack.enter_context(Site(files, context=self._certificate.context))
            self.near = stack.enter_context(Site(files))
            hosts, port = (STRANGER, REBOUND), self.public.port
            self._browser: Chromium | Firefox
            if self.browser == "chromium":
                self._browser = Chromium(hosts=hosts, public_port=port, pin=self._certificate.pin)
            else:
                # The stranger was even allowed its popups; and nobody is here to be asked for long (milliseconds).
                preferences = {"dom.disable_open_during_load": False, "network.lna.prompt.timeout": 300}
                self._browser = Firefox(hosts=hosts, public_port=port, preferences=preferences)
            stack.enter_context(self._browser)
            self._stack = stack.pop_all()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        self._stack.close()

    @property
    def stranger(self) -> str:
        """Return the origin of the site on the internet."""
        return f"https://{STRANGER}:{self.public.port}"

    def profile(self) -> Profile | FirefoxProfile:
        """Return a fresh profile, whose person has allowed the stranger to reach programs on this computer."""
        profile = self._browser.profile()
        profile.permit(self.stranger, "granted")
        return profile

    def unasked(self) -> Profile | FirefoxProfile:
        """Return a fresh profile, whose person has allowed nobody anything."""
        return self._browser.profile()


class Counted:
    """A daemon with the app of `counted.py`, and how often anybody reached that app."""

    def __init__(self, folder: Path, *, settings: str = "") -> None:
        self._file = folder / "counted"
        program = (str(HERE / "counted.py"),)
        self.daemon = Daemon(settings=settings, program=program, env={"COUNTED": str(self._file)})

    def __enter__(self) -> Self:
        self.daemon.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        self.daemon.__exit__(kind, error, _)

    @property
    def reached(self) -> list[str]:
        """Return what was asked of the app, in order."""
        return self._file.read_text(encoding="utf-8").splitlines() if self._file.exists() else []

    @property
    def pending(self) -> list[str]:
        """Return who waits for the owner's answer."""
        told = self.daemon.ask("GET", "/oauth/requests")["requests"]
        return [request["client"]["id"] for request in told]

    @property
    def refused(self) -> set[tuple[str, str | None]]:
        """Return the last refusals: reason and origin."""
        return {(refusal["reason"], refusal["origin"]) for refusal in self._refusals()}

    @property
    def refused_at(self) -> set[tuple[str, str]]:
        """Return the last refusals: method and path."""
        return {(refusal["method"], refusal["path"]) for refusal in self._refusals()}

    def _refusals(self) -> list[dict[str, Any]]:
        told: list[dict[str, Any]] = self.daemon.ask("GET", "/v1/refusals")["refusals"]
        return told

    def is_untouched(self) -> None:
        """Assert that nobody has got anywhere: no app reached, no grant, no question, no stream, nothing broken."""
        assert [] == self.reached
        assert [] == self.daemon.ask("GET", "/v1/grants")["grants"]
        assert [] == self.pending
        assert 0 == self.daemon.ask("GET", "/v1/status")["sessions"]
        assert "Traceback" not in self.daemon.log.read_text(encoding="utf-8")


def orders(base: str, kinds: Sequence[str], paths: Sequence[str], *, mute: int = 1500) -> dict[str, object]:
    """Return what a page is told to do; ``mute`` is how long it waits for what may stay silent, in milliseconds."""
    return {"base": base, "kinds": list(kinds), "paths": list(paths), "mute": mute}


def attack(page: Any, *what: Any, **more: int) -> Seen:
    """Have ``page`` attack as `orders` says; return what it saw."""
    seen: Seen = page.evaluate("(orders) => attack(orders)", orders(*what, **more))
    return seen


@contextmanager
def hostile_page(profile: Profile | FirefoxProfile, where: str) -> Iterator[Any]:
    """Open the hostile page at the address ``where``."""
    page = profile.open(where)
    yield page
    page.close()
