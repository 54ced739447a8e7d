import logging
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from bridge import paths
from bridge.logs import Formatter

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files to another user")
NOBODY = 65534
Plant = Callable[[Path], None]


@contextmanager
def umask(mask: int) -> Iterator[None]:
    before = os.umask(mask)
    try:
        yield
    finally:
        os.umask(before)


def mode(path: Path) -> int:
    return path.lstat().st_mode & 0o7777


def warned(caplog: pytest.LogCaptureFixture) -> list[str]:
    """Return the warnings as they are printed."""
    return [Formatter().format(record) for record in caplog.records if record.levelno == logging.WARNING]


UMASKS = pytest.mark.parametrize("mask", [0o000, 0o022, 0o077, 0o777], ids=oct)


@UMASKS
def test_a_folder_and_all_above_it_are_made_for_the_user_alone(tmp_path: Path, mask: int) -> None:
    with umask(mask):
        paths.own_folder(tmp_path / "a/b/c")

    assert [0o700] * 3 == [mode(tmp_path / folder) for folder in ("a", "a/b", "a/b/c")]


@pytest.mark.parametrize("opened", [0o755, 0o701, 0o777])
def test_a_folder_that_was_open_to_others_is_closed_and_that_is_told(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, opened: int
) -> None:
    folder = tmp_path / "open"
    folder.mkdir()
    folder.chmod(opened)

    assert 0o700 == mode(paths.own_folder(folder))

    (told,) = warned(caplog)
    assert "closed now" in told
    assert str(folder) in told
    assert folder == paths.own_folder(folder)
    assert [told] == warned(caplog)


@UMASKS
def test_of_a_folder_that_is_made_nothing_is_told(tmp_path: Path, caplog: pytest.LogCaptureFixture, mask: int) -> None:
    with umask(mask):
        paths.own_folder(tmp_path / "made")

    assert [] == warned(caplog)


def test_a_link_in_place_of_the_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "target").mkdir(mode=0o755)
    (tmp_path / "link").symlink_to(tmp_path / "target")

    with pytest.raises(paths.UnsafeFolder, match="is a link; "):
        paths.own_folder(tmp_path / "link")

    assert 0o755 == mode(tmp_path / "target")


def test_a_link_to_nowhere_in_place_of_the_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path / "target")

    with pytest.raises(paths.UnsafeFolder):
        paths.own_folder(tmp_path / "link")

    assert not (tmp_path / "target").exists()


def test_a_folder_below_one_that_others_may_write_is_refused(tmp_path: Path) -> None:
    (tmp_path / "open").mkdir()
    (tmp_path / "open").chmod(0o777)

    with pytest.raises(paths.UnsafeFolder, match="chmod go-w"):
        paths.own_folder(tmp_path / "open/state")


@needs_root
def test_another_users_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "theirs").mkdir()
    os.chown(tmp_path / "theirs", NOBODY, -1)

    with pytest.raises(paths.UnsafeFolder, match="another user"):
        paths.own_folder(tmp_path / "theirs")


def test_a_file_in_place_of_a_folder_is_called_what_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").touch(mode=0o644)

    with pytest.raises(paths.UnsafeFolder, match=f"^{tmp_path}/file is no folder; "):
        paths.own_folder(tmp_path / "file")
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path / "file"))
    with pytest.raises(paths.UnsafeFolder, match=f"^XDG_RUNTIME_DIR {tmp_path}/file is no folder; "):
        paths.own_folder(paths.runtime_folder())


def test_a_folder_that_cannot_be_made_is_told_with_a_remedy(tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    with pytest.raises(paths.FolderUnusable) as refused:
        paths.own_folder(tmp_path / "file/state")

    assert "XDG_STATE_HOME" in refused.value.detail


@pytest.mark.parametrize("opened", [0o755, 0o710, 0o777])
def test_a_session_folder_that_is_open_to_others_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, opened: int
) -> None:
    (tmp_path / "run").mkdir()
    (tmp_path / "run").chmod(opened)
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path / "run"))

    with pytest.raises(paths.UnsafeFolder, match="XDG_RUNTIME_DIR"):
        paths.own_folder(paths.runtime_folder())

    assert opened == mode(tmp_path / "run")
    assert not (tmp_path / "run/tollbridge").exists()


@needs_root
def test_another_users_session_folder_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "run").mkdir(mode=0o700)
    os.chown(tmp_path / "run", NOBODY, -1)
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path / "run"))

    with pytest.raises(paths.UnsafeFolder, match=f"uid {NOBODY}"):
        paths.own_folder(paths.runtime_folder())


