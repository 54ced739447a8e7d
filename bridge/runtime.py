"""One daemon a user: the locks that say so, and the file that tells native clients where it listens.

There are two locks, for there are two folders of which each may have one daemon at most: the state folder, where two
would write the same grants, and the runtime folder, where the second would take the first one's socket. Two daemons
share the second alone where they were started with different homes and one XDG_RUNTIME_DIR.
"""

import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import IO

import msgspec

from bridge import paths
from bridge.errors import BridgeFault

_PID_BYTES = 20


class AlreadyRunning(BridgeFault):
    """A daemon of this user runs already."""

    code = "already_running"
    title = "A daemon is already running"


class Runtime(msgspec.Struct, frozen=True):
    """The runtime file: where the daemon listens and since when (RFC 3339)."""

    pid: int
    base: str
    port: int
    socket: str
    version: str
    started: str


def read(file: Path) -> Runtime | None:
    """Return what ``file`` says; None where there is none, or none that can be read.

    Raises:
        UnsafeFile: others could have written it, and would be asked instead of the daemon.
    """
    try:
        return msgspec.json.decode(paths.read_private(file), type=Runtime)
    except (OSError, msgspec.DecodeError):
        return None


def write(file: Path, runtime: Runtime) -> None:
    """Write the runtime file (0600) in one step.

    Raises:
        UnsafeFile: a link or another user's file stands in its place.
    """
    paths.check_place(file)
    paths.write_private(file, msgspec.json.encode(runtime) + b"\n")


def forget(file: Path) -> None:
    """Remove the runtime file, if it still is this process's."""
    with suppress(paths.UnsafeFile):
        told = read(file)
        if told is not None and told.pid == os.getpid():
            file.unlink(missing_ok=True)


@contextmanager
def only_one(state: Path, runtime: Path) -> Iterator[None]:
    """Hold the locks of both folders; the kernel releases them whichever way the process ends.

    Raises:
        AlreadyRunning: another daemon holds one; the detail says which process that is, and what to do.
        UnsafeFile: a lock is a link, or another user's.
    """
    with ExitStack() as stack:
        for folder in (state, runtime):
            descriptor = paths.open_private(folder / "lock", os.O_RDWR | os.O_CREAT, repair=True)
            file = stack.enter_context(os.fdopen(descriptor, "r+b", buffering=0))
            if not _lock(file):
                raise AlreadyRunning(_holder_text(state, runtime, _holder(file), is_other_state=folder != state))
            file.truncate()
            file.write(b"%d\n" % os.getpid())
        yield


def _holder(lock: IO[bytes]) -> int | None:
    """Return the process that holds the lock; None where it has not said so yet, or the system lets nobody read it."""
    try:
        told = lock.read(_PID_BYTES).strip()
    except OSError:
        return None
    return int(told) if told.isdigit() else None


def _holder_text(state: Path, runtime: Path, pid: int | None, *, is_other_state: bool) -> str:
    named = "which is just starting" if pid is None else f"pid {pid}"
    ends = "end it first" if pid is None else f"end it first with `kill {pid}`"
    if is_other_state:
        return (
            f"one whose state folder is not {state} uses {runtime} ({named}); {ends}, or set "
            "XDG_RUNTIME_DIR to another folder of yours"
        )
    first = read(runtime / paths.runtime_file().name)
    if first is not None and first.pid == pid:
        return f"your daemon already runs at {first.base} and {first.socket} ({named}); use that one, or {ends}"
    return (
        f"your daemon already runs ({named}), but not in {runtime}: it is just starting, or has another "
        f"XDG_RUNTIME_DIR; use it from where it was started, or {ends}"
    )


def _lock(file: IO[bytes]) -> bool:
    if os.name != "posix":
        import msvcrt  # exists on Windows alone

        try:
            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined]  # as above
        except OSError:
            return False
        return True
    import fcntl  # exists on POSIX alone

    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
