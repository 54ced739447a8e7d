"""The command line as a whole: help, versions, wrong input, speed."""

import json
import os
import pty
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

import bridge
from bridge import paths
from bridge.cli.group import tollbridge
from tests.bridge.cli.conftest import Cli
from tests.bridge.cli.daemon_double import DaemonDouble
from tests.bridge.cli.test_approve import PROGRAM
from tests.bridge.cli.test_owner import GRANTS, STATUS
from tests.parts.daemon import Daemon

COMMANDS = sorted(tollbridge.commands)


def test_every_command_that_the_documents_name_is_there() -> None:
    assert {
        *(
            "run",
            "open",
            "status",
            "call",
            "watch",
            "approve",
            "deny",
            "pending",
            "grants",
            "offer",
            "offers",
            "refusals",
            "keyring",
            "token",
        ),
        *("audit", "paths", "port"),
    } == set(COMMANDS)


@pytest.mark.parametrize("command", COMMANDS)
def test_help_is_sentences_with_an_example(cli: Cli, command: str) -> None:
    ran = cli(command, "--help")

    assert 0 == ran.status
    assert f"  tollbridge {command}" in ran.out
    assert re.search(r"Examples?:\n", ran.out)
    first = ran.out.split("\n\n")[1]
    assert first.strip()[0].isupper()
    assert first.rstrip().endswith((".", ";"))
    assert "..." not in (tollbridge.commands[command].get_short_help_str(limit=60)).removesuffix(".")


@pytest.mark.parametrize("command", COMMANDS)
def test_every_option_is_explained_in_a_sentence(command: str) -> None:
    for parameter in tollbridge.commands[command].params:
        if parameter.param_type_name == "option":
            text = getattr(parameter, "help", None)
            assert text, parameter.name
            assert text[0].isupper()
            assert text.endswith(".")


def test_without_a_command_the_help_is_shown(cli: Cli) -> None:
    ran = cli()

    assert 2 == ran.status
    assert "Commands:" in ran.err


def test_the_version_is_the_packages(cli: Cli) -> None:
    assert f"tollbridge {bridge.__version__}\n" == cli("--version").out


@pytest.mark.parametrize(
    "arguments",
    [
        ("dance",),
        ("--loud",),
        ("status", "now"),
        ("status", "--loud"),
        ("approve",),
        ("deny",),
        ("token",),
        ("open", "it"),
        ("grants", "--revoke"),
        ("offer",),
        ("offer", "player"),
        ("offer", "player.play", "--uses", "0"),
        ("offers", "--revoke"),
        ("paths", "x"),
        ("run", "--no-checks"),
        ("port", "4380"),
    ],
    ids=" ".join,
)
def test_wrong_arguments_are_a_sentence_with_status_2(cli: Cli, arguments: tuple[str, ...]) -> None:
    ran = cli(*arguments)

    assert (2, "") == (ran.status, ran.out)
    assert re.search(r"^Error: [A-Z'].*[.)]$", ran.err, re.MULTILINE)


def test_a_settings_file_with_a_fault_is_a_sentence(home: Path, process: Cli) -> None:
    (home / "config" / "tollbridge").mkdir(parents=True)
    (home / "config" / "tollbridge" / "config.toml").write_text("[daemon]\nport = 5\n")

    ran = process("run")

    assert 1 == ran.status
    assert "The settings file is not valid: " in ran.err
    assert "Traceback" not in ran.err


def test_paths_need_no_daemon_and_name_where_everything_lies(home: Path, process: Cli) -> None:
    ran = process("paths")

    told = dict(re.split(r"  +", line, maxsplit=1) for line in ran.out.splitlines())
    assert 0 == ran.status
    assert f"{home}/config/tollbridge/config.toml" == told["settings"]
    assert f"{home}/state/tollbridge" == told["state"]
    assert f"{home}/run/tollbridge/socket" == told["socket"]
    assert f"{home}/run/tollbridge/daemon.json" == told["runtime file"]
    assert f"{home}/Music" == told["music folder"]


def test_paths_as_json(home: Path, cli: Cli) -> None:
    assert [f"{home}/Music"] == json.loads(cli("paths", "--json").out)["music_folders"]


