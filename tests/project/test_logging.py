"""The convention of bridge/logs.py: a log line holds what was meant for it, and one place says how it is written."""

import ast
import logging
from collections.abc import Iterator
from pathlib import Path

import pytest

from bridge.logs import FIELDS

ROOT = Path(__file__).resolve().parents[2]
MODULES = sorted(path for package in ("bridge", "oauth") for path in (ROOT / package).rglob("*.py"))
LEVELS = {"debug", "info", "warning", "error", "exception", "critical", "log", "warn", "fatal"}
CONFIGURING = {"basicConfig", "captureWarnings", "lastResort", "raiseExceptions", "addHandler", "StreamHandler"}
PRINTING = {"print", "pprint", "print_exc", "print_exception", "print_stack", "format_exc", "displayhook"}


def calls(tree: ast.AST) -> Iterator[ast.Call]:
    return (node for node in ast.walk(tree) if isinstance(node, ast.Call))


def is_log_call(call: ast.Call) -> bool:
    """Say whether a call logs: a level's method of anything that is, or may be called, a logger."""
    function = call.func
    if not isinstance(function, ast.Attribute) or function.attr not in LEVELS:
        return False
    told = ast.unparse(function.value).lower()
    return "log" in told.rpartition(".")[2] or "getlogger" in told


def fault(call: ast.Call) -> str | None:
    """Return what is wrong with a call that logs."""
    if len(call.args) != 1 or not _is_sentence(call.args[0]):
        return "the message is one constant sentence without %, alone"
    for keyword in call.keywords:
        if keyword.arg not in ("extra", "exc_info"):
            return f"{keyword.arg} is not used"
        if keyword.arg == "extra" and not _is_fields(keyword.value):
            return "extra is a dictionary written in place, of FIELDS"
    return None


def _is_sentence(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, str) and "%" not in node.value and node.value != ""


def _is_fields(node: ast.expr) -> bool:
    return isinstance(node, ast.Dict) and all(
        isinstance(key, ast.Constant) and key.value in FIELDS and not isinstance(value, ast.JoinedStr)
        for key, value in zip(node.keys, node.values, strict=True)
    )


def tree(path: Path) -> ast.AST:
    return ast.parse(path.read_text(encoding="utf-8"))


def test_every_line_is_a_constant_sentence_with_fields_that_are_named() -> None:
    found = [(path, call) for path in MODULES for call in calls(tree(path)) if is_log_call(call)]

    assert len(found) > 15, "the calls were found"
    faults = [(path, call, fault(call)) for path, call in found]
    assert [] == [f"{path.relative_to(ROOT)}:{call.lineno}: {wrong}" for path, call, wrong in faults if wrong]


@pytest.mark.parametrize(
    "text",
    [
        'logger.info(f"of {x}")',
        'logger.info("of %s", x)',
        'logger.info("of %s" % x)',
        'logger.info("of " + x)',
        "logger.info(x)",
        'logger.info("of", x)',
        'logger.info("")',
        'logger.info("of", extra=x)',
        'logger.info("of", extra={**x})',
        'logger.info("of", extra={"token": x})',
        'logger.info("of", extra={"reason": f"of {x}"})',
        'logger.info("of", stack_info=True)',
        'logger.info("of", **x)',
        '_logger.log(10, "of")',
        'self._log.error("of %s", x)',
        'logging.getLogger("x").warning("of %s", x)',
        'logging.warning("of %s", x)',
    ],
)
def test_a_line_that_is_not_so_is_found(text: str) -> None:
    (call,) = [call for call in calls(ast.parse(text)) if is_log_call(call)]

    assert fault(call) is not None


def test_a_field_never_takes_the_place_of_what_a_record_has() -> None:
    record = logging.LogRecord("bridge", logging.INFO, __file__, 1, "of", None, None)

    assert not {*vars(record), "message", "asctime"} & set(FIELDS)
    assert len(FIELDS) == len(set(FIELDS))
    assert not {"token", "body", "query", "headers", "params", "secret", "target", "url"} & set(FIELDS)


def test_one_place_says_how_lines_are_written() -> None:
    faults = [
        f"{path.relative_to(ROOT)}:{node.lineno}: {name}"
        for path in MODULES
        if path != ROOT / "bridge/logs.py"
        for node in ast.walk(tree(path))
        if isinstance(node, ast.Attribute | ast.Name)
        and (name := node.attr if isinstance(node, ast.Attribute) else node.id) in CONFIGURING
    ]

    assert [] == faults


def test_only_the_command_line_prints() -> None:
    faults = [
        f"{path.relative_to(ROOT)}:{call.lineno}: {name}"
        for path in MODULES
        if not path.is_relative_to(ROOT / "bridge/cli")
        for call in calls(tree(path))
        if (name := ast.unparse(call.func).rpartition(".")[2]) in PRINTING
        or ast.unparse(call.func) in ("sys.stdout.write", "sys.stderr.write")
    ]

    assert [] == faults
