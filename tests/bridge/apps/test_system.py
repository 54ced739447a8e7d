import msgspec
import pytest

from bridge import __version__
from bridge.apps import system
from bridge.messages import Caller

CALLER = Caller(client="owner", scopes=frozenset(), owner=True)


def test_version_is_the_packages() -> None:
    result = system.build().commands["version"].call(None, CALLER)

    assert __version__ == result.version


def test_uptime_counts_from_the_apps_making() -> None:
    times = iter([100.0, 160.5])
    app = system.build(clock=lambda: next(times))

    assert 60.5 == app.commands["uptime"].call(None, CALLER).seconds


def test_echo_returns_the_text() -> None:
    command = system.build().commands["echo"]

    assert "hé" == command.call(msgspec.json.decode('{"text":"hé"}', type=command.params), CALLER).text


def test_echo_has_a_bound() -> None:
    command = system.build().commands["echo"]

    with pytest.raises(msgspec.ValidationError):
        msgspec.json.decode(b'{"text":"%s"}' % (b"x" * 4097), type=command.params)


def test_every_command_answers_without_waiting_and_says_what_it_does() -> None:
    commands = system.build().describe().commands

    assert all(command.instant and command.summary for command in commands.values())
