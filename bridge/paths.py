"""Where state, runtime and configuration files live, by the platform's own rules (platformdirs).

Folders are the user's alone (0700). The runtime folder lives under ``XDG_RUNTIME_DIR``; where a session has none, it
stands inside the state folder, because a world-writable temporary folder is nobody's own.
"""

import os
import stat
import sys
from pathlib import Path

from platformdirs import PlatformDirs

from bridge.errors import BridgeFault

_DIRS = PlatformDirs("tollbridge", appauthor=False)


class UnsafeFolder(BridgeFault):
    """A folder that must be the user's alone belongs to somebody else or is a link."""

    code = "unsafe_folder"
    title = "A folder is not yours alone"


class FolderUnusable(BridgeFault):
    """A folder that the daemon needs cannot be made where it should stand."""

    code = "folder_unusable"
    title = "A folder cannot be made"


def config_file() -> Path:
    """Return the settings file, which need not exist."""
    return _DIRS.user_config_path / "config.toml"


def state_folder() -> Path:
    """Return the folder of everything that outlives the daemon: grants, identity, the port."""
    return _DIRS.user_state_path


def runtime_folder() -> Path:
    """Return the folder of everything that dies with the daemon: its socket and its runtime file."""
    session = os.environ.get("XDG_RUNTIME_DIR")
    if sys.platform == "linux" and session:
        return Path(session) / "tollbridge"
    return state_folder() / "run"


def runtime_file() -> Path:
    """Return the file that tells native clients where the daemon listens (JSON, 0600)."""
    return runtime_folder() / "daemon.json"


def socket() -> Path:
    """Return the Unix socket's path."""
    return runtime_folder() / "socket"


def music_folder() -> Path:
    """Return the user's music folder, as the desktop names it."""
    return _DIRS.user_music_path


def own_folder(folder: Path) -> Path:
    """Make ``folder`` if it is missing, and return it once it is known to be the user's alone (0700).

    Raises:
        UnsafeFolder: it is a link, or another user owns it.
        FolderUnusable: it cannot be made or written.
    """
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        where = "XDG_RUNTIME_DIR" if folder == runtime_folder() else "HOME or XDG_STATE_HOME"
        raise FolderUnusable(f"{folder} cannot be made ({error.strerror}); set {where} to a place of yours") from error
    facts = folder.lstat()
    if not stat.S_ISDIR(facts.st_mode) or (hasattr(os, "getuid") and facts.st_uid != os.getuid()):
        raise UnsafeFolder(f"{folder} is a link or belongs to another user; remove it and start again")
    if stat.S_IMODE(facts.st_mode) != 0o700:
        folder.chmod(0o700)
    return folder


def write_private(path: Path, content: bytes) -> None:
    """Put ``content`` at ``path`` in one step, readable by this user alone (0600)."""
    fresh = path.with_name(f".{path.name}.{os.getpid()}")
    fresh.unlink(missing_ok=True)
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_NOFOLLOW", 0), 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(path)
