"""What stands in the audit's SQLite file, read: by the daemon that writes it, and by whoever verifies it beside it."""

import sqlite3
from collections.abc import Iterator
from typing import Literal

import msgspec

from bridge.audit.record import Link, Mark, printable, seal
from bridge.errors import BridgeFault

FILE = "audit.sqlite"
"""Its name in the state folder."""
JOURNALS = ("-wal", "-shm", "-journal")
"""What SQLite adds to the name for the files beside it."""
SCHEMA_VERSION = 1
TABLES = {
    "marks": "CREATE TABLE marks (name TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID",
    "records": ("CREATE TABLE records (position INTEGER PRIMARY KEY, content BLOB NOT NULL, mac BLOB NOT NULL)"),
}
"""What makes each table, word for word as SQLite keeps it; there is nothing else in a file of ours."""

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


def distrust(connection: sqlite3.Connection) -> None:
    """Have SQLite take nothing in the file for code that it may run (https://www.sqlite.org/security.html)."""
    connection.execute("PRAGMA trusted_schema=OFF")
    connection.execute("PRAGMA cell_size_check=ON")


def is_damage(error: sqlite3.Error) -> bool:
    """Say whether the file itself is at fault; anything else (busy, full, no permission) may be over tomorrow."""
    # SQLITE_ERROR: our tables are not in it. The low byte is the primary code (https://www.sqlite.org/rescode.html).
    faults = (sqlite3.SQLITE_ERROR, sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)
    return getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & 0xFF in faults


def check_schema(connection: sqlite3.Connection) -> bool:
    """Return whether the file holds an audit; False where it is empty.

    Nothing but the list of what is in the file is read, and no table before: in a table's place may be a view that
    never ends, and a trigger would change what is written.

    Raises:
        AuditTooNew: it has a newer schema.
        AuditDamaged: something is in it that we did not make, or a table is missing.
        sqlite3.DatabaseError: it is damaged.
    """
    is_ours = _is_of_our_version(connection)
    missing = dict(TABLES) if is_ours else {}
    for kind, name, sql in connection.execute("SELECT type, name, sql FROM sqlite_schema"):
        if kind != "table" or missing.pop(name, None) != sql:
            raise AuditDamaged(f"it holds a {printable(str(kind))} {printable(str(name))} that is none of ours")
    if missing:
        raise AuditDamaged(f"its table {min(missing)} is missing")
    return is_ours


def _is_of_our_version(connection: sqlite3.Connection) -> bool:
    version = int(connection.execute("PRAGMA user_version").fetchone()[0])
    if version > SCHEMA_VERSION:
        raise AuditTooNew(f"it was written by a newer version (schema {version}); use that version")
    return version == SCHEMA_VERSION


def read_mark(connection: sqlite3.Connection, key: bytes, name: MarkName) -> Mark:
    """Return the anchor or the head, which are the only marks.

    Raises:
        AuditDamaged: it is missing, or was not sealed with ``key``; or there is another mark.
        sqlite3.Error: the file cannot be read.
    """
    other = connection.execute("SELECT name FROM marks WHERE name NOT IN ('anchor', 'head')").fetchone()
    if other is not None:
        raise AuditDamaged(f"it holds a mark {printable(str(other[0]))} that is none of ours")
    row = connection.execute("SELECT CAST(value AS BLOB) FROM marks WHERE name = ?", (name,)).fetchone()
    try:
        found = msgspec.json.decode(b"" if row is None else row[0], type=SealedMark)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise AuditDamaged(f"its {name} is missing") from error
    mark = Mark(found.index, found.mac)
    if found.seal != seal(key, name, mark):
        raise AuditDamaged(f"its {name} was not written with this user's key")
    return mark


def read_links(connection: sqlite3.Connection, *, after: int, upto: int, limit: int) -> Iterator[Link]:
    """Yield the records behind ``after`` up to the index ``upto``, in order, ``limit`` at most."""
    rows = connection.execute(
        f"{_SELECT} WHERE position > ? AND position <= ? ORDER BY position LIMIT ?", (after, upto, limit)
    )
    return (Link(*row) for row in rows)


def read_all_links(connection: sqlite3.Connection) -> Iterator[Link]:
    """Yield all that stand in the file, in order, whether or not they belong to the chain."""
    return (Link(*row) for row in connection.execute(f"{_SELECT} ORDER BY position"))


_SELECT = "SELECT position, CAST(content AS BLOB), CAST(mac AS BLOB) FROM records"
