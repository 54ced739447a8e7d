"""The vault and the real gnome-keyring."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from bridge import paths
from oauth import base64url
from oauth.errors import KeyMissing, KeyringLocked, KeyringMissing, KeyringSilent
from oauth.vault import Vault
from tests.parts.keyring import PASSWORD, RealKeyring

# secretstorage leaves the connection of a call that failed to the garbage collector.
pytestmark = [pytest.mark.real, pytest.mark.filterwarnings("ignore::ResourceWarning")]


@pytest.fixture(name="keyring")
def _keyring(monkeypatch: pytest.MonkeyPatch) -> Iterator[RealKeyring]:
    with RealKeyring() as keyring:
        for name, value in keyring.env.items():
            monkeypatch.setenv(name, value)
        yield keyring


def content(folder: Path) -> list[str]:
    return [file.name for file in folder.iterdir()]


def vault(folder: Path, *, seconds: float = 30.0) -> Vault:
    return Vault(folder, paths, key_file=False, seconds=seconds)


async def test_the_key_outlives_the_daemon_and_the_keyring(tmp_path: Path, keyring: RealKeyring) -> None:
    made = await vault(tmp_path).master_key(has_rows=False)
    assert made == await vault(tmp_path).master_key(has_rows=True)

    keyring.stop()
    keyring.start(PASSWORD)

    assert made == await vault(tmp_path).master_key(has_rows=True)


async def test_a_locked_keyring_is_not_a_missing_key(tmp_path: Path, keyring: RealKeyring) -> None:
    made = await vault(tmp_path).master_key(has_rows=False)
    keyring.stop()
    keyring.start(None)

    with pytest.raises(KeyringLocked, match="unlock it"):
        await vault(tmp_path).master_key(has_rows=True)

    keyring.stop()
    keyring.start(PASSWORD)
    assert made == await vault(tmp_path).master_key(has_rows=True)


async def test_a_keyring_that_was_killed_is_told_and_found_again(tmp_path: Path, keyring: RealKeyring) -> None:
    made = await vault(tmp_path).master_key(has_rows=False)
    keyring.kill()

    with pytest.raises(KeyringMissing):
        await vault(tmp_path).master_key(has_rows=True)

    keyring.start(PASSWORD)
    assert made == await vault(tmp_path).master_key(has_rows=True)


async def test_a_bus_that_died_is_told(tmp_path: Path, keyring: RealKeyring) -> None:
    keyring.bus.stop()

    with pytest.raises(KeyringMissing, match="key_file = true"):
        await vault(tmp_path).master_key(has_rows=False)

    assert "keyring_missing" == (await vault(tmp_path).probe()).result
    assert [] == content(tmp_path)


async def test_a_key_that_was_wiped_under_us_means_logging_in_again(tmp_path: Path, keyring: RealKeyring) -> None:
    await vault(tmp_path).master_key(has_rows=False)
    keyring.wipe()

    with pytest.raises(KeyMissing, match="log in again"):
        await vault(tmp_path).master_key(has_rows=True)


async def test_a_keyring_that_hangs_is_told_at_the_deadline_and_used_once_it_answers(
    tmp_path: Path, keyring: RealKeyring
) -> None:
    slow = vault(tmp_path, seconds=1.0)
    keyring.freeze()

    with pytest.raises(KeyringSilent):
        await slow.master_key(has_rows=False)

    keyring.thaw()
    assert await vault(tmp_path).master_key(has_rows=False)


async def test_no_file_of_the_keyring_or_of_ours_has_the_key_in_the_clear(tmp_path: Path, keyring: RealKeyring) -> None:
    key = (await vault(tmp_path).master_key(has_rows=False)).reveal()

    forms = (key, key.hex().encode(), base64url.encode(key).encode())
    files = [
        Path(folder, name) for top in (tmp_path, keyring.home) for folder, _, names in os.walk(top) for name in names
    ]
    kept = [file.read_bytes() for file in files if file.is_file()]
    assert len(kept) >= 3  # the record, the lock, the keyring
    assert not [form for form in forms for content in kept if form in content]
