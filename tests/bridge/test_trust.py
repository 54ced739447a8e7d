import os
import stat
from pathlib import Path

import pytest

from bridge import trust
from bridge.trust import Person

ME = Person(1000, private_gid=1000)
needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files to another user")
NOBODY = 65534


def facts(mode: int, *, uid: int = 1000, gid: int = 1000) -> os.stat_result:
    return os.stat_result((mode, 0, 0, 1, uid, gid, 0, 0, 0, 0))


@pytest.mark.parametrize(
    ("mode", "gid", "is_writable"),
    [
        (stat.S_IFDIR | 0o755, 1000, False),
        (stat.S_IFDIR | 0o777, 1000, True),
        (stat.S_IFDIR | 0o1777, 0, False),
        (stat.S_IFDIR | 0o775, 1000, False),
        (stat.S_IFDIR | 0o775, 100, True),
        (stat.S_IFREG | 0o664, 1000, False),
        (stat.S_IFREG | 0o664, 100, True),
        (stat.S_IFREG | 0o646, 1000, True),
        (stat.S_IFREG | 0o1646, 1000, True),
    ],
)
def test_others_are_all_but_us_and_our_own_group(mode: int, gid: int, is_writable: bool) -> None:
    assert is_writable == trust.is_writable_by_others(facts(mode, gid=gid), ME)


def test_we_and_root_are_trusted_and_nobody_else() -> None:
    assert [True, True, False, False] == [ME.trusts(uid) for uid in (0, 1000, 1001, NOBODY)]


def test_in_a_user_namespace_the_uid_of_those_that_are_not_told_is_trusted() -> None:
    assert Person(1000, unmapped_uid=NOBODY).trusts(NOBODY)


@pytest.mark.parametrize(
    ("uid_map", "unmapped"),
    [
        ("         0          0 4294967295\n", None),
        ("1000 1000 1\n", NOBODY),
        ("0 1000 1\n1 100000 65536\n", None),
        ("", NOBODY),
    ],
)
def test_the_uid_of_those_that_are_not_told_is_read_from_the_namespace(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, uid_map: str, unmapped: int | None
) -> None:
    (tmp_path / "overflowuid").write_text(f"{NOBODY}\n")
    (tmp_path / "uid_map").write_text(uid_map)
    monkeypatch.setattr(trust, "_OVERFLOW_UID", tmp_path / "overflowuid")
    monkeypatch.setattr(trust, "_UID_MAP", tmp_path / "uid_map")

    assert unmapped == trust._unmapped_uid()


def test_where_the_system_does_not_tell_nobody_else_is_trusted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trust, "_UID_MAP", tmp_path / "none")

    assert trust._unmapped_uid() is None


def test_a_chain_that_only_we_and_root_may_write_has_no_fault(tmp_path: Path) -> None:
    assert trust.fault_above(tmp_path / "state") is None


def test_a_folder_above_that_others_may_write_is_named_with_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "open/inner").mkdir(parents=True)
    (tmp_path / "open").chmod(0o777)

    fault = trust.fault_above(tmp_path / "open/inner/state")

    assert fault is not None
    assert f"chmod go-w {tmp_path / 'open'}" in fault


def test_a_sticky_folder_above_is_fine(tmp_path: Path) -> None:
    (tmp_path / "open").mkdir()
    (tmp_path / "open").chmod(0o1777)

    assert trust.fault_above(tmp_path / "open/state") is None


def test_where_a_link_leads_counts_too(tmp_path: Path) -> None:
    (tmp_path / "open/disk").mkdir(parents=True)
    (tmp_path / "open").chmod(0o777)
    (tmp_path / "link").symlink_to(tmp_path / "open/disk")

    assert trust.fault_above(tmp_path / "link/state") is not None


@needs_root
def test_a_folder_above_of_another_user_is_refused(tmp_path: Path) -> None:
    (tmp_path / "theirs").mkdir()
    os.chown(tmp_path / "theirs", NOBODY, -1)

    fault = trust.fault_above(tmp_path / "theirs/state")

    assert fault is not None
    assert f"uid {NOBODY}" in fault


@needs_root
def test_another_users_link_in_a_sticky_folder_is_refused(tmp_path: Path) -> None:
    # A link in the folder for everybody could be put there by anybody.
    (tmp_path / "tmp").mkdir()
    (tmp_path / "tmp").chmod(0o1777)
    (tmp_path / "ours").mkdir()
    (tmp_path / "tmp/link").symlink_to(tmp_path / "ours")
    os.chown(tmp_path / "tmp/link", NOBODY, -1, follow_symlinks=False)

    assert trust.fault_above(tmp_path / "tmp/link/state") is not None
