"""Handing a secret address to a browser: through a private file that redirects, never through an argument list.

A process's arguments can be read by other users (`ps`). The browser is therefore given the name of a file, mode 0600 in
the 0700 runtime folder, that sends it on to the address. The file always has the same name: the next address overwrites
it, and it ends with the daemon. Nothing waits to remove it sooner: the address inside works once, for two minutes.
"""

import html
import os
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

from bridge import paths
from bridge.cli.failures import Failure

FILE_NAME = "open.html"
_SETTLE_SECONDS = 3.0
"""A starter such as xdg-open ends at once; one that still runs by then has become the browser itself."""


def write_redirect(address: str) -> Path:
    """Write the file that redirects to ``address``, and return where it is.

    Raises:
        UnsafeFolder: the runtime folder is not this user's alone.
    """
    file = paths.own_folder(paths.runtime_folder()) / FILE_NAME
    paths.write_private(file, redirect_page(address).encode())
    return file


def forget_redirect() -> None:
    """Remove the file; what its address leads to dies with the daemon."""
    (paths.runtime_folder() / FILE_NAME).unlink(missing_ok=True)


def redirect_page(address: str) -> str:
    """Return a page without script that goes to ``address`` at once, and shows it where refreshing is switched off."""
    safe = html.escape(address, quote=True)
    return (
        '<!doctype html><html lang="en"><meta charset="utf-8"><title>Tollbridge</title>'
        f'<meta name="referrer" content="no-referrer"><meta http-equiv="refresh" content="0;url={safe}">'
        f'<p><a rel="noreferrer" href="{safe}">Open Tollbridge</a></p></html>\n'
    )


def browser_command(file: Path) -> list[str] | None:
    """Return the argument list that shows ``file``: ``$BROWSER``, else the desktop's way; None without a desktop.

    Raises:
        Failure: ``$BROWSER`` is no command line.
    """
    address = file.as_uri()
    chosen = os.environ.get("BROWSER", "").split(os.pathsep)[0]
    if chosen:
        # By custom `%s` stands for the address, and a final `&` asks for the background, where it goes anyway.
        try:
            words = [word for word in shlex.split(chosen) if word != "&"]
        except ValueError as error:
            reason = str(error).rstrip(".").lower()
            raise Failure(f"BROWSER is not a command line ({reason}). Correct it, or use --print.") from error
        return [word.replace("%s", address) for word in words] if "%s" in chosen else [*words, address]
    if sys.platform == "darwin":
        return ["open", address]
    if not (os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")):
        return None
    starter = shutil.which("xdg-open")
    return [starter, address] if starter else None


def shown_in_browser(file: Path) -> bool:
    """Give ``file`` to the user's browser; False where there is none, or where it could not be started.

    Raises:
        Failure: ``$BROWSER`` is no command line; the file is gone then.
    """
    try:
        command = browser_command(file)
    except Failure:
        file.unlink(missing_ok=True)
        raise
    if not command:
        return False
    try:
        # The argument list holds the file's name alone, and no shell reads it. A session of its own: Ctrl-C here must
        # not end the browser.
        process = subprocess.Popen(  # noqa: S603
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
    except OSError:
        return False
    try:
        return process.wait(timeout=_SETTLE_SECONDS) == 0
    except subprocess.TimeoutExpired:
        return True
