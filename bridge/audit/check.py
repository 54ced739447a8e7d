"""Verifies the audit's file without the daemon: read alone, whether or not a daemon runs, trusting no word of it."""

import sqlite3
import time
from contextlib import closing
from pathlib import Path

import msgspec

from bridge import paths
from bridge.audit.file import read, set_aside_pattern
from bridge.audit.key import IdentityUnusable, read_key
from bridge.audit.record import AFTER_LOSS, Broken, Mark, verify
from bridge.audit.rows import (
    FILE,
    JOURNALS,
    AuditDamaged,
    AuditTooNew,
    AuditUnusable,
    check_schema,
    distrust,
    is_damage,
    read_all_links,
    read_links,
    read_mark,
)
from bridge.errors import BridgeFault

_BUSY_SECONDS = 5.0
_DEADLINE_SECONDS = 60.0
"""As many records as may be kept take a second or two; a file that takes longer was made to."""
_STEPS = 100_000
"""Of SQLite's machine, some milliseconds: how often it looks at the deadline."""
_NEXT = "keep a copy: at its next start the daemon begins a new one, whose first record says so"


class AuditMissing(BridgeFault):
    """There is no audit."""

    code = "audit_missing"
    title = "There is no audit"


class HeadTooOld(BridgeFault):
    """A noted head stands before the oldest record that is still kept."""

    code = "head_too_old"
    title = "This head cannot be checked any more"


class Checked(msgspec.Struct, frozen=True):
    """What a check has found: the records after ``anchor`` up to ``head``, and where the chain breaks, if it does.

    ``is_after_loss``: the first record says that an earlier trail was gone; ``set_aside``: files of earlier trails that
    were damaged, or of another identity; ``is_open``: others may read or change the file.
    """

    anchor: Mark
    head: Mark
    broken: Broken | None
    is_after_loss: bool = False
    set_aside: tuple[Path, ...] = ()
    is_open: bool = False


def check(state: Path, noted: Mark | None = None) -> Checked:
    """Verify the file in the state folder as it stands at one moment; ``noted`` is a head written down earlier.

    Raises:
        AuditMissing: there is no file.
        IdentityUnusable: there is no identity, or a damaged one.
        AuditDamaged: it cannot be read as an audit, holds what is none of ours, or its ends are not sealed with this
            user's key.
        AuditTooNew: it has a newer schema.
        AuditUnusable: it cannot be read now, or not in time.
        HeadTooOld: the records up to ``noted`` were pruned.
        UnsafeFile: the file or a journal is a link, no regular file or another user's; or others may read the identity.
    """
    file = state / FILE
    is_open = _is_open(file)
    key = _key(state, is_open=is_open)
    if is_open is None:
        raise AuditMissing(f"{file} is not there; the daemon makes it at its start, so if one has run it was removed")
    try:
        with closing(
            sqlite3.connect(f"{file.as_uri()}?mode=ro", uri=True, timeout=_BUSY_SECONDS, isolation_level=None)
        ) as connection:
            _bound(connection)
            checked = _check(connection, key, noted)
    except AuditTooNew as error:
        raise AuditTooNew(f"{file}: {error.detail}") from error
    except AuditDamaged as error:
        raise AuditDamaged(f"{file}: {error.detail}; {_NEXT}") from error
    except sqlite3.Error as error:
        if is_damage(error):
            raise AuditDamaged(f"{file} cannot be read: {error}; {_NEXT}") from error
        raise AuditUnusable(f"{file} cannot be read now: {error}; try again") from error
    set_aside = tuple(sorted(state.glob(set_aside_pattern(file))))
    return msgspec.structs.replace(checked, set_aside=set_aside, is_open=is_open)


def _is_open(file: Path) -> bool | None:
    """Say whether others may open the file or a journal; None where there is no file. What is unsafe is not opened."""
    found = []
    for suffix in ("", *JOURNALS):
        try:
            found.append(paths.check_private(file.with_name(file.name + suffix)))
        except FileNotFoundError:
            if not suffix:
                return None
    return any(found)


def _key(state: Path, *, is_open: bool | None) -> bytes:
    try:
        return read_key(state)
    except FileNotFoundError as error:
        if is_open is None:
            raise AuditMissing(f"{state} holds no audit and no identity; `tollbridge run` makes both") from error
        raise IdentityUnusable(
            f"{state / 'identity'} is not there, and the audit was chained with it; put it back from a backup. Else "
            "the daemon makes a new one at its next start, sets this audit aside and begins another"
        ) from error


def _bound(connection: sqlite3.Connection) -> None:
    """See to it that nothing in the file is written, run, or waited for without end."""
    ends = time.monotonic() + _DEADLINE_SECONDS
    connection.set_progress_handler(lambda: time.monotonic() > ends, _STEPS)
    connection.execute("PRAGMA query_only=ON")
    distrust(connection)


def _check(connection: sqlite3.Connection, key: bytes, noted: Mark | None) -> Checked:
    connection.execute("BEGIN")  # one moment, while the daemon goes on writing
    if not check_schema(connection):
        raise AuditDamaged("it holds no audit")
    anchor, head = read_mark(connection, key, "anchor"), read_mark(connection, key, "head")
    if noted is not None and noted.index < anchor.index:
        raise HeadTooOld(f"records up to {anchor.index} were pruned; note a newer head")
    wanted = () if noted is None else (noted,)
    broken = verify(key, read_all_links(connection), anchor=anchor, head=head, noted=wanted)
    is_first_kept = not anchor.index and (broken is None or broken.index > 1)
    begins = next(read_links(connection, after=0, upto=1, limit=1), None) if is_first_kept else None
    return Checked(anchor, head, broken, is_after_loss=begins is not None and read(begins).outcome == AFTER_LOSS)
