"""Playlist and device together, as a machine of plain blocking calls; lives on the engine's one thread."""

from collections.abc import Callable, Sequence
from pathlib import Path

from bridge.apps.player.engine import playlist
from bridge.apps.player.engine.device import CannotDecode, Device, DeviceLost
from bridge.apps.player.engine.playlist import Tune
from bridge.apps.player.errors import NothingToPlay, NotSupported, PlayerFailed
from bridge.apps.player.model import Status
from bridge.errors import InvalidParams

RESTART_SECONDS = 3.0
"""``previous`` later than this goes to the start of the track, as on any CD player."""


class Deck:
    """What is played. ``on_end`` is called on the sound thread with the number of the loading that has ended.

    ``folders``: the music folders, looked through at the first play and whenever it plays from a stop.
    """

    def __init__(self, folders: Sequence[Path], *, null: bool, on_end: Callable[[int], None]) -> None:
        self._folders = folders
        self._null = null
        self._on_end = on_end
        self._device: Device | None = None
        self._loading = 0
        self._index = 0
        self.tunes: tuple[Tune, ...] = ()
        self.tune: Tune | None = None
        self.length: float | None = None
        self.status = Status.STOPPED
        self.volume = 1.0

    @property
    def position(self) -> float:
        """Seconds into the track; safe to read from any thread."""
        device = self._device
        return 0.0 if device is None or self.tune is None else device.position

    @property
    def is_silent(self) -> bool | None:
        """Whether sound goes nowhere; None before a device was opened."""
        return None if self._device is None else self._device.is_silent

    def play(self) -> None:
        """Begin or resume.

        Raises:
            NothingToPlay: no music was found.
        """
        if self.status is Status.PLAYING:
            return
        if self.status is Status.PAUSED and self.tune is not None:
            self._start()
            return
        self._begin(self._index)

    def pause(self) -> None:
        """Stand still; nothing happens if it does already."""
        if self.status is Status.PLAYING:
            self._opened().stop()
            self.status = Status.PAUSED

    def play_pause(self) -> None:
        """Pause if playing, else play."""
        if self.status is Status.PLAYING:
            self.pause()
        else:
            self.play()

    def stop(self) -> None:
        """Stop, and go to the track's start."""
        if self._device is not None:
            self._device.stop()
        self.status = Status.STOPPED
        self.tune = None
        self.length = None

    def next(self) -> None:
        """Play the next track; the first one follows the last."""
        self._begin(self._index + 1 if self.tune is not None else self._index)

    def previous(self) -> None:
        """Play the track's start again, or the track before if it has just begun."""
        if self.tune is not None and self.position > RESTART_SECONDS:
            self.set_position(0.0)
        else:
            self._begin(self._index - 1 if self.tune is not None else self._index)

    def ended(self, loading: int) -> None:
        """Take the end of the track loaded as number ``loading``: the next one begins; after the last, all stops."""
        if loading != self._loading or self.status is not Status.PLAYING:
            return
        if self._index + 1 < len(self.tunes):
            self._begin(self._index + 1)
        else:
            self.stop()
            self._index = 0

    def seek(self, offset: float) -> None:
        """Move by ``offset`` seconds; beyond the end the next track begins (MPRIS 2.2, Player.Seek)."""
        target = self.position + offset
        if self.length is not None and target >= self.length:
            self.next()
        else:
            self._load_at(max(0.0, target))

    def set_position(self, position: float) -> None:
        """Go to ``position`` seconds.

        Raises:
            InvalidParams: the track ends before.
        """
        if self.length is not None and position > self.length:
            raise InvalidParams(f"the track ends at {self.length:g} s", path="$.position")
        self._load_at(position)

    def set_volume(self, volume: float) -> None:
        """Set the volume, 0 to 1."""
        self.volume = volume
        if self._device is not None:
            self._device.volume = volume

    def open(self, path: Path) -> None:
        """Play one file; ``next`` goes on from there if it is in the playlist."""
        if path.suffix.lower() not in playlist.SUFFIXES:
            raise NotSupported("the built-in player plays mp3, flac, ogg and wav")
        tunes = playlist.find(self._folders)
        index = next((index for index, tune in enumerate(tunes) if tune.path == path), None)
        if index is None:
            tunes = (playlist.tune(path, self._folders), *tunes)
        self.tunes = tunes
        self._play(index or 0)

    def close(self) -> None:
        """Give the device back."""
        if self._device is not None:
            self._device.close()

    def _begin(self, index: int) -> None:
        """Play the tune at ``index`` or, where it cannot be decoded, the next that can."""
        if not self.tunes or self.status is Status.STOPPED:
            self.tunes = playlist.find(self._folders)
        if not self.tunes:
            raise NothingToPlay("put mp3, flac, ogg or wav files into the music folder")
        for shift in range(len(self.tunes)):
            try:
                self._play((index + shift) % len(self.tunes))
            except PlayerFailed:
                continue
            return
        self.stop()
        raise NothingToPlay("none of the files in the music folder can be decoded")

    def _play(self, index: int) -> None:
        tune = self.tunes[index]
        device = self._opened()
        try:
            length = device.length(tune.path)
            self._load(tune, at=0.0)
        except CannotDecode as error:
            raise PlayerFailed(f"{tune.name} cannot be decoded") from error
        self._index, self.tune, self.length = index, tune, length
        self._start()

    def _load_at(self, position: float) -> None:
        if self.tune is None:
            raise NotSupported("nothing is loaded")
        try:
            self._load(self.tune, at=position)
        except CannotDecode as error:
            self.stop()
            raise PlayerFailed("the file is gone") from error
        if self.status is Status.PLAYING:
            self._start()

    def _load(self, tune: Tune, *, at: float) -> None:
        self._loading += 1
        loading = self._loading
        self._opened().load(tune.path, at=at, ended=lambda: self._on_end(loading))

    def _start(self) -> None:
        """Play what is loaded; on another device, perhaps the null one, where the first has gone."""
        try:
            self._opened().start()
        except DeviceLost:
            self._start_elsewhere()
        self.status = Status.PLAYING

    def _start_elsewhere(self) -> None:
        position = self.position
        self.close()
        self._device = None
        try:
            if self.tune is not None:
                self._load(self.tune, at=position)
            self._opened().start()
        except (CannotDecode, DeviceLost) as error:
            self.stop()
            raise PlayerFailed("the sound device has gone, and no other can be opened") from error

    def _opened(self) -> Device:
        if self._device is None:
            self._device = Device(null=self._null)
            self._device.volume = self.volume
        return self._device
