import logging
import os
import socket
from contextlib import ExitStack
from pathlib import Path

import pytest

from bridge import listen, paths
from bridge.logs import Formatter


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


@pytest.mark.parametrize(
    "content", [b"80", b"1023", b"0", b"65536", b"-4380", b"4_380", b"99999999999", b"four", b"", b"\xff", b"4380 4381"]
)
def test_a_remembered_port_that_no_start_can_have_chosen_is_ignored_and_that_is_told(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, content: bytes
) -> None:
    paths.write_private(tmp_path / "port", content)
    free = free_port()

    with listen.open_tcp(tmp_path, (free,)) as listener:
        assert free == listener.getsockname()[1]

    (told,) = [Formatter().format(record) for record in caplog.records if record.levelno == logging.WARNING]
    assert "it is ignored" in told
    assert str(tmp_path / "port") in told
    assert free == listen.remembered_port(tmp_path)


@pytest.mark.parametrize("content", [b"1024", b"65535", b"4380\n"])
def test_a_remembered_port_that_a_start_may_have_chosen_is_obeyed(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, content: bytes
) -> None:
    paths.write_private(tmp_path / "port", content)

    assert int(content) == listen.remembered_port(tmp_path)
    assert [] == caplog.records


def test_a_socket_path_that_the_system_does_not_take_is_told_with_the_limit_and_a_remedy(tmp_path: Path) -> None:
    fill = listen.LONGEST_SOCKET_PATH - len(os.fsencode(tmp_path)) - 1
    assert fill > 0

    with listen.open_unix(tmp_path / ("s" * fill)):
        pass
    with pytest.raises(listen.SocketPathTooLong) as refused:
        listen.open_unix(tmp_path / ("s" * (fill + 1)))

    assert str(tmp_path) in refused.value.detail
    assert f"{listen.LONGEST_SOCKET_PATH} at most; set XDG_RUNTIME_DIR " in refused.value.detail
    assert ["s" * fill] == [entry.name for entry in tmp_path.iterdir()]


def test_a_socket_that_cannot_be_made_is_told_with_its_path(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError) as refused:
        listen.open_unix(tmp_path / "missing/socket")

    assert str(tmp_path / "missing/socket") == refused.value.filename


def test_a_socket_where_somebody_answers_is_left_alone_and_told_with_whose_it_is(tmp_path: Path) -> None:
    path = tmp_path / "socket"
    with listen.open_unix(path) as first:
        made = path.stat()
        with pytest.raises(listen.SocketTaken) as refused:
            listen.open_unix(path)

        assert f"{path} is answered by pid {os.getpid()}, " in refused.value.detail
        assert f"`kill {os.getpid()}`" in refused.value.detail
        assert os.path.samestat(made, path.stat())
        first.accept()[0].close()


def test_a_socket_whose_program_is_too_busy_to_answer_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "socket"
    with ExitStack() as stack:
        busy = stack.enter_context(socket.socket(socket.AF_UNIX, socket.SOCK_STREAM))
        busy.bind(str(path))
        busy.listen(0)
        stack.enter_context(socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)).connect(str(path))

        with pytest.raises(listen.SocketTaken, match="is answered by somebody, "):
            listen.open_unix(path)

        assert path.is_socket()


def test_a_socket_that_a_killed_program_left_is_replaced(tmp_path: Path) -> None:
    path = tmp_path / "socket"
    listen.open_unix(path).close()
    assert path.is_socket()

    with listen.open_unix(path), socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as asked:
        asked.connect(str(path))


def test_a_socket_is_removed_by_the_one_who_made_it_alone(tmp_path: Path) -> None:
    path = tmp_path / "socket"
    with listen.open_unix(path):
        made = path.stat()
        path.rename(tmp_path / "old")
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as other:
            other.bind(str(path))

            listen.forget_unix(path, made)
            assert path.is_socket()
            listen.forget_unix(path, path.stat())
            assert not path.exists()
            listen.forget_unix(path, made)
