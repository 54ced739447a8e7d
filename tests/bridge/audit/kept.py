"""An audit's file as a test looks at it and spoils it, by SQLite alone."""

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import msgspec

from bridge.audit.record import Record


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
