"""A D-Bus session bus of our own: no service activation, no player of this machine's real session on it."""

import tempfile
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.parts.processes import Process, wait_until

CONFIG = """<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <type>session</type>
  <listen>unix:path={socket}</listen>
  <auth>EXTERNAL</auth>
  <policy context="default">
    <allow user="*"/>
    <allow own="*"/>
    <allow send_destination="*" eavesdrop="true"/>
    <allow eavesdrop="true"/>
  </policy>
</busconfig>
"""


class PrivateBus:
    """A bus at ``address``, open to every user of this machine: VLC refuses to be root, so it is another one."""

    def __init__(self) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="tb-bus-")
        folder = Path(self._folder.name)
        folder.chmod(0o755)
        self.socket = folder / "bus"
        self.address = f"unix:path={self.socket}"
        self.log = folder / "log"
        self._config = folder / "bus.conf"
        self._config.write_text(CONFIG.format(socket=self.socket), encoding="utf-8")
        self._process: Process | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
        self._folder.cleanup()

    def start(self) -> None:
        """Start it, at the same address as before."""
        self.socket.unlink(missing_ok=True)
        command = ["dbus-daemon", f"--config-file={self._config}", "--nofork", "--print-address"]
        self.log.write_bytes(b"")
        self._process = Process(command, {"PATH": "/usr/bin:/bin"}, self.log).__enter__()
        # The address is printed once the bus listens.
        wait_until(lambda: b"unix:path=" in self.log.read_bytes(), "the bus")
        self.socket.chmod(0o666)

    def stop(self) -> None:
        """End it; everybody on it loses the connection."""
        if self._process is not None:
            self._process.__exit__(None, None, None)
            self._process = None

    @property
    def env(self) -> dict[str, str]:
        """Return what points a program at this bus."""
        return {"DBUS_SESSION_BUS_ADDRESS": self.address}
