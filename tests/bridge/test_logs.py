"""How lines are written: our own words, the fields that are named, and nothing that anybody else has written."""

import enum
import io
import logging
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path

import pytest

from bridge.apps.port import App, Params
from bridge.errors import AppFailed, BridgeFault, Internal, NotFound
from bridge.logs import ERROR_CHARS, VALUE_CHARS, Formatter, Handler, described
from bridge.messages import Effect
from oauth.errors import StorageFailed

CANARY = "canary-in-a-line"


class Greeting(Params, frozen=True):
    text: str = ""


def line(
    name: str = "bridge.x",
    level: int = logging.WARNING,
    message: object = "of",
    *arguments: object,
    error: BaseException | None = None,
    **fields: object,
) -> str:
    """Return a record as our handler writes it."""
    trace = None if error is None else (type(error), error, error.__traceback__)
    record = logging.LogRecord(name, level, "/usr/lib/library/file.py", 7, message, arguments, trace)
    record.__dict__.update(fields)
    stream = io.StringIO()
    handler = Handler(stream)
    handler.setFormatter(Formatter())
    handler.handle(record)
    return stream.getvalue()


def raised(error: BaseException, cause: BaseException | None = None) -> BaseException:
    try:
        raise error from cause
    except type(error) as caught:
        return caught


def test_a_line_is_a_sentence_and_its_fields_in_order() -> None:
    written = line(message="refused", reason="host", method="GET", origin=None, seconds=5.0)

    assert written.endswith("WARNING bridge.x: refused method=GET origin=- reason=host seconds=5\n")


def test_a_field_that_nobody_named_is_left_out() -> None:
    assert "canary" not in line(token=CANARY, body=CANARY)


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("a b", '"a b"'),
        ('a"b', '"a\'b"'),
        ("a=b", '"a=b"'),
        ("", '""'),
        ("a\r\nb\x1b[0m\x7f", "a??b?[0m?"),
        ("\u202eé\ud800", "\\u202e\\xe9\\ud800"),
        ("x" * 500, "x" * VALUE_CHARS),
        ("é" * 500, ("\\xe9" * 500)[:VALUE_CHARS]),
    ],
)
def test_a_value_is_printable_ascii_on_one_line_and_cut(value: str, shown: str) -> None:
    assert line(message="of", reason=value).endswith(f"of reason={shown}\n")


@pytest.mark.parametrize(
    "name", ["authlib.oauth2", "asyncio", "aiohttp.server", "urllib3", "keyring", "dbus_fast", "bridges"]
)
def test_a_library_says_where_but_not_what(name: str) -> None:
    written = line(name, logging.ERROR, f"of {CANARY}", error=raised(ValueError(CANARY)))

    assert "place=library/file.py:7" in written
    assert "ValueError" in written
    assert "canary" not in written
    assert "canary" not in line(name, logging.ERROR, "of %s", CANARY)


def test_a_library_is_silent_below_warning() -> None:
    assert "" == line("authlib", logging.INFO)
    assert "" == line("asyncio", logging.DEBUG)
    assert "" != line("oauth.store", logging.DEBUG)


def test_arguments_never_get_into_a_line() -> None:
    assert "canary" not in line("bridge.x", logging.ERROR, "of %s", CANARY)


def test_a_trace_has_types_and_frames_and_no_foreign_message() -> None:
    group = ExceptionGroup(CANARY, [OSError(28, CANARY), raised(NotFound(CANARY))])
    group.add_note(CANARY)
    error = raised(RuntimeError(CANARY), raised(KeyError(CANARY), raised(group, AppFailed(CANARY))))

    written = line(error=error)

    for told in ("RuntimeError", "caused by KeyError", "ExceptionGroup", "OSError (ENOSPC)", "NotFound (not_found)"):
        assert told in written
    assert "Traceback (most recent call last):" in written
    assert f'File "{__file__}", line ' in written
    assert "in raised" in written
    assert "canary" not in written


def test_a_context_is_followed_unless_it_was_put_aside() -> None:
    def fails(*, aside: bool) -> BaseException:
        try:
            try:
                raise KeyError(CANARY)  # noqa: TRY301
            except KeyError:
                if aside:
                    raise RuntimeError(CANARY) from None
                raise RuntimeError(CANARY)  # noqa: B904
        except RuntimeError as error:
            return error

    assert "while handling KeyError" in line(error=fails(aside=False))
    assert "KeyError" not in line(error=fails(aside=True))


def test_an_error_of_ours_is_told_with_its_message() -> None:
    assert "Internal (internal): Internal error: the disk is full" == described(Internal("the disk is full"))
    assert "StorageFailed (storage_failed): it is full" == described(StorageFailed("it is full"))
    assert "NotFound (not_found)" == described(NotFound(CANARY))
    assert "AppFailed (app_failed)" == described(AppFailed(CANARY))
    assert ERROR_CHARS == len(described(Internal("x" * 1000)))


def test_a_chain_that_bites_its_tail_ends() -> None:
    one, other = KeyError(), ValueError()
    one.__context__, other.__context__ = other, one

    assert 1 == line(error=one).count("KeyError")


@pytest.fixture(name="app_lines")
def _app_lines() -> Iterator[io.StringIO]:
    stream, logger = io.StringIO(), logging.getLogger("app")
    handler = Handler(stream)
    handler.setFormatter(Formatter())
    logger.addHandler(handler)
    logger.setLevel(logging.DEBUG)
    yield stream
    logger.removeHandler(handler)
    logger.setLevel(logging.NOTSET)


