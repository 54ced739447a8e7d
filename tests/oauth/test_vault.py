import asyncio
import json
import os
import threading
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import NoReturn

import pytest

from bridge import paths
from oauth.errors import (
    KeyDamaged,
    KeyElsewhere,
    KeyMissing,
    KeyringFailed,
    KeyringForgetful,
    KeyringLocked,
    KeyringMissing,
    KeyringSilent,
    VaultError,
)
from oauth.keyrings import Candidate
from oauth.vault import KEY_BYTES, Vault
from tests.oauth.keyring_double import Double

LONG = 60.0
"""A deadline that is not reached."""
SHORT = 0.2
"""A deadline that is."""


@pytest.fixture(name="double")
def _double() -> Double:
    return Double()


@pytest.fixture(name="gate")
async def _gate() -> AsyncIterator[threading.Event]:
    gate = threading.Event()
    yield gate
    gate.set()  # no thread outlives its test


def content(folder: Path) -> list[str]:
    return [file.name for file in folder.iterdir()]


def vault(folder: Path, double: Double, *, key_file: bool = False, seconds: float = LONG) -> Vault:
    return Vault(folder, paths, key_file=key_file, among=[double.candidate()], seconds=seconds)


def _unavailable() -> NoReturn:
    raise ImportError("not here")


NOBODY = Candidate("none", "nothing", _unavailable, {})


async def test_the_key_is_made_once_and_found_again(tmp_path: Path, double: Double) -> None:
    first = await vault(tmp_path, double).master_key(has_rows=False)

    assert KEY_BYTES == len(first.reveal())
    assert first == await vault(tmp_path, double).master_key(has_rows=True)
    assert 1 == double.calls.count("set")


async def test_making_a_vault_touches_nothing(tmp_path: Path, double: Double) -> None:
    vault(tmp_path, double)

    assert [] == double.calls
    assert [] == content(tmp_path)


async def test_the_key_is_read_once_a_run(tmp_path: Path, double: Double) -> None:
    one = vault(tmp_path, double)

    assert await one.master_key(has_rows=False) == await one.master_key(has_rows=True)
    assert ["set", "get"] == double.calls


async def test_what_is_kept_is_one_line_of_base64url(tmp_path: Path, double: Double) -> None:
    await vault(tmp_path, double).master_key(has_rows=False)

    (line,) = double.items.values()
    assert 43 == len(line)
    assert set(line) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_")


async def test_the_state_folder_does_not_have_the_key(tmp_path: Path, double: Double) -> None:
    await vault(tmp_path, double).master_key(has_rows=False)

    (line,) = double.items.values()
    assert all(line.encode() not in (tmp_path / name).read_bytes() for name in content(tmp_path))


async def test_two_installations_share_no_key_in_one_keyring(tmp_path: Path, double: Double) -> None:
    folders = [tmp_path / "a", tmp_path / "b"]
    for folder in folders:
        folder.mkdir(mode=0o700)

    first, second = [await vault(folder, double).master_key(has_rows=False) for folder in folders]

    assert first != second
    assert first == await vault(folders[0], double).master_key(has_rows=True)


async def test_concurrent_first_uses_make_one_key(tmp_path: Path, double: Double) -> None:
    one, other = vault(tmp_path, double), vault(tmp_path, double)  # as two processes would

    keys = await asyncio.gather(*(asked.master_key(has_rows=False) for asked in [one, other] * 10))

    assert 1 == len({key.reveal() for key in keys})
    assert 1 == double.calls.count("set")


async def test_a_process_that_holds_the_lock_is_waited_for_and_told(tmp_path: Path, double: Double) -> None:
    import fcntl

    holder = paths.open_private(tmp_path / "vault.lock", os.O_RDWR | os.O_CREAT)
    fcntl.flock(holder, fcntl.LOCK_EX)
    try:
        with pytest.raises(KeyringSilent):
            await vault(tmp_path, double, seconds=SHORT).master_key(has_rows=False)
    finally:
        os.close(holder)

    assert [] == list(double.items)