def test_one_place_alone_is_printed_for_a_shell_to_use(home: Path, cli: Cli) -> None:
    assert f"{home}/run/tollbridge/socket\n" == cli("paths", "socket").out
    assert 3 == cli("paths", "base").status, "no daemon runs"


@pytest.mark.real
def test_the_address_is_that_of_a_daemon_that_answers_and_none_where_one_was_killed() -> None:
    with Daemon() as daemon:
        answered = daemon.cli("paths", "base")
        base = daemon.base
        daemon.kill()
        assert (daemon.home / "run/tollbridge/daemon.json").exists(), "a crash leaves it behind"
        assert (daemon.home / "run/tollbridge/socket").exists()
        dead = daemon.cli("paths", "base")

    assert (0, f"{base}\n") == (answered.returncode, answered.stdout)
    assert (3, "") == (dead.returncode, dead.stdout)
    assert "No daemon is running. Start it with `tollbridge run`.\n" == dead.stderr


def test_paths_are_shown_even_where_a_folder_of_the_settings_is_open_to_others(home: Path, cli: Cli) -> None:
    folder = home / "config" / "tollbridge"
    folder.mkdir(parents=True)
    (folder / "config.toml").touch()
    folder.chmod(0o777)

    ran = cli("paths")

    assert 1 == ran.status
    assert str(home / "run") in ran.out
    assert ran.err.startswith(f"A folder is not yours alone: {folder} may be written by others")


def test_paths_are_shown_even_where_the_settings_have_a_fault(home: Path, cli: Cli) -> None:
    (home / "config" / "tollbridge").mkdir(parents=True)
    (home / "config" / "tollbridge" / "config.toml").write_text("no toml")

    ran = cli("paths")

    assert 1 == ran.status
    assert str(home / "config") in ran.out
    assert "is not TOML" in ran.err


def test_the_port_is_shown_and_given_up(home: Path, cli: Cli) -> None:
    assert "No port has been chosen yet." in cli("port").out
    (home / "state" / "tollbridge").mkdir(parents=True)
    paths.write_private(home / "state" / "tollbridge" / "port", b"4381")

    assert "4381\n" == cli("port").out
    assert "first free port of 4380, 4381, 4382" in cli("port", "--move").out
    assert not (home / "state" / "tollbridge" / "port").exists()


@pytest.mark.parametrize(
    ("ports", "said"),
    [
        ("[0]", "a port that the system chooses."),
        ("[4381]", "port 4381."),
        ("[4381, 0]", "port 4381, else a port that the system chooses."),
        ("[4381, 4382, 0, 4383]", "the first free port of 4381, 4382, else a port that the system chooses."),
    ],
)
def test_what_the_next_start_takes_is_said_in_words(home: Path, cli: Cli, ports: str, said: str) -> None:
    (home / "config" / "tollbridge").mkdir(parents=True)
    (home / "config" / "tollbridge" / "config.toml").write_text(f"[daemon]\nports = {ports}\n")

    assert cli("port", "--move").out.endswith(f"takes {said}\n")
    assert cli("port").out.endswith(f"takes {said}\n")


def _in_a_shell(line: str, **variables: str) -> tuple[int, str]:
    """Run the command line as a shell does; return status and what it said."""
    words = f"{shlex.quote(sys.executable)} -m bridge {line}"
    done = subprocess.run(
        ["/bin/sh", "-c", words],
        capture_output=True,
        text=True,
        timeout=20,
        check=False,
        env={**os.environ, **variables},
    )
    assert "Traceback" not in done.stderr
    assert "Exception ignored" not in done.stderr
    assert done.stderr.count("\n") <= 1, "one sentence"
    return done.returncode, done.stderr + done.stdout


CLOSED = "Standard output is closed.\n"
FULL = "The system refused: [Errno 28] No space left on device.\n"


@pytest.mark.broad
@pytest.mark.parametrize("command", ["call", "call player.play", "status", "paths", "port", "--help", "--version"])
@pytest.mark.parametrize(
    ("redirection", "told"),
    [
        (">&-", (1, CLOSED)),
        (">/dev/full", (1, FULL)),
        (">&- 2>&-", (1, "")),
        (">/dev/full 2>/dev/full", (1, "")),
        ("<&- >&-", (1, CLOSED)),
    ],
)
def test_an_output_that_takes_nothing_is_one_sentence(
    daemon: DaemonDouble, command: str, redirection: str, told: tuple[int, str]
) -> None:
    daemon.answers["POST", "/v1/apps/player/play"] = 200, {}
    daemon.answers["GET", "/v1/status"] = 200, STATUS

    assert told == _in_a_shell(f"{command} {redirection}")


