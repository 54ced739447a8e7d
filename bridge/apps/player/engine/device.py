"""The sound device and the stream that it pulls: all of miniaudio, imported at the first play.

Starting, stopping and opening block for up to 0.2 s (miniaudio joins a thread): never call them on the event loop.
"""

import array
import logging
import sys
from collections.abc import Callable, Generator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

logger = logging.getLogger(__name__)

RATE = 44_100
CHANNELS = 2
BUFFER_MILLIS = 100
"""Frames handed over are heard this much later at most: so exact is the position."""

Stream = Generator[Any, int, None]


class CannotDecode(Exception):
    """The file is no music that miniaudio knows, or has gone."""


def is_installed() -> bool:
    """Say whether miniaudio can be imported (the optional extra ``engine``), without importing it."""
    return find_spec("miniaudio") is not None


class DeviceLost(Exception):
    """The sound card or the sound server has gone: close this device and open another."""


class Device:
    """An open device. ``is_silent``: it is miniaudio's null device, which takes sound in real time and drops it."""

    def __init__(self, *, null: bool) -> None:
        import miniaudio  # 24 MB that a daemon which never plays does without

        self._miniaudio = miniaudio
        self._device, self.is_silent = _open_null(miniaudio) if null else _open(miniaudio)
        self._playing: _Playing | None = None
        self.volume = 1.0

    @property
    def position(self) -> float:
        """Seconds of the file handed to the sound card; safe to read from any thread."""
        playing = self._playing
        return 0.0 if playing is None else playing.frames / RATE

    def length(self, path: Path) -> float | None:
        """Return the file's length in seconds, None if it does not tell.

        Raises:
            CannotDecode: it is no music.
        """
        try:
            info = self._miniaudio.get_file_info(str(path))
        except (self._miniaudio.MiniaudioError, OSError, ValueError) as error:
            raise CannotDecode(str(error)) from error
        return float(info.duration) or None

    def load(self, path: Path, *, at: float, ended: Callable[[], None]) -> None:
        """Load the file at ``at`` seconds, stopped; ``ended`` is called once, on the sound thread, at its end.

        Raises:
            CannotDecode: it is no music.
        """
        self.stop()
        frame = int(at * RATE)
        try:
            source = self._miniaudio.stream_file(
                str(path),
                output_format=self._miniaudio.SampleFormat.SIGNED16,
                nchannels=CHANNELS,
                sample_rate=RATE,
                seek_frame=frame,
            )
        except (self._miniaudio.MiniaudioError, OSError) as error:
            raise CannotDecode(str(error)) from error
        self._playing = _Playing(self, source, frame, ended)

    def start(self) -> None:
        """Play what is loaded, from where it stands.

        Raises:
            DeviceLost: there is no device any more.
        """
        if self._playing is None or self._device.running:
            return
        try:
            self._device.start(self._playing.stream)
        except self._miniaudio.MiniaudioError as error:
            raise DeviceLost(str(error)) from error

    def stop(self) -> None:
        """Stand still."""
        try:
            self._device.stop()
        except self._miniaudio.MiniaudioError:
            logger.debug("a device that is lost stands still anyway; the next start tells")

    def close(self) -> None:
        """Give the device back; no callback comes after this."""
        self._device.close()
        self._playing = None


class _Playing:
    """One file from one place on; its stream runs on the sound thread."""

    def __init__(self, device: Device, source: Stream, frame: int, ended: Callable[[], None]) -> None:
        self.frames = frame
        self.stream = self._pull(device, source, ended)
        next(self.stream)

    def _pull(self, device: Device, source: Stream, ended: Callable[[], None]) -> Stream:
        wanted = yield b""
        try:
            while True:
                samples = source.send(wanted)
                self.frames += len(samples) // CHANNELS
                wanted = yield scaled(samples, device.volume)
        except StopIteration:
            pass  # the end of the file
        except Exception:
            logger.exception("the sound stream broke")
        ended()
        while True:
            yield b""  # silence until the loop's side has loaded the next file


def scaled(samples: "array.array[int]", volume: float) -> "array.array[int]":
    """Return the samples at ``volume``, 0 to 1."""
    # 1 % of one core: miniaudio's Python module does not reach the device's own volume.
    return samples if volume == 1.0 else array.array("h", [int(sample * volume) for sample in samples])


def _open(miniaudio: Any) -> tuple[Any, bool]:
    """Open the first device that there is, else the null device."""
    candidates: list[Any] = [[]]
    if sys.platform == "linux":
        # By name: miniaudio's own choice stays with the first sound *system* that answers, even one without a card.
        candidates = [[miniaudio.Backend.PULSEAUDIO], [miniaudio.Backend.ALSA]]
        from bridge.apps.player.engine import alsa  # ctypes, at the first play only

        alsa.hush()
    for backends in candidates:
        try:
            device = _device(miniaudio, backends)
        except miniaudio.MiniaudioError:
            continue
        return device, device.backend == "Null"
    return _open_null(miniaudio)


def _open_null(miniaudio: Any) -> tuple[Any, bool]:
    return _device(miniaudio, [miniaudio.Backend.NULL]), True


def _device(miniaudio: Any, backends: list[Any]) -> Any:
    return miniaudio.PlaybackDevice(
        output_format=miniaudio.SampleFormat.SIGNED16,
        nchannels=CHANNELS,
        sample_rate=RATE,
        buffersize_msec=BUFFER_MILLIS,
        backends=backends,
        app_name="Tollbridge",
    )
