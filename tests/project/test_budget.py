"""The sizes that keep a file readable in one sitting."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
MODULES = sorted(path for folder in ("bridge", "oauth", "scripts") for path in (ROOT / folder).rglob("*.py"))
MODULE_LINES = 300
FUNCTION_LINES = 60


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_module_and_its_functions_keep_the_budget(path: Path) -> None:
    source = path.read_text(encoding="utf-8")

    lines = len(source.splitlines())
    functions = (
        node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    )
    long = [node.name for node in functions if (node.end_lineno or 0) - node.lineno >= FUNCTION_LINES]

    assert lines <= MODULE_LINES, f"{lines} lines: it holds more than one idea; split it by idea"
    assert not long, f"functions over {FUNCTION_LINES} lines; decide in pure functions and act in thin ones"
