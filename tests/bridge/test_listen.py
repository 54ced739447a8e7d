import os
import socket
from pathlib import Path

import pytest

from bridge import listen, paths


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


def test_the_first_start_takes_the_next_port_and_keeps_it(tmp_path: Path) -> None:
    second = free_port()
    with socket.create_server(("127.0.0.1", 0)) as busy:
        first = busy.getsockname()[1]
        with listen.open_tcp(tmp_path, (first, second)) as listener:
            assert ("127.0.0.1", second) == listener.getsockname()

    with listen.open_tcp(tmp_path, (first, second)) as listener:
        assert second == listener.getsockname()[1]


def test_a_remembered_port_that_is_taken_is_told_with_its_holder(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as busy:
        port = busy.getsockname()[1]
        paths.write_private(tmp_path / "port", str(port).encode())

        with pytest.raises(listen.PortTaken) as refused:
            listen.open_tcp(tmp_path, (0,))

    assert f"uid {os.getuid()}" in refused.value.detail
    assert "tollbridge port --move" in refused.value.detail


def test_all_ports_taken_at_the_first_start_is_told(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as busy, pytest.raises(listen.PortTaken):
        listen.open_tcp(tmp_path, (busy.getsockname()[1],))

    assert listen.remembered_port(tmp_path) is None


def test_the_port_is_never_shared(tmp_path: Path) -> None:
    with listen.open_tcp(tmp_path, (0,)) as listener:
        assert 0 == listener.getsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT)


def test_the_unix_socket_is_the_users_alone(tmp_path: Path) -> None:
    path = tmp_path / "socket"
    path.touch()

    with listen.open_unix(path):
        assert 0o600 == path.stat().st_mode & 0o777
