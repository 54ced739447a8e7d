"""Debian's own Firefox, driven over WebDriver BiDi; the same words as `tests.parts.browser` has for Chromium."""

import contextlib
import json
import os
import signal
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from tests.parts.bidi import CommandFailed, Connection
from tests.parts.browser import Setting
from tests.parts.processes import wait_until
from tests.parts.window import Window

EXECUTABLE = "/usr/bin/firefox-esr"

START_DEADLINE_SECONDS = 60.0
STOP_DEADLINE_SECONDS = 10.0

# The alias that Chromium still has is none here.
_PERMISSIONS = ("loopback-network", "local-network")

_PREFERENCES: dict[str, bool | int | str] = {
    # Nothing of the browser's own goes out into the world.
    "app.update.enabled": False,
    "browser.aboutwelcome.enabled": False,
    "browser.safebrowsing.malware.enabled": False,
    "browser.safebrowsing.phishing.enabled": False,
    "browser.shell.checkDefaultBrowser": False,
    "browser.startup.homepage_override.mstone": "ignore",
    "datareporting.policy.dataSubmissionEnabled": False,
    "extensions.systemAddon.update.enabled": False,
    "network.captive-portal-service.enabled": False,
    "network.connectivity-service.enabled": False,
    "network.trr.mode": 5,
    "services.settings.server": "data:,#none",
    "toolkit.telemetry.server": "data:,",
    # As every person has it; a driver turns it off.
    "dom.disable_open_during_load": True,
    "network.lna.enabled": True,
    "network.lna.blocking": True,
    "network.lna.websocket.enabled": True,
    # A driven browser does not prompt: what would be asked is pending this long and then is a no; milliseconds.
    "network.lna.prompt.timeout": 2000,
}

# The browser's own remark about an answer that no page may read, listed among the errors of scripts.
_NO_SCRIPTS_FAULT = "Cross-Origin Request Blocked: "


