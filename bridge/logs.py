"""The one place that configures logging; a log line holds nothing that a request brought unless a field here names it.

The convention, for every logger call in `bridge` and `oauth` (held by tests/project/test_logging.py):

    logger.warning("refused a request", extra={"reason": reason.value, "origin": origin})

* the message is a constant sentence, without ``%`` and without arguments;
* what varies goes into ``extra``, a dictionary written in place, whose names are all in `FIELDS`;
* a trace goes into ``exc_info``; an error that is foreseen goes into the field ``error`` and needs no trace.

It is plain `logging`, so `oauth` follows it without knowing this file. `Formatter` then prints the sentence and the
fields of `FIELDS`, and no other attribute. What it cannot vouch for, it does not print:

* of an error: type, stable code and frames; its message only where it is ours and speaks of the daemon (`BridgeFault`,
  `OAuthError`). The messages of others, of `ClientError` and of apps may quote what was sent;
* of a library's record: where in the library it was made, not what it says. Below WARNING libraries are silent,
  whatever the level: at DEBUG, Authlib logs whole token responses;
* of an app that somebody else wrote (`bridge.apps.port.App.logger`): the sentence only where it stands word for word in
  the call, which is looked up as the line is written, since no test of ours reads that program. Else where it was made.
  Of its fields numbers, booleans, None, members of enums and errors; a text only where the app has declared it as the
  name of something, else how long it is.

At DEBUG (`tollbridge run -v`) each request, command, token and subscription has a line, guarded by ``isEnabledFor``.
"""

import asyncio
import errno
import inspect
import logging
import sys
import threading
import warnings
from collections.abc import Iterator
from contextlib import suppress
from enum import Enum, Flag
from functools import partial
from pathlib import PurePath
from traceback import StackSummary, walk_tb
from types import TracebackType
from typing import Any, TextIO

from bridge.errors import AppFailed, BridgeError, BridgeFault
from oauth.errors import OAuthError

FIELDS = (
    "method",
    "path",
    "origin",
    "reason",
    "remedy",
    "client",
    "app",
    "command",
    "topics",
    "player",
    "base",
    "socket",
    "port",
    "uid",
    "status",
    "outcome",
    "milliseconds",
    "seconds",
    "count",
    "index",
    "file",
    "place",
    "type",
    "code",
    "error",
)
"""What may vary in a line, in the order in which it is printed. ``path`` is a route's pattern or a path of ours, never
the target that was sent; ``command`` and ``topics`` are declared ones; ``status`` is HTTP's; ``error`` an exception."""

VALUE_CHARS = 200
"""A value is cut here."""
ERROR_CHARS = 600
"""The message of an error of ours is cut here: it names a file and says what to do."""
TRACE_FRAMES = 64
TRACE_ERRORS = 16
"""Of a longer trace the newest frames, of a longer chain the newest errors."""

_OURS = ("bridge", "oauth")
_APPS = "app"
"""Above the loggers of the hosted apps."""

logger = logging.getLogger(__name__)


def configure(level: int) -> None:
    """Send every log line of this process through `Formatter` to standard error, ours from ``level`` on.

    So do warnings, and the errors of which nobody else hears: of the program, of a thread, of a destructor.
    """
    handler = Handler(sys.stderr)
    handler.setFormatter(Formatter())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.WARNING)
    for name in (*_OURS, _APPS):
        logging.getLogger(name).setLevel(level)
    logging.raiseExceptions = False  # else a handler that fails prints what it was to write
    warnings.showwarning = _warned
    sys.excepthook = _ended
    threading.excepthook = _thread_ended
    sys.unraisablehook = _unraisable


