"""Where state, runtime and configuration files live, by the platform's own rules (platformdirs).

Folders are the user's alone (0700). The runtime folder lives under ``XDG_RUNTIME_DIR``; where a session has none, it
stands inside the state folder, because a world-writable temporary folder is nobody's own. A relative path in an
``XDG_`` variable is ignored, as if it were not set (XDG Base Directory Specification).

Files in them are opened without following a link and without waiting for a pipe's other end, and looked at once they
are open: a regular file, of ours, under one name, closed to everybody else (0600).
"""

import errno
import logging
import os
import stat
import sys
from pathlib import Path

from platformdirs import PlatformDirs

from bridge import trust
from bridge.errors import BridgeFault

_DIRS = PlatformDirs("tollbridge", appauthor=False)
_IS_POSIX = os.name == "posix"
_KINDS = {errno.ELOOP: "a link", errno.ENXIO: "a pipe or socket", errno.EISDIR: "a folder"}
_CAREFULLY: int = sum(getattr(os, flag, 0) for flag in ("O_NOFOLLOW", "O_CLOEXEC", "O_NONBLOCK", "O_BINARY"))

logger = logging.getLogger(__name__)

PRIVATE_BYTES = 1024 * 1024
"""The longest private file that is read whole; ours are some hundred bytes."""


class UnsafeFolder(BridgeFault):
    """A folder that must be the user's alone is a link or somebody else's, or others may replace what is in it."""

    code = "unsafe_folder"
    title = "A folder is not yours alone"


class UnsafeFile(BridgeFault):
    """A file that must be the user's alone is a link, a pipe, another user's, or open to others."""

    code = "unsafe_file"
    title = "A file is not yours alone"


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
    session = _session_folder()
    return session / "tollbridge" if session else state_folder() / "run"


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

    One that was open to others is closed, and the log says so.

    Raises:
        UnsafeFolder: it is a link, another user owns it, or others may write a folder above it.
        FolderUnusable: it cannot be made or opened.
    """
    if folder.parent == _session_folder():
        _check_session_folder(folder.parent)
    try:
        _make_folders(folder)
        fault = trust.fault_above(folder)
        if fault is not None:
            raise UnsafeFolder(fault)
        _close_folder(folder)
    except OSError as error:
        where = "XDG_RUNTIME_DIR" if folder == runtime_folder() else "HOME or XDG_STATE_HOME"
        raise FolderUnusable(f"{folder} cannot be made ({error.strerror}); set {where} to a place of yours") from error
    return folder


def write_private(path: Path, content: bytes) -> None:
    """Put ``content`` at ``path`` in one step, readable by this user alone (0600) whatever the umask.

    A link that stands there is replaced, never written through.
    """
    fresh = path.with_name(f".{path.name}.{os.getpid()}")
    fresh.unlink(missing_ok=True)
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL | _CAREFULLY, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        _set_mode(descriptor, 0o600)
        file.write(content)
        file.flush()
        os.fsync(descriptor)
    fresh.replace(path)


def read_private(path: Path) -> bytes:
    """Return what the private file at ``path`` holds.

    Raises:
        FileNotFoundError: there is none.
        UnsafeFile: as `open_private`; or it is longer than any file of ours.
    """
    with os.fdopen(open_private(path), "rb") as file:
        content = file.read(PRIVATE_BYTES + 1)
    if len(content) > PRIVATE_BYTES:
        raise UnsafeFile(f"{path} is longer than any file of ours; move it away and start again")
    return content


def open_private(path: Path, flags: int = os.O_RDONLY, *, repair: bool = False) -> int:
    """Return a descriptor of the private file at ``path``; with ``O_CREAT`` it is made if missing (0600).

    A file that others may read or write is refused, as ssh does with its keys: a secret that others could read is no
    secret any more, and only its owner knows whether somebody had the chance. ``repair`` closes it instead (0600) and
    logs that, for files whose content is no secret.

    Raises:
        FileNotFoundError: there is none, and it was not to be made.
        UnsafeFile: it is a link, no regular file, another user's, has a second name, or is open to others.
    """
    if flags & os.O_CREAT:
        try:
            made = os.open(path, flags | os.O_EXCL | _CAREFULLY, 0o600)
        except FileExistsError:
            flags &= ~os.O_CREAT  # also where a link leads nowhere: nothing is made at its end
        else:
            _set_mode(made, 0o600)
            return made
    try:
        descriptor = os.open(path, flags | _CAREFULLY)
    except OSError as error:
        if error.errno in (errno.ELOOP, errno.ENXIO, errno.EISDIR):
            raise UnsafeFile(f"{path} is {_KINDS[error.errno]}; remove it and start again") from error
        raise
    try:
        facts = os.fstat(descriptor)
        _raise_unsafe(trust.private_file_fault(path, facts, is_mode_checked=not repair))
        if repair:
            if trust.is_open_to_others(facts):
                logger.warning("a file was open to others, and is closed now", extra={"file": path})
            _set_mode(descriptor, 0o600)
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor


def check_private(path: Path) -> bool:
    """Look at the private file at ``path`` without opening or changing it; say whether it is open to others.

    Raises:
        FileNotFoundError: there is none.
        UnsafeFile: it is a link, no regular file, another user's, or has a second name.
    """
    facts = path.lstat()
    if stat.S_ISLNK(facts.st_mode):
        raise UnsafeFile(f"{path} is a link; remove it and start again")
    _raise_unsafe(trust.private_file_fault(path, facts, is_mode_checked=False))
    return trust.is_open_to_others(facts)


def check_place(path: Path) -> None:
    """Make sure that what stands at ``path``, if anything does, may be replaced by ours.

    Raises:
        UnsafeFile: it is a link or another user's.
    """
    try:
        facts = path.lstat()
    except FileNotFoundError:
        return
    if stat.S_ISLNK(facts.st_mode):
        raise UnsafeFile(f"{path} is a link; remove it and start again")
    if _IS_POSIX and facts.st_uid != trust.myself().uid:
        raise UnsafeFile(f"{path} belongs to another user (uid {facts.st_uid}); remove it and start again")


def read_trusted(path: Path) -> bytes:
    """Return what the file at ``path`` holds, which others may read but not change; it may be a link (dotfiles are).

    Raises:
        FileNotFoundError: there is none.
        UnsafeFile: it is no regular file, or others may write it.
        UnsafeFolder: others may write a folder above it.
        OSError: it cannot be read, also where a link leads nowhere, which is not the same as nothing.
    """
    if (other := trust.no_folder_above(path)) is not None:
        raise OSError(errno.ENOTDIR, f"{other} is no folder (see HOME and XDG_CONFIG_HOME)")
    fault = trust.fault_above(path) or trust.fault_above(Path(os.path.realpath(path)))
    if fault is not None:
        raise UnsafeFolder(fault)
    try:
        descriptor = os.open(path, os.O_RDONLY | _CAREFULLY & ~getattr(os, "O_NOFOLLOW", 0))
    except FileNotFoundError:
        if (link := trust.link_to_nowhere(path)) is not None:
            raise OSError(errno.ENOLINK, f"{link} is a link that leads nowhere") from None
        raise
    try:
        _raise_unsafe(trust.trusted_file_fault(path, os.fstat(descriptor)))
        with os.fdopen(descriptor, "rb", closefd=False) as file:
            return file.read()
    finally:
        os.close(descriptor)


def _session_folder() -> Path | None:
    session = Path(os.environ.get("XDG_RUNTIME_DIR", ""))
    return session if sys.platform == "linux" and session.is_absolute() else None


def _check_session_folder(folder: Path) -> None:
    """Hold ``XDG_RUNTIME_DIR`` to its own rule: the user's, mode 0700 (XDG Base Directory Specification)."""
    hint = "set XDG_RUNTIME_DIR to a folder of yours with mode 0700, or unset it and the state folder is used"
    try:
        facts = folder.stat()
    except FileNotFoundError:
        return  # we make it
    except OSError as error:
        raise FolderUnusable(f"XDG_RUNTIME_DIR {folder} cannot be looked at ({error.strerror}); {hint}") from error
    if not stat.S_ISDIR(facts.st_mode):
        raise UnsafeFolder(f"XDG_RUNTIME_DIR {folder} is no folder; {hint}")
    if facts.st_uid != trust.myself().uid:
        raise UnsafeFolder(f"XDG_RUNTIME_DIR {folder} belongs to another user (uid {facts.st_uid}); {hint}")
    if trust.is_open_to_others(facts):
        mode = stat.S_IMODE(facts.st_mode)
        raise UnsafeFolder(f"XDG_RUNTIME_DIR {folder} is open to others (mode {mode:04o}); {hint}")


