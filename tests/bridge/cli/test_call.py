"""`tollbridge call` sends what was typed, shows what came back, and lists what there is."""

import json

import pytest

from tests.bridge.cli.conftest import Cli
from tests.bridge.cli.daemon_double import DaemonDouble, problem


def test_a_call_sends_typed_parameters_and_prints_the_result_as_it_came(daemon: DaemonDouble, cli: Cli) -> None:
    daemon.answers["POST", "/v1/apps/player/set_volume"] = 200, b'{"volume":0.50,"title":"\xc3\xa9"}'

    ran = cli("call", "player.set_volume", "volume=0.5", "player=1")

    assert (0, '{"volume":0.50,"title":"é"}\n', "") == (ran.status, ran.out, ran.err)
    assert {"volume": 0.5, "player": "1"} == daemon.received[-1].body
    assert "application/json" == daemon.received[-1].headers["Content-Type"]


def test_a_call_without_parameters_sends_an_empty_object(daemon: DaemonDouble, cli: Cli) -> None:
    daemon.answers["POST", "/v1/apps/player/play"] = 200, {}

    assert 0 == cli("call", "player.play").status
    assert {} == daemon.received[-1].body


def test_a_parameter_that_the_daemon_refuses_is_shown_with_its_path(daemon: DaemonDouble, cli: Cli) -> None:
    daemon.answers["POST", "/v1/apps/player/set_volume"] = problem(
        400, "invalid_params", title="Invalid parameters", detail="Object contains unknown field `loud`", path="$"
    )

    ran = cli("call", "player.set_volume", "loud=yes")

    assert (1, "") == (ran.status, ran.out)
    assert "Invalid parameters.\nObject contains unknown field `loud`\nat: $\ncode: invalid_params\n" == ran.err


def test_a_command_that_does_not_exist_is_the_daemons_to_refuse(daemon: DaemonDouble, cli: Cli) -> None:
    daemon.answers["POST", "/v1/apps/player/dance"] = problem(404, "not_found", detail="GET /v1/apps lists them")

    ran = cli("call", "player.dance")

    assert 1 == ran.status
    assert (
        "Not found.\nThe app player has no command dance. `tollbridge call` lists what can be called.\n"
        "code: not_found\n"
    ) == ran.err
    assert "/v1/apps/player/dance" == daemon.received[-1].target


def test_an_app_that_does_not_exist_is_said_so(daemon: DaemonDouble, cli: Cli) -> None:
    daemon.answers["POST", "/v1/apps/lamp/on"] = problem(404, "not_found", detail="GET /v1/apps lists them")

    assert "There is no app lamp. `tollbridge call` lists what can be called.\n" in cli("call", "lamp.on").err


@pytest.mark.parametrize("command", ["play", "player.", ".play", "player.play.now", "../x.y", "player/play", "P.q", ""])
def test_what_is_no_command_is_a_usage_error(daemon: DaemonDouble, cli: Cli, command: str) -> None:
    ran = cli("call", command)

    assert 2 == ran.status
    assert "Write APP.COMMAND" in ran.err
    assert [] == daemon.received


@pytest.mark.parametrize("argument", ["volume", "volume:=loud", "=1"])
def test_what_is_no_parameter_is_a_usage_error_and_runs_nothing(daemon: DaemonDouble, cli: Cli, argument: str) -> None:
    ran = cli("call", "player.set_volume", argument)

    assert 2 == ran.status
    assert "Error: " in ran.err
    assert all(request.method == "GET" for request in daemon.received)


@pytest.mark.usefixtures("daemon")
def test_without_arguments_it_lists_commands_with_summary_and_parameters(cli: Cli) -> None:
    lines = cli("call").out.splitlines()

    assert ["COMMAND", "WHAT IT DOES", "PARAMETERS"] == [cell.strip() for cell in lines[0].split("  ") if cell]
    assert "player.play" in lines[1]
    assert "Start playing." in lines[1]
    assert lines[2].endswith("volume=NUMBER [player=TEXT]")


def test_an_argument_that_is_not_utf_8_is_a_sentence(daemon: DaemonDouble, process: Cli) -> None:
    ran = process("call", "player.set_volume", b"volume=\xff")

    assert 2 == ran.status
    assert "is not UTF-8" in ran.err
    assert "Traceback" not in ran.err
    assert [] == daemon.received


def test_a_very_long_parameter_goes_through(daemon: DaemonDouble, cli: Cli) -> None:
    daemon.answers["POST", "/v1/apps/player/set_volume"] = 200, {}

    assert 0 == cli("call", "player.set_volume", "player=" + "é" * 20_000).status
    assert "é" * 20_000 == json.loads(json.dumps(daemon.received[-1].body))["player"]