def loop_error(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """Log what reached the event loop (`asyncio.loop.set_exception_handler`); asyncio would print the whole task."""
    del loop
    error = context.get("exception")
    logger.error("an error reached the event loop", exc_info=error if isinstance(error, BaseException) else None)


class Handler(logging.StreamHandler):  # type: ignore[type-arg]
    """Writes lines; drops those of libraries below WARNING, and never says what it could not write."""

    def filter(self, record: logging.LogRecord) -> Any:
        """Say whether the record is written."""
        is_told = _is_ours(record) or _is_an_apps(record) or record.levelno >= logging.WARNING
        return super().filter(record) if is_told else False

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802  # logging's name
        """Say that a line is missing, and whose."""
        with suppress(OSError, ValueError):  # standard error is gone: there is nobody to tell
            self.stream.write(f"a line of {_plain(record.name, VALUE_CHARS)} could not be written{self.terminator}")


class Formatter(logging.Formatter):
    """``TIME LEVEL LOGGER: SENTENCE key=value ...``, then the trace; all of it printable ASCII."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the record as text; without ``%``, so that what was passed to it can never get in."""
        parts = [f"{self.formatTime(record)} {record.levelname:<7} {_plain(record.name, VALUE_CHARS)}:"]
        is_an_apps = _is_an_apps(record)
        if not record.args and (_is_ours(record) or (is_an_apps and _is_written_in_place(record))):
            parts.append(_plain(str(record.msg), VALUE_CHARS))
            shown = partial(_vouched, record.__dict__.get("declared_names")) if is_an_apps else _shown
            parts += [f"{name}={shown(record.__dict__[name])}" for name in FIELDS if name in record.__dict__]
        else:
            parts.append("an app has something to say" if is_an_apps else "a library has something to say")
            parts.append(f"place={_place(record.pathname, record.lineno)}")
        lines = [" ".join(parts)]
        error = record.exc_info[1] if record.exc_info else None
        if error is not None:
            lines += _trace(error)
        return "\n".join(lines)


def described(error: BaseException) -> str:
    """Return an error on one line, ``Type (code): message``; a message only where it can hold nothing that was sent."""
    code = _code(error)
    text = f"{type(error).__qualname__} ({code})" if code else type(error).__qualname__
    message = _message(error)
    return _plain(f"{text}: {message}" if message else text, ERROR_CHARS)


def _code(error: BaseException) -> str | None:
    if isinstance(error, BridgeError | OAuthError):
        return error.code
    if isinstance(error, OSError):
        return errno.errorcode.get(error.errno or 0)
    name = getattr(error, "sqlite_errorname", None)
    return name if isinstance(name, str) else None


def _message(error: BaseException) -> str | None:
    if isinstance(error, OAuthError):
        return str(error)
    is_of_the_daemon = type(error).__module__.partition(".")[0] in _OURS
    if isinstance(error, BridgeFault) and not isinstance(error, AppFailed) and is_of_the_daemon:
        return f"{error.title}: {error.detail}"
    return None


def _trace(error: BaseException) -> list[str]:
    """Return the frames of an error and of those that led to it, the newest first."""
    lines = []
    for number, (how, each) in enumerate(_chain(error)):
        if number == TRACE_ERRORS:
            lines.append("  and more")
            break
        lines.append(f"  {how}{described(each)}")
        frames = list(_frames(each.__traceback__))
        if frames:
            lines.append("  Traceback (most recent call last):")
            lines += frames[-TRACE_FRAMES:]
    return lines


def _chain(error: BaseException) -> Iterator[tuple[str, BaseException]]:
    seen: set[int] = set()
    waiting = [("", error)]
    while waiting:
        how, each = waiting.pop()
        if id(each) in seen:
            continue
        seen.add(id(each))
        yield how, each
        if each.__cause__ is not None:
            waiting.append(("caused by ", each.__cause__))
        elif each.__context__ is not None and not each.__suppress_context__:
            waiting.append(("while handling ", each.__context__))
        if isinstance(each, BaseExceptionGroup):
            waiting += [("with ", one) for one in reversed(each.exceptions)]


def _frames(trace: TracebackType | None) -> Iterator[str]:
    for frame in StackSummary.extract(walk_tb(trace), lookup_lines=False):
        file, function = _plain(frame.filename, VALUE_CHARS), _plain(frame.name, VALUE_CHARS)
        yield f'    File "{file}", line {frame.lineno}, in {function}'


def _vouched(names: object, value: object) -> str:
    """Return a value in an app's line; ``names`` are what the app has declared, where its own logger was used."""
    if isinstance(value, Enum):
        return _shown(value.name if isinstance(value, Flag) else value.value)
    if value is None or type(value) in (bool, int, float) or isinstance(value, BaseException):
        return _shown(value)
    if not isinstance(value, str):
        return "-"
    return _shown(value if isinstance(names, frozenset) and value in names else f"{len(value)} characters")


def _shown(value: object) -> str:
    if isinstance(value, BaseException):
        text = described(value)
    elif value is None:
        return "-"
    else:
        text = _plain(f"{value:g}" if isinstance(value, float) else str(value), VALUE_CHARS)
    if text and not any(sign in text for sign in ' "='):
        return text
    return '"' + text.replace('"', "'") + '"'


def _plain(text: str, most: int) -> str:
    """Return printable ASCII on one line, ``most`` characters at most."""
    text = text[:most]
    if text.isascii() and text.isprintable():
        return text
    cut = text.encode("ascii", "backslashreplace").decode().translate(_NO_CONTROL)
    return cut[:most]


_NO_CONTROL = dict.fromkeys((*range(32), 127), "?")


def _is_ours(record: logging.LogRecord) -> bool:
    return record.name.partition(".")[0] in _OURS


def _is_an_apps(record: logging.LogRecord) -> bool:
    return record.name.partition(".")[0] == _APPS


def _is_written_in_place(record: logging.LogRecord) -> bool:
    """Say whether the message is a constant of the very code that logs it; what was put together elsewhere is not.

    A line is written while its call waits, so that the code stands among the callers.
    """
    frame = inspect.currentframe()
    while frame is not None:
        if (frame.f_code.co_filename, frame.f_lineno) == (record.pathname, record.lineno):
            return isinstance(record.msg, str) and record.msg in frame.f_code.co_consts
        frame = frame.f_back
    return False


def _place(file: str, line: int) -> str:
    """Return ``folder/file.py:line``."""
    return _plain(f"{'/'.join(PurePath(file).parts[-2:])}:{line}", VALUE_CHARS)


def _warned(
    message: Warning | str,
    category: type[Warning],
    filename: str,
    lineno: int,
    file: TextIO | None = None,
    line: str | None = None,
) -> None:
    del message, file, line
    logger.warning("Python warns", extra={"place": _place(filename, lineno), "type": category.__name__})


def _ended(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    logger.critical("the program ended by an error", exc_info=(kind, error, trace))


def _thread_ended(told: threading.ExceptHookArgs) -> None:
    if told.exc_value is not None and not isinstance(told.exc_value, SystemExit):
        logger.error("a thread ended by an error", exc_info=told.exc_value)


def _unraisable(told: "sys.UnraisableHookArgs") -> None:
    logger.error("an error came where nobody could hear it", exc_info=told.exc_value)