async def test_rows_without_any_key_mean_logging_in_again(tmp_path: Path, double: Double) -> None:
    with pytest.raises(KeyMissing, match="log in again"):
        await vault(tmp_path, double).master_key(has_rows=True)

    assert {} == double.items


async def test_a_wiped_key_with_rows_is_never_made_anew(tmp_path: Path, double: Double) -> None:
    await vault(tmp_path, double).master_key(has_rows=False)
    double.items.clear()

    with pytest.raises(KeyMissing, match="log in again"):
        await vault(tmp_path, double).master_key(has_rows=True)

    assert {} == double.items


async def test_a_wiped_key_without_rows_is_made_anew(tmp_path: Path, double: Double) -> None:
    await vault(tmp_path, double).master_key(has_rows=False)
    double.items.clear()

    made = await vault(tmp_path, double).master_key(has_rows=False)

    assert made == await vault(tmp_path, double).master_key(has_rows=True)


@pytest.mark.parametrize("found", ["A" * 43, "", "no key", "ä" * 43, "A" * 44, "A" * 42 + "B"])
async def test_another_value_in_the_keys_place_is_told_and_left_alone(
    tmp_path: Path, double: Double, found: str
) -> None:
    await vault(tmp_path, double).master_key(has_rows=False)
    double.items = dict.fromkeys(double.items, found)

    with pytest.raises(KeyDamaged, match="log in again"):
        await vault(tmp_path, double).master_key(has_rows=True)

    assert [found] == list(double.items.values())


async def test_a_damaged_record_is_told_and_left_alone(tmp_path: Path, double: Double) -> None:
    paths.write_private(tmp_path / "vault.json", b"\xff{")

    with pytest.raises(KeyDamaged, match=r"vault\.json is damaged"):
        await vault(tmp_path, double).master_key(has_rows=True)

    assert b"\xff{" == (tmp_path / "vault.json").read_bytes()


async def test_the_file_is_used_where_the_owner_said_so(tmp_path: Path, double: Double) -> None:
    made = await vault(tmp_path, double, key_file=True).master_key(has_rows=False)

    assert made == await vault(tmp_path, double, key_file=True).master_key(has_rows=True)
    assert 0o600 == (tmp_path / "master-key").stat().st_mode & 0o777
    assert [] == double.calls


async def test_a_missing_keyring_is_never_replaced_by_a_file(tmp_path: Path) -> None:
    lonely = Vault(tmp_path, paths, key_file=False, among=[NOBODY])

    with pytest.raises(KeyringMissing, match="key_file = true"):
        await lonely.master_key(has_rows=False)

    assert not (tmp_path / "master-key").exists()


@pytest.mark.parametrize("first", [False, True], ids=["from the keyring", "from the file"])
async def test_a_key_in_the_other_place_is_told(tmp_path: Path, double: Double, first: bool) -> None:
    made = await vault(tmp_path, double, key_file=first).master_key(has_rows=False)

    with pytest.raises(KeyElsewhere, match=f"key_file = {str(first).lower()}"):
        await vault(tmp_path, double, key_file=not first).master_key(has_rows=True)

    assert made == await vault(tmp_path, double, key_file=first).master_key(has_rows=True)
    assert any("key lies in" in note for note in (await vault(tmp_path, double, key_file=not first).probe()).notes)


async def test_the_place_may_change_while_nothing_is_sealed(tmp_path: Path, double: Double) -> None:
    old = await vault(tmp_path, double).master_key(has_rows=False)

    new = await vault(tmp_path, double, key_file=True).master_key(has_rows=False)

    assert old != new
    assert new == await vault(tmp_path, double, key_file=True).master_key(has_rows=True)


async def test_a_key_file_without_its_record_is_taken_on(tmp_path: Path, double: Double) -> None:
    made = await vault(tmp_path, double, key_file=True).master_key(has_rows=False)
    (tmp_path / "vault.json").unlink()

    assert made == await vault(tmp_path, double, key_file=True).master_key(has_rows=True)


