"""Opens the two listeners: TCP on 127.0.0.1, on a port that is this user's for good, and the Unix socket."""

import errno
import logging
import os
import socket
import struct
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from bridge import paths
from bridge.config import LOWEST_PORT
from bridge.errors import BridgeFault

HOST = "127.0.0.1"
"""The literal, never a name: another user may hold [::1]:PORT, and a name can be rebound."""

BACKLOG = 4096
"""As many as Linux grants unasked (net.core.somaxconn): beyond it a connection is tried again only after a second."""
LONGEST_SOCKET_PATH = 107 if sys.platform == "linux" else 103
"""Bytes of a path in `sockaddr_un`, less the NUL at its end: Linux has room for 108, macOS and the BSDs for 104."""

_CREDENTIALS = struct.Struct("3i")
"""`struct ucred`: pid, uid, gid."""

logger = logging.getLogger(__name__)


class PortTaken(BridgeFault):
    """Something else listens where the pages of this user look for the daemon."""

    code = "port_taken"
    title = "The port is taken"


class SocketTaken(BridgeFault):
    """A program answers where our Unix socket is to be."""

    code = "socket_taken"
    title = "The Unix socket is taken"


class SocketPathTooLong(BridgeFault):
    """The runtime folder lies so deep that no Unix socket can be made in it."""

    code = "socket_path_too_long"
    title = "The path of the Unix socket is too long"


def remembered_port(state: Path) -> int | None:
    """Return the port that was chosen at the first start; what no start can have chosen is ignored, with a warning.

    Raises:
        UnsafeFile: others could have chosen it.
    """
    try:
        content = paths.read_private(state / "port").strip()
    except FileNotFoundError:
        return None
    if content.isdigit() and len(content) <= 5 and LOWEST_PORT <= int(content) <= 65535:
        return int(content)
    logger.warning(
        "the file of the port holds none that was chosen here; it is ignored", extra={"file": state / "port"}
    )
    return None


def forget_port(state: Path) -> None:
    """Let the next start choose again (`tollbridge port --move`); browsers' owner grants end with the old port."""
    (state / "port").unlink(missing_ok=True)


def open_tcp(state: Path, ports: Sequence[int]) -> socket.socket:
    """Return the listening TCP socket; the first start chooses among ``ports``, later ones keep that choice.

    Raises:
        PortTaken: the remembered port, or each of ``ports`` at the first start, is held by somebody else.
    """
    kept = remembered_port(state)
    for port in ports if kept is None else (kept,):
        listener = _bind(port)
        if listener is not None:
            if kept is None:
                paths.write_private(state / "port", str(listener.getsockname()[1]).encode())
            return listener
    if kept is None:
        tried = ", ".join(str(port) for port in ports)
        raise PortTaken(f"the ports {tried} are all taken; free one, or set [daemon] ports in {paths.config_file()}")
    uid = holder(kept)
    who = "somebody else" if uid is None else f"uid {uid}" + (" (you)" if uid == os.getuid() else "")
    raise PortTaken(
        f"port {kept} is held by {who}. Pages look for you there: free it and start again, "
        "or choose another with `tollbridge port --move`; browsers then need `tollbridge open` again"
    )


def open_unix(path: Path) -> socket.socket:
    """Return the listening Unix socket (0600 in a 0700 folder); a leftover where nobody answers is replaced.

    The caller holds the folder's lock, by which no two daemons come to this at a time. It does not show a program that
    knows of no such lock, or whose lock was removed: the desktop may clean up its runtime folder (XDG Base Directory
    Specification). So whoever may listen there is asked first, and is left alone.

    Raises:
        SocketTaken: somebody listens there.
        SocketPathTooLong: the system takes no path of that length.
        UnsafeFile: a link or another user's file stands in its place.
        OSError: it cannot be made; ``filename`` is its path.
    """
    length = len(os.fsencode(path))
    if length > LONGEST_SOCKET_PATH:
        raise SocketPathTooLong(
            f"{path} has {length} bytes, and a Unix socket may have {LONGEST_SOCKET_PATH} at most; set XDG_RUNTIME_DIR "
            "to a folder of yours (mode 0700) with a shorter path"
        )
    paths.check_place(path)
    _check_nobody_answers(path)
    path.unlink(missing_ok=True)
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    before = os.umask(0o177)
    try:
        listener.bind(str(path))
    except OSError as error:
        listener.close()
        error.filename = str(path)  # as an error of a file has it
        raise
    finally:
        os.umask(before)
    listener.listen(BACKLOG)
    listener.settimeout(0.0)
    return listener


def forget_unix(path: Path, made: os.stat_result) -> None:
    """Remove the Unix socket, if it still is the one that was ``made`` by us."""
    with suppress(FileNotFoundError):
        if os.path.samestat(path.lstat(), made):
            path.unlink()


def _check_nobody_answers(path: Path) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as asked:
        asked.settimeout(0.0)
        try:
            asked.connect(str(path))
        except BlockingIOError:  # somebody listens, who has too much to do
            pid = None
        except OSError:
            return  # nothing is there, or nobody behind it; what else it may be, unlinking tells
        else:
            pid = _listener(asked)
    named, ends = ("somebody", "end it") if pid is None else (f"pid {pid}", f"end it with `kill {pid}`")
    raise SocketTaken(
        f"{path} is answered by {named}, a daemon perhaps that was started with another home; {ends}, or set "
        "XDG_RUNTIME_DIR to another folder of yours"
    )


def _listener(asked: socket.socket) -> int | None:
    """Return the process at the other end; None where the system does not tell."""
    if sys.platform != "linux":
        return None
    credentials = asked.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size)
    pid: int = _CREDENTIALS.unpack(credentials)[0]
    return pid or None  # 0: a process of another container


def holder(port: int, table: Path = Path("/proc/net/tcp")) -> int | None:
    """Return the uid that listens on 127.0.0.1:``port`` or 0.0.0.0:``port``; None where the system does not tell."""
    try:
        rows = table.read_text(encoding="ascii").splitlines()[1:]
    except OSError:
        return None
    for row in rows:
        fields = row.split()
        address, _, number = fields[1].partition(":")
        if int(number, 16) == port and fields[3] == "0A" and address in ("0100007F", "00000000"):
            return int(fields[7])
    return None


def _bind(port: int) -> socket.socket | None:
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        if os.name == "posix":
            # So that connections of the last run in TIME_WAIT do not block a restart. Never SO_REUSEPORT, which would
            # let another process share the port; on Windows SO_REUSEADDR would as well.
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((HOST, port))
        listener.listen(BACKLOG)
    except OSError as error:
        listener.close()
        if error.errno in (errno.EADDRINUSE, errno.EACCES):
            return None
        raise
    listener.settimeout(0.0)
    return listener
