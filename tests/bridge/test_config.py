from pathlib import Path

import pytest

from bridge.config import DEFAULT_PORTS, ConfigInvalid, Limits, read


def test_without_a_file_all_is_default(tmp_path: Path) -> None:
    settings = read(tmp_path / "none.toml")

    assert DEFAULT_PORTS == settings.daemon.ports
    assert Limits() == settings.limits


def test_a_link_that_leads_nowhere_is_no_missing_file(tmp_path: Path) -> None:
    (tmp_path / "config.toml").symlink_to(tmp_path / "nowhere")

    with pytest.raises(ConfigInvalid, match="is a link that leads nowhere; put that right"):
        read(tmp_path / "config.toml")


def test_a_setting_is_read(tmp_path: Path) -> None:
    file = tmp_path / "config.toml"
    file.write_text('[daemon]\nports = [0]\n[player]\nmusic_folders = ["/music"]\n', encoding="utf-8")

    settings = read(file)

    assert (0,) == settings.daemon.ports
    assert (Path("/music"),) == settings.player.folders()


def test_music_folders_are_absolute_or_below_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/me")
    file = tmp_path / "config.toml"
    file.write_text('[player]\nmusic_folders = ["~", "~/Music", "/srv/music"]\n', encoding="utf-8")

    assert (Path("/home/me"), Path("/home/me/Music"), Path("/srv/music")) == read(file).player.folders()


@pytest.mark.parametrize(
    "content",
    [
        "[daemon",
        "[daemon]\nbind = '0.0.0.0'",
        "[daemon]\nports = [65536]",
        "[daemon]\nports = []",
        "[limits]\ncommands_per_second = 0",
        "[limits]\ncommands_per_second = 1000000",
        "[security]\norigin_check = false",
        "[player]\nengine = 'off'",
        "[player]\nmusic_folders = ['rel']",
        "[player]\nmusic_folders = ['']",
        "[player]\nmusic_folders = ['/music', './rel']",
        "[player]\nmusic_folders = ['~other/Music']",
        "[player]\nmusic_folders = ['~root']",
        "[player]\nmusic_folders = ['/a\\u0000b']".replace("'", '"'),
    ],
)
def test_no_setting_is_ignored_and_none_turns_a_check_off(tmp_path: Path, content: str) -> None:
    file = tmp_path / "config.toml"
    file.write_text(content, encoding="utf-8")

    with pytest.raises(ConfigInvalid) as refused:
        read(file)

    assert str(file) in refused.value.detail
