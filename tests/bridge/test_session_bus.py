"""Where the session bus is looked for."""

from pathlib import Path

import pytest

from bridge.bus import session_bus


@pytest.fixture(name="folder", autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.delenv("DBUS_SESSION_BUS_ADDRESS", raising=False)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "run").mkdir()
    (tmp_path / "run/bus").touch()
    return tmp_path / "run"


def test_the_bus_of_the_sessions_folder_is_found(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(folder))

    assert f"unix:path={folder}/bus" == session_bus()


def test_the_address_that_the_session_names_comes_first(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(folder))
    monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", "unix:path=/elsewhere")

    assert "unix:path=/elsewhere" == session_bus()


@pytest.mark.parametrize("named", ["run", "./run", "", "/nowhere"])
def test_no_bus_is_found_where_a_relative_folder_is_named(monkeypatch: pytest.MonkeyPatch, named: str) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", named)

    assert session_bus() is None


def test_no_bus_is_found_where_none_is_named_or_the_folder_has_none(tmp_path: Path) -> None:
    assert session_bus({}) is None
    assert session_bus({"XDG_RUNTIME_DIR": str(tmp_path)}) is None
