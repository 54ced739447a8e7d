"""Another user of this computer, and a neighbour in its network: whose process connects decides, before a byte is read.

S-02, S-03, S-55 and the uid half of S-52. The suite's own user runs the daemon; the other user is `nobody`.
"""

import os
import pwd
import re
import signal
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from tests.parts import second_user
from tests.parts.daemon import Daemon
from tests.parts.processes import wait_until

pytestmark = [
    pytest.mark.real,
    pytest.mark.skipif(not second_user.is_possible(), reason=second_user.WHY_NOT),
]

ASK = """
import socket, sys
where, token, host = sys.argv[1:4]
link = socket.socket(socket.AF_UNIX if where.startswith("/") else socket.AF_INET)
link.settimeout(10)
try:
    link.connect(where if where.startswith("/") else ("127.0.0.1", int(where)))
except PermissionError:
    sys.exit(print("not connected"))
head = f"GET /v1/apps HTTP/1.1\\r\\nHost: {host}\\r\\nConnection: close\\r\\n"
head += f"Authorization: Bearer {token}\\r\\n" if token else ""
got = b""
try:
    link.sendall(head.encode() + b"\\r\\n")
    while piece := link.recv(65536):
        got += piece
except ConnectionError:
    pass
print(got.split(b"\\r\\n")[0].decode() or "closed")
"""
"""A request with perfect headers; it prints the status line of the answer, "closed" or "not connected"."""

LEAVE = """
import socket, sys
for _ in range(int(sys.argv[2])):
    with socket.create_connection(("127.0.0.1", int(sys.argv[1]))) as link:
        link.sendall(sys.argv[3].encode().decode("unicode_escape").encode())
"""
"""Connects, sends and is gone."""

HAND_OVER = """
import socket, sys
link = socket.socket()
if sys.argv[2] == "connected":
    link.connect(("127.0.0.1", int(sys.argv[1])))
with socket.socket(fileno=int(sys.argv[3])) as way:
    socket.send_fds(way, [b"."], [link.fileno()])
    way.recv(1)
"""
"""Makes a socket and passes it through the descriptor that it inherited."""


@pytest.fixture(name="daemon")
def _daemon() -> Iterator[Daemon]:
    with Daemon() as daemon:
        yield daemon
        assert "Traceback" not in daemon.log.read_text(encoding="utf-8")


@pytest.fixture(name="token")
def _token(daemon: Daemon) -> str:
    return daemon.token("player:read player:control")


def refusals(daemon: Daemon) -> list[dict[str, Any]]:
    told: list[dict[str, Any]] = daemon.ask("GET", "/v1/refusals")["refusals"]
    return told


def reasons(daemon: Daemon) -> list[str]:
    return [each["reason"] for each in refusals(daemon) for _ in range(each["count"])]


def request(daemon: Daemon, token: str) -> bytes:
    return f"GET /v1/apps HTTP/1.1\r\nHost: 127.0.0.1:{daemon.port}\r\nAuthorization: Bearer {token}\r\n\r\n".encode()


def heard(link: socket.socket) -> bytes:
    """Return the first bytes of an answer; none where the connection was closed."""
    link.settimeout(10.0)
    try:
        return link.recv(65536)
    except ConnectionError:
        return b""


# TCP.


def test_another_users_program_is_closed_out_even_with_a_valid_token(daemon: Daemon, token: str) -> None:
    host = f"127.0.0.1:{daemon.port}"

    assert "closed" == second_user.result(second_user.start(ASK, daemon.port, token, host))
    assert "HTTP/1.1 200 OK" == second_user.result(second_user.start_as_ourselves(ASK, daemon.port, token, host))

    assert ["peer_foreign"] == reasons(daemon)
    shown = daemon.cli("refusals").stdout
    assert "peer_foreign" in shown
    assert "each user of a computer runs a daemon of their own" in " ".join(shown.split())
    assert 1 == daemon.log.read_text(encoding="utf-8").count("peer_foreign")


def test_the_same_user_without_a_token_is_heard_and_gets_nothing(daemon: Daemon) -> None:
    host = f"127.0.0.1:{daemon.port}"

    answer = second_user.result(second_user.start_as_ourselves(ASK, daemon.port, "", host))

    assert "HTTP/1.1 401 Unauthorized" == answer