@pytest.mark.parametrize("content", [b"short\n", b"QUFB\n", b"\xff\n"])
async def test_a_key_file_that_holds_no_key_is_left_alone(tmp_path: Path, double: Double, content: bytes) -> None:
    paths.write_private(tmp_path / "master-key", content)

    with pytest.raises(KeyDamaged):
        await vault(tmp_path, double, key_file=True).master_key(has_rows=False)

    assert content == (tmp_path / "master-key").read_bytes()


@pytest.mark.parametrize("content", [b"abc", b"", b"QUFB\n", b"\xff\n"])
@pytest.mark.parametrize("is_recorded", [False, True])
async def test_a_probe_says_that_a_key_file_is_damaged_and_leaves_it_alone(
    tmp_path: Path, double: Double, content: bytes, is_recorded: bool
) -> None:
    if is_recorded:
        await vault(tmp_path, double, key_file=True).master_key(has_rows=False)
    paths.write_private(tmp_path / "master-key", content)

    report = await vault(tmp_path, double, key_file=True).probe()

    assert "key_damaged" == report.result
    assert report.remedy.startswith(f"{tmp_path / 'master-key'} is damaged")
    assert "remove it" in report.remedy
    assert () == report.notes
    assert content == (tmp_path / "master-key").read_bytes()


async def test_a_probe_tells_another_key_from_the_one_that_was_put_there(
    tmp_path_factory: pytest.TempPathFactory, double: Double
) -> None:
    here, there = (tmp_path_factory.mktemp(name) for name in ("here", "there"))
    for folder in (here, there):
        await vault(folder, double, key_file=True).master_key(has_rows=False)
        assert "works" == (await vault(folder, double, key_file=True).probe()).result
    paths.write_private(here / "master-key", (there / "master-key").read_bytes())

    report = await vault(here, double, key_file=True).probe()

    assert "key_damaged" == report.result
    assert "another key" in report.remedy


@pytest.mark.parametrize("key_file", [False, True])
async def test_a_probe_says_once_that_the_record_is_damaged(tmp_path: Path, double: Double, key_file: bool) -> None:
    paths.write_private(tmp_path / "vault.json", b"{")

    report = await vault(tmp_path, double, key_file=key_file).probe()

    assert ("key_damaged", ()) == (report.result, report.notes)
    assert str(tmp_path / "vault.json") in report.remedy


async def test_a_key_file_that_others_may_read_is_refused(tmp_path: Path, double: Double) -> None:
    await vault(tmp_path, double, key_file=True).master_key(has_rows=False)
    (tmp_path / "master-key").chmod(0o640)

    with pytest.raises(paths.UnsafeFile, match="open to others"):
        await vault(tmp_path, double, key_file=True).master_key(has_rows=True)
    with pytest.raises(paths.UnsafeFile, match="open to others"):
        await vault(tmp_path, double, key_file=True).probe()


async def test_a_probe_leaves_nothing_behind(tmp_path: Path, double: Double) -> None:
    for key_file in (False, True):
        assert "works" == (await vault(tmp_path, double, key_file=key_file).probe()).result

    assert {} == double.items
    assert ["set", "get", "delete"] == double.calls
    assert [] == content(tmp_path)


async def test_a_key_file_that_nobody_asked_for_is_told(tmp_path: Path, double: Double) -> None:
    (tmp_path / "master-key").touch()

    report = await vault(tmp_path, double).probe()

    assert any("is not used" in note for note in report.notes)


async def test_a_keyring_that_forgets_is_found_out(tmp_path: Path, double: Double) -> None:
    double.is_forgetful = True

    assert "keyring_forgetful" == (await vault(tmp_path, double).probe()).result
    with pytest.raises(KeyringForgetful):
        await vault(tmp_path, double).master_key(has_rows=False)
    assert not (tmp_path / "vault.json").exists()


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("KeyringLocked", KeyringLocked),
        ("LockedException", KeyringLocked),
        ("PromptDismissedException", KeyringLocked),
        ("InitError", KeyringLocked),
        ("SecretServiceNotAvailableException", KeyringMissing),
        ("DBusErrorResponse", KeyringFailed),
    ],
)
async def test_each_failure_of_a_keyring_has_its_own_code(
    tmp_path: Path, double: Double, name: str, kind: type[VaultError]
) -> None:
    def fail() -> None:
        raise type(name, (Exception,), {})("line one\nline two")

    double.fault = fail

    report = await vault(tmp_path, double).probe()
    with pytest.raises(kind):
        await vault(tmp_path, double).master_key(has_rows=False)

    assert kind.code == report.result
    assert report.remedy
    assert "\n" not in report.remedy


