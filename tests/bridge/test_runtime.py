"""One daemon a state folder and one a runtime folder, and files that are removed by their own process alone."""

import os
from pathlib import Path

import msgspec
import pytest

from bridge import paths, runtime


@pytest.fixture(name="folders")
def _folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Path, Path]:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    for name in ("state", "other", "tollbridge", "elsewhere"):
        (tmp_path / name).mkdir(mode=0o700)
    return tmp_path / "state", tmp_path / "tollbridge"


def told(pid: int) -> runtime.Runtime:
    return runtime.Runtime(pid, "http://127.0.0.1:4380", 4380, "/run/socket", "0", "")


def refusal(state: Path, run: Path) -> str:
    with pytest.raises(runtime.AlreadyRunning) as refused, runtime.only_one(state, run):
        pass
    return refused.value.detail


def test_a_lock_says_whose_it_is_and_is_free_again_after_its_block(folders: tuple[Path, Path]) -> None:
    for folder in folders:
        (folder / "lock").write_bytes(b"1234567890123456789\n")
        (folder / "lock").chmod(0o600)
    for _ in range(2):
        with runtime.only_one(*folders):
            assert [b"%d\n" % os.getpid()] * 2 == [(folder / "lock").read_bytes() for folder in folders]


def test_a_second_one_with_the_same_folders_is_told_where_the_first_is(folders: tuple[Path, Path]) -> None:
    runtime.write(paths.runtime_file(), told(os.getpid()))
    with runtime.only_one(*folders):
        detail = refusal(*folders)

    assert detail.startswith("your daemon already runs at http://127.0.0.1:4380 and /run/socket (pid ")
    assert detail.endswith(f"; use that one, or end it first with `kill {os.getpid()}`")


def test_a_second_one_with_another_runtime_folder_is_told_why_it_is_not_found_there(folders: tuple[Path, Path]) -> None:
    state, run = folders
    with runtime.only_one(state, run):
        detail = refusal(state, run.with_name("elsewhere"))

    assert f"runs (pid {os.getpid()}), but not in {run.with_name('elsewhere')}: it is just starting, or has " in detail
    assert f"`kill {os.getpid()}`" in detail


def test_a_second_one_with_another_state_folder_does_not_get_the_runtime_folder(folders: tuple[Path, Path]) -> None:
    state, run = folders
    other = state.with_name("other")
    with runtime.only_one(state, run):
        detail = refusal(other, run)
        with runtime.only_one(other, run.with_name("elsewhere")):
            pass  # what it had locked before it was refused is free

    assert detail.startswith(f"one whose state folder is not {other} uses {run} (pid {os.getpid()}); end ")


@pytest.mark.parametrize("content", [b"", b"pid\n", b"-1\n", b"\xff" * 40])
def test_a_lock_that_does_not_say_whose_it_is_is_believed_all_the_same(
    folders: tuple[Path, Path], content: bytes
) -> None:
    with runtime.only_one(*folders):
        (folders[0] / "lock").write_bytes(content)

        assert "which is just starting" in refusal(*folders)


@pytest.mark.parametrize("content", [msgspec.json.encode(told(1)), b"no JSON"])
def test_a_runtime_file_of_another_process_is_not_removed(folders: tuple[Path, Path], content: bytes) -> None:
    file = paths.runtime_file()
    assert folders[1] == file.parent
    paths.write_private(file, content)
    runtime.forget(file)
    assert content == file.read_bytes()

    file.chmod(0o666)
    runtime.forget(file)
    assert file.exists()


def test_a_runtime_file_of_ours_is_removed(folders: tuple[Path, Path]) -> None:
    runtime.write(paths.runtime_file(), told(os.getpid()))

    runtime.forget(paths.runtime_file())

    assert [] == list(folders[1].iterdir())
    runtime.forget(paths.runtime_file())
