"""The SQLite file beneath the store: rows of JSON by table and id, in WAL mode, durable when a write returns.

Every method blocks, and SQLite wants one thread: the store calls them all from its writer thread.
"""

import errno
import logging
import os
import secrets
import sqlite3
import stat
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

import msgspec

from oauth.errors import StoreDamaged, StoreTooNew, StoreUnsafe
from oauth.secret import hidden

SCHEMA_VERSION = 1
TABLES = ("grants", "pairings", "access_tokens", "refresh_tokens", "known_origins", "offers")
BUSY_SECONDS = 5.0
"""How long a write waits for another process (a backup, a curious person) to let go of the file."""

_logger = logging.getLogger(__name__)

_MODE = 0o600
_COLUMNS = "(id TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID"


class Write(msgspec.Struct, frozen=True):
    """One row to be: ``value`` None deletes it."""

    table: str
    id: str
    value: bytes | None

    __repr__ = hidden


class Database:
    """One open file.

    Raises:
        StoreTooNew: the file has a newer schema.
        StoreDamaged: the file is not one of ours.
        StoreUnsafe: others could have put it there, read it or changed it.
        sqlite3.Error: it cannot be opened or written.
    """

    def __init__(self, path: Path, *, busy_seconds: float = BUSY_SECONDS) -> None:
        is_found = _create_private(path)
        self._connection = sqlite3.connect(path, timeout=busy_seconds, isolation_level=None)
        try:
            self._prepare(path, is_found=is_found)
        except BaseException:
            self._connection.close()
            raise

    def _prepare(self, path: Path, *, is_found: bool) -> None:
        try:
            # The version is read first: a file of a newer daemon is left as it is, journal mode included.
            version = self._version()
        except sqlite3.DatabaseError as error:
            if isinstance(error, sqlite3.OperationalError):
                raise
            raise StoreDamaged(f"{path.name} is not a store of grants; move it away to start anew") from error
        if version > SCHEMA_VERSION:
            raise StoreTooNew(f"{path.name} was written by a newer version (schema {version}); use that version")
        self._connection.execute("PRAGMA journal_mode=WAL")
        self._connection.execute("PRAGMA synchronous=FULL")
        self._connection.execute("PRAGMA secure_delete=ON")
        if version == 0:
            if is_found:
                _logger.warning(
                    "the file of grants was there, but empty; a new one begins and every site asks again",
                    extra={"file": path},
                )
            self._create()
        elif not self._has("offers"):  # made before there were offers; a daemon of then does not look at them
            self._connection.execute(f"CREATE TABLE offers {_COLUMNS}")

    def _version(self) -> int:
        return int(self._meta("schema_version")) if self._has("meta") else 0

    def _has(self, table: str) -> bool:
        found = self._connection.execute("SELECT 1 FROM sqlite_schema WHERE name = ?", (table,))
        return found.fetchone() is not None

    def _create(self) -> None:
        with self._transaction():
            self._connection.execute("CREATE TABLE meta (name TEXT PRIMARY KEY, value) WITHOUT ROWID")
            for table in TABLES:
                self._connection.execute(f"CREATE TABLE {table} {_COLUMNS}")
            self._connection.executemany(
                "INSERT INTO meta VALUES (?, ?)",
                [("schema_version", str(SCHEMA_VERSION).encode()), ("refresh_key", secrets.token_bytes(32))],
            )

    def refresh_key(self) -> bytes:
        """Return K (32 bytes), from which successors of refresh tokens are made."""
        return self._meta("refresh_key")

    def _meta(self, name: str) -> bytes:
        row = self._connection.execute("SELECT CAST(value AS BLOB) FROM meta WHERE name = ?", (name,)).fetchone()
        if row is None:
            raise StoreDamaged(f"the store has no {name}")
        return bytes(row[0])

    def load(self) -> dict[str, list[bytes]]:
        """Return all rows' values by table."""
        return {
            table: [row[0] for row in self._connection.execute(f"SELECT CAST(value AS BLOB) FROM {table}")]  # noqa: S608  # our names
            for table in TABLES
        }

    def write(self, writes: Sequence[Write]) -> None:
        """Make all of ``writes`` durable, or none."""
        with self._transaction():
            for row in writes:
                if row.value is None:
                    self._connection.execute(f"DELETE FROM {row.table} WHERE id = ?", (row.id,))  # noqa: S608  # ours
                else:
                    self._connection.execute(
                        f"INSERT OR REPLACE INTO {row.table} VALUES (?, ?)",  # noqa: S608  # one of TABLES
                        (row.id, row.value),
                    )

    def close(self) -> None:
        """Close the file; the journal is folded in."""
        self._connection.close()

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            yield
            self._connection.execute("COMMIT")
        except BaseException:
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
            raise


def _create_private(path: Path) -> bool:
    """Make the file if it is missing (0600); return whether one was there, which is ours alone."""
    # SQLite gives its journal files the mode of the main one, so that must be right before it opens it. It reads and
    # writes whatever a link, a second name or another user put there, so none of that may be. Nor may others have had
    # access: the file holds a key, and says who may do what without anything by which an edit would show.
    for journal in ("-journal", "-shm", "-wal"):
        with suppress(FileNotFoundError):
            _check(path.with_name(path.name + journal), path.with_name(path.name + journal).lstat())
    carefully = sum(getattr(os, flag, 0) for flag in ("O_NOFOLLOW", "O_CLOEXEC", "O_NONBLOCK"))
    try:
        try:
            descriptor, is_found = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | carefully, _MODE), False
        except FileExistsError:
            descriptor, is_found = os.open(path, os.O_RDWR | carefully), True
    except OSError as error:
        if error.errno in (errno.ELOOP, errno.EISDIR, errno.ENXIO):
            raise StoreUnsafe(f"{path} is not a regular file; move it away to start anew") from error
        raise StoreUnsafe(f"{path} cannot be opened ({error.strerror}); make it yours, or move it away") from error
    try:
        if is_found:
            _check(path, os.fstat(descriptor))
        if os.name == "posix":
            os.fchmod(descriptor, _MODE)
    finally:
        os.close(descriptor)
    return is_found


def _check(path: Path, facts: os.stat_result) -> None:
    if not stat.S_ISREG(facts.st_mode):
        raise StoreUnsafe(f"{path} is not a regular file; move it away to start anew")
    if os.name == "posix" and (facts.st_uid != os.geteuid() or facts.st_nlink > 1):
        raise StoreUnsafe(f"{path} is another user's, or has a second name (a hard link); move it away to start anew")
    if os.name == "posix" and facts.st_mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise StoreUnsafe(
            f"{path} is open to others (mode {stat.S_IMODE(facts.st_mode):04o}); run `chmod 600 {path}` if you are "
            "sure that nobody else has read or changed it, else move it away to start anew"
        )
