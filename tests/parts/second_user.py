"""A real second Unix user of this machine: programs run as `nobody`, with the system's own Python."""

import os
import pwd
import subprocess
from collections.abc import Sequence

SYSTEM_PYTHON = "/usr/bin/python3"
"""The tests' own interpreter may lie where another user cannot read."""

DEADLINE_SECONDS = 30.0

WHY_NOT = "a program can be run as another user only where the suite runs as root"


def is_possible() -> bool:
    """Say whether this process may start programs as another user."""
    return hasattr(os, "geteuid") and os.geteuid() == 0


def second_uid() -> int:
    """Return the uid of the other user."""
    return pwd.getpwnam("nobody").pw_uid


def start(
    code: str, *arguments: object, prefix: Sequence[str] = (), keep: Sequence[int] = ()
) -> "subprocess.Popen[str]":
    """Start Python ``code`` as the other user, with pipes.

    ``prefix`` is a command that runs it (``unshare``); ``keep`` are descriptors that it inherits.
    """
    return _start(code, arguments, prefix, keep, pwd.getpwnam("nobody"))


def start_as_ourselves(code: str, *arguments: object, prefix: Sequence[str] = ()) -> "subprocess.Popen[str]":
    """Start Python ``code`` as this very user, otherwise as `start` does: what differs is the user alone."""
    return _start(code, arguments, prefix, (), None)


def result(process: "subprocess.Popen[str]") -> str:
    """Return what the program printed, once it has ended well."""
    try:
        out, err = process.communicate(timeout=DEADLINE_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()
        raise
    assert 0 == process.returncode, err
    return out.strip()


def _start(
    code: str,
    arguments: Sequence[object],
    prefix: Sequence[str],
    keep: Sequence[int],
    user: pwd.struct_passwd | None,
) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [*prefix, SYSTEM_PYTHON, "-c", code, *map(str, arguments)],
        user=None if user is None else user.pw_uid,
        group=None if user is None else user.pw_gid,
        extra_groups=None if user is None else [],
        pass_fds=keep,
        env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin"},
        cwd="/",
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
