"""The audit's file: durable, private, bounded, and never quietly replaced."""

import logging
import sqlite3
import stat
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path

import pytest

from bridge import paths
from bridge.audit.file import LONGEST_SECONDS, PRUNED_AT_ONCE, AuditFile, read
from bridge.audit.record import Kind, Mark, Record
from bridge.audit.rows import JOURNALS, AuditTooNew, AuditUnusable
from tests.bridge.audit.kept import PLANTS, kept, pipe, spoil

KEY = b"k" * 32
NOW = 1_800_000_000.0


def fact(subject: str, at: float = NOW) -> Record:
    return Record(time=at, kind=Kind.COMMAND, outcome="ok", client="owner", subject=subject)


@pytest.fixture(name="path")
def _path(tmp_path: Path) -> Path:
    return tmp_path / "audit.sqlite"


@contextmanager
def opened(path: Path, key: bytes = KEY, most: int = 10_000) -> Iterator[AuditFile]:
    file, _ = AuditFile.open(path, key, now=NOW, most=most)
    try:
        yield file
    finally:
        file.close()


def filled(path: Path, count: int = 5) -> Mark:
    with opened(path) as file:
        file.append([fact(f"player.c{number}") for number in range(1, count + 1)], now=NOW)
        return file.head


def test_records_outlive_the_file_being_closed_and_the_chain_goes_on(path: Path) -> None:
    filled(path)
    with opened(path) as file:
        file.append([fact("player.last")], now=NOW)

        assert file.broken() is None
        assert 6 == file.head.index
        assert ["player.c5", "player.last"] == [read(link).subject for link in file.page(None, 2)]
        assert ["player.c2", "player.c3"] == [read(link).subject for link in file.page(1, 2)]


def test_file_and_journal_are_the_users_alone(path: Path) -> None:
    with opened(path) as file:
        file.append([fact("player.play")], now=NOW)
        modes = {entry.name: stat.S_IMODE(entry.stat().st_mode) for entry in path.parent.iterdir()}

    names = ("audit.sqlite", "audit.sqlite-wal", "audit.sqlite-shm", "audit.begun")
    assert dict.fromkeys(names, 0o600) == modes


def test_writes_are_durable_when_they_return(path: Path) -> None:
    with opened(path) as file:
        assert ("wal",) == file._connection.execute("PRAGMA journal_mode").fetchone()
        assert (2,) == file._connection.execute("PRAGMA synchronous").fetchone()


def test_a_link_in_its_place_is_refused(path: Path) -> None:
    path.symlink_to(path.parent / "elsewhere")

    with pytest.raises(paths.UnsafeFile):
        AuditFile.open(path, KEY, now=NOW)
    assert not (path.parent / "elsewhere").exists()


@pytest.mark.parametrize("suffix", JOURNALS)
@pytest.mark.parametrize("plant", ["a link", "no regular file"])
def test_what_stands_in_a_journals_place_is_named_with_what_to_do(path: Path, suffix: str, plant: str) -> None:
    filled(path)
    journal = path.with_name(path.name + suffix)
    with ExitStack() as stack:
        if plant == "a link":
            journal.symlink_to(path.parent / "elsewhere")
        else:
            stack.enter_context(pipe(journal))

        with pytest.raises(paths.UnsafeFile, match=f"^{journal} is {plant}; remove it"):
            AuditFile.open(path, KEY, now=NOW)
    assert not (path.parent / "elsewhere").exists()


