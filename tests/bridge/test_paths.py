from pathlib import Path

import pytest

from bridge import paths


def test_a_folder_is_made_for_the_user_alone(tmp_path: Path) -> None:
    assert 0o700 == paths.own_folder(tmp_path / "a/b").stat().st_mode & 0o777


def test_a_folder_that_others_could_read_is_closed(tmp_path: Path) -> None:
    folder = tmp_path / "open"
    folder.mkdir(mode=0o755)

    assert 0o700 == paths.own_folder(folder).stat().st_mode & 0o777


def test_a_link_in_place_of_the_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "target").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "target")

    with pytest.raises(paths.UnsafeFolder):
        paths.own_folder(tmp_path / "link")


def test_a_private_file_is_replaced_in_one_step_whatever_the_umask(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_bytes(b"old")

    paths.write_private(file, b"new")

    assert b"new" == file.read_bytes()
    assert 0o600 == file.stat().st_mode & 0o777
    assert [file] == list(tmp_path.iterdir())


def test_a_folder_that_cannot_be_made_is_told_with_a_remedy(tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    with pytest.raises(paths.FolderUnusable) as refused:
        paths.own_folder(tmp_path / "file/state")

    assert "XDG_STATE_HOME" in refused.value.detail
