"""The files that the built-in player plays, in order: found below the music folders, named after their paths."""

import os
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec

SUFFIXES = frozenset({".mp3", ".flac", ".ogg", ".wav"})
"""What miniaudio decodes."""

MAX_ENTRIES = 20_000
"""Of all folders together; what lies beyond is not played."""

_NUMBER = re.compile(r"\d{1,3}(?:[ ._-]+|(?=[^\W\d]))")
"""A track number before a title: ``01 - ``, ``7. ``."""


class Tags(msgspec.Struct, frozen=True):
    """What a file's path says of it; miniaudio reads no tags."""

    title: str
    artists: tuple[str, ...]
    album: str


def tags(path: str) -> Tags:
    """Read ``Album/01 - Artist - Title.mp3``, a path within a music folder; every part but the title may be missing."""
    parts = path.split("/")
    stem = parts[-1].rpartition(".")[0] or parts[-1]
    name = _NUMBER.sub("", stem, count=1).strip() if _NUMBER.match(stem) else stem.strip()
    artist, dash, title = name.partition(" - ")
    album = parts[-2] if len(parts) > 1 else ""
    if dash and artist.strip() and title.strip():
        return Tags(title.strip(), (artist.strip(),), album)
    return Tags(name or stem, (), album)


class Tune(msgspec.Struct, frozen=True):
    """A file to play: where it is, and its path within its music folder (the id of its track)."""

    path: Path
    name: str


def find(folders: Sequence[Path]) -> tuple[Tune, ...]:
    """Return the music below ``folders``, folder by folder, sorted by path; reads the file system.

    Symlinks to folders are not followed, those to files only within their music folder.
    """
    tunes: list[Tune] = []
    left = MAX_ENTRIES
    for folder in folders:
        root = folder.resolve()
        names = []
        for path in _walk(root):
            left -= 1
            if left < 0:
                break
            if _is_music(path, root):
                names.append(path)
        names.sort(key=lambda path: str(path).casefold())
        tunes.extend(Tune(path.resolve(), path.relative_to(root).as_posix()) for path in names)
    return tuple(tunes)


def tune(path: Path, folders: Sequence[Path]) -> Tune:
    """Return the tune at a resolved ``path``, named within the first of ``folders`` that it is below."""
    for folder in folders:
        root = folder.resolve()
        if path.is_relative_to(root):
            return Tune(path, path.relative_to(root).as_posix())
    return Tune(path, path.name)


def _walk(root: Path) -> Iterator[Path]:
    for folder, _, files in os.walk(root):
        for name in files:
            yield Path(folder, name)


def _is_music(path: Path, root: Path) -> bool:
    if path.suffix.lower() not in SUFFIXES or not _is_text(path):
        return False
    try:
        return path.is_file() and path.resolve().is_relative_to(root)
    except (OSError, RuntimeError):
        return False


def _is_text(path: Path) -> bool:
    """Say whether the name can be shown: Linux allows bytes that are no text."""
    try:
        str(path).encode()
    except UnicodeEncodeError:
        return False
    return True
