"""Real players on a private bus: mpv and VLC, without a window, paused or playing."""

import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.parts.bus import PrivateBus
from tests.parts.processes import Process, as_plain_user, give_to_plain_user
from tests.parts.sound import NullSink

MPRIS_OF_MPV = "/usr/lib/mpv-mpris/mpris.so"
"""Debian's mpv-mpris; named because --no-config leaves /etc/mpv/scripts out."""


class Player:
    """A player that has been started, and may be frozen, thawed and killed; its bus name takes a moment."""

    def __init__(self, command: Sequence[str], bus: PrivateBus, sound: NullSink | None) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="tb-player-", ignore_cleanup_errors=True)
        folder = Path(self._folder.name)
        give_to_plain_user(folder)
        env: Mapping[str, str] = {
            "HOME": str(folder),
            "XDG_RUNTIME_DIR": str(folder),
            "PATH": "/usr/bin:/bin",
            "LANG": "C.UTF-8",
            **bus.env,
            **({} if sound is None else sound.env),
        }
        log = folder / "log"
        log.touch()
        self.process = Process([*as_plain_user(), *command], env, log)

    def __enter__(self) -> Self:
        self.process.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.process.__exit__(kind, error, trace)
        self._folder.cleanup()

    @property
    def pid(self) -> int:
        return self.process.pid

    def freeze(self) -> None:
        """Stop it with SIGSTOP."""
        self.process.freeze()

    def thaw(self) -> None:
        """Let it go on."""
        self.process.thaw()

    def kill(self) -> None:
        """Kill it with SIGKILL."""
        self.process.kill()


class Mpv(Player):
    """mpv with mpv-mpris: ``org.mpris.MediaPlayer2.mpv``, playing ``files`` unless ``paused``."""

    def __init__(self, bus: PrivateBus, *files: Path, sound: NullSink | None = None, paused: bool = False) -> None:
        command = [
            "mpv", "--no-config", f"--script={MPRIS_OF_MPV}", "--no-video", "--no-terminal", "--idle=yes",
            "--ytdl=no", f"--ao={'null' if sound is None else 'pulse'}", f"--pause={'yes' if paused else 'no'}",
            *map(str, files),
        ]  # fmt: skip
        super().__init__(command, bus, sound)


class Vlc(Player):
    """VLC: ``org.mpris.MediaPlayer2.vlc``.

    ``twice`` loads its D-Bus interface a second time, so that one VLC stands on the bus as two connections with two
    names, as it does for people who switched it on in the preferences and on the command line.
    """

    def __init__(
        self,
        bus: PrivateBus,
        *files: Path,
        sound: NullSink | None = None,
        paused: bool = False,
        twice: bool = False,
    ) -> None:
        command = [
            "vlc", "-I", "dummy", "--no-video", "--no-one-instance", "--aout", "adummy" if sound is None else "pulse",
            *(["--control", "dbus"] if twice else []), *(["--start-paused"] if paused else []), *map(str, files),
        ]  # fmt: skip
        super().__init__(command, bus, sound)
