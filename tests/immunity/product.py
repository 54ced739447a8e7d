"""The product's own source as syntax trees, for rules that hold in every line of it."""

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


@cache
def trees() -> dict[str, ast.Module]:
    """Return every module of the daemon by its path, such as ``bridge/front/policy.py``."""
    files = sorted(path for folder in ("bridge", "oauth") for path in (ROOT / folder).rglob("*.py"))
    return {str(path.relative_to(ROOT)): ast.parse(path.read_text(encoding="utf-8")) for path in files}


def nodes(*folders: str) -> Iterator[tuple[str, ast.AST]]:
    """Yield each node with its module's path; below ``folders`` alone, if there are any."""
    for path, tree in trees().items():
        if not folders or path.startswith(folders):
            for node in ast.walk(tree):
                yield path, node


def dotted(node: ast.AST) -> str:
    """Return a name as it is written (``os.environ.get``); of anything else, what comes after its last dot."""
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute):
        return f"{dotted(node.value)}.{node.attr}".removeprefix(".")
    return ""


def calls(*folders: str) -> Iterator[tuple[str, str, ast.Call]]:
    """Yield each call: its module's path, what is called, and the node."""
    for path, node in nodes(*folders):
        if isinstance(node, ast.Call):
            yield path, dotted(node.func), node


def imports(*folders: str) -> Iterator[tuple[str, str]]:
    """Yield each import: the module's path and what it imports, in full."""
    for path, node in nodes(*folders):
        if isinstance(node, ast.Import):
            yield from ((path, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from ((path, f"{node.module}.{alias.name}") for alias in node.names)
