"""Where the daemon listens and connects: one literal address, and no setting or variable that could change it."""

import ast
import re
import socket
from pathlib import Path

import msgspec
import pytest
from msgspec import inspect

from bridge import listen
from bridge.config import ConfigInvalid, Settings, read
from bridge.front import peer
from tests.immunity.product import ROOT, calls, nodes
from tests.parts.daemon import Daemon

ADDRESSES = ("0.0.0.0", "::", "", "localhost", "*", "192.168.1.10", "127.1", "0x7f000001", "127.0.0.1", "[::1]")  # noqa: S104

SWITCHES = {"vault.key_file"}
"""The settings that are on or off. This one is a place: where the key lies when no keyring can be had."""

ENVIRONMENT = {
    "XDG_RUNTIME_DIR",  # where the socket lies
    "DBUS_SESSION_BUS_ADDRESS",  # where the players are
    "NO_COLOR", "BROWSER", "DISPLAY", "WAYLAND_DISPLAY",  # the command line's
}  # fmt: skip
"""Every variable that the daemon or its command line reads by itself."""


@pytest.mark.parametrize("name", ["host", "bind", "address", "listen", "interface", "allow_remote"])
@pytest.mark.parametrize("section", ["daemon", "limits", "player", None])
def test_no_setting_says_where_to_listen(tmp_path: Path, section: str | None, name: str) -> None:
    for address in ADDRESSES:
        file = tmp_path / "config.toml"
        file.write_text(f"{f'[{section}]' if section else ''}\n{name} = '{address}'\n", encoding="utf-8")
        file.chmod(0o600)

        with pytest.raises(ConfigInvalid) as refused:
            read(file)

        assert name in refused.value.detail


def test_a_port_is_a_number_and_no_address(tmp_path: Path) -> None:
    for ports in ("['0.0.0.0:4380']", "'4380'", "[-1]", "[65536]", "[]", "[true]", "[4380.5]"):
        file = tmp_path / "config.toml"
        file.write_text(f"[daemon]\nports = {ports}\n", encoding="utf-8")
        file.chmod(0o600)

        with pytest.raises(ConfigInvalid):
            read(file)


def settings() -> dict[str, inspect.Type]:
    """Return every setting by its full name."""

    def below(kind: inspect.Type, name: str) -> dict[str, inspect.Type]:
        if not isinstance(kind, inspect.StructType):
            return {name: kind}
        assert kind.forbid_unknown_fields, f"{name} would ignore what it does not know"
        found: dict[str, inspect.Type] = {}
        for field in kind.fields:
            found |= below(field.type, f"{name}.{field.name}".removeprefix("."))
        return found

    return below(inspect.type_info(Settings), "")


def test_no_setting_turns_a_check_off() -> None:
    told = settings()

    assert {name for name, kind in told.items() if isinstance(kind, inspect.BoolType)} == SWITCHES
    for name, kind in told.items():
        if name.startswith("limits."):
            assert isinstance(kind, inspect.IntType), name
            assert kind.ge is not None, name
            assert kind.ge >= 1, f"{name}: nought would mean no limit, or no service"
            assert kind.le is not None, f"{name} has no upper bound"


def test_no_setting_speaks_of_hosts_origins_tokens_or_proofs() -> None:
    words = re.compile(r"host|origin|cors|token|proof|auth|insecure|skip|disable|trust|proxy|debug|dev", re.IGNORECASE)

    assert [] == [name for name in settings() if words.search(name)]


def test_no_default_is_refused_by_the_settings_own_rules() -> None:
    assert Settings() == msgspec.convert(msgspec.to_builtins(Settings()), Settings)


def test_no_environment_variable_but_these_is_read() -> None:
    read_names: set[str] = set()
    for path, name, call in calls():
        if name in ("os.environ.get", "os.getenv", "environ.get", "getenv"):
            assert isinstance(call.args[0], ast.Constant), f"{path}:{call.lineno}: which variable cannot be seen"
            read_names.add(str(call.args[0].value))
    for path, node in nodes():
        if isinstance(node, ast.Subscript) and ast.unparse(node.value).endswith("environ"):
            assert isinstance(node.slice, ast.Constant), f"{path}:{node.lineno}: which variable cannot be seen"
            read_names.add(str(node.slice.value))

    assert read_names <= ENVIRONMENT


