"""Whose process stands at the other end of a connection: asked of the kernel, before a byte of it is read.

For TCP on Linux that is one exact look-up in the socket table (sock_diag(7), NETLINK_SOCK_DIAG), about 20 us a
connection; reading /proc/net/tcp takes milliseconds. For the Unix socket it is the peer's credentials. A process id or
a program's name is never asked for: they can be reused and chosen.
"""

import errno
import logging
import os
import socket
import struct
import sys
from pathlib import Path

from bridge.errors import BridgeFault
from bridge.front.policy import Peer
from bridge.listen import HOST

logger = logging.getLogger(__name__)

Address = tuple[str, int]
"""An IPv4 address and a port."""

TELLS_UNIX_UID = sys.platform in ("linux", "darwin")
"""Whether `unix_uid` can tell on this platform."""

_NETLINK_SOCK_DIAG = 4
_HEADER = struct.Struct("=IHHII")
"""struct nlmsghdr (linux/netlink.h): length, type, flags, sequence number, port id."""
_ENDS = struct.Struct("!HH4s12x4s12x")
"""Of struct inet_diag_sockid (linux/inet_diag.h): both ports and both addresses, those of whose socket it is first."""
_REQUEST = struct.Struct("=BBBxI36sIQ")
"""struct inet_diag_req_v2: family, protocol, extensions, states, the ends, interface, cookie."""
_ANSWER = struct.Struct("=BBxx36s4x8x12xII")
"""struct inet_diag_msg: family, state, the ends, uid, inode; the interface, the cookie and three counters skipped."""
_ERROR = struct.Struct("=i")
"""The first member of struct nlmsgerr."""

_SOCK_DIAG_BY_FAMILY = 20
_NLMSG_ERROR = 2
_NLM_F_REQUEST = 1
_ESTABLISHED = 1
_LISTEN = 10
_ALL_STATES = 0xFFFFFFFF
_NO_COOKIE = 0xFFFFFFFFFFFFFFFF
_SEQUENCES = 0xFFFFFFFF

_REPLY_BYTES = 4096
_STALE_REPLIES = 16
"""How many answers to earlier questions are skipped before the socket is given up."""

_UCRED = struct.Struct("=iII")
"""struct ucred (unix(7)): pid, uid, gid."""
_NOBODY_KNOWN = 0xFFFFFFFF
"""The uid in the credentials of a socket that has none."""
_XUCRED = struct.Struct("=IIh2x64x")
"""struct xucred (macOS, sys/ucred.h): version, uid, number of groups, 16 groups."""
_SOL_LOCAL, _LOCAL_PEERCRED = 0, 1
_XUCRED_VERSION = 0


class BadReply(BridgeFault):
    """The kernel's answer is not one to the question; nothing of it is believed."""

    code = "bad_peer_reply"
    title = "The system did not say whose process connects"


class StaleReply(BadReply):
    """An answer to an earlier question."""


def request_bytes(client: Address, server: Address, sequence: int) -> bytes:
    """Return the question for the one socket that is bound to ``client`` and connected to ``server``."""
    ends = _ends(client, server)
    asked = _REQUEST.pack(socket.AF_INET, socket.IPPROTO_TCP, 0, _ALL_STATES, ends, 0, _NO_COOKIE)
    length = _HEADER.size + len(asked)
    return _HEADER.pack(length, _SOCK_DIAG_BY_FAMILY, _NLM_F_REQUEST, sequence, 0) + asked


def read_reply(reply: bytes, client: Address, server: Address, sequence: int) -> Peer | None:
    """Return what the kernel's answer says of the client's socket; None: there is no such socket.

    Raises:
        StaleReply: it answers another question.
        BadReply: it says something else, or is cut.
    """
    if len(reply) < _HEADER.size:
        raise BadReply("the answer has no header")
    length, kind, _, answered, _ = _HEADER.unpack_from(reply)
    if answered != sequence:
        raise StaleReply("the answer is to another question")
    if kind == _NLMSG_ERROR:
        _check_error(reply)
        return None
    if kind != _SOCK_DIAG_BY_FAMILY or not _HEADER.size + _ANSWER.size <= length <= len(reply):
        raise BadReply(f"the answer is of type {kind} and {len(reply)} bytes long")
    family, state, ends, uid, inode = _ANSWER.unpack_from(reply, _HEADER.size)
    if family == socket.AF_INET and ends == _ends(client, server):
        return Peer(uid, inode, state == _ESTABLISHED)
    if state == _LISTEN:
        return None  # where there is no connection, the kernel falls back to whoever listens on the client's port
    raise BadReply("the answer is about another socket")


