"""Verifying the file from outside: beside a writer, and where there is nothing, or nothing of ours, to verify."""

import os
import shutil
import sqlite3
from contextlib import ExitStack, closing
from pathlib import Path

import pytest

from bridge import paths
from bridge.audit import check as checking
from bridge.audit.check import AuditMissing, HeadTooOld, check
from bridge.audit.file import AuditFile
from bridge.audit.key import IdentityUnusable, chain_key, read_key
from bridge.audit.record import AFTER_LOSS, Kind, Mark, Record
from bridge.audit.rows import FILE, JOURNALS, AuditDamaged, AuditTooNew, AuditUnusable
from tests.bridge.audit.kept import PLANTS, pipe, spoil

SECRET = b"s" * 32
RECORD = Record(time=0.0, kind=Kind.COMMAND, outcome="ok")


@pytest.fixture(name="state")
def _state(tmp_path: Path) -> Path:
    paths.write_private(tmp_path / "identity", SECRET)
    return tmp_path


def written(state: Path, count: int = 3, most: int = 10_000) -> Mark:
    file, _ = AuditFile.open(state / FILE, chain_key(SECRET), now=0.0, most=most)
    file.append([RECORD] * count, now=0.0)
    file.close()
    return file.head


def test_it_verifies_beside_a_writer_and_leaves_the_file_as_it_is(state: Path) -> None:
    written(state)
    file, _ = AuditFile.open(state / FILE, chain_key(SECRET), now=0.0)
    file.append([RECORD], now=0.0)

    checked = check(state)

    assert (None, 4) == (checked.broken, checked.head.index)
    file.append([RECORD], now=0.0)
    assert 5 == check(state).head.index
    file.close()


def test_what_a_killed_daemon_left_is_read_with_its_journal_and_not_touched(state: Path, tmp_path: Path) -> None:
    file, _ = AuditFile.open(state / FILE, chain_key(SECRET), now=0.0)
    file.append([RECORD], now=0.0)
    left = tmp_path / "left"
    left.mkdir()
    for name in ("identity", FILE, f"{FILE}-wal"):
        shutil.copy(state / name, left / name)
    file.close()
    before = {name: (left / name).read_bytes() for name in (FILE, f"{FILE}-wal")}

    assert 1 == check(left).head.index
    assert before == {name: (left / name).read_bytes() for name in before}


def test_it_makes_no_file_and_no_identity(tmp_path: Path, state: Path) -> None:
    with pytest.raises(AuditMissing, match="removed"):
        check(state)
    (state / "identity").unlink()
    with pytest.raises(AuditMissing, match="no audit and no identity; `tollbridge run`"):
        check(state)
    assert [] == list(tmp_path.iterdir())


def test_a_missing_identity_is_told_with_what_can_be_done_and_what_comes_of_it(state: Path) -> None:
    written(state)
    (state / "identity").unlink()

    with pytest.raises(IdentityUnusable, match=f"^{state}/identity is not there, .* from a backup.* sets this audit a"):
        check(state)
    assert "The audit cannot be verified" == IdentityUnusable.title


@pytest.mark.parametrize("secret", [b"", b"abc", b"s" * 33])
def test_a_damaged_identity_is_not_taken_for_a_damaged_audit(state: Path, secret: bytes) -> None:
    written(state)
    paths.write_private(state / "identity", secret)

    with pytest.raises(IdentityUnusable, match="damaged"):
        check(state)


@pytest.mark.parametrize("suffix", ["", *JOURNALS])
@pytest.mark.parametrize("plant", ["link", "link to nowhere", "pipe", "folder"])
def test_what_is_no_file_of_ours_is_refused_at_once_and_named(state: Path, suffix: str, plant: str) -> None:
    written(state)
    place = state / (FILE + suffix)
    if not suffix:
        place.rename(state / "elsewhere")
    with ExitStack() as stack:
        if plant == "pipe":
            stack.enter_context(pipe(place))
        elif plant == "folder":
            place.mkdir()
        else:
            place.symlink_to(state / ("elsewhere" if plant == "link" else "nowhere"))

        with pytest.raises(paths.UnsafeFile, match=f"^{place} is (a link|no regular file); remove it"):
            check(state)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files to another user")
def test_another_users_audit_is_refused(state: Path) -> None:
    written(state)
    os.chown(state / FILE, 65534, -1)

    with pytest.raises(paths.UnsafeFile, match=f"^{state / FILE} belongs to another user"):
        check(state)


@pytest.mark.parametrize(("opened", "expected"), [(0o600, False), (0o644, True), (0o755, True), (0o620, True)])
def test_an_audit_that_others_may_open_is_verified_and_remarked_upon(state: Path, opened: int, expected: bool) -> None:
    written(state)
    (state / FILE).chmod(opened)

    checked = check(state)

    assert (None, expected) == (checked.broken, checked.is_open)
    assert opened == (state / FILE).stat().st_mode & 0o777


