"""The real gnome-keyring on a bus and in a home of its own: unlocked, locked, wiped, killed, started again."""

import subprocess
import tempfile
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.parts.bus import PrivateBus
from tests.parts.processes import Process, wait_until

PASSWORD = "correct horse"


class RealKeyring:
    """A gnome-keyring whose login keyring was made and unlocked with ``PASSWORD``; ``env`` points a program at it."""

    def __init__(self) -> None:
        self.bus = PrivateBus()
        self._folder = tempfile.TemporaryDirectory(prefix="tb-keyring-")
        self.home = Path(self._folder.name)
        self._process: Process | None = None

    def __enter__(self) -> Self:
        self.bus.start()
        self.start(PASSWORD)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
        self.bus.__exit__(None, None, None)
        self._folder.cleanup()

    @property
    def env(self) -> dict[str, str]:
        """Return what points a program at this keyring, and at no display where it could ask for a password."""
        return {**self.bus.env, "DISPLAY": "", "WAYLAND_DISPLAY": ""}

    def start(self, password: str | None) -> None:
        """Start the daemon, unlocked with ``password``, or with everything locked."""
        (self.home / "run").mkdir(mode=0o700, exist_ok=True)
        env = {
            **self.bus.env,
            "HOME": str(self.home),
            "XDG_DATA_HOME": str(self.home / "data"),
            "XDG_RUNTIME_DIR": str(self.home / "run"),
            "PATH": "/usr/bin:/bin",
        }
        command = ["gnome-keyring-daemon", "--foreground", "--components=secrets"]
        secret = self.home / "password"
        secret.write_text(password or "", encoding="utf-8")
        if password is not None:
            command.append("--unlock")
        with secret.open("rb") as stdin:
            self._process = Process(command, env, self.home / "log", stdin=stdin).__enter__()
        wait_until(self._is_served, "the secret service")

    def stop(self) -> None:
        """End the daemon; what it kept stays on the disk, encrypted."""
        if self._process is not None:
            self._process.__exit__(None, None, None)
            self._process = None

    def kill(self) -> None:
        """End the daemon as a crash does."""
        assert self._process is not None
        self._process.kill()
        self._process = None

    def freeze(self) -> None:
        """Let it answer nothing any more."""
        assert self._process is not None
        self._process.freeze()

    def thaw(self) -> None:
        """Let it answer again."""
        assert self._process is not None
        self._process.thaw()

    def wipe(self) -> None:
        """Remove everything that was kept, and start anew with the same password."""
        self.stop()
        for file in (self.home / "data/keyrings").iterdir():
            file.unlink()
        self.start(PASSWORD)

    def _is_served(self) -> bool:
        asked = subprocess.run(
            [
                "dbus-send",
                f"--bus={self.bus.address}",
                "--print-reply=literal",
                "--dest=org.freedesktop.DBus",
                "/org/freedesktop/DBus",
                "org.freedesktop.DBus.NameHasOwner",
                "string:org.freedesktop.secrets",
            ],
            capture_output=True,
            text=True,
            timeout=10,
            check=False,
        )
        return "true" in asked.stdout
