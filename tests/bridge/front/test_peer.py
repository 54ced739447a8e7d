import asyncio
import errno
import os
import resource
import socket
import struct
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
import uvloop
from hypothesis import given
from hypothesis import strategies as st

from bridge.front import peer
from bridge.front.peer import BadReply, SockDiag, StaleReply, read_reply, read_xucred, request_bytes
from bridge.front.policy import Peer
from bridge.logs import Formatter
from tests.parts import second_user

CLIENT = ("127.0.0.1", 40000)
SERVER = ("127.0.0.1", 4380)


@pytest.fixture(name="lookup")
def _lookup() -> Iterator[SockDiag]:
    lookup = peer.open_lookup()
    assert lookup is not None
    yield lookup
    lookup.close()


@pytest.fixture(name="server")
def _server() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0), backlog=512) as server:
        yield server


def message(
    *,
    ends: tuple[tuple[str, int], tuple[str, int]] = (CLIENT, SERVER),
    sequence: int = 7,
    kind: int = 20,
    family: int = socket.AF_INET,
    state: int = 1,
    uid: int = 1000,
    inode: int = 99,
) -> bytes:
    """An answer of the kernel, written by hand after linux/inet_diag.h."""
    addresses = b"".join(socket.inet_aton(address).ljust(16, b"\0") for address, _ in ends)
    identity = struct.pack("!HH", ends[0][1], ends[1][1]) + addresses + struct.pack("=III", 0, 1, 2)
    body = struct.pack("=BBBB", family, state, 0, 0) + identity + struct.pack("=IIIII", 0, 0, 0, uid, inode)
    return struct.pack("=IHHII", 16 + len(body), kind, 0, sequence, 0) + body


def error(number: int, *, sequence: int = 7) -> bytes:
    return struct.pack("=IHHIIi", 36, 2, 0, sequence, 0, number) + bytes(16)


# What the kernel says, on real sockets.


def test_a_connection_of_ones_own_is_recognised(lookup: SockDiag, server: socket.socket) -> None:
    with socket.create_connection(server.getsockname()) as client:
        found = lookup.peer(client.getsockname(), server.getsockname())

        assert Peer(os.getuid(), os.fstat(client.fileno()).st_ino, is_established=True) == found


def test_any_address_of_the_loopback_network_is_looked_up(lookup: SockDiag, server: socket.socket) -> None:
    with socket.create_connection(server.getsockname(), source_address=("127.0.0.2", 0)) as client:
        found = lookup.peer(client.getsockname(), server.getsockname())

        assert found is not None
        assert os.fstat(client.fileno()).st_ino == found.inode


@pytest.mark.real
@pytest.mark.skipif(not second_user.is_possible(), reason=second_user.WHY_NOT)
def test_another_users_connection_shows_that_user(lookup: SockDiag, server: socket.socket) -> None:
    code = "import socket, sys; s = socket.create_connection(('127.0.0.1', int(sys.argv[1]))); s.recv(1)"
    stranger = second_user.start(code, server.getsockname()[1])
    accepted, client = server.accept()
    with accepted:
        found = lookup.peer(client, server.getsockname())
        accepted.sendall(b".")
    second_user.result(stranger)

    assert found is not None
    assert (second_user.second_uid(), True) == (found.uid, found.is_established)


def test_a_client_that_has_gone_is_nobodys(lookup: SockDiag, server: socket.socket) -> None:
    with socket.create_connection(server.getsockname()):
        accepted, address = server.accept()
    with accepted:
        found = lookup.peer(address, server.getsockname())

    assert found is not None
    assert (0, False) == (found.inode, found.is_established)  # its uid reads 0, which is not root's


def test_a_client_that_was_reset_is_not_found(lookup: SockDiag, server: socket.socket) -> None:
    with socket.create_connection(server.getsockname()) as client:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        address = client.getsockname()

    assert lookup.peer(address, server.getsockname()) is None


def test_a_half_closed_client_is_not_established(lookup: SockDiag, server: socket.socket) -> None:
    with socket.create_connection(server.getsockname()) as client:
        client.shutdown(socket.SHUT_WR)
        found = lookup.peer(client.getsockname(), server.getsockname())

    assert found is not None
    assert not found.is_established


def test_a_socket_that_never_connected_to_us_is_not_found(lookup: SockDiag, server: socket.socket) -> None:
    with (
        socket.create_server(("127.0.0.1", 0)) as elsewhere,
        socket.create_connection(elsewhere.getsockname()) as client,
    ):
        assert lookup.peer(client.getsockname(), server.getsockname()) is None


