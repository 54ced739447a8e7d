"""`keyring`: whether the daemon has a place for its key."""

import json
from collections.abc import Iterator

import pytest

from tests.bridge.cli.conftest import Cli
from tests.bridge.cli.daemon_double import DaemonDouble
from tests.parts.daemon import Daemon
from tests.parts.keyring import RealKeyring

WORKS = {
    "place": "keyring",
    "where": "the Secret Service of the session bus",
    "backend": "keyring.backends.SecretService.Keyring",
    "result": "works",
    "remedy": "",
    "notes": [],
    "ignored": [],
}
LOCKED = {
    **WORKS,
    "result": "keyring_locked",
    "remedy": "unlock it",
    "notes": ["no key yet"],
    "ignored": ["PYTHON_KEYRING_BACKEND"],
}


def test_a_keyring_that_works_is_shown(daemon: DaemonDouble, cli: Cli) -> None:
    daemon.answers["POST", "/v1/keyring"] = 200, WORKS

    ran = cli("keyring")

    assert 0 == ran.status
    assert "backend  keyring.backends.SecretService.Keyring\nresult   works\n" in ran.out
    assert "what to do" not in ran.out


def test_one_that_does_not_is_shown_with_what_to_do_and_fails(daemon: DaemonDouble, cli: Cli) -> None:
    daemon.answers["POST", "/v1/keyring"] = 200, LOCKED

    ran = cli("keyring")

    assert 1 == ran.status
    for line in ("keyring_locked", "unlock it", "no key yet", "PYTHON_KEYRING_BACKEND"):
        assert line in ran.out


def test_without_any_backend_none_is_shown(daemon: DaemonDouble, cli: Cli) -> None:
    daemon.answers["POST", "/v1/keyring"] = 200, {**LOCKED, "backend": None}

    assert "backend     none\n" in cli("keyring").out


@pytest.mark.parametrize(("answer", "status"), [(WORKS, 0), (LOCKED, 1)])
def test_json_is_the_daemons_answer(daemon: DaemonDouble, cli: Cli, answer: dict[str, object], status: int) -> None:
    daemon.answers["POST", "/v1/keyring"] = 200, answer

    ran = cli("keyring", "--json")

    assert (status, answer) == (ran.status, json.loads(ran.out))


@pytest.fixture(name="real", scope="module")
def _real() -> Iterator[tuple[Daemon, RealKeyring]]:
    with RealKeyring() as keyring, Daemon(env=keyring.env) as daemon:
        yield daemon, keyring


@pytest.mark.real
def test_the_real_daemon_tries_the_real_keyring(real: tuple[Daemon, RealKeyring]) -> None:
    daemon, keyring = real

    unlocked = daemon.cli("keyring")
    keyring.stop()
    keyring.start(None)
    locked = daemon.cli("keyring", "--json")
    keyring.bus.stop()
    gone = daemon.cli("keyring", "--json")

    assert (0, "") == (unlocked.returncode, unlocked.stderr)
    assert "result   works" in unlocked.stdout
    assert (1, "keyring_locked") == (locked.returncode, json.loads(locked.stdout)["result"])
    assert (1, "keyring_missing") == (gone.returncode, json.loads(gone.stdout)["result"])


@pytest.mark.real
def test_a_keyring_that_hangs_holds_up_neither_the_daemon_nor_its_end() -> None:
    with RealKeyring() as keyring, Daemon(env=keyring.env) as daemon:
        keyring.freeze()

        asked = daemon.cli("keyring", "--json")
        daemon.ask("GET", "/v1/status")
        ended = daemon.stop()

    assert (1, "keyring_silent") == (asked.returncode, json.loads(asked.stdout)["result"])
    assert 0 == ended


@pytest.mark.real
def test_the_library_is_not_loaded_on_the_way_to_ready() -> None:
    with Daemon(env={"PYTHONVERBOSE": "1"}) as daemon:
        assert "import 'oauth.vault'" in daemon.log.read_text(encoding="utf-8")
        assert "import 'keyring" not in daemon.log.read_text(encoding="utf-8")

        daemon.ask("POST", "/v1/keyring")

        assert "import 'keyring" in daemon.log.read_text(encoding="utf-8")


@pytest.mark.real
def test_the_key_file_is_used_where_the_settings_say_so() -> None:
    with Daemon(settings="[vault]\nkey_file = true\n") as daemon:
        ran = daemon.cli("keyring", "--json")

        assert (0, "key_file") == (ran.returncode, json.loads(ran.stdout)["place"])


@pytest.mark.real
def test_a_key_file_that_was_cut_is_told_and_left_alone() -> None:
    with Daemon(settings="[vault]\nkey_file = true\n") as daemon:
        file = daemon.home / "state/tollbridge/master-key"
        file.touch(mode=0o600)
        file.write_bytes(b"abc")

        ran = daemon.cli("keyring")

        assert 1 == ran.returncode
        assert "result      key_damaged\n" in ran.stdout
        assert f"what to do  {file} is damaged" in ran.stdout
        assert b"abc" == file.read_bytes()
