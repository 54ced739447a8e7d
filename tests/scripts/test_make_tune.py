"""A first run finds music where the owner has none, and leaves the owner's alone."""

import wave
from pathlib import Path

from scripts import make_tune


def test_missing_folder_gets_tunes_of_half_a_minute(tmp_path: Path) -> None:
    files = make_tune.fill(tmp_path / "Music")

    assert sorted(file.name for file in files) == ["Evening Toll.wav", "Morning Bridge.wav"]
    for file in files:
        with wave.open(str(file)) as tune:
            assert 20 <= tune.getnframes() / tune.getframerate() <= 30


def test_folder_with_music_somewhere_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "Album").mkdir()
    (tmp_path / "Album" / "mine.MP3").touch()

    assert make_tune.fill(tmp_path) == ()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["Album"]


def test_pitch_follows_the_piano() -> None:
    assert make_tune.pitch("A4") == 440
    assert round(make_tune.pitch("C5"), 2) == 523.25
    assert round(make_tune.pitch("G#2"), 2) == 103.83
