"""Who else could change what stands at a path: its owner and mode, and every folder above it (OpenSSH: StrictModes).

A folder that another user may write lets that user put anything in the place of what is below it, whatever the modes
there. On Windows the profile's access list does this work, and everything here finds no fault.
"""

import functools
import os
import stat
from pathlib import Path

import msgspec

_OVERFLOW_UID = Path("/proc/sys/kernel/overflowuid")
_UID_MAP = Path("/proc/self/uid_map")


class Person(msgspec.Struct, frozen=True):
    """Who we are to the file system.

    ``private_gid`` is the group that holds this user alone, as most distributions make one: what only it may write
    nobody else may. ``unmapped_uid`` is how the machine's real root looks from inside a user namespace (a sandboxed
    service); None where every uid is told.
    """

    uid: int
    private_gid: int | None = None
    unmapped_uid: int | None = None

    def trusts(self, uid: int) -> bool:
        """Say whether ``uid`` may own a folder above ours: we, and root, who can do anything anyway."""
        return uid in (0, self.uid) or uid == self.unmapped_uid


@functools.cache
def myself() -> Person:
    """Return who this process is."""
    uid = os.geteuid()
    return Person(uid, _private_gid(uid), _unmapped_uid())


def is_writable_by_others(facts: os.stat_result, me: Person) -> bool:
    """Say whether somebody else than ``me`` may change this file, or replace what lies in this folder.

    In a sticky folder (``/tmp``) everybody may add, but only the owner of a thing may replace it.
    """
    if stat.S_ISDIR(facts.st_mode) and facts.st_mode & stat.S_ISVTX:
        return False
    is_by_group = bool(facts.st_mode & stat.S_IWGRP) and facts.st_gid != me.private_gid
    return is_by_group or bool(facts.st_mode & stat.S_IWOTH)


def is_open_to_others(facts: os.stat_result) -> bool:
    """Say whether anybody else may read, change or enter it."""
    return os.name == "posix" and bool(facts.st_mode & (stat.S_IRWXG | stat.S_IRWXO))


def private_file_fault(path: Path, facts: os.stat_result, *, is_mode_checked: bool) -> str | None:
    """Return what keeps the file at ``path`` from being ours alone, and what to do; None where nothing does."""
    if not stat.S_ISREG(facts.st_mode):
        return f"{path} is no regular file; remove it and start again"
    if os.name != "posix":
        return None
    if facts.st_uid != myself().uid:
        return f"{path} belongs to another user (uid {facts.st_uid}); remove it and start again"
    if facts.st_nlink != 1:
        return f"{path} has a second name elsewhere (a hard link); copy it, remove it, put the copy there"
    if is_mode_checked and is_open_to_others(facts):
        return (
            f"{path} is open to others (mode {stat.S_IMODE(facts.st_mode):04o}); run `chmod 600 {path}` if you are "
            "sure that nobody else has read or changed it, else remove it"
        )
    return None


def trusted_file_fault(path: Path, facts: os.stat_result) -> str | None:
    """Return what lets others change the file at ``path``, which they may read, and what to do; None where nothing."""
    if not stat.S_ISREG(facts.st_mode):
        return f"{path} is no regular file; put a text file in its place"
    if os.name != "posix":
        return None
    me = myself()
    if not me.trusts(facts.st_uid):
        return f"{path} belongs to another user (uid {facts.st_uid}); make it yours or remove it"
    if is_writable_by_others(facts, me):
        return f"{path} may be written by others; look it through, then run `chmod go-w {path}`"
    return None


def fault_above(path: Path) -> str | None:
    """Return what is wrong with the first unsafe folder above ``path``, and what to do; None where all are safe.

    Both chains are looked at: the folders as they are named, and those where links among them really lead.
    """
    if os.name != "posix":
        return None
    me = myself()
    named = path.absolute()
    real = Path(os.path.realpath(named.parent), named.name)  # unlike `resolve`, it bears a loop of links
    for folder in dict.fromkeys((*reversed(named.parents), *reversed(real.parents))):
        fault = _fault_of(folder, me)
        if fault is not None:
            return fault
    return None


def no_folder_above(path: Path) -> Path | None:
    """Return what stands above ``path`` and is no folder, so that nothing can be below it; None where nothing does."""
    return next((above for above in reversed(path.absolute().parents) if above.exists() and not above.is_dir()), None)


def link_to_nowhere(path: Path) -> Path | None:
    """Return the link, ``path`` or a folder above it, that leads to nothing; None where there is none."""
    return next((place for place in (path, *path.parents) if place.is_symlink() and not place.exists()), None)


def _fault_of(folder: Path, me: Person) -> str | None:
    try:
        itself, target = folder.lstat(), folder.stat()
    except OSError:
        return None  # whoever wants something there will be told by the system
    foreign = next((facts.st_uid for facts in (itself, target) if not me.trusts(facts.st_uid)), None)
    if foreign is not None:
        return f"{folder} belongs to another user (uid {foreign}), who could replace what is in it; use another place"
    if is_writable_by_others(target, me):
        return f"{folder} may be written by others, who could replace what is in it; run `chmod go-w {folder}`"
    return None


def _private_gid(uid: int) -> int | None:
    import grp  # these two exist on POSIX alone
    import pwd

    try:
        user = pwd.getpwuid(uid)
        group = grp.getgrgid(user.pw_gid)
    except KeyError:
        return None
    # By custom a group of the user's own name is nobody else's first group, so only its list of members can add one.
    return group.gr_gid if group.gr_name == user.pw_name and set(group.gr_mem) <= {user.pw_name} else None


def _unmapped_uid() -> int | None:
    try:
        overflow = int(_OVERFLOW_UID.read_text(encoding="ascii"))
        rows = [[int(number) for number in row.split()] for row in _UID_MAP.read_text(encoding="ascii").splitlines()]
    except (OSError, ValueError):
        return None
    # Where the map has that number, it is the real user `nobody` and no better than any other.
    return None if any(first <= overflow < first + count for first, _, count in rows) else overflow
