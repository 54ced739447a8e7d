"""The audit's SQLite file, written: WAL, ``synchronous=FULL``, one chained record a row, pruned from the front.

Every method blocks, and SQLite wants one thread: the trail calls them all from its own.
"""

import math
import os
import sqlite3
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Self

import msgspec

from bridge import paths
from bridge.audit.record import START, Broken, Kind, Link, Mark, Record, chain, seal, verify
from bridge.audit.rows import (
    JOURNALS,
    SCHEMA_VERSION,
    TABLES,
    AuditDamaged,
    AuditTooNew,
    AuditUnusable,
    MarkName,
    SealedMark,
    check_schema,
    distrust,
    is_damage,
    read_all_links,
    read_links,
    read_mark,
)
from bridge.clock import rfc3339

MOST_RECORDS = 100_000
"""Some 30 MB, which still are verified within a second or two; at a thousand records a day, a hundred days."""
LONGEST_SECONDS = 180 * 86_400.0
"""As long as a consent lasts at most: what was done under a grant can be read as long as the grant."""
PRUNED_AT_ONCE = 1000
"""Records that go together when there are too many; by age as many an hour, so that a wrong clock cannot empty it."""
BUSY_SECONDS = 5.0
"""How long a write waits for another process (a backup, a curious person) to let go of the file."""
_AGED_EVERY_SECONDS = 3600.0
_BEGUN = "audit.begun"
"""Written beside the audit once its first record is: where it is, an audit was. A start that failed before has left
none, but perhaps an identity, a port and a lock, which are made earlier and therefore say nothing."""
_MADE_AFTER = (_BEGUN, "grants.sqlite")
"""What is made beside the audit after it: its own file for that, and the grants (`bridge.daemon`), which are older."""
_BEGUN_TEXT = b"An audit was begun in this folder. By this file the daemon knows it should the audit be gone.\n"


