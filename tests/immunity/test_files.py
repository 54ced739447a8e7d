"""Files and folders of the real daemon, whatever the umask and whatever was put in their place (facts S-58)."""

import os
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.parts.daemon import Daemon

pytestmark = pytest.mark.real
needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files to another user")
NOBODY = 65534

STATE, RUN = "state/tollbridge", "run/tollbridge"
FILES = [
    f"{STATE}/identity",
    f"{STATE}/port",
    f"{STATE}/lock",
    f"{STATE}/grants.sqlite",
    f"{STATE}/grants.sqlite-wal",
    f"{STATE}/grants.sqlite-shm",
    f"{STATE}/grants.sqlite-journal",
    f"{STATE}/audit.sqlite",
    f"{RUN}/lock",
    f"{RUN}/daemon.json",
    f"{RUN}/socket",
]
FOREIGN = b"somebody else's"

Plant = Callable[[Path], None]


@contextmanager
def planted(place: str, plant: Plant) -> Iterator[tuple[Daemon, Path]]:
    """Yield a home where ``plant`` was put at ``place``, and the path of somebody else's file beside it."""
    daemon = Daemon()
    target = daemon.home / "target"
    target.write_bytes(FOREIGN)
    target.chmod(0o600)
    for folder in (STATE, RUN):
        (daemon.home / folder).mkdir(mode=0o700)
    plant(daemon.home / place)
    yield daemon, target
    assert FOREIGN == target.read_bytes()
    daemon.__exit__(None, None, None)


def link(place: Path) -> None:
    place.symlink_to(place.parents[2] / "target")


def hard_link(place: Path) -> None:
    place.hardlink_to(place.parents[2] / "target")


def pipe(place: Path) -> None:
    os.mkfifo(place, 0o600)


def foreign(place: Path) -> None:
    place.touch(mode=0o600)
    os.chown(place, NOBODY, -1)


def assert_refused(daemon: Daemon, place: str) -> None:
    """Hold that the start ends at once, with one sentence that names the place, and no trace."""
    ran = daemon.cli("run")

    assert 1 == ran.returncode
    assert str(daemon.home / place) in ran.stderr
    assert "Traceback" not in ran.stderr


@pytest.mark.parametrize("mask", [0o000, 0o022, 0o777], ids=oct)
def test_all_that_the_daemon_makes_is_the_users_alone_whatever_the_umask(mask: int) -> None:
    daemon = Daemon()
    daemon.log.touch()
    ours = set(daemon.home.rglob("*"))
    before = os.umask(mask)
    try:
        daemon.start()
        daemon.ask("POST", "/v1/keyring")
        daemon.token("player:read")
        made = {path: path.lstat() for path in daemon.home.rglob("*") if path not in ours}
    finally:
        os.umask(before)
        daemon.__exit__(None, None, None)

    assert {f"{STATE}/identity", f"{STATE}/grants.sqlite-wal", f"{RUN}/socket", STATE, RUN} <= {
        str(path.relative_to(daemon.home)) for path in made
    }
    wanted = {path: 0o700 if stat.S_ISDIR(facts.st_mode) else 0o600 for path, facts in made.items()}
    assert wanted == {path: stat.S_IMODE(facts.st_mode) for path, facts in made.items()}


@pytest.mark.parametrize("place", FILES)
def test_a_link_in_a_files_place_is_refused_and_not_written_through(place: str) -> None:
    with planted(place, link) as (daemon, target):
        assert_refused(daemon, place)

        assert 0o600 == stat.S_IMODE(target.stat().st_mode)
        assert (daemon.home / place).is_symlink()


@needs_root
@pytest.mark.parametrize("place", FILES)
def test_another_users_file_is_refused(place: str) -> None:
    with planted(place, foreign) as (daemon, _):
        assert_refused(daemon, place)

        assert NOBODY == (daemon.home / place).stat().st_uid
        assert 0 == (daemon.home / place).stat().st_size


@pytest.mark.parametrize("place", [f"{STATE}/{name}" for name in ("identity", "port", "lock", "grants.sqlite")])
def test_a_file_with_a_second_name_is_refused(place: str) -> None:
    with planted(place, hard_link) as (daemon, _):
        assert_refused(daemon, place)


@pytest.mark.parametrize(
    "place",
    [f"{STATE}/{name}" for name in ("identity", "port", "lock", "grants.sqlite", "grants.sqlite-wal", "audit.sqlite")],
)
def test_a_pipe_in_a_files_place_never_holds_up_the_start(place: str) -> None:
    with planted(place, pipe) as (daemon, _):
        assert_refused(daemon, place)


def test_a_pipe_in_place_of_the_settings_never_holds_up_the_start() -> None:
    with Daemon() as daemon:
        daemon.stop()
        place = "config/tollbridge/config.toml"
        (daemon.home / place).unlink()
        pipe(daemon.home / place)

        assert_refused(daemon, place)


@pytest.mark.parametrize("place", [STATE, RUN])
def test_a_link_in_a_folders_place_is_refused(place: str) -> None:
    daemon = Daemon()
    (daemon.home / "target").mkdir(mode=0o755)
    (daemon.home / place).symlink_to(daemon.home / "target")

    assert_refused(daemon, place)

    assert [] == list((daemon.home / "target").iterdir())
    assert 0o755 == stat.S_IMODE((daemon.home / "target").stat().st_mode)
    daemon.__exit__(None, None, None)


@needs_root
@pytest.mark.parametrize("place", [STATE, RUN])
def test_another_users_folder_is_refused(place: str) -> None:
    daemon = Daemon()
    (daemon.home / place).mkdir(mode=0o700)
    os.chown(daemon.home / place, NOBODY, -1)

    assert_refused(daemon, place)

    assert [] == list((daemon.home / place).iterdir())
    daemon.__exit__(None, None, None)


def test_a_session_folder_that_is_open_to_others_is_refused() -> None:
    daemon = Daemon()
    (daemon.home / "run").chmod(0o777)

    assert_refused(daemon, "run")

    daemon.__exit__(None, None, None)


def test_settings_that_others_may_change_are_refused() -> None:
    daemon = Daemon()
    (daemon.home / "config/tollbridge/config.toml").chmod(0o666)

    assert_refused(daemon, "config/tollbridge/config.toml")

    daemon.__exit__(None, None, None)


def test_an_identity_that_others_could_read_is_refused() -> None:
    with Daemon() as daemon:
        daemon.stop()
        (daemon.home / STATE / "identity").chmod(0o644)

        assert_refused(daemon, f"{STATE}/identity")


@needs_root
def test_a_runtime_file_of_another_user_is_not_believed() -> None:
    # It would lead the command line, and the owner's word with it, to another daemon.
    with Daemon() as daemon:
        os.chown(daemon.home / RUN / "daemon.json", NOBODY, -1)

        ran = daemon.cli("status")

        assert 1 == ran.returncode
        assert str(daemon.home / RUN / "daemon.json") in ran.stderr
        os.chown(daemon.home / RUN / "daemon.json", os.getuid(), -1)
