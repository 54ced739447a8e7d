from pathlib import Path

import pytest

from bridge.config import DEFAULT_PORTS, ConfigInvalid, Limits, read


def test_without_a_file_all_is_default(tmp_path: Path) -> None:
    settings = read(tmp_path / "none.toml")

    assert DEFAULT_PORTS == settings.daemon.ports
    assert Limits() == settings.limits


def test_a_setting_is_read(tmp_path: Path) -> None:
    file = tmp_path / "config.toml"
    file.write_text('[daemon]\nports = [0]\n[player]\nmusic_folders = ["/music"]\n', encoding="utf-8")

    settings = read(file)

    assert (0,) == settings.daemon.ports
    assert (Path("/music"),) == settings.player.folders()


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
    ],
)
def test_no_setting_is_ignored_and_none_turns_a_check_off(tmp_path: Path, content: str) -> None:
    file = tmp_path / "config.toml"
    file.write_text(content, encoding="utf-8")

    with pytest.raises(ConfigInvalid) as refused:
        read(file)

    assert str(file) in refused.value.detail
