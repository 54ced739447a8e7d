"""Which URIs ``open`` takes, and how a track's own URI is shown: http(s), and files below the music folders.

The law: what is not surely one of the two is refused before any player hears of it. Files are compared after every
symlink is resolved, and the resolved path is what a player gets; a refusal does not say whether the file exists.
"""

import re
from collections.abc import Sequence
from pathlib import Path, PurePosixPath
from urllib.parse import SplitResult, unquote, urlsplit, urlunsplit

from bridge.apps.player.errors import UriRefused

WEB_SCHEMES = ("http", "https")

_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*):", re.ASCII)
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\\]")
_UNENCODED = re.compile(r"[^\x21-\x7e]")
_BAD_ESCAPE = re.compile(r"%(?![0-9A-Fa-f]{2})|%2[fF]|%5[cC]|%00")

_WHAT_IS_TAKEN = "open takes http and https URIs and files below the music folders"


def scheme(uri: str) -> str:
    """Return the URI's scheme in lower case; "file" for a relative path."""
    match = _SCHEME.match(uri)
    return match[1].lower() if match else "file"


def source(uri: str, folders: Sequence[Path]) -> Path | str:
    """Return the http(s) URI, or the resolved file that ``uri`` names; reads the file system.

    ``uri`` is an http(s) URI without credentials, a file: URI, or a path relative to one of ``folders`` (the first one
    that has it).

    Raises:
        UriRefused: it is anything else, or no file below ``folders``.
    """
    if _CONTROL.search(uri):
        raise UriRefused("the URI has control characters or a backslash in it")
    named = scheme(uri)
    if named in WEB_SCHEMES:
        return _web(uri)
    if named != "file":
        raise UriRefused(f"{_WHAT_IS_TAKEN}, and no other scheme")
    path = _file(uri) if _SCHEME.match(uri) else _relative(uri)
    return _below(path, folders)


def _web(uri: str) -> str:
    if _UNENCODED.search(uri):
        raise UriRefused("the URI has characters that must be percent-encoded (RFC 3986 section 2)")
    parts = _split(uri)
    if not parts.hostname:
        raise UriRefused("the URI names no host")
    if "@" in parts.netloc:
        raise UriRefused("the URI must not carry credentials")
    return uri


def _split(uri: str) -> SplitResult:
    try:
        parts = urlsplit(uri)
        _ = parts.port  # checked when read
    except ValueError:  # its words quote the URI
        raise UriRefused("the URI is malformed: its host or its port is none (RFC 3986 section 3.2)") from None
    return parts


def _file(uri: str) -> PurePosixPath:
    parts = _split(uri)
    if parts.netloc not in ("", "localhost"):
        raise UriRefused("a file on another host is not opened")
    if parts.query or parts.fragment or _BAD_ESCAPE.search(parts.path):
        raise UriRefused("the file URI is malformed: ?, #, and bad percent-encodings are not part of a path")
    try:
        path = PurePosixPath(unquote(parts.path, errors="strict"))
    except UnicodeDecodeError:
        raise UriRefused("the file URI is not UTF-8") from None
    if not path.is_absolute() or parts.path.startswith("//"):
        raise UriRefused("a file URI has an absolute path: file:///...")
    return path


def _relative(path: str) -> PurePosixPath:
    relative = PurePosixPath(path)
    if relative.is_absolute():
        raise UriRefused("give a path relative to a music folder, or a file: URI")
    return relative


def _below(path: PurePosixPath, folders: Sequence[Path]) -> Path:
    if ".." in path.parts or _CONTROL.search(str(path)):
        raise UriRefused("the path must not go up with ..")
    for folder in folders:
        found = _resolve(folder / path, folder)
        if found is not None:
            return found
    raise UriRefused(f"there is no file of this name below the music folders; {_WHAT_IS_TAKEN}")


def _resolve(path: Path, folder: Path) -> Path | None:
    try:
        root = folder.resolve(strict=True)
        resolved = path.resolve(strict=True)
        is_file = resolved.is_file()  # neither a folder nor a pipe, which would hang its reader
    except (OSError, RuntimeError):  # RuntimeError: a loop of symlinks, before Python 3.13
        return None
    return resolved if is_file and resolved.is_relative_to(root) else None


def shown(uri: str, folders: Sequence[Path]) -> str | None:
    """Return a track's URI as pages see it; pure: ``folders`` are resolved already.

    http(s) without credentials; a file below one of ``folders`` as its path within it; anything else None.
    """
    named = scheme(uri)
    if named in WEB_SCHEMES:
        return _without_credentials(uri)
    if named != "file" or not uri.startswith("file:///"):
        return None
    path = PurePosixPath(unquote(uri.removeprefix("file://"), errors="replace"))
    for folder in folders:
        if ".." not in path.parts and path.is_relative_to(folder.as_posix()):
            return str(path.relative_to(folder.as_posix()))
    return None


def file_name(uri: str) -> str:
    """Return the last part of the URI's path, decoded, to stand for a title."""
    return unquote(uri.partition("?")[0].rpartition("/")[2], errors="replace")


def _without_credentials(uri: str) -> str | None:
    try:
        parts = urlsplit(uri)
    except ValueError:
        return None
    return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))
