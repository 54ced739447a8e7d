"""One daemon a user: the lock that says so, and the file that tells native clients where it listens."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import msgspec

from bridge import paths
from bridge.errors import BridgeFault


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


@contextmanager
def only_one(state: Path) -> Iterator[None]:
    """Hold this user's lock; the kernel releases it whichever way the process ends.

    Raises:
        AlreadyRunning: another daemon holds it; the detail says where that one is.
        UnsafeFile: the lock is a link, or another user's.
    """
    descriptor = paths.open_private(state / "lock", os.O_RDWR | os.O_CREAT, repair=True)
    with os.fdopen(descriptor, "r+b") as file:
        if not _lock(file):
            first = read(paths.runtime_file())
            where = "somewhere" if first is None else f"at {first.base} and {first.socket} (pid {first.pid})"
            raise AlreadyRunning(f"your daemon already runs {where}; `tollbridge status` tells more")
        yield


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