class Firefox:
    """A headless browser. ``hosts`` resolve to 127.0.0.1, whose ``public_port`` counts as the public internet.

    Self-signed certificates are taken. ``preferences`` as in about:config.
    """

    def __init__(
        self,
        *,
        hosts: Sequence[str] = (),
        public_port: int | None = None,
        preferences: Mapping[str, bool | int | str] | None = None,
    ) -> None:
        self._preferences = _PREFERENCES | {"network.dns.localDomains": ",".join(hosts)}
        if public_port is not None:
            self._preferences["network.lna.address_space.public.override"] = f"127.0.0.1:{public_port}"
        self._preferences |= preferences or {}
        self._opened: list[tuple[str, dict[str, Any]]] = []
        self._gone: set[str] = set()
        self._faults: list[tuple[str, str]] = []

    def __enter__(self) -> Self:
        with contextlib.ExitStack() as stack:
            self._home = Path(
                stack.enter_context(tempfile.TemporaryDirectory(prefix="tb-fx-", ignore_cleanup_errors=True))
            )
            self._start()
            stack.callback(self._stop)
            self._connection = Connection(self._url(), self._told)
            stack.callback(self._connection.close)
            stack.callback(self._say_goodbye)
            self.command("session.new", capabilities={"alwaysMatch": {"acceptInsecureCerts": True}})
            events = ["browsingContext.contextCreated", "browsingContext.contextDestroyed", "log.entryAdded"]
            self.command("session.subscribe", events=events)
            self._stack = stack.pop_all()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        self._stack.close()

    def command(self, method: str, **params: Any) -> dict[str, Any]:
        """Run a command of the protocol."""
        return self._connection.command(method, **params)

    def profile(self) -> "FirefoxProfile":
        """Return a fresh profile: a user context of the protocol, which shares nothing with another."""
        return FirefoxProfile(self)

    def opened_by(self, window: str) -> list[str]:
        """Return the windows that ``window`` has opened, oldest first."""
        return [opened["context"] for _, opened in list(self._opened) if opened.get("originalOpener") == window]

    def windows(self, user: str) -> list[str]:
        """Return the windows of a user context that are still there."""
        return [
            opened["context"] for of, opened in list(self._opened) if of == user and opened["context"] not in self._gone
        ]

    def is_gone(self, window: str) -> bool:
        """Return whether a window has been closed."""
        return window in self._gone

    def faults(self, user: str) -> list[str]:
        """Return what scripts of a user context threw and nobody caught."""
        mine = {opened["context"] for of, opened in list(self._opened) if of == user}
        return [text for window, text in list(self._faults) if window in mine]

    def _start(self) -> None:
        profile = self._home / "profile"
        profile.mkdir(mode=0o700)
        lines = (f"user_pref({json.dumps(name)}, {json.dumps(value)});\n" for name, value in self._preferences.items())
        (profile / "user.js").write_text("".join(lines), encoding="utf-8")
        self._log = self._home / "log"
        env = {
            "HOME": str(self._home),
            "PATH": "/usr/bin:/bin",
            "TMPDIR": str(self._home),
            "MOZ_HEADLESS": "1",
            "MOZ_CRASHREPORTER_DISABLE": "1",
            "XDG_RUNTIME_DIR": str(self._home),
            # No bus and no display of this machine's real session.
            "DBUS_SESSION_BUS_ADDRESS": f"unix:path={self._home}/no-bus",
        }
        command = [EXECUTABLE, "--headless", "--no-remote", "--remote-debugging-port=0", "--profile", str(profile)]
        with self._log.open("wb") as log:
            # A group of its own: what the browser starts is ended with it.
            self._process = subprocess.Popen(
                [*command, "about:blank"],
                env=env,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def _url(self) -> str:
        where = self._home / "profile/WebDriverBiDiServer.json"
        wait_until(
            lambda: self._process.poll() is not None or _is_json(where), "Firefox", seconds=START_DEADLINE_SECONDS
        )
        assert self._process.poll() is None, self._log.read_text(encoding="utf-8", errors="replace")
        told = json.loads(where.read_bytes())
        return f"ws://{told['ws_host']}:{told['ws_port']}/session"

    def _say_goodbye(self) -> None:
        with contextlib.suppress(CommandFailed, TimeoutError, ConnectionError):
            self.command("browser.close")

    def _stop(self) -> None:
        try:
            self._process.wait(STOP_DEADLINE_SECONDS)
        except subprocess.TimeoutExpired:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()

    def _told(self, method: str, params: dict[str, Any]) -> None:
        if method == "browsingContext.contextCreated" and params.get("parent") is None:
            self._opened.append((params.get("userContext", "default"), params))
        elif method == "browsingContext.contextDestroyed":
            self._gone.add(params["context"])
        elif method == "log.entryAdded" and _is_fault(params):
            self._faults.append((params["source"].get("context", ""), params["text"]))


class FirefoxProfile:
    """One person's browser: storage, permissions and windows of its own."""

    def __init__(self, firefox: Firefox) -> None:
        self.firefox = firefox
        self._user = firefox.command("browser.createUserContext")["userContext"]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        self.firefox.command("browser.removeUserContext", userContext=self._user)

    @property
    def errors(self) -> list[str]:
        """Return what scripts threw and nobody caught, in any window."""
        return self.firefox.faults(self._user)

    @property
    def windows(self) -> list[Window]:
        """Return the windows that are open."""
        return [Window(self.firefox, context) for context in self.firefox.windows(self._user)]

    def open(self, url: str) -> Window:
        """Open a window at ``url``."""
        window = Window(
            self.firefox, self.firefox.command("browsingContext.create", type="tab", userContext=self._user)["context"]
        )
        window.goto(url)
        return window

    def permit(self, origin: str, setting: Setting) -> None:
        """Answer, for good, whether pages of ``origin`` may reach programs on this computer."""
        for name in _PERMISSIONS:
            self.firefox.command(
                "permissions.setPermission",
                descriptor={"name": name},
                state=setting,
                origin=origin,
                userContext=self._user,
            )


def _is_fault(entry: Mapping[str, Any]) -> bool:
    is_error = entry["type"] == "javascript" and entry["level"] == "error"
    return is_error and not entry["text"].startswith(_NO_SCRIPTS_FAULT)


def _is_json(path: Path) -> bool:
    try:
        json.loads(path.read_bytes())
    except (OSError, ValueError):
        return False
    return True
