"""Write two short tunes as WAV files, so that a first run has something to play; standard library only.

Usage: python -m scripts.make_tune FOLDER
"""

import array
import functools
import math
import sys
import wave
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

RATE = 22_050
"""Samples per second, one channel of 16 bits: half the size of a CD's, enough for notes below 1 kHz."""

MUSIC = frozenset({".flac", ".mp3", ".ogg", ".wav"})
"""What the embedded engine plays."""

LONGEST_LOOK = 20_000
"""How many entries of the folder are looked at; one with more is surely not empty."""


class Tune(NamedTuple):
    """A melody over chords."""

    title: str
    beat: float
    """Seconds that one note lasts."""
    melody: str
    """Notes, C5 being 523 Hz, and `-` for a rest; bars of four or eight."""
    chords: str
    """One for every four beats, out of `CHORDS`."""


CHORDS = {
    "C": ("C3", "G3", "E4"),
    "Em": ("E2", "E3", "B3"),
    "E": ("E2", "E3", "G#3"),
    "F": ("F2", "F3", "A3"),
    "G": ("G2", "D3", "B3"),
    "Am": ("A2", "E3", "C4"),
}

TUNES = (
    Tune(
        "Morning Bridge",
        0.42,
        """ G4 C5 D5 E5 G5 E5 D5 C5   A4 C5 E5 A5 G5 E5 D5 -    F5 E5 D5 C5 D5 B4 G4 B4
            C5 E5 G5 C6 B5 G5 E5 D5   A4 C5 F5 E5 D5 B4 D5 G5   E5 C5 D5 B4 C5 -  -  -""",
        "C C Am Am F G C Em F G Am C",
    ),
    Tune(
        "Evening Toll",
        0.5,
        """ A4 -  C5 D5 E5 -  D5 C5   B4 -  G4 B4 C5 -  -  -    F5 -  E5 D5 E5 C5 A4 C5
            D5 -  B4 G#4 A4 - E5 -    A5 -  G5 F5 E5 D5 C5 B4   C5 B4 A4 G#4 A4 - -  -""",
        "Am Am G C F Am E Am F C E Am",
    ),
)


def pitch(name: str) -> float:
    """Return a note's frequency in Hz: `A4` is 440."""
    semitone = ("C", "C#", "D", "D#", "E", "F", "F#", "G", "G#", "A", "A#", "B").index(name[:-1])
    return 440 * math.pow(2, (semitone - 9) / 12 + int(name[-1]) - 4)


@functools.cache
def note(name: str, seconds: float) -> tuple[float, ...]:
    """Return the samples of one plucked note: three partials, the higher ones dying sooner."""
    return tuple(_pluck(2 * math.pi * pitch(name) / RATE, int(seconds * RATE)))


def _pluck(step: float, count: int) -> Iterator[float]:
    for index in range(count):
        time = index / RATE
        attack = min(1.0, time / 0.008)
        phase = step * index
        fade = math.exp(-2.6 * time)
        yield (
            attack * fade * (math.sin(phase) + 0.4 * fade * math.sin(2 * phase) + 0.15 * fade**2 * math.sin(3 * phase))
        )


def samples(tune: Tune) -> "array.array[int]":  # array.array takes no [int] at run time before Python 3.12
    """Return the whole tune as 16-bit samples, with two seconds for the last notes to fade."""
    melody = tune.melody.split()
    mix = [0.0] * int((len(melody) * tune.beat + 2) * RATE)

    def play(name: str, beat: int, seconds: float, loudness: float) -> None:
        for index, value in enumerate(note(name, seconds), int(beat * tune.beat * RATE)):
            mix[index] += loudness * value

    for beat, name in enumerate(melody):
        if name != "-":
            play(name, beat, 1.4, 0.5)
    for bar, chord in enumerate(tune.chords.split()):
        for late, name in enumerate(CHORDS[chord]):
            play(name, 4 * bar + late, 1.8, 0.28)
    top = max(map(abs, mix))
    return array.array("h", (round(26_000 * value / top) for value in mix))


def write(tune: Tune, folder: Path) -> Path:
    """Write one tune into ``folder`` and return its file."""
    content = samples(tune)
    if sys.byteorder == "big":
        content.byteswap()
    path = folder / f"{tune.title}.wav"
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, RATE, len(content), "NONE", ""))
        file.writeframes(content.tobytes())
    return path


def has_music(folder: Path) -> bool:
    """Whether the folder, or one within it, has a file of music."""
    looked = enumerate(folder.rglob("*"))
    return any(path.suffix.lower() in MUSIC or count == LONGEST_LOOK for count, path in looked)


def fill(folder: Path) -> tuple[Path, ...]:
    """Write the tunes into ``folder``, made if missing; return their files, none where there is music already."""
    if has_music(folder):
        return ()
    folder.mkdir(parents=True, exist_ok=True)
    return tuple(write(tune, folder) for tune in TUNES)


if __name__ == "__main__":
    if len(sys.argv) != 2 or sys.argv[1].startswith("-"):
        sys.exit(__doc__)
    for file in fill(Path(sys.argv[1])):
        print(file)