class SockDiag:
    """The way to the kernel's socket table: opened once, and anew after each answer that is not one."""

    def __init__(self) -> None:
        self._sequence = 0
        self._socket: socket.socket | None = None

    def peer(self, client: Address, server: Address) -> Peer | None:
        """Return whose socket is bound to ``client`` and connected to ``server``, both on this computer.

        None: there is no such socket, or the system does not say (then it is logged why). It never waits: the kernel
        answers within the system call that asks, so that the answer is there or will never be.
        """
        try:
            return self._ask(client, server)
        except (OSError, BadReply) as error:
            self.close()  # so that nothing that is left of it meets the next question
            logger.warning("the system did not say whose process connects", extra={"error": error})
            return None

    def close(self) -> None:
        """Close the socket; the next question opens it again."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def _ask(self, client: Address, server: Address) -> Peer | None:
        if self._socket is None:
            self._socket = _open_netlink()
        self._sequence = sequence = (self._sequence + 1) & _SEQUENCES
        self._socket.send(request_bytes(client, server, sequence))
        for _ in range(_STALE_REPLIES):
            reply, (sender, _) = self._socket.recvfrom(_REPLY_BYTES)
            if sender != 0:
                raise BadReply("the answer is not the kernel's")
            try:
                return read_reply(reply, client, server, sequence)
            except StaleReply:
                continue
        raise BadReply("there are only answers to other questions")


def open_lookup() -> SockDiag | None:
    """Return the way to the socket table, once it has recognised a connection of our own.

    None where this system does not tell (macOS, Windows, a sandbox); one line in the log says so.
    """
    if sys.platform == "linux" and not _is_unmapped(uid := os.getuid()):
        lookup = SockDiag()
        try:
            if _knows_us(lookup, uid):
                return lookup
        except OSError as error:
            logger.info("no connection to ourselves could be made", extra={"error": error})
        lookup.close()
    logger.warning(
        "this system does not tell whose process connects; another user of it is held off by keys and tokens alone"
    )
    return None


def unix_uid(sock: socket.socket) -> int | None:
    """Return the uid of the process that connected to our Unix socket; None where the system does not tell."""
    try:
        if sys.platform == "linux":
            _, uid, _ = _UCRED.unpack(sock.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _UCRED.size))
            return None if uid == _NOBODY_KNOWN else int(uid)
        if sys.platform == "darwin":
            return read_xucred(sock.getsockopt(_SOL_LOCAL, _LOCAL_PEERCRED, _XUCRED.size))
    except (OSError, struct.error):
        pass
    return None


def read_xucred(credentials: bytes) -> int | None:
    """Return the uid in macOS's struct xucred; None where it is of a version or a size that we do not know."""
    if len(credentials) != _XUCRED.size:
        return None
    version, uid, _ = _XUCRED.unpack(credentials)
    return int(uid) if version == _XUCRED_VERSION else None


def _ends(first: Address, second: Address) -> bytes:
    return _ENDS.pack(first[1], second[1], _packed(first), _packed(second))


def _packed(address: Address) -> bytes:
    return socket.inet_pton(socket.AF_INET, address[0])


def _check_error(reply: bytes) -> None:
    if len(reply) < _HEADER.size + _ERROR.size:
        raise BadReply("the error in the answer is cut")
    (number,) = _ERROR.unpack_from(reply, _HEADER.size)
    if number != -errno.ENOENT:
        raise BadReply(f"the answer is the error {number}")


def _open_netlink() -> socket.socket:
    if sys.platform != "linux":
        raise OSError(errno.EAFNOSUPPORT, "there is no netlink here")
    opened = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_CLOEXEC, _NETLINK_SOCK_DIAG)
    opened.settimeout(0.0)
    return opened


def _knows_us(lookup: SockDiag, uid: int) -> bool:
    with (
        socket.create_server((HOST, 0)) as server,
        socket.create_connection(server.getsockname(), timeout=1.0) as client,
    ):
        found = lookup.peer(client.getsockname(), server.getsockname())
    return found is not None and found.uid == uid and found.inode != 0 and found.is_established


def _is_unmapped(uid: int, proc: Path = Path("/proc")) -> bool:
    """Say that ``uid`` stands for every user that this user namespace does not know (user_namespaces(7))."""
    try:
        overflow = int((proc / "sys/kernel/overflowuid").read_text(encoding="ascii"))
        inside = [line.split() for line in (proc / "self/uid_map").read_text(encoding="ascii").splitlines()]
    except (OSError, ValueError):
        return False
    return uid == overflow and not any(int(first) <= uid < int(first) + int(count) for first, _, count in inside)
