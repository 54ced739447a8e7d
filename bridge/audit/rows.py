"""What stands in the audit's SQLite file, read: by the daemon that writes it, and by whoever verifies it beside it."""

import sqlite3
from collections.abc import Iterator
from typing import Literal

import msgspec

from bridge.audit.record import Link, Mark, seal
from bridge.errors import BridgeFault

FILE = "audit.sqlite"
"""Its name in the state folder."""
JOURNALS = ("-wal", "-shm", "-journal")
"""What SQLite adds to the name for the files beside it."""
SCHEMA_VERSION = 1

MarkName = Literal["anchor", "head"]


class AuditTooNew(BridgeFault):
    """The file was written by a newer version; it is left as it is."""

    code = "audit_too_new"
    title = "The audit is of a newer version"


class AuditDamaged(BridgeFault):
    """The file is no audit of ours, or its ends are not sealed with our key."""

    code = "audit_damaged"
    title = "The audit is damaged"


class AuditUnusable(BridgeFault):
    """The file cannot be opened, read or written now."""

    code = "audit_unusable"
    status = 503
    title = "The audit cannot be used"


class SealedMark(msgspec.Struct, frozen=True):
    """A mark as it stands in the file."""

    index: int
    mac: bytes
    seal: bytes


def is_damage(error: sqlite3.Error) -> bool:
    """Say whether the file itself is at fault; anything else (busy, full, no permission) may be over tomorrow."""
    # SQLITE_ERROR: our tables are not in it. The low byte is the primary code (https://www.sqlite.org/rescode.html).
    faults = (sqlite3.SQLITE_ERROR, sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)
    return getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & 0xFF in faults


def check_version(connection: sqlite3.Connection) -> bool:
    """Return whether the file holds an audit; False where it is empty.

    Raises:
        AuditTooNew: it has a newer schema.
        sqlite3.DatabaseError: it is damaged.
    """
    version = int(connection.execute("PRAGMA user_version").fetchone()[0])
    if version > SCHEMA_VERSION:
        raise AuditTooNew(f"it was written by a newer version (schema {version}); use that version")
    return version == SCHEMA_VERSION


def read_mark(connection: sqlite3.Connection, key: bytes, name: MarkName) -> Mark:
    """Return the anchor or the head.

    Raises:
        AuditDamaged: it is missing, or was not sealed with ``key``.
        sqlite3.Error: the file cannot be read.
    """
    row = connection.execute("SELECT CAST(value AS BLOB) FROM marks WHERE name = ?", (name,)).fetchone()
    try:
        found = msgspec.json.decode(b"" if row is None else row[0], type=SealedMark)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise AuditDamaged(f"its {name} is missing") from error
    mark = Mark(found.index, found.mac)
    if found.seal != seal(key, name, mark):
        raise AuditDamaged(f"its {name} was not written with this user's key")
    return mark


def read_links(connection: sqlite3.Connection, *, after: int, limit: int = -1) -> Iterator[Link]:
    """Yield the records behind ``after`` in order, ``limit`` at most (-1: all)."""
    rows = connection.execute(
        "SELECT position, CAST(content AS BLOB), CAST(mac AS BLOB) FROM records"
        " WHERE position > ? ORDER BY position LIMIT ?",
        (after, limit),
    )
    return (Link(*row) for row in rows)