@pytest.mark.parametrize("relative", ["run", ".", "../run", "~/run", ""])
def test_a_relative_path_of_the_desktop_is_ignored(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, relative: str
) -> None:
    names = ("XDG_RUNTIME_DIR", "XDG_CONFIG_HOME", "XDG_STATE_HOME", "XDG_DATA_HOME")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("XDG_MUSIC_DIR", raising=False)
    places = (paths.runtime_folder, paths.config_file, paths.state_folder, paths.music_folder)
    for name in names:
        monkeypatch.delenv(name, raising=False)
    unset = [place() for place in places]

    for name in names:
        monkeypatch.setenv(name, relative)

    assert unset == [place() for place in places]
    assert tmp_path / ".local/state/tollbridge/run" == paths.runtime_folder()


@UMASKS
def test_a_private_file_is_replaced_in_one_step_whatever_the_umask(tmp_path: Path, mask: int) -> None:
    file = tmp_path / "file"
    file.write_bytes(b"old")

    with umask(mask):
        paths.write_private(file, b"new")

    assert b"new" == file.read_bytes()
    assert 0o600 == mode(file)
    assert [file] == list(tmp_path.iterdir())


def test_a_private_file_never_goes_through_a_link(tmp_path: Path) -> None:
    (tmp_path / "target").write_bytes(b"theirs")
    (tmp_path / "file").symlink_to(tmp_path / "target")

    paths.write_private(tmp_path / "file", b"ours")

    assert b"theirs" == (tmp_path / "target").read_bytes()
    assert not (tmp_path / "file").is_symlink()


@UMASKS
def test_a_file_opened_to_be_made_is_private_whatever_the_umask(tmp_path: Path, mask: int) -> None:
    with umask(mask):
        os.close(paths.open_private(tmp_path / "file", os.O_RDWR | os.O_CREAT))
        os.close(paths.open_private(tmp_path / "file", os.O_RDWR | os.O_CREAT))

    assert 0o600 == mode(tmp_path / "file")


def test_what_was_written_is_read(tmp_path: Path) -> None:
    paths.write_private(tmp_path / "file", b"\0secret")

    assert b"\0secret" == paths.read_private(tmp_path / "file")


def test_a_file_that_is_not_there_is_not_an_unsafe_one(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        paths.read_private(tmp_path / "file")


@pytest.mark.parametrize("opened", [0o604, 0o640, 0o602, 0o620, 0o601, 0o644, 0o666])
def test_a_secret_that_others_could_read_or_change_is_refused(tmp_path: Path, opened: int) -> None:
    paths.write_private(tmp_path / "file", b"secret")
    (tmp_path / "file").chmod(opened)

    with pytest.raises(paths.UnsafeFile, match=r"chmod 600 .*else remove it"):
        paths.read_private(tmp_path / "file")

    assert opened == mode(tmp_path / "file")


def test_a_file_without_a_secret_is_closed_instead_and_that_is_told(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "lock").touch()
    (tmp_path / "lock").chmod(0o666)

    for _ in range(2):
        os.close(paths.open_private(tmp_path / "lock", os.O_RDWR, repair=True))

    assert 0o600 == mode(tmp_path / "lock")
    (told,) = warned(caplog)
    assert str(tmp_path / "lock") in told


def plant_link(place: Path) -> None:
    (place.parent / "target").write_bytes(b"theirs")
    (place.parent / "target").chmod(0o600)
    place.symlink_to(place.parent / "target")


def plant_dangling_link(place: Path) -> None:
    place.symlink_to(place.parent / "nowhere")


def plant_loop(place: Path) -> None:
    place.symlink_to(place)


def plant_hard_link(place: Path) -> None:
    (place.parent / "target").write_bytes(b"theirs")
    (place.parent / "target").chmod(0o600)
    place.hardlink_to(place.parent / "target")


def plant_pipe(place: Path) -> None:
    os.mkfifo(place, 0o600)


def plant_folder(place: Path) -> None:
    place.mkdir(mode=0o600)


def plant_foreign(place: Path) -> None:
    place.write_bytes(b"theirs")
    place.chmod(0o600)
    os.chown(place, NOBODY, -1)


PLANTS = [
    plant_link,
    plant_dangling_link,
    plant_loop,
    plant_hard_link,
    plant_pipe,
    plant_folder,
    pytest.param(plant_foreign, marks=needs_root),
]


@pytest.mark.parametrize("plant", PLANTS)
@pytest.mark.parametrize("flags", [os.O_RDONLY, os.O_RDWR, os.O_WRONLY | os.O_APPEND, os.O_RDWR | os.O_CREAT])
@pytest.mark.parametrize("repair", [False, True])
def test_whatever_else_stands_in_a_files_place_is_refused_at_once(
    tmp_path: Path, plant: Plant, flags: int, repair: bool
) -> None:
    plant(tmp_path / "file")

    with pytest.raises(paths.UnsafeFile):
        paths.open_private(tmp_path / "file", flags, repair=repair)

    assert not (tmp_path / "nowhere").exists()


@pytest.mark.parametrize("plant", PLANTS)
def test_whatever_else_stands_there_is_seen_without_opening_it(tmp_path: Path, plant: Plant) -> None:
    plant(tmp_path / "file")

    with pytest.raises(paths.UnsafeFile, match="remove it"):
        paths.check_private(tmp_path / "file")


@pytest.mark.parametrize(("opened", "expected"), [(0o600, False), (0o400, False), (0o644, True), (0o602, True)])
def test_a_file_is_looked_at_and_left_as_it_is(tmp_path: Path, opened: int, expected: bool) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "file").chmod(opened)

    assert expected is paths.check_private(tmp_path / "file")
    assert opened == mode(tmp_path / "file")