def test_an_app_has_a_logger_whose_sentences_and_fields_are_written(app_lines: io.StringIO) -> None:
    app = App("greeter", title="Greeter", scopes={})

    app.logger.info("said it", extra={"count": 3, "token": CANARY})
    app.logger.debug("said it again")
    app.logger.warning(
        "on lines of its own",
        extra={"seconds": 0.5},
    )
    try:
        raise ValueError(CANARY)  # noqa: TRY301
    except ValueError:
        app.logger.exception("it failed")

    written = app_lines.getvalue()
    for told in (
        "INFO    app.greeter: said it count=3\n",
        "DEBUG   app.greeter: said it again\n",
        "WARNING app.greeter: on lines of its own seconds=0.5\n",
        "ERROR   app.greeter: it failed\n  ValueError\n",
    ):
        assert told in written
    assert "canary" not in written


class Colour(enum.StrEnum):
    RED = "red"


class Rank(enum.Enum):
    FIRST = 1


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (CANARY, f'"{len(CANARY)} characters"'),
        ("", '"0 characters"'),
        ("greet", '"5 characters"'),
        (CANARY.encode(), "-"),
        ([CANARY], "-"),
        ({CANARY: CANARY}, "-"),
        (Path(CANARY), "-"),
        (type(CANARY, (int,), {})(3), "-"),
        (3, "3"),
        (0.5, "0.5"),
        (True, "True"),
        (None, "-"),
        (Colour.RED, "red"),
        (Rank.FIRST, "1"),
        (ValueError(CANARY), "ValueError"),
        ("greeter", "greeter"),
        ("say", "say"),
        ("greeter:use", "greeter:use"),
        ("greeter.more", "greeter.more"),
        ("said", "said"),
    ],
)
def test_of_an_apps_fields_only_what_is_no_text_of_a_page_is_written(
    app_lines: io.StringIO, value: object, shown: str
) -> None:
    app = App("greeter", title="Greeter", scopes={"greeter:use": "Use it"})
    app.topic("greeter.more", scope="greeter:use", events={"said": Greeting})

    @app.command(scope="greeter:use", effect=Effect.ACT)
    def say(params: Greeting) -> Greeting:
        return params

    app.logger.info("said it", extra={"path": value})

    assert app_lines.getvalue().endswith(f"INFO    app.greeter: said it path={shown}\n")


def test_a_logger_below_an_apps_own_knows_no_names(app_lines: io.StringIO) -> None:
    logger = App("greeter", title="Greeter", scopes={}).logger.getChild("part")

    logger.info("said it", extra={"path": "greeter", "count": 3, "declared_names": "greeter"})

    assert app_lines.getvalue().endswith('app.greeter.part: said it path="7 characters" count=3\n')


def test_what_an_app_puts_together_is_not_written_only_its_place(app_lines: io.StringIO) -> None:
    logger, sent = App("greeter", title="Greeter", scopes={}).logger, CANARY + str(len(CANARY))

    logger.info(f"of {sent}")  # noqa: G004
    logger.info("of %s", sent)
    logger.info("of " + sent)  # noqa: G003
    logger.info(sent)
    logger.info({sent: sent})
    logger.info(ValueError(sent))

    lines = app_lines.getvalue().splitlines()
    assert 6 == len(lines)
    assert "canary" not in app_lines.getvalue()
    assert all("an app has something to say place=bridge/test_logs.py:" in each for each in lines)


def test_an_error_of_an_app_is_told_without_its_message() -> None:
    class Fault(BridgeFault):
        """As an app declares one."""

    assert "Fault (internal)" in described(Fault(CANARY))
    assert "canary" not in described(Fault(CANARY))


def test_a_line_that_cannot_be_written_says_only_so(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    class Unprintable:
        def __str__(self) -> str:
            raise ValueError(CANARY)

    written = line(reason=Unprintable())

    assert "a line of bridge.x could not be written\n" == written
    assert ("", "") == capsys.readouterr()


PROGRAM = """
    import asyncio, logging, sys, threading, warnings
    from bridge import logs

    logs.configure(logging.DEBUG)
    canary = sys.stdin.read()
    logging.getLogger("authlib.oauth2").debug("of %s", canary)
    logging.getLogger("asyncio").warning("of %s", canary)
    logging.getLogger("oauth.store").debug("shown", extra={"reason": "r"})
    warnings.warn(canary, RuntimeWarning)

    def fails():
        raise ValueError(canary)

    thread = threading.Thread(target=fails, name=canary)
    thread.start(); thread.join()

    class Dying:
        def __del__(self): fails()
        def __repr__(self): return canary
    Dying()

    class Handler(logging.Handler):
        def emit(self, record):
            try: fails()
            except ValueError: self.handleError(record)
    foreign = logging.getLogger("foreign")
    foreign.propagate = False
    foreign.addHandler(Handler())
    foreign.error("of %s", canary)

    async def main():
        asyncio.get_running_loop().set_exception_handler(logs.loop_error)
        asyncio.get_running_loop().call_soon(fails)
        task = asyncio.create_task(coroutine(), name=canary)
        await asyncio.wait([task])
        del task

    async def coroutine(): fails()
    asyncio.run(main(), debug=True)
    fails()
"""


def test_nothing_goes_past_it_to_standard_error() -> None:
    ended = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(PROGRAM)],
        input=CANARY,
        capture_output=True,
        text=True,
        check=False,
        timeout=30,
    )

    assert "canary" not in ended.stdout + ended.stderr
    assert "DEBUG   oauth.store: shown reason=r" in ended.stderr
    assert "authlib" not in ended.stderr
    for told in (
        "asyncio: a library has something to say place=",
        "Python warns place=",
        "a thread ended by an error",
        "an error came where nobody could hear it",
        "CRITICAL bridge.logs: the program ended by an error",
    ):
        assert told in ended.stderr
    assert 2 == ended.stderr.count("an error reached the event loop")
    assert 1 == ended.returncode
