"""Whatever happens on the socket becomes one sentence and an exit status."""

import socket
import threading
import time

import pytest

from bridge import paths, runtime
from bridge.cli import client
from bridge.cli.failures import AnswerNotUnderstood, NotRunning, Refused, Unanswered
from bridge.cli.request import Request
from tests.bridge.cli.conftest import Cli
from tests.bridge.cli.daemon_double import DaemonDouble, Hangup, Silence, problem

STATUS = Request("GET", "/v1/status")


@pytest.mark.usefixtures("home")
def test_no_daemon_is_said_with_status_3(cli: Cli) -> None:
    ran = cli("status")

    assert (3, "", "No daemon is running. Start it with `tollbridge run`.\n") == (ran.status, ran.out, ran.err)


def test_a_runtime_file_left_by_a_crash_means_no_daemon(daemon: DaemonDouble) -> None:
    daemon.stop()

    with pytest.raises(NotRunning):
        client.send(STATUS)


def test_a_socket_nobody_listens_on_means_no_daemon(daemon: DaemonDouble) -> None:
    daemon.stop()
    with socket.socket(socket.AF_UNIX) as leftover:
        leftover.bind(str(daemon.socket))

    with pytest.raises(NotRunning):
        client.send(STATUS)


def test_a_runtime_file_that_cannot_be_read_is_passed_over(daemon: DaemonDouble) -> None:
    daemon.answers["GET", "/v1/status"] = 200, {}
    (daemon.folder / "daemon.json").write_bytes(b'{"socket": 5')

    assert b"{}" == client.send(STATUS)


def test_the_runtime_file_says_where_the_socket_is(daemon: DaemonDouble) -> None:
    runtime.write(paths.runtime_file(), runtime.Runtime(1, "", 0, "/somewhere/else", "", ""))

    assert "/somewhere/else" == str(client.socket_path())
    assert daemon.socket != client.socket_path()


@pytest.mark.usefixtures("daemon")
def test_where_the_path_is_too_long_for_a_socket_no_daemon_can_run() -> None:
    runtime.write(paths.runtime_file(), runtime.Runtime(1, "", 0, "/x" * 100, "", ""))

    with pytest.raises(NotRunning):
        client.send(STATUS)


def test_every_wait_has_a_deadline(daemon: DaemonDouble) -> None:
    daemon.answers["GET", "/v1/status"] = 200, Silence()
    begun = time.monotonic()

    with pytest.raises(Unanswered, match=r"did not answer within 0\.2 s; whether it did"):
        client.send(STATUS, deadline=0.2)
    assert time.monotonic() - begun < 5


def test_a_daemon_that_dies_in_mid_answer_is_said(daemon: DaemonDouble) -> None:
    daemon.answers["GET", "/v1/status"] = 200, Hangup()

    with pytest.raises(Unanswered, match="broke off"):
        client.send(STATUS)


def test_a_problem_is_shown_with_title_detail_path_and_code(daemon: DaemonDouble, cli: Cli) -> None:
    daemon.answers["GET", "/v1/status"] = problem(
        429, "too_many", title="Too many requests", detail="wait a little", path="$.volume", retry_after=1.5
    )

    ran = cli("status")

    assert 1 == ran.status
    assert "Too many requests.\nwait a little\nat: $.volume\nTry again in 1.5 s.\ncode: too_many\n" == ran.err


def test_a_problem_cannot_take_over_the_terminal(daemon: DaemonDouble, cli: Cli) -> None:
    daemon.answers["GET", "/v1/status"] = problem(400, "x", detail="no origin \x1b[2J\u202e")

    assert "no origin \\u001b[2J\\u202e" in cli("status").err


@pytest.mark.parametrize(
    ("body", "code", "detail"),
    [
        ({"error": "invalid_scope", "error_description": "no such scope"}, "invalid_scope", "no such scope"),
        (b"plain text", "unknown", "plain text"),
        (b"", "unknown", ""),
        (b"\xff", "unknown", "\ufffd"),
        ([1], "unknown", "[1]"),
    ],
)
def test_refusals_of_other_forms_are_shown_too(daemon: DaemonDouble, body: object, code: str, detail: str) -> None:
    daemon.answers["GET", "/v1/status"] = 400, body

    with pytest.raises(Refused) as refused:
        client.send(STATUS)
    assert (code, detail) == (refused.value.problem.code, refused.value.problem.detail)


@pytest.mark.parametrize("body", [b"", b"[]", b"{", b'{"version": 1}', b"\xff", b'{"version":"1"}'])
def test_an_answer_of_another_form_is_a_sentence(daemon: DaemonDouble, cli: Cli, body: bytes) -> None:
    daemon.answers["GET", "/v1/status"] = 200, body

    ran = cli("status")

    assert (1, "") == (ran.status, ran.out)
    assert ran.err.startswith("The daemon's answer was not understood (")


def test_something_else_that_listens_there_is_a_sentence(daemon: DaemonDouble) -> None:
    path = daemon.folder / "other"
    with socket.socket(socket.AF_UNIX) as other:
        other.bind(str(path))
        other.listen()
        runtime.write(paths.runtime_file(), runtime.Runtime(1, "", 0, str(path), "", ""))
        greeter = threading.Thread(target=lambda: _greet(other))
        greeter.start()

        with pytest.raises(AnswerNotUnderstood):
            client.send(STATUS)
        greeter.join(5)


def _greet(listener: socket.socket) -> None:
    accepted, _ = listener.accept()
    with accepted:
        accepted.recv(65536)
        accepted.sendall(b"220 ready\r\n")


def test_a_command_that_knows_better_what_to_do_says_it_in_place_of_the_daemon(daemon: DaemonDouble) -> None:
    daemon.answers["GET", "/v1/status"] = problem(
        404, "not_found", detail="GET /v1/apps lists them", path="$.topics[0]"
    )

    with pytest.raises(Refused) as refused:
        client.send(STATUS, said={"not_found": "Look here."})
    with pytest.raises(Refused) as other:
        client.send(STATUS, said={"gone": "Look here."})

    assert "Not found.\nLook here.\ncode: not_found" == refused.value.message
    assert "GET /v1/apps lists them" in other.value.message