@pytest.mark.parametrize("plant", [plant_link, plant_dangling_link, pytest.param(plant_foreign, marks=needs_root)])
def test_a_place_that_is_taken_by_others_is_refused(tmp_path: Path, plant: Plant) -> None:
    plant(tmp_path / "file")

    with pytest.raises(paths.UnsafeFile):
        paths.check_place(tmp_path / "file")


def test_a_leftover_of_ours_may_be_replaced(tmp_path: Path) -> None:
    paths.check_place(tmp_path / "file")
    (tmp_path / "file").touch()
    paths.check_place(tmp_path / "file")


def test_a_file_too_long_to_be_ours_is_not_read_to_its_end(tmp_path: Path) -> None:
    paths.write_private(tmp_path / "file", b"")
    os.truncate(tmp_path / "file", 1 << 40)  # a hole: nothing is on the disk

    with pytest.raises(paths.UnsafeFile, match="longer"):
        paths.read_private(tmp_path / "file")


def test_settings_may_be_read_by_others_and_be_a_link(tmp_path: Path) -> None:
    (tmp_path / "dotfiles").write_bytes(b"settings")
    (tmp_path / "dotfiles").chmod(0o644)
    (tmp_path / "file").symlink_to(tmp_path / "dotfiles")

    assert b"settings" == paths.read_trusted(tmp_path / "file")


def test_settings_that_others_may_change_are_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"settings")
    (tmp_path / "file").chmod(0o646)

    with pytest.raises(paths.UnsafeFile, match="chmod go-w"):
        paths.read_trusted(tmp_path / "file")


def test_settings_in_a_folder_that_others_may_change_are_refused(tmp_path: Path) -> None:
    (tmp_path / "open").mkdir()
    (tmp_path / "open/target").write_bytes(b"settings")
    (tmp_path / "open").chmod(0o777)
    (tmp_path / "file").symlink_to(tmp_path / "open/target")

    for place in (tmp_path / "open/target", tmp_path / "file"):
        with pytest.raises(paths.UnsafeFolder, match=f"^{tmp_path}/open may be written by others"):
            paths.read_trusted(place)


@pytest.mark.parametrize("link", ["file", "folder"])
def test_settings_behind_a_link_that_leads_nowhere_are_not_taken_for_none(tmp_path: Path, link: str) -> None:
    place = tmp_path / "file" if link == "file" else tmp_path / "folder/file"
    (tmp_path / link).symlink_to(tmp_path / "nowhere")

    with pytest.raises(OSError, match=f"{tmp_path / link} is a link that leads nowhere") as refused:
        paths.read_trusted(place)

    assert not isinstance(refused.value, FileNotFoundError)


def test_settings_below_what_is_no_folder_are_called_that(tmp_path: Path) -> None:
    for file in (Path("/dev/null"), tmp_path / "file"):
        file.touch()
        with pytest.raises(NotADirectoryError, match=f"{file} is no folder"):
            paths.read_trusted(file / ".config/config.toml")


@pytest.mark.parametrize("plant", [plant_pipe, plant_folder, pytest.param(plant_foreign, marks=needs_root)])
def test_settings_are_a_regular_file_of_ours(tmp_path: Path, plant: Plant) -> None:
    plant(tmp_path / "file")

    with pytest.raises(paths.UnsafeFile):
        paths.read_trusted(tmp_path / "file")


def test_settings_that_are_a_loop_of_links_are_an_error_of_the_system(tmp_path: Path) -> None:
    plant_loop(tmp_path / "file")

    with pytest.raises(OSError, match="symbolic links"):
        paths.read_trusted(tmp_path / "file")