class AuditFile:
    """One open file, ``head`` being its last record; made by ``open``.

    ``is_after_loss``: it holds no record yet, where an earlier one did. ``begun`` is where that is written down.
    """

    def __init__(self, connection: sqlite3.Connection, key: bytes, *, most: int, begun: Path, was_begun: bool) -> None:
        self._connection = connection
        self._begun = begun
        self._is_told = os.path.lexists(begun)
        self._key = key
        self._most = most
        self._aged_at: float | None = None
        self.anchor = read_mark(connection, key, "anchor")
        self.head = read_mark(connection, key, "head")
        self.is_after_loss = was_begun and not self.head.index

    @classmethod
    def open(cls, path: Path, key: bytes, *, now: float, most: int = MOST_RECORDS) -> tuple[Self, Path | None]:
        """Open, or make, the file; one that is damaged, or of another key, is renamed and kept: its new path, or None.

        Raises:
            AuditTooNew: it has a newer schema; it is left untouched.
            AuditUnusable: it cannot be opened.
            UnsafeFile: it, or a journal beside it, is not the user's alone.
        """
        try:
            try:
                return cls._open(path, key, most), None
            except (sqlite3.DatabaseError, AuditDamaged) as error:
                if isinstance(error, sqlite3.DatabaseError) and not is_damage(error):
                    raise
                kept = _set_aside(path, now)
                return cls._open(path, key, most), kept
        except AuditTooNew as error:
            raise AuditTooNew(f"{path}: {error.detail}") from error
        except (sqlite3.Error, OSError) as error:
            reason = error.strerror if isinstance(error, OSError) else error
            raise AuditUnusable(
                f"{path} cannot be opened ({reason}), and nothing runs without an audit; see that its disk has room "
                "and that no other program holds it"
            ) from error

    @classmethod
    def _open(cls, path: Path, key: bytes, most: int) -> Self:
        # SQLite gives its journal files the mode of the main one, so that must be right before it opens it. Of what
        # stands in a journal's place it says no more than that it cannot open the database.
        for suffix in JOURNALS:
            with suppress(FileNotFoundError):
                os.close(paths.open_private(path.with_name(path.name + suffix), os.O_RDWR, repair=True))
        os.close(paths.open_private(path, os.O_RDWR | os.O_CREAT, repair=True))
        connection = sqlite3.connect(path, timeout=BUSY_SECONDS, isolation_level=None)
        try:
            distrust(connection)
            is_ours = check_schema(connection)
            connection.execute("PRAGMA journal_mode=WAL")
            connection.execute("PRAGMA synchronous=FULL")
            connection.execute("PRAGMA secure_delete=ON")
            if is_ours:
                _check_pages(connection)
            else:
                _create(connection, key)
            # The grants may be there before the first record is, in the first tenth of a second of a first start.
            evidence = (_BEGUN,) if is_ours else _MADE_AFTER
            was_begun = any(os.path.lexists(path.with_name(name)) for name in evidence)
            return cls(connection, key, most=most, begun=path.with_name(_BEGUN), was_begun=was_begun)
        except BaseException:
            connection.close()
            raise

    def append(self, records: Sequence[Record], *, now: float) -> None:
        """Chain ``records`` to the last one and make all of them durable, or none; ``now`` prunes by age.

        Raises:
            AuditUnusable: nothing was written.
        """
        rows: list[Link] = []
        head = self.head
        for record in records:
            content = msgspec.json.encode(record)
            head = chain(self._key, head, content)
            rows.append(Link(head.index, content, head.mac))
        try:
            with self._connection:
                self._connection.execute("BEGIN IMMEDIATE")
                self._connection.executemany(
                    "INSERT INTO records VALUES (?, ?, ?)", [(row.index, row.content, row.mac) for row in rows]
                )
                anchor = self._prune(head, now)
                _put_mark(self._connection, self._key, "head", head)
        except sqlite3.Error as error:
            raise AuditUnusable(f"the audit cannot be written: {error}") from error
        self.head, self.anchor = head, anchor
        self._tell_of_the_beginning()

    def page(self, after: int | None, limit: int) -> list[Link]:
        """Return ``limit`` records behind the index ``after``, or the last ones; oldest first.

        Of the chain alone: what somebody put before the anchor or behind the head is not shown as if we had written it.

        Raises:
            AuditUnusable: the file cannot be read.
        """
        try:
            first = max(self.head.index - limit if after is None else after, self.anchor.index)
            return list(read_links(self._connection, after=first, upto=self.head.index, limit=limit))
        except sqlite3.Error as error:
            raise AuditUnusable(f"the audit cannot be read: {error}") from error

    def broken(self) -> Broken | None:
        """Return the first place where the chain does not hold.

        Raises:
            AuditUnusable: the file cannot be read.
        """
        try:
            return verify(self._key, read_all_links(self._connection), anchor=self.anchor, head=self.head)
        except sqlite3.Error as error:
            raise AuditUnusable(f"the audit cannot be read: {error}") from error

    def close(self) -> None:
        """Close the file; the journal is folded in."""
        self._connection.close()

    def _tell_of_the_beginning(self) -> None:
        if not self._is_told:
            # The records stand. What the disk has no room for now is tried again with the next ones.
            with suppress(OSError):
                paths.write_private(self._begun, _BEGUN_TEXT)
                self._is_told = True

    def _prune(self, head: Mark, now: float) -> Mark:
        """Forget the oldest records where there are too many or too old ones; return the anchor."""
        last = self.anchor.index
        if head.index - last > self._most:
            last = max(last + PRUNED_AT_ONCE, head.index - self._most)
        elif self._aged_at is None or not 0.0 <= now - self._aged_at < _AGED_EVERY_SECONDS:
            self._aged_at = now
            last = self._last_aged(now)
        row = self._connection.execute(
            "SELECT position, mac FROM records WHERE position <= ? ORDER BY position DESC LIMIT 1", (last,)
        ).fetchone()
        if row is None or row[0] <= self.anchor.index:
            return self.anchor
        anchor = Mark(row[0], bytes(row[1]))
        # What somebody put before the anchor stays: it is for `tollbridge audit verify` to find.
        of_the_chain = (self.anchor.index, anchor.index)
        self._connection.execute("DELETE FROM records WHERE position > ? AND position <= ?", of_the_chain)
        _put_mark(self._connection, self._key, "anchor", anchor)
        return anchor

    def _last_aged(self, now: float) -> int:
        last = self.anchor.index
        too_old = now - LONGEST_SECONDS
        for link in read_links(self._connection, after=last, upto=self.head.index, limit=PRUNED_AT_ONCE):
            if read(link).time >= too_old:
                break
            last = link.index
        return last


def read(link: Link) -> Record:
    """Return the record of ``link``; one that cannot be read comes back as a record that says so."""
    try:
        return msgspec.json.decode(link.content, type=Record)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return _UNREADABLE


_UNREADABLE = Record(time=math.inf, kind=Kind.AUDIT, outcome="unreadable")


def set_aside_pattern(path: Path) -> str:
    """Return the glob pattern of the names under which earlier files of ``path`` are kept."""
    return f"{path.stem}.*.damaged{path.suffix}"


def _check_pages(connection: sqlite3.Connection) -> None:
    if connection.execute("PRAGMA quick_check(1)").fetchone() != ("ok",):
        raise AuditDamaged("its pages do not fit together")


def _create(connection: sqlite3.Connection, key: bytes) -> None:
    with connection:
        connection.execute("BEGIN IMMEDIATE")
        for sql in TABLES.values():
            connection.execute(sql)
        _put_mark(connection, key, "anchor", START)
        _put_mark(connection, key, "head", START)
        connection.execute(f"PRAGMA user_version={SCHEMA_VERSION}")


def _put_mark(connection: sqlite3.Connection, key: bytes, name: MarkName, mark: Mark) -> None:
    value = msgspec.json.encode(SealedMark(mark.index, mark.mac, seal(key, name, mark)))
    connection.execute("INSERT OR REPLACE INTO marks VALUES (?, ?)", (name, value))


def _set_aside(path: Path, now: float) -> Path:
    """Rename the file, with its journal, so that it can still be looked at; return where it is now."""
    stamp = rfc3339(now).replace(":", "-")
    kept = path.with_name(set_aside_pattern(path).replace("*", stamp))
    for suffix in (*JOURNALS, ""):
        source = path.with_name(path.name + suffix)
        if source.exists():
            source.rename(kept.with_name(kept.name + suffix))
    return kept