def test_whoever_listens_on_the_clients_port_is_not_taken_for_the_client(
    lookup: SockDiag, server: socket.socket
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        assert lookup.peer(listener.getsockname(), server.getsockname()) is None


def test_of_200_connections_each_is_told_apart(lookup: SockDiag, server: socket.socket) -> None:
    with ExitStack() as stack:
        clients = [stack.enter_context(socket.create_connection(server.getsockname())) for _ in range(200)]
        for closed in clients[::3]:
            closed.close()
        for _ in clients:
            accepted, address = server.accept()
            stack.enter_context(accepted)
            found = lookup.peer(address, server.getsockname())
            holder = [client for client in clients if client.fileno() != -1 and client.getsockname() == address]
            inodes = [os.fstat(client.fileno()).st_ino for client in holder]
            assert found is not None
            assert (inodes or [0]) == [found.inode]
            assert bool(inodes) == found.is_established


# What goes wrong on the way.


def test_a_socket_that_is_broken_is_opened_anew(
    lookup: SockDiag, server: socket.socket, caplog: pytest.LogCaptureFixture
) -> None:
    with socket.create_connection(server.getsockname()) as client:
        assert lookup._socket is not None
        lookup._socket.close()

        assert lookup.peer(client.getsockname(), server.getsockname()) is None
        assert "did not say whose process connects" in caplog.text
        assert lookup.peer(client.getsockname(), server.getsockname()) is not None


def test_answers_to_earlier_questions_are_passed_over(lookup: SockDiag, server: socket.socket) -> None:
    with (
        socket.create_connection(server.getsockname()) as client,
        socket.create_connection(server.getsockname()) as other,
    ):
        assert lookup._socket is not None
        for left in range(3):
            lookup._socket.send(request_bytes(other.getsockname(), server.getsockname(), 1000 + left))

        found = lookup.peer(client.getsockname(), server.getsockname())

        assert found is not None
        assert os.fstat(client.fileno()).st_ino == found.inode


@pytest.mark.skipif(not second_user.is_possible(), reason="only root may send to another process's netlink socket")
def test_an_answer_that_another_process_sent_is_not_believed(lookup: SockDiag, server: socket.socket) -> None:
    with (
        socket.create_connection(server.getsockname()) as client,
        socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 4) as forger,
    ):
        assert lookup._socket is not None
        ends = client.getsockname(), server.getsockname()
        forged = message(ends=ends, sequence=lookup._sequence + 1, uid=os.getuid() + 1)
        forger.sendto(forged, lookup._socket.getsockname())

        assert lookup.peer(*ends) is None
        assert lookup.peer(*ends) == Peer(os.getuid(), os.fstat(client.fileno()).st_ino, is_established=True)


def test_too_many_answers_to_earlier_questions_tell_nothing_once(lookup: SockDiag, server: socket.socket) -> None:
    with socket.create_connection(server.getsockname()) as client:
        assert lookup._socket is not None
        for left in range(20):
            lookup._socket.send(request_bytes(client.getsockname(), server.getsockname(), 1000 + left))

        assert lookup.peer(client.getsockname(), server.getsockname()) is None
        assert lookup.peer(client.getsockname(), server.getsockname()) is not None


def test_without_a_descriptor_to_spare_nothing_is_told(
    lookup: SockDiag, server: socket.socket, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.handler.setFormatter(Formatter())
    with socket.create_connection(server.getsockname()) as client:
        lookup.close()
        limits = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (0, limits[1]))
        try:
            found = lookup.peer(client.getsockname(), server.getsockname())
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, limits)

        assert found is None
        assert 'error="OSError (EMFILE)"' in caplog.text
        assert lookup.peer(client.getsockname(), server.getsockname()) is not None


