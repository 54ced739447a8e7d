"""Real notification servers on a screen and a bus of ours, their buttons painted so that they are found."""

import subprocess
import tempfile
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.parts.bus import PrivateBus
from tests.parts.processes import Process, wait_until
from tests.parts.screen import Colour, Screen

MATE = "/usr/lib/mate-notification-daemon/mate-notification-daemon"
GNOME = "/usr/lib/notification-daemon/notification-daemon"
"""The one from which MATE's was made. What it is told to take back it leaves on the screen, its buttons with it."""

FIRST: Colour = (192, 32, 48)
SECOND: Colour = (24, 112, 56)
DISMISS: Colour = (40, 64, 192)

_PAINT = """
button {{ background-image: none; box-shadow: none; color: #ffffff; background-color: rgb{dismiss}; }}
box > button:first-child {{ background-color: rgb{first}; }}
box > button:nth-child(2) {{ background-color: rgb{second}; }}
"""
"""GTK 3 CSS: the first and the second button of the row; what is left is the one that dismisses."""


class NotificationDaemon:
    """The server that the bus of `PrivateBus` knows as org.freedesktop.Notifications, once it is started."""

    def __init__(self, bus: PrivateBus, screen: Screen, program: str = MATE) -> None:
        self._program = program
        self._bus = bus
        self._screen = screen
        self._folder = tempfile.TemporaryDirectory(prefix="tb-notify-", ignore_cleanup_errors=True)
        self._home = Path(self._folder.name)
        css = self._home / "gtk-3.0" / "gtk.css"
        css.parent.mkdir()
        css.write_text(_PAINT.format(first=FIRST, second=SECOND, dismiss=DISMISS), encoding="utf-8")
        self._process: Process | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._process is not None:
            self._process.__exit__(None, None, None)
        self._folder.cleanup()

    def start(self) -> None:
        """Start it, and wait until it has its name."""
        env = {
            "PATH": "/usr/bin:/bin",
            "HOME": str(self._home),
            "XDG_CONFIG_HOME": str(self._home),
            "GSETTINGS_BACKEND": "memory",
            "NO_AT_BRIDGE": "1",  # else it asks for the accessibility bus
            **self._bus.env,
            **self._screen.env,
        }
        log = self._home / "log"
        self._process = Process([self._program], env, log).__enter__()
        wait_until(lambda: self._has_name() or not self.process.is_running(), "the notification server", seconds=30)
        assert self.process.is_running(), log.read_text(encoding="utf-8", errors="replace")

    @property
    def process(self) -> Process:
        """Return the program, to freeze or to kill."""
        assert self._process is not None
        return self._process

    def _has_name(self) -> bool:
        ask = ["dbus-send", f"--bus={self._bus.address}", "--print-reply=literal", "--dest=org.freedesktop.DBus"]
        ask += ["/", "org.freedesktop.DBus.NameHasOwner", "string:org.freedesktop.Notifications"]
        return "true" in subprocess.run(ask, capture_output=True, text=True, check=False, timeout=10).stdout