def test_a_file_that_was_open_to_others_is_closed_and_that_is_told(
    path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    filled(path)
    path.chmod(0o755)

    filled(path)

    assert 0o600 == stat.S_IMODE(path.stat().st_mode)
    assert [(logging.WARNING, path)] == [(record.levelno, record.__dict__["file"]) for record in caplog.records]


@pytest.mark.parametrize(
    ("statement", "index"),
    [
        ("UPDATE records SET content = replace(content, 'c3', 'c4') WHERE position = 3", 3),
        ("UPDATE records SET mac = zeroblob(32) WHERE position = 2", 2),
        ("UPDATE records SET content = 7 WHERE position = 2", 2),
        ("DELETE FROM records WHERE position = 1", 1),
        ("DELETE FROM records WHERE position = 4", 4),
        ("DELETE FROM records WHERE position >= 4", 4),
        ("DELETE FROM records", 1),
        ("UPDATE records SET position = position + 100 WHERE position >= 3", 3),
        ("INSERT INTO records SELECT 6, content, mac FROM records WHERE position = 5", 6),
        ("INSERT INTO records SELECT 0, content, mac FROM records WHERE position = 5", 0),
        ("INSERT INTO records SELECT -5, content, mac FROM records WHERE position = 5", -5),
        ("INSERT INTO records SELECT -9223372036854775808, content, mac FROM records WHERE position = 5", -(2**63)),
    ],
)
def test_an_edit_is_named_by_its_index(path: Path, statement: str, index: int) -> None:
    filled(path)
    spoil(path, statement)

    with opened(path) as file:
        broken = file.broken()
        assert broken is not None
        assert index == broken.index


@pytest.mark.parametrize("index", [-(2**63), -5, 0, 900, 1000, 9_999])
def test_what_was_added_outside_of_the_chain_is_not_shown_and_outlives_the_pruning(path: Path, index: int) -> None:
    with opened(path, most=2000) as file:
        file.append([fact("player.play")] * 2500, now=NOW)
        assert 1000 == file.anchor.index
        spoil(path, f"INSERT INTO records VALUES ({index}, zeroblob(9), zeroblob(32))")  # noqa: S608  # a number

        shown = [link.index for after in (None, -(2**63), -1, 0, 999, 2400, 5000) for link in file.page(after, 3000)]
        assert set(range(1001, 2501)) == set(shown)
        if index <= 1000:
            file.append([fact("player.play")] * 1000, now=NOW)
            assert 2000 == file.anchor.index
        broken = file.broken()
        assert broken is not None
        assert (2501 if index == 9_999 else index) == broken.index


@pytest.mark.parametrize("plant", PLANTS)
def test_a_file_that_holds_what_is_none_of_ours_is_set_aside_before_it_is_written(path: Path, plant: str) -> None:
    filled(path)
    spoil(path, *PLANTS[plant])

    file, aside = AuditFile.open(path, KEY, now=NOW)
    file.close()

    assert aside is not None
    assert plant.encode() in aside.read_bytes()
    assert [] == kept(path)


def test_a_database_of_another_program_is_not_added_to(path: Path) -> None:
    spoil(path, "CREATE TABLE letters (text)")
    path.chmod(0o600)

    file, aside = AuditFile.open(path, KEY, now=NOW)
    file.close()

    assert aside is not None
    with closing(sqlite3.connect(aside)) as connection:
        assert [("letters",)] == connection.execute("SELECT name FROM sqlite_schema").fetchall()


def test_what_was_cut_off_is_not_forgotten_when_the_daemon_goes_on(path: Path) -> None:
    filled(path)
    spoil(path, "DELETE FROM records WHERE position >= 4")

    with opened(path) as file:
        file.append([fact("player.later")], now=NOW)
        broken = file.broken()

        assert broken is not None
        assert 4 == broken.index
        assert 6 == file.head.index


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM marks WHERE name = 'head'",
        "UPDATE marks SET value = (SELECT value FROM marks WHERE name = 'anchor')",
        "UPDATE marks SET value = 'x'",
        "UPDATE marks SET value = replace(CAST(value AS TEXT), '\"index\":5', '\"index\":4') WHERE name = 'head'",
        "DROP TABLE marks",
    ],
)
def test_a_file_whose_ends_are_not_ours_is_set_aside_and_kept(path: Path, statement: str) -> None:
    filled(path)
    spoil(path, statement)
    before = path.read_bytes()

    file, aside = AuditFile.open(path, KEY, now=NOW)
    file.close()

    assert aside is not None
    assert before == aside.read_bytes()
    assert "audit.2027-01-15T08-00-00.000Z.damaged.sqlite" == aside.name
    assert [] == kept(path)


@pytest.mark.parametrize("content", [b"no database" * 500, b"SQLite format 3\0" + b"\xff" * 4000])
def test_a_file_that_is_no_database_is_set_aside_and_kept(path: Path, content: bytes) -> None:
    path.write_bytes(content)

    file, aside = AuditFile.open(path, KEY, now=NOW)
    file.close()

    assert aside is not None
    assert content == aside.read_bytes()


