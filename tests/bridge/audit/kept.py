"""An audit's file as a test looks at it and spoils it, by SQLite alone."""

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import msgspec

from bridge.audit.record import Record

PLANTS = {
    "a_table": ["CREATE TABLE a_table (text)"],
    "an_index": ["CREATE INDEX an_index ON records (mac)"],
    "a_view": ["CREATE VIEW a_view AS SELECT 1"],
    "a_trigger": ["CREATE TRIGGER a_trigger BEFORE INSERT ON records BEGIN SELECT 1; END"],
    "statistics": ["ANALYZE", "INSERT INTO sqlite_stat1 VALUES ('statistics', 'x', 'y')"],
    "other_content": [
        "ALTER TABLE records RENAME TO other_content",
        "CREATE VIEW records AS SELECT position, content, mac FROM other_content",
    ],
    "moved": ["ALTER TABLE records ADD COLUMN moved"],
    "without_end": [
        "DROP TABLE marks",
        "CREATE VIEW marks AS WITH RECURSIVE without_end(name) AS (SELECT '1' UNION ALL SELECT name FROM without_end)"
        " SELECT name, 2 AS value FROM without_end",
    ],
    "another_mark": ["INSERT INTO marks VALUES ('another_mark', x'00')"],
}
"""What somebody may put into the file beside records: statements, by a word that then stands in it."""


def kept(path: Path) -> list[Record]:
    """Return the records in the file, oldest first."""
    with closing(sqlite3.connect(path)) as connection:
        rows = connection.execute("SELECT content FROM records ORDER BY position").fetchall()
    return [msgspec.json.decode(row[0], type=Record) for row in rows]


def spoil(path: Path, *statements: str) -> None:
    """Edit the file as a curious person does."""
    with closing(sqlite3.connect(path)) as connection, connection:
        for statement in statements:
            connection.execute(statement)


@contextmanager
def pipe(path: Path) -> Iterator[None]:
    """Put a pipe at ``path``, its other end held open: whoever opens it after all gets an error and does not hang."""
    os.mkfifo(path, 0o600)
    other_end = os.open(path, os.O_RDWR | os.O_NONBLOCK)
    try:
        yield
    finally:
        os.close(other_end)