def test_a_system_that_cannot_tell_is_said_to_be_one(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def refused() -> socket.socket:
        raise PermissionError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr(peer, "_open_netlink", refused)

    assert peer.open_lookup() is None
    assert 1 == sum("keys and tokens alone" in record.getMessage() for record in caplog.records)


def test_a_uid_that_stands_for_every_unknown_user_tells_nothing(tmp_path: Path) -> None:
    (tmp_path / "sys/kernel").mkdir(parents=True)
    (tmp_path / "self").mkdir()
    (tmp_path / "sys/kernel/overflowuid").write_text("65534\n", encoding="ascii")

    for uid, mapped, is_unmapped in (
        (65534, "", True),
        (65534, "         0       1000          1\n", True),
        (65534, "         0          0 4294967295\n", False),
        (1000, "", False),
    ):
        (tmp_path / "self/uid_map").write_text(mapped, encoding="ascii")
        assert is_unmapped == peer._is_unmapped(uid, tmp_path)


# The answer, byte by byte.


def test_an_answer_about_the_very_socket_is_believed() -> None:
    assert Peer(1000, 99, is_established=True) == read_reply(message(), CLIENT, SERVER, 7)
    assert Peer(1000, 99, is_established=False) == read_reply(message(state=8), CLIENT, SERVER, 7)


def test_no_such_socket_is_an_answer() -> None:
    assert read_reply(error(-errno.ENOENT), CLIENT, SERVER, 7) is None
    assert read_reply(message(ends=(CLIENT, ("0.0.0.0", 0)), state=10), CLIENT, SERVER, 7) is None  # noqa: S104


@pytest.mark.parametrize(
    "reply",
    [
        b"",
        message()[:15],
        message()[:-1],
        error(-errno.EPERM),
        error(errno.ENOENT),
        error(0),
        error(-errno.ENOENT)[:18],
        message(kind=3),
        message(family=socket.AF_INET6),
        message(ends=(SERVER, CLIENT)),
        message(ends=(("127.0.0.2", 40000), SERVER)),
        message(ends=(CLIENT, ("127.0.0.2", 4380))),
        message(ends=(("127.0.0.1", 40001), SERVER)),
        message(ends=(CLIENT, ("127.0.0.1", 4381))),
        struct.pack("=I", 20) + message()[4:],
    ],
    ids=lambda reply: f"{len(reply)} bytes",
)
def test_any_other_answer_is_refused(reply: bytes) -> None:
    with pytest.raises(BadReply):
        read_reply(reply, CLIENT, SERVER, 7)


def test_an_answer_to_another_question_is_told_apart() -> None:
    with pytest.raises(StaleReply):
        read_reply(message(sequence=6), CLIENT, SERVER, 7)


@given(reply=st.binary(max_size=200) | st.binary(max_size=90).map(lambda tail: message()[:16] + tail))
def test_no_bytes_are_taken_for_an_answer_by_accident(reply: bytes) -> None:
    try:
        found = read_reply(reply, CLIENT, SERVER, 7)
    except BadReply:
        return
    assert found is None or message()[20:56] == reply[20:56]


@given(data=st.data())
def test_a_flipped_bit_is_refused_or_changes_nothing_but_the_facts(data: st.DataObject) -> None:
    whole = bytearray(message())
    at = data.draw(st.integers(0, len(whole) * 8 - 1))
    whole[at // 8] ^= 1 << at % 8
    try:
        found = read_reply(bytes(whole), CLIENT, SERVER, 7)
    except BadReply:
        return
    assert found is not None
    assert message()[20:56] == bytes(whole[20:56])


@given(
    client=st.tuples(st.ip_addresses(v=4).map(str), st.integers(0, 65535)),
    server=st.tuples(st.ip_addresses(v=4).map(str), st.integers(0, 65535)),
    sequence=st.integers(0, 2**32 - 1),
)
def test_the_question_names_both_ends_and_nothing_else(
    client: tuple[str, int], server: tuple[str, int], sequence: int
) -> None:
    asked = request_bytes(client, server, sequence)

    assert 72 == len(asked)
    assert (72, 20, 1, sequence, 0) == struct.unpack_from("=IHHII", asked)
    assert message(ends=(client, server))[20:56] == asked[24:60]


# The Unix socket.


def test_a_unix_socket_tells_who_connected(tmp_path: Path) -> None:
    ours, theirs = socket.socketpair(socket.AF_UNIX)
    with ours, theirs:
        assert os.getuid() == peer.unix_uid(ours)


def test_a_tcp_socket_tells_nobody(server: socket.socket) -> None:
    with socket.create_connection(server.getsockname()):
        accepted, _ = server.accept()
        with accepted:
            assert peer.unix_uid(accepted) is None


def test_uvloops_sockets_tell_too(tmp_path: Path) -> None:
    seen: list[int | None] = []

    class Asked(asyncio.Protocol):
        def connection_made(self, transport: asyncio.BaseTransport) -> None:
            seen.append(peer.unix_uid(transport.get_extra_info("socket")))
            transport.close()

    async def ask() -> None:
        server = await asyncio.get_running_loop().create_unix_server(Asked, str(tmp_path / "socket"))
        reader, writer = await asyncio.open_unix_connection(str(tmp_path / "socket"))
        assert b"" == await reader.read()
        writer.close()
        server.close()
        await server.wait_closed()

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(ask())

    assert [os.getuid()] == seen


def test_macos_credentials_are_read_and_other_versions_are_not() -> None:
    written = struct.pack("=IIhxx16I", 0, 501, 1, 20, *range(15))

    assert 501 == read_xucred(written)
    assert read_xucred(struct.pack("=I", 1) + written[4:]) is None
    assert read_xucred(written[:-1]) is None
