"""Short tunes: pure tones as WAV, and as mp3, flac and ogg with tags, encoded by mpv itself."""

import array
import math
import subprocess
import tempfile
import wave
from pathlib import Path
from types import TracebackType
from typing import Self

RATE = 8_000

ENCODERS = {"mp3": ("libmp3lame", "mp3"), "flac": ("flac", "flac"), "ogg": ("libvorbis", "ogg")}
"""mpv's names of codec and container."""


def write_wav(path: Path, *, seconds: float = 30.0, hertz: float = 440.0) -> Path:
    """Write a tone into ``path``."""
    step = 2 * math.pi * hertz / RATE
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, RATE, 0, "NONE", ""))
        file.writeframes(
            array.array("h", (int(8_000 * math.sin(step * n)) for n in range(int(seconds * RATE)))).tobytes()
        )
    path.chmod(0o644)
    return path


def encode(wav: Path, path: Path, **tags: str) -> Path:
    """Write ``wav`` as what the suffix of ``path`` says, with ``tags`` (title, artist, album)."""
    codec, container = ENCODERS[path.suffix.removeprefix(".")]
    command = ["mpv", "--no-config", "--no-terminal", "--no-video", str(wav), f"--o={path}", f"--oac={codec}"]
    if tags:
        command.append("--oset-metadata=" + ",".join(f"{tag}={value}" for tag, value in tags.items()))
    subprocess.run([*command, f"--of={container}"], check=True, timeout=30, env={"PATH": "/usr/bin:/bin", "HOME": "/"})
    path.chmod(0o644)
    return path


class MusicFolder:
    """A folder of tunes that every user of this machine can read."""

    def __init__(self) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="tb-music-")
        self.path = Path(self._folder.name).resolve()
        self.path.chmod(0o755)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._folder.cleanup()

    def wav(self, name: str, *, seconds: float = 30.0, hertz: float = 440.0) -> Path:
        """Add a tone; ``name`` without suffix, folders in it are made."""
        path = self.path / f"{name}.wav"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.parent.chmod(0o755)
        return write_wav(path, seconds=seconds, hertz=hertz)

    def encoded(self, name: str, *, seconds: float = 30.0, hertz: float = 440.0, **tags: str) -> Path:
        """Add a tone as mp3, flac or ogg; ``name`` with suffix."""
        with tempfile.TemporaryDirectory(prefix="tb-wav-") as folder:
            wav = write_wav(Path(folder, "tone.wav"), seconds=seconds, hertz=hertz)
            return encode(wav, self.path / name, **tags)
