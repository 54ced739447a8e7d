"""A PulseAudio with a null sink: players believe that they are heard, and keep real time."""

import subprocess
import tempfile
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.parts.processes import Process, as_plain_user, give_to_plain_user, wait_until


class NullSink:
    """A sound server for all users of this machine; ``env`` points programs at it."""

    def __init__(self) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="tb-pulse-", ignore_cleanup_errors=True)
        self.folder = Path(self._folder.name)
        self.folder.chmod(0o755)
        give_to_plain_user(self.folder)
        self.socket = self.folder / "native"
        self._process: Process | None = None

    def __enter__(self) -> Self:
        env = {"HOME": str(self.folder), "XDG_RUNTIME_DIR": str(self.folder), "PATH": "/usr/bin:/bin"}
        command = [
            *as_plain_user(),  # as root it would want to be the whole system's
            "pulseaudio", "-n", "--daemonize=no", "--use-pid-file=no", "--exit-idle-time=-1", "--disable-shm=yes",
            # Without rewinds the sink asks for sound every 50 ms, else every 2 s.
            "-L", "module-null-sink sink_name=null norewinds=1",
            "-L", f"module-native-protocol-unix auth-anonymous=1 socket={self.socket}",
        ]  # fmt: skip
        log = self.folder / "log"
        log.touch()
        self._process = Process(command, env, log).__enter__()
        wait_until(self._answers, "the sound server")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._process is not None:
            self._process.__exit__(None, None, None)
        self._folder.cleanup()

    @property
    def env(self) -> dict[str, str]:
        """Return what points a program at this server."""
        return {"PULSE_SERVER": f"unix:{self.socket}", "PULSE_SINK": "null"}

    def _answers(self) -> bool:
        ask = ["pactl", "info"]
        env = {"PATH": "/usr/bin:/bin", "HOME": str(self.folder), **self.env}
        return subprocess.run(ask, env=env, capture_output=True, check=False).returncode == 0