@pytest.mark.parametrize("redirection", ["2>&-", "2>/dev/full", "<&- 2>&-"])
def test_a_status_stands_where_nobody_can_be_told(home: Path, redirection: str) -> None:
    assert home.is_dir()

    assert (3, "") == _in_a_shell(f"call {redirection}")
    assert (2, "") == _in_a_shell(f"call 'a b' {redirection}")
    assert (0, f"tollbridge {bridge.__version__}\n") == _in_a_shell(f"--version {redirection}")


@pytest.mark.parametrize("redirection", ["<&-", "</dev/full", "</dev/null", "</dev/zero"])
def test_an_input_without_a_person_answers_nothing(daemon: DaemonDouble, redirection: str) -> None:
    daemon.answers["GET", "/oauth/requests"] = 200, {"requests": [PROGRAM]}

    status, said = _in_a_shell(f"approve {PROGRAM['code']} {redirection}")

    assert 1 == status
    assert "Allow this? [y/N]:" in said
    assert ["GET"] == [request.method for request in daemon.received]


def test_what_a_character_set_lacks_is_written_as_an_escape(daemon: DaemonDouble) -> None:
    daemon.answers["POST", "/v1/apps/player/play"] = 200, '{"title":"é歌"}'.encode()

    status, said = _in_a_shell("call player.play | cat -v", PYTHONIOENCODING="latin-1")

    assert (0, '{"title":"M-i\\u6b4c"}\n') == (status, said)


def test_neither_the_daemon_nor_the_tables_are_loaded_before_they_are_needed(home: Path) -> None:
    assert home.is_dir()
    script = (
        "import sys\nfrom bridge.cli.group import start\nassert start(['status']) == 3\n"
        "print([name for name in ('aiohttp', 'rich', 'asyncio', 'bridge.daemon') if name in sys.modules])"
    )

    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=20, check=True)

    assert "[]\n" == done.stdout


class TestOnATerminal:
    """What a person sees."""

    def _see(self, *arguments: str, columns: int = 80, **variables: str) -> str:
        master, slave = pty.openpty()
        with subprocess.Popen(
            [sys.executable, "-m", "bridge", *arguments],
            stdout=slave,
            env={**os.environ, "COLUMNS": str(columns), "TERM": "xterm-256color", **variables},
        ) as seen:
            os.close(slave)
            parts = []
            try:
                while part := os.read(master, 65536):
                    parts.append(part)
            except OSError:
                pass  # Linux says EIO once the last writer has closed its end
            os.close(master)
            assert 0 == seen.wait(20)
        return b"".join(parts).decode().replace("\r\n", "\n")

    def test_json_is_indented_and_its_control_characters_are_escaped(self, daemon: DaemonDouble) -> None:
        daemon.answers["POST", "/v1/apps/player/play"] = 200, '{"title":"a\x9b31m"}'.encode()

        assert '{\n  "title": "a\\u009b31m"\n}\n' == self._see("call", "player.play")

    def test_labels_are_bold(self, daemon: DaemonDouble) -> None:
        daemon.answers["GET", "/v1/status"] = 200, STATUS

        assert "\x1b[1mversion" in self._see("status")

    def test_no_color_is_obeyed(self, daemon: DaemonDouble) -> None:
        daemon.answers["GET", "/v1/status"] = 200, STATUS
        daemon.answers["GET", "/v1/grants"] = 200, GRANTS

        assert "\x1b" not in self._see("status", NO_COLOR="1")
        assert "\x1b" not in self._see("grants", NO_COLOR="1")

    def test_a_narrow_terminal_folds_cells_and_loses_nothing(self, daemon: DaemonDouble) -> None:
        daemon.answers["GET", "/v1/grants"] = 200, GRANTS

        seen = self._see("grants", columns=60, NO_COLOR="1")

        wide = self._see("grants", columns=300, NO_COLOR="1")

        assert max(len(line) for line in seen.splitlines()) <= 60
        assert sorted(re.sub(r"[\s─]", "", wide)) == sorted(re.sub(r"[\s─]", "", seen))