def test_another_users_program_in_a_user_namespace_of_its_own_is_no_less_foreign(daemon: Daemon, token: str) -> None:
    if subprocess.run(["unshare", "-Ur", "true"], user="nobody", check=False, capture_output=True).returncode:
        pytest.skip("this machine lets no plain user make a user namespace")
    for as_whom in ("-U", "-Ur"):
        asked = second_user.start(ASK, daemon.port, token, f"127.0.0.1:{daemon.port}", prefix=("unshare", as_whom))
        assert "closed" == second_user.result(asked)

    assert ["peer_foreign"] * 2 == reasons(daemon)


@pytest.mark.parametrize("is_stranger", [True, False])
def test_a_client_that_has_gone_when_it_is_looked_at_is_never_taken_for_root(
    daemon: Daemon, token: str, is_stranger: bool
) -> None:
    # The daemon runs as root here, and the kernel gives a socket that nobody holds the uid 0.
    sent = request(daemon, token).decode().replace("\r\n", "\\r\\n")
    start = second_user.start if is_stranger else second_user.start_as_ourselves
    os.kill(daemon.pid, signal.SIGSTOP)
    try:
        second_user.result(start(LEAVE, daemon.port, 12, sent))
    finally:
        os.kill(daemon.pid, signal.SIGCONT)
    wait_until(lambda: 12 == len(reasons(daemon)), "each is refused")

    assert {"peer_unknown"} == set(reasons(daemon))


@pytest.mark.parametrize("state", ["connected", "fresh"])
def test_a_socket_that_another_user_made_stays_that_users_in_our_hands(daemon: Daemon, token: str, state: str) -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        giver = second_user.start(HAND_OVER, daemon.port, state, theirs.fileno(), keep=(theirs.fileno(),))
        _, (descriptor,), *_ = socket.recv_fds(ours, 1, 1)
        with socket.socket(fileno=descriptor) as link:
            if state == "fresh":
                link.connect(("127.0.0.1", daemon.port))
            with suppress(ConnectionError):
                link.sendall(request(daemon, token))
            assert b"" == heard(link)
        ours.sendall(b".")
        second_user.result(giver)

    assert ["peer_foreign"] == reasons(daemon)


def test_of_many_connections_of_two_users_each_is_told_apart(daemon: Daemon, token: str) -> None:
    many = """
import socket, sys
links = []
for _ in range(150):
    try:
        links.append(socket.create_connection(("127.0.0.1", int(sys.argv[1]))))
    except ConnectionError:
        links.append(None)
answered = 0
for link in links:
    try:
        link.sendall(sys.argv[2].encode().decode("unicode_escape").encode())
        answered += link.recv(12) == b"HTTP/1.1 200"
    except (AttributeError, ConnectionError):
        pass
print(answered)
"""
    sent = request(daemon, token).decode().replace("\r\n", "\\r\\n")

    strangers = [second_user.start(many, daemon.port, sent) for _ in range(2)]
    owners = [second_user.start_as_ourselves(many, daemon.port, sent) for _ in range(2)]

    assert ["150", "150"] == [second_user.result(owner) for owner in owners]
    assert ["0", "0"] == [second_user.result(stranger) for stranger in strangers]
    assert ["peer_foreign"] * 300 == reasons(daemon)
    assert 1 == daemon.log.read_text(encoding="utf-8").count("peer_foreign"), "they fill no log"


# The Unix socket.


def test_the_unix_socket_is_out_of_another_users_reach(daemon: Daemon) -> None:
    path = Path(daemon.socket)

    assert (0o600, 0o700) == (path.stat().st_mode & 0o777, path.parent.stat().st_mode & 0o777)
    assert "not connected" == second_user.result(second_user.start(ASK, daemon.socket, "", "localhost"))
    opened = [folder for folder in path.parents if folder.is_relative_to(daemon.home)]
    for folder in opened:
        folder.chmod(0o755)
    assert "not connected" == second_user.result(second_user.start(ASK, daemon.socket, "", "localhost"))


def test_a_unix_socket_that_was_opened_to_all_still_asks_who_connects(daemon: Daemon) -> None:
    path = Path(daemon.socket)
    for folder in [folder for folder in path.parents if folder.is_relative_to(daemon.home)]:
        folder.chmod(0o755)
    path.chmod(0o666)

    assert "closed" == second_user.result(second_user.start(ASK, daemon.socket, "", "localhost"))
    assert "HTTP/1.1 200 OK" == second_user.result(second_user.start_as_ourselves(ASK, daemon.socket, "", "localhost"))
    assert ["peer_foreign"] == reasons(daemon)


# Root is another user too.