def test_damaged_pages_are_found_when_it_opens(path: Path) -> None:
    filled(path, 3000)
    content = bytearray(path.read_bytes())
    middle = len(content) // 2 // 4096 * 4096
    content[middle : middle + 4096] = b"\xa5" * 4096
    path.write_bytes(content)

    file, aside = AuditFile.open(path, KEY, now=NOW)
    file.close()

    assert aside is not None


def test_the_audit_of_another_identity_is_set_aside(path: Path) -> None:
    filled(path)

    file, aside = AuditFile.open(path, b"other" * 8, now=NOW)
    file.close()

    assert aside is not None
    assert 5 == len(kept(aside))


def test_a_file_of_a_newer_version_is_left_as_it_is(path: Path) -> None:
    filled(path)
    spoil(path, "PRAGMA user_version = 2")
    before = path.read_bytes()

    with pytest.raises(AuditTooNew, match="newer version"):
        AuditFile.open(path, KEY, now=NOW)
    assert before == path.read_bytes()


def test_a_folder_in_its_place_is_told_with_what_to_do(path: Path) -> None:
    path.mkdir()

    with pytest.raises((paths.UnsafeFile, AuditUnusable), match=r"audit\.sqlite"):
        AuditFile.open(path, KEY, now=NOW)


def test_a_write_that_fails_leaves_the_chain_as_it_was(path: Path) -> None:
    with opened(path) as file:
        file.append([fact("player.play")], now=NOW)
        head = file.head
        file._connection.execute("CREATE TRIGGER full BEFORE INSERT ON records BEGIN SELECT raise(ABORT, 'full'); END")
        with pytest.raises(AuditUnusable, match="full"):
            file.append([fact("player.pause")], now=NOW)
        file._connection.execute("DROP TRIGGER full")
        assert head == file.head

        file.append([fact("player.stop")], now=NOW)

        assert file.broken() is None
    assert ["player.play", "player.stop"] == [record.subject for record in kept(path)]


def test_too_many_records_are_pruned_from_the_front_and_the_rest_verifies(path: Path) -> None:
    most = 2000
    with opened(path, most=most) as file:
        for start in range(0, 5000, 500):
            file.append([fact(f"player.c{start + number}") for number in range(500)], now=NOW)
            assert most >= file.head.index - file.anchor.index

        assert file.broken() is None
        assert 5000 == file.head.index
        assert most - PRUNED_AT_ONCE <= len(kept(path))
    with opened(path) as file:
        assert file.broken() is None
        assert 0 < file.anchor.index


def test_what_was_pruned_by_hand_is_no_pruning(path: Path) -> None:
    filled(path)
    spoil(path, "DELETE FROM records WHERE position <= 2")

    with opened(path) as file:
        broken = file.broken()
        assert broken is not None
        assert 1 == broken.index


def test_old_records_are_pruned_and_younger_ones_kept(path: Path) -> None:
    with opened(path) as file:
        old = NOW - LONGEST_SECONDS - 60
        file.append([fact("player.old", old), fact("player.young", NOW - 60)], now=old)
        file.append([fact("player.now")], now=NOW)

        assert file.broken() is None
    assert ["player.young", "player.now"] == [record.subject for record in kept(path)]


def test_a_wrong_clock_takes_a_thousand_records_an_hour_and_not_all(path: Path) -> None:
    filled(path, 5000)
    future = NOW + 10 * 365 * 86_400
    with opened(path) as file:
        for _ in range(5):
            file.append([fact("player.play", future)], now=future)

        assert 1000 == file.anchor.index
        file.append([fact("player.play", future)], now=future + 3600)
        assert 2000 == file.anchor.index
        assert file.broken() is None


def test_a_record_that_cannot_be_read_is_shown_as_such(path: Path) -> None:
    filled(path, 2)
    spoil(path, "UPDATE records SET content = x'ff00' WHERE position = 2")

    with opened(path) as file:
        assert ["ok", "unreadable"] == [read(link).outcome for link in file.page(None, 10)]


def test_a_reader_beside_it_does_not_stop_a_write(path: Path) -> None:
    filled(path)
    reader = sqlite3.connect(path, isolation_level=None)
    reader.execute("BEGIN")
    reader.execute("SELECT count(*) FROM records").fetchone()
    with opened(path) as file:
        file.append([fact("player.play")], now=NOW)

        assert 6 == file.head.index
    reader.close()
