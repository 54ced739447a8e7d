"""Verifies the audit's file without the daemon: read alone, whether or not a daemon runs, trusting no word of it."""

import sqlite3
from contextlib import closing
from pathlib import Path

import msgspec

from bridge.audit.key import read_key
from bridge.audit.record import Broken, Mark, verify
from bridge.audit.rows import FILE, AuditDamaged, AuditUnusable, check_version, is_damage, read_links, read_mark
from bridge.errors import BridgeFault

_BUSY_SECONDS = 5.0


class AuditMissing(BridgeFault):
    """There is no audit, or not the identity by which one can be verified."""

    code = "audit_missing"
    title = "There is no audit"


class HeadTooOld(BridgeFault):
    """A noted head stands before the oldest record that is still kept."""

    code = "head_too_old"
    title = "This head cannot be checked any more"


class Checked(msgspec.Struct, frozen=True):
    """What a check has found: the records after ``anchor`` up to ``head``, and where the chain breaks, if it does."""

    anchor: Mark
    head: Mark
    broken: Broken | None


def check(state: Path, noted: Mark | None = None) -> Checked:
    """Verify the file in the state folder as it stands at one moment; ``noted`` is a head written down earlier.

    Raises:
        AuditMissing: there is no file, or no identity.
        AuditDamaged: it cannot be read as an audit, or its ends are not sealed with this user's key.
        AuditTooNew: it has a newer schema.
        AuditUnusable: it cannot be read now.
        HeadTooOld: the records up to ``noted`` were pruned.
        UnsafeFile: the identity may be read by others.
    """
    file = state / FILE
    try:
        key = read_key(state)
    except FileNotFoundError as error:
        raise AuditMissing(f"{state} holds no identity; the daemon makes it at its first start") from error
    if not file.exists():
        raise AuditMissing(f"{file} is not there; the daemon makes it at its start, so if one has run it was removed")
    try:
        with closing(
            sqlite3.connect(f"{file.as_uri()}?mode=ro", uri=True, timeout=_BUSY_SECONDS, isolation_level=None)
        ) as connection:
            return _check(connection, key, noted)
    except sqlite3.Error as error:
        fault = AuditDamaged if is_damage(error) else AuditUnusable
        raise fault(f"{file} cannot be read: {error}") from error


def _check(connection: sqlite3.Connection, key: bytes, noted: Mark | None) -> Checked:
    connection.execute("BEGIN")  # one moment, while the daemon goes on writing
    if not check_version(connection):
        raise AuditDamaged("it holds no audit")
    anchor, head = read_mark(connection, key, "anchor"), read_mark(connection, key, "head")
    if noted is not None and noted.index < anchor.index:
        raise HeadTooOld(f"records up to {anchor.index} were pruned; note a newer head")
    wanted = () if noted is None else (noted,)
    broken = verify(key, read_links(connection, after=anchor.index), anchor=anchor, head=head, noted=wanted)
    return Checked(anchor, head, broken)