class PlainDaemon(Daemon):
    """A daemon that the other user runs; the suite, as root, is the stranger."""

    def __init__(self) -> None:
        super().__init__(program=("-c", AS_PLAIN_USER))
        user = pwd.getpwnam("nobody")
        for path in (self.home, *self.home.rglob("*")):
            os.chown(path, user.pw_uid, user.pw_gid)

    def _answers(self) -> bool:
        try:
            return int(self.runtime["pid"]) == self.pid
        except (OSError, ValueError):
            return False


AS_PLAIN_USER = """
import os, sys
# The ability to read is kept: the interpreter of the tests may lie where another user cannot go.
able = "+dac_read_search"
way = ["setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups", "--inh-caps", able, "--ambient-caps", able]
os.execvp(way[0], [*way, sys.executable, "-m", "bridge", "run"])
"""


def test_root_is_another_user_where_a_plain_user_runs_the_daemon() -> None:
    with PlainDaemon() as daemon:
        host = f"127.0.0.1:{daemon.port}"

        assert "closed" == second_user.result(second_user.start_as_ourselves(ASK, daemon.port, "", host))
        assert "closed" == second_user.result(second_user.start_as_ourselves(ASK, daemon.socket, "", "localhost"))
        assert "HTTP/1.1 401 Unauthorized" == second_user.result(second_user.start(ASK, daemon.port, "", host))
        assert "HTTP/1.1 200 OK" == second_user.result(second_user.start(ASK, daemon.socket, "", "localhost"))
        daemon.stop()
        log = daemon.log.read_text(encoding="utf-8")
        assert 1 == len(re.findall("refused method.*peer_foreign", log))
        assert 1 == len(re.findall("refused again .*peer_foreign .*count=1", log))


# A neighbour in the network.

IN_NAMESPACE = """
import ctypes, os, runpy, sys
if ctypes.CDLL(None, use_errno=True).setns(os.open("/run/netns/{}", os.O_RDONLY), 0x40000000):
    raise OSError(ctypes.get_errno(), "setns")
sys.argv = ["tollbridge", "run"]
runpy.run_module("bridge", run_name="__main__")
"""


@contextmanager
def two_networks() -> Iterator[tuple[str, str]]:
    """Two network namespaces joined by a cable; both route 127.0.0.1 as if it were no loopback address."""
    first, second = f"tb{os.getpid()}a", f"tb{os.getpid()}b"
    try:
        for name in (first, second):
            ip("netns", "add", name)
            ip("-n", name, "link", "set", "lo", "up")
        ip("-n", first, "link", "add", "cable", "type", "veth", "peer", "name", "cable", "netns", second)
        for name, address in ((first, "10.254.77.1"), (second, "10.254.77.2")):
            ip("-n", name, "addr", "add", f"{address}/24", "dev", "cable")
            ip("-n", name, "link", "set", "cable", "up")
            setting = "/proc/sys/net/ipv4/conf/all/route_localnet"
            ip("netns", "exec", name, "sh", "-c", f"echo 1 > {setting}")
        ip("-n", second, "addr", "del", "127.0.0.1/8", "dev", "lo")
        ip("-n", second, "route", "add", "127.0.0.1/32", "via", "10.254.77.1", "dev", "cable", "src", "10.254.77.2")
        yield first, second
    finally:
        for name in (first, second):
            subprocess.run(["ip", "netns", "del", name], check=False, capture_output=True)


def ip(*arguments: str) -> None:
    subprocess.run(["ip", *arguments], check=True, capture_output=True)


@pytest.fixture(name="networks")
def _networks() -> Iterator[tuple[str, str]]:
    try:
        with two_networks() as names:
            yield names
    except (OSError, subprocess.CalledProcessError) as error:
        pytest.skip(f"two network namespaces cannot be made here: {error}")


def test_a_neighbour_whom_the_kernel_lets_reach_127_0_0_1_is_closed_out(networks: tuple[str, str]) -> None:
    ours, theirs = networks
    with Daemon(program=("-c", IN_NAMESPACE.format(ours))) as daemon:
        token, host = daemon.token("player:read"), f"127.0.0.1:{daemon.port}"
        neighbour = second_user.start_as_ourselves(
            ASK, daemon.port, token, host, prefix=("ip", "netns", "exec", theirs)
        )
        assert "closed" == second_user.result(neighbour)

        housemate = second_user.start_as_ourselves(ASK, daemon.port, token, host, prefix=("ip", "netns", "exec", ours))
        assert "HTTP/1.1 200 OK" == second_user.result(housemate)
        assert ["peer_address"] == reasons(daemon)