def _make_folders(folder: Path) -> None:
    """Make ``folder`` and what is missing above it, all of them 0700 whatever the umask."""
    for missing in reversed([path for path in (folder, *folder.parents) if not os.path.lexists(path)]):
        try:
            missing.mkdir(mode=0o700)
        except FileExistsError:
            continue  # somebody was quicker; what it is, is looked at below
        if stat.S_IMODE(missing.lstat().st_mode) != 0o700:
            missing.chmod(0o700)  # the umask took bits away that we need


def _close_folder(folder: Path) -> None:
    """Make sure that ``folder`` is a folder of ours, and take everybody else's rights to it."""
    facts = folder.lstat()
    if stat.S_ISLNK(facts.st_mode):
        raise UnsafeFolder(f"{folder} is a link; put a folder of yours in its place and start again")
    if not stat.S_ISDIR(facts.st_mode):
        raise UnsafeFolder(f"{folder} is no folder; move it away and start again")
    if _IS_POSIX and facts.st_uid != trust.myself().uid:
        raise UnsafeFolder(f"{folder} belongs to another user (uid {facts.st_uid}); move it away and start again")
    if not _IS_POSIX:
        return
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        if (now := os.fstat(descriptor)).st_uid != facts.st_uid:
            raise UnsafeFolder(f"{folder} was replaced just now; look who does that, and start again")
        if trust.is_open_to_others(now):
            logger.warning("a folder was open to others, and is closed now", extra={"file": folder})
        if stat.S_IMODE(now.st_mode) != 0o700:
            os.fchmod(descriptor, 0o700)
    finally:
        os.close(descriptor)


def _raise_unsafe(fault: str | None) -> None:
    if fault is not None:
        raise UnsafeFile(fault)


def _set_mode(descriptor: int, mode: int) -> None:
    if _IS_POSIX and stat.S_IMODE(os.fstat(descriptor).st_mode) != mode:
        os.fchmod(descriptor, mode)