def test_one_file_binds_and_binds_the_literal_alone() -> None:
    bound = {(path, ast.unparse(call.args[0])) for path, name, call in calls() if name.endswith(".bind")}

    assert bound == {("bridge/listen.py", "(HOST, port)"), ("bridge/listen.py", "str(path)")}
    assert "127.0.0.1" == listen.HOST
    openers = ("create_server", "start_server", "TCPSite", "UnixSite", "run_app", "create_unix_server")
    opened = {(path, ast.unparse(call.args[0])) for path, name, call in calls() if name.endswith(openers)}
    # The second is a connection to itself at start, to see whether the kernel says whose it is.
    assert {found for found in opened if found[0] != "bridge/front/server.py"} <= {
        ("bridge/front/peer.py", "(HOST, 0)")
    }
    assert "127.0.0.1" == peer.HOST


def test_no_socket_is_shared_with_another_process() -> None:
    used = {ast.unparse(node) for _, node in nodes() if isinstance(node, ast.Attribute)}

    assert not {name for name in used if name.endswith(("SO_REUSEPORT", ".reuse_port"))}
    assert not {path for path, _, call in calls() if any(word.arg == "reuse_port" for word in call.keywords)}


@pytest.mark.real
def test_the_real_daemon_listens_on_one_loopback_address_and_nowhere_else() -> None:
    with Daemon() as daemon:
        listening = [row for row in tables() if row[0] in inodes(daemon.pid) and row[2] in ("0A", "07")]

        assert [(f"0100007F:{daemon.port:04X}", "0A")] == [(address, state) for _, address, state in listening]


@pytest.mark.real
def test_no_text_that_looks_like_an_address_makes_the_daemon_connect() -> None:
    with Daemon() as daemon, socket.create_server(("127.0.0.1", 0)) as canary:
        canary.settimeout(0.0)
        place = f"http://127.0.0.1:{canary.getsockname()[1]}"
        token = daemon.token("system:read player:read player:control")
        assert {"text": place} == daemon.call("system.echo", text=place)
        for uri in (f"{place}/tune.mp3", f"http://169.254.169.254@{place[7:]}/", f"file://{place[7:]}/etc/passwd"):
            daemon.send("POST", "/v1/apps/player/open", {"uri": uri})
        for path in (
            "/.well-known/oauth-authorization-server",
            "/oauth/requests",
            "/v1/hello",
            "/v1/events",
            f"/{place}",
            f"//{place[7:]}/x",
        ):
            daemon.send("GET", f"{path}?client_id={place}&redirect_uri={place}&request_uri={place}&jku={place}")
            daemon.send("POST", path, {"query": f"client_id={place}&redirect_uri={place}/x&request_uri={place}"})
        over_tcp(daemon, f"Authorization: Bearer {token}", f"Referer: {place}", f"Link: <{place}>", f"Origin: {place}")

        daemon.call("system.version")  # it has answered all of it
        with pytest.raises(BlockingIOError):
            canary.accept()


def over_tcp(daemon: Daemon, *headers: str) -> None:
    with socket.create_connection(("127.0.0.1", daemon.port), timeout=10) as connection:
        head = ["GET /v1/apps HTTP/1.1", f"Host: 127.0.0.1:{daemon.port}", *headers, "Connection: close", "", ""]
        connection.sendall("\r\n".join(head).encode())
        while connection.recv(65536):
            pass


def inodes(pid: int) -> set[str]:
    """Return the inodes of a process's sockets."""
    links = [str(path.readlink()) for path in Path(f"/proc/{pid}/fd").iterdir() if path.is_symlink()]
    return {link[8:-1] for link in links if link.startswith("socket:[")}


def tables() -> list[tuple[str, str, str]]:
    """Return (inode, local address, state) of every TCP and UDP socket of this computer."""
    rows = [
        line.split()
        for name in ("tcp", "tcp6", "udp", "udp6")
        if (table := Path(f"/proc/net/{name}")).exists()
        for line in table.read_text(encoding="ascii").splitlines()[1:]
    ]
    return [(row[9], row[1], row[3]) for row in rows]


def test_pages_know_the_daemon_by_its_literal_address_alone() -> None:
    folders = ("web_client/src", "web_client/pages", "bridge/web")
    files = [
        path for folder in folders for path in (ROOT / folder).rglob("*") if path.suffix in (".ts", ".js", ".html")
    ]
    named = {
        host
        for path in files
        for host in re.findall(r"[\"'`](?:https?|wss?)://([\w.-]+)", path.read_text(encoding="utf-8"))
    }

    assert files
    assert named == {"127.0.0.1", "www.w3.org"}, "the second is the name of SVG, which nobody looks up"
    assert not [path for path in files if re.search(r"://\$\{", path.read_text(encoding="utf-8"))], (
        "a name put together"
    )