async def test_a_bus_that_breaks_off_is_a_missing_keyring(tmp_path: Path, double: Double) -> None:
    def fail() -> None:
        raise ConnectionResetError

    double.fault = fail

    assert "keyring_missing" == (await vault(tmp_path, double).probe()).result


async def test_a_keyring_that_hangs_is_told_and_never_holds_up_the_loop(
    tmp_path: Path, double: Double, gate: threading.Event
) -> None:
    double.fault = lambda: (gate.wait(LONG), None)[1]
    slow = vault(tmp_path, double, seconds=SHORT)
    turns = 0

    async def count() -> None:
        nonlocal turns
        while True:
            await asyncio.sleep(0)
            turns += 1

    counting = asyncio.create_task(count())
    report = await slow.probe()
    counting.cancel()

    assert "keyring_silent" == report.result
    assert turns > 100


async def test_calls_never_pile_up_behind_one_that_hangs(tmp_path: Path, double: Double, gate: threading.Event) -> None:
    double.fault = lambda: (gate.wait(LONG), None)[1]
    slow = vault(tmp_path, double, seconds=SHORT)

    reports = await asyncio.gather(*(slow.probe() for _ in range(20)))

    assert {"keyring_silent"} == {report.result for report in reports}
    assert ["set"] == double.calls


async def test_a_call_that_overran_its_deadline_still_holds_the_lane(
    tmp_path: Path, double: Double, gate: threading.Event
) -> None:
    double.fault = lambda: (gate.wait(LONG), None)[1]
    slow = vault(tmp_path, double, seconds=SHORT)

    for _ in range(3):
        assert "keyring_silent" == (await slow.probe()).result

    assert ["set"] == double.calls


async def test_a_key_that_is_known_needs_no_keyring_any_more(
    tmp_path: Path, double: Double, gate: threading.Event
) -> None:
    one = vault(tmp_path, double)
    known = await one.master_key(has_rows=False)
    one._seconds = SHORT
    double.fault = lambda: (gate.wait(LONG), None)[1]
    assert "keyring_silent" == (await one.probe()).result

    assert known == await one.master_key(has_rows=True)


async def test_a_prompt_that_is_answered_late_counts_for_the_next_one_who_asks(
    tmp_path: Path, double: Double, gate: threading.Event
) -> None:
    double.fault = lambda: (gate.wait(LONG), None)[1]
    slow = vault(tmp_path, double, seconds=SHORT)
    with pytest.raises(KeyringSilent, match="try again"):
        await slow.master_key(has_rows=False)

    slow._seconds = LONG
    gate.set()
    double.fault = lambda: None
    deadline = time.monotonic() + LONG
    while not (tmp_path / "vault.json").exists():
        assert time.monotonic() < deadline
        await asyncio.sleep(0.01)

    assert await slow.master_key(has_rows=False)
    assert 1 == double.calls.count("set")


async def test_the_keyring_is_never_called_on_the_loops_thread(tmp_path: Path, double: Double) -> None:
    one = vault(tmp_path, double)
    await one.probe()
    await one.master_key(has_rows=False)

    assert threading.get_ident() not in double.threads


async def test_the_record_says_nothing_of_the_key(tmp_path: Path, double: Double) -> None:
    one = vault(tmp_path, double)
    key = await one.master_key(has_rows=False)

    record = json.loads((tmp_path / "vault.json").read_bytes())

    assert {"place", "id", "check"} == set(record)
    shown = repr(vars(one))
    assert repr(key.reveal()) not in shown
    assert key.reveal().hex() not in shown
