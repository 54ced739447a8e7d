"""How answers look: no control characters, tables that fit, JSON that is pretty for people and compact for programs."""

import io
import json
import os
import re
import shutil
import stat
import sys
from collections.abc import Sequence
from typing import Any, TextIO, cast

import click

WIDE = 4000
"""Columns of a table that goes into a pipe: nothing is wrapped or cut there, so that grep and awk see whole lines."""

# C0 without the newline, DEL, C1, and the marks that reorder text: a page's name or a song's title must not be able to
# move the cursor, recolour a line or make one origin read as another.
_UNSEEN = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]")


def open_streams() -> None:
    """Give the three streams a place where the shell closed them, or they lead to no person (``</dev/full``).

    Without one, the next file or socket that is opened becomes standard output or error. What is written to a standard
    output that was closed fails, as the system has it; a standard error that was closed takes everything.
    """
    if sys.stdin is None or _is_endless(sys.stdin):
        sys.stdin = _nowhere(os.O_RDONLY, "r")
    if sys.stdout is None:
        sys.stdout = _nowhere(os.O_RDONLY, "w")
    elif isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # what a person's character set lacks is no error
    if sys.stderr is None:
        sys.stderr = _nowhere(os.O_WRONLY, "w")


def drop_stream(stream: TextIO) -> None:
    """Lead ``stream`` nowhere: what is still buffered must not fail a second time when Python ends."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def _nowhere(flags: int, mode: str) -> TextIO:
    # It lasts as long as the process.
    return cast("TextIO", open(os.open(os.devnull, flags), mode, encoding="utf-8", closefd=False))


def _is_endless(stream: TextIO) -> bool:
    """Say whether reading a line may never end: a device that is no terminal, such as ``/dev/zero``."""
    try:
        return stat.S_ISCHR(os.fstat(stream.fileno()).st_mode) and not stream.isatty()
    except (OSError, ValueError):  # it is no file
        return False


def visible(text: str) -> str:
    r"""Return ``text`` with every control and reordering character written as ``\uXXXX`` (valid inside JSON, too)."""
    return _UNSEEN.sub(lambda match: f"\\u{ord(match[0]):04x}", text)


def one_line(text: str) -> str:
    """Return ``text`` as visible characters on one line."""
    return visible(text.replace("\n", " "))


def is_terminal() -> bool:
    """Say whether standard output is read by a person."""
    return sys.stdout.isatty()


def columns() -> int:
    """Return how many characters fit on a line."""
    return shutil.get_terminal_size().columns if is_terminal() else WIDE


def shortened(text: str, room: int) -> str:
    """Return ``text`` cut to ``room`` characters, the cut being shown."""
    return text if len(text) <= room else text[: max(room - 1, 0)] + "…"


def print_json(body: bytes) -> None:
    """Print a JSON body: indented on a terminal, as it came (one line) into a pipe."""
    if not is_terminal():
        click.echo(body.decode())
        return
    click.echo(visible(json.dumps(json.loads(body), indent=2, ensure_ascii=False)))


def compact_json(value: Any) -> str:
    """Return ``value`` as JSON on one line, without needless spaces."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def print_pairs(pairs: Sequence[tuple[str, str]]) -> None:
    """Print labels and values in two columns."""
    width = max(len(label) for label, _ in pairs)
    for label, value in pairs:
        click.echo(f"{click.style(label.ljust(width), bold=True)}  {one_line(value)}")


def print_table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print a table; on a narrow terminal cells are folded, never cut."""
    # Imported here: rich takes longer to load than the daemon takes to answer.
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    plain = bool(os.environ.get("NO_COLOR")) or not is_terminal()
    console = Console(width=columns(), highlight=False, no_color=plain, color_system=None if plain else "auto")
    table = Table(box=box.SIMPLE_HEAD if is_terminal() else None, pad_edge=False, header_style="bold")
    for head in heads:
        table.add_column(head, overflow="fold")
    for row in rows:
        table.add_row(*(Text("\n".join(visible(line) for line in cell.split("\n"))) for cell in row))
    with console.capture() as capture:
        console.print(table)
    for line in capture.get().splitlines():
        click.echo(line.rstrip())
