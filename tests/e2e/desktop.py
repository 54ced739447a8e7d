"""What stands on a person's desktop: a session bus, a sound server, music, and a look at a player past the product."""

import subprocess
from contextlib import ExitStack
from types import TracebackType
from typing import Self

from tests.parts.bus import PrivateBus
from tests.parts.media import MusicFolder
from tests.parts.sound import NullSink

_PLAYER = "org.mpris.MediaPlayer2.Player"


class Desktop:
    """A private bus, a null sink and a folder with one tune."""

    def __init__(self) -> None:
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            self.bus = stack.enter_context(PrivateBus())
            self.sound = stack.enter_context(NullSink())
            music = stack.enter_context(MusicFolder())
            self.tune = music.wav("tune", seconds=120)
            self._stack = stack.pop_all()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        self._stack.close()

    def read(self, player: str, name: str) -> str:
        """Ask the player itself for a property (MPRIS Player interface); one word, such as `Paused` or `1000000`."""
        answer = self._ask(player, "org.freedesktop.DBus.Properties.Get", f"string:{_PLAYER}", f"string:{name}")
        return answer.split()[-1]  # after the words "variant" and, for numbers, the type

    def is_told(self, player: str, member: str) -> None:
        """Call a method of the player, as somebody else on this desktop would."""
        self._ask(player, f"{_PLAYER}.{member}")

    def _ask(self, player: str, member: str, *arguments: str) -> str:
        name = f"org.mpris.MediaPlayer2.{player}"
        command = ["dbus-send", f"--bus={self.bus.address}", "--print-reply=literal", "--reply-timeout=5000"]
        done = subprocess.run(
            [*command, f"--dest={name}", "/org/mpris/MediaPlayer2", member, *arguments],
            capture_output=True,
            text=True,
            timeout=10,
            check=False,
        )
        assert 0 == done.returncode, done.stderr
        return done.stdout
