from pathlib import Path

import pytest

from bridge.apps.player.engine import playlist
from bridge.apps.player.engine.playlist import Tags


@pytest.mark.parametrize(
    ("path", "tags"),
    [
        ("Morning.mp3", Tags("Morning", (), "")),
        ("Ann - Morning.mp3", Tags("Morning", ("Ann",), "")),
        ("First/01 - Ann - Morning.mp3", Tags("Morning", ("Ann",), "First")),
        ("Ann/First/7. Morning.ogg", Tags("Morning", (), "First")),
        ("First/03 Morning.flac", Tags("Morning", (), "First")),
        ("99.wav", Tags("99", (), "")),
        ("1999 Was Long.wav", Tags("1999 Was Long", (), "")),
        (" - .wav", Tags("-", (), "")),
        ("Ann - .wav", Tags("Ann -", (), "")),
        ("a.b.c.wav", Tags("a.b.c", (), "")),
        ("Ann - To - Bob.wav", Tags("To - Bob", ("Ann",), "")),
    ],
)
def test_a_files_path_stands_for_its_tags(path: str, tags: Tags) -> None:
    assert tags == playlist.tags(path)


def names(*folders: Path) -> list[str]:
    return [tune.name for tune in playlist.find(folders)]


def test_music_is_found_in_order_and_nothing_else(tmp_path: Path) -> None:
    (tmp_path / "B").mkdir()
    for name in ("c.MP3", "a.wav", "B/d.ogg", "B/b.flac", "notes.txt", "film.mp4"):
        (tmp_path / name).touch()

    assert ["a.wav", "B/b.flac", "B/d.ogg", "c.MP3"] == names(tmp_path)


def test_folders_are_played_one_after_the_other(tmp_path: Path) -> None:
    for name in ("z/one.wav", "a/two.wav"):
        (tmp_path / name).parent.mkdir()
        (tmp_path / name).touch()

    assert ["one.wav", "two.wav"] == names(tmp_path / "z", tmp_path / "a")


def test_symlinks_out_of_the_folder_are_not_music(tmp_path: Path) -> None:
    folder = tmp_path / "Music"
    folder.mkdir()
    (tmp_path / "secret.wav").touch()
    (folder / "in.wav").touch()
    (folder / "out.wav").symlink_to(tmp_path / "secret.wav")
    (folder / "dir").symlink_to(tmp_path)
    (folder / "loop.wav").symlink_to(folder / "loop.wav")

    assert ["in.wav"] == names(folder)


def test_a_missing_folder_has_no_music(tmp_path: Path) -> None:
    assert [] == names(tmp_path / "none")


def test_a_name_that_is_no_text_is_left_out(tmp_path: Path) -> None:
    Path(str(tmp_path), "ok.wav").touch()
    (tmp_path / "bad\udcff.wav").touch()

    assert ["ok.wav"] == names(tmp_path)