def test_a_chain_that_begins_after_a_loss_says_so_as_long_as_that_record_is_kept_and_holds(state: Path) -> None:
    file, _ = AuditFile.open(state / FILE, chain_key(SECRET), now=0.0)
    assert not check(state).is_after_loss
    file.append([Record(time=0.0, kind=Kind.AUDIT, outcome=AFTER_LOSS), RECORD], now=0.0)
    file.close()
    assert check(state).is_after_loss

    spoil(state / FILE, "UPDATE records SET mac = zeroblob(32) WHERE position = 2")
    assert check(state).is_after_loss
    spoil(state / FILE, "UPDATE records SET mac = zeroblob(32) WHERE position = 1")
    assert not check(state).is_after_loss


def test_a_chain_that_begins_anew_is_not_after_a_loss(state: Path) -> None:
    written(state)

    assert not check(state).is_after_loss


def test_files_that_were_set_aside_are_named(state: Path) -> None:
    written(state)
    assert () == check(state).set_aside
    paths.write_private(state / "identity", b"t" * 32)
    _, kept = AuditFile.open(state / FILE, chain_key(b"t" * 32), now=0.0)

    assert (kept,) == check(state).set_aside


def test_the_key_is_none_that_a_site_could_come_by() -> None:
    assert 32 == len(chain_key(SECRET))
    assert chain_key(SECRET) != chain_key(b"t" * 32)
    assert SECRET != chain_key(SECRET)


def test_the_key_is_read_where_the_daemon_keeps_its_identity(state: Path) -> None:
    assert chain_key(SECRET) == read_key(state)
    (state / "identity").chmod(0o644)
    with pytest.raises(paths.UnsafeFile):
        read_key(state)


def test_another_identity_does_not_verify_it(state: Path) -> None:
    written(state)
    paths.write_private(state / "identity", b"t" * 32)

    with pytest.raises(AuditDamaged, match="key"):
        check(state)


@pytest.mark.parametrize("content", [b"", b"text" * 1000])
def test_what_is_no_audit_is_told(state: Path, content: bytes) -> None:
    (state / FILE).write_bytes(content)

    with pytest.raises(AuditDamaged):
        check(state)


def test_a_newer_audit_is_told(state: Path) -> None:
    written(state)
    spoil(state / FILE, "PRAGMA user_version = 2")

    with pytest.raises(AuditTooNew):
        check(state)


def test_a_locked_file_is_not_called_damaged(state: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checking, "_BUSY_SECONDS", 0.05)
    written(state)
    with closing(sqlite3.connect(state / FILE, isolation_level=None)) as other:
        other.execute("PRAGMA locking_mode = EXCLUSIVE")
        other.execute("BEGIN EXCLUSIVE")
        with pytest.raises(AuditUnusable, match="locked"):
            check(state)


def test_a_head_from_before_the_pruning_cannot_be_checked_and_the_anchor_can(state: Path) -> None:
    first = written(state)
    written(state, 3000, most=1000)
    anchor = check(state).anchor

    assert 3 < anchor.index
    assert check(state, anchor).broken is None
    with pytest.raises(HeadTooOld, match="newer head"):
        check(state, first)


def test_another_record_at_the_anchor_is_seen(state: Path) -> None:
    written(state)
    written(state, 3000, most=1000)
    anchor = check(state).anchor

    broken = check(state, Mark(anchor.index, b"\1" * 32)).broken

    assert broken is not None
    assert anchor.index == broken.index


@pytest.mark.parametrize("index", [-(2**63), -5, 0, 900, 1000])
def test_what_was_added_before_the_oldest_kept_record_is_found(state: Path, index: int) -> None:
    written(state, 2500, most=2000)
    spoil(state / FILE, f"INSERT INTO records SELECT {index}, content, mac FROM records WHERE position = 1500")  # noqa: S608  # ours

    checked = check(state)

    assert checked.broken is not None
    assert (1000, index) == (checked.anchor.index, checked.broken.index)
    assert "it was added: the oldest one that is kept is 1001" == checked.broken.found


NAMED = {
    "statistics": "table sqlite_stat1",
    "other_content": "table other_content",
    "moved": "table records",
    "without_end": "view marks",
}


@pytest.mark.parametrize("plant", PLANTS)
def test_what_is_none_of_ours_is_named_and_not_run(state: Path, plant: str) -> None:
    written(state)
    spoil(state / FILE, *PLANTS[plant])

    named = NAMED.get(plant, plant.partition("_")[2] + " " + plant)
    with pytest.raises(AuditDamaged, match=f"it holds a {named} that is none of ours; keep a copy"):
        check(state)


def test_a_table_that_is_gone_is_named(state: Path) -> None:
    written(state)
    spoil(state / FILE, "DROP TABLE records")

    with pytest.raises(AuditDamaged, match="its table records is missing"):
        check(state)


def test_a_file_that_takes_too_long_is_given_up(state: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checking, "_DEADLINE_SECONDS", -1.0)
    monkeypatch.setattr(checking, "_STEPS", 1)
    written(state)

    with pytest.raises(AuditUnusable, match="interrupted"):
        check(state)


def test_a_trail_that_ends_before_the_noted_head_is_called_that(state: Path) -> None:
    written(state)

    broken = check(state, Mark(99, b"\1" * 32)).broken

    assert broken is not None
    assert 4 == broken.index
    assert broken.found.startswith("the trail ends with 3, before the noted head 99: an older file is in its place")
