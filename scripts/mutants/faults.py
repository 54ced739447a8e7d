"""Makes the faults: every small change of a module's syntax tree that a careless hand could make; pure."""

import ast
from collections.abc import Iterator
from hashlib import sha256
from typing import NamedTuple

_OTHER_COMPARISON: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
}
_OTHER_OPERATOR: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.FloorDiv,
    ast.Div: ast.Mult,
    ast.FloorDiv: ast.Mult,
    ast.Mod: ast.Mult,
    ast.BitOr: ast.BitAnd,
    ast.BitAnd: ast.BitOr,
}
_TEXT_METHODS = {"lower", "upper", "strip", "lstrip", "rstrip", "removeprefix", "removesuffix", "partition", "casefold"}
_NEVER = ("annotation", "returns", "decorator_list", "type_params")
"""Parts that decide nothing at run time."""


class Fault(NamedTuple):
    """A module with one fault. ``scope``, ``before`` and ``after`` name it, wherever the lines move."""

    path: str
    scope: str
    before: str
    after: str
    line: int
    source: str

    @property
    def name(self) -> str:
        """Return what names it, on one line."""
        return f"{self.path} | {self.scope} | {self.before} | {self.after}"


class _Site(NamedTuple):
    holder: ast.AST
    field: str
    place: int | None
    node: ast.AST
    statement: ast.stmt
    scope: str


def faults(path: str, source: str) -> Iterator[Fault]:
    """Return every fault of the module ``source``, each once."""
    tree = ast.parse(source)
    seen: set[str] = set()
    for site in _sites(tree, None, ""):
        for changed in _changes(site):
            _put(site, changed)
            text = ast.unparse(ast.fix_missing_locations(tree))
            after = _head(changed if isinstance(changed, ast.stmt) else site.statement)
            _put(site, site.node)
            fault = Fault(path, site.scope, _head(site.statement), after, site.statement.lineno, text)
            if fault.before != fault.after and fault.source not in seen:
                seen.add(fault.source)
                yield fault


def fingerprint(source: str) -> str:
    """Return a text that changes with what the module does, and not with what it says in comments and docstrings."""
    tree = ast.parse(source)
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef):
            node.body = [statement for statement in node.body if not _is_text(statement)]
    return sha256(ast.dump(tree).encode()).hexdigest()[:16]


def _put(site: _Site, node: ast.AST) -> None:
    if site.place is None:
        setattr(site.holder, site.field, node)
    else:
        getattr(site.holder, site.field)[site.place] = node


def _head(statement: ast.stmt) -> str:
    """Return a statement in one line, without the block beneath it."""
    if isinstance(statement, ast.Pass):
        return "(removed)"
    lines = ast.unparse(statement).splitlines()
    is_block = isinstance(statement, ast.If | ast.For | ast.While | ast.With | ast.Try | ast.FunctionDef | ast.ClassDef)
    return next(line for line in lines if not line.startswith("@")) if is_block else " ".join(map(str.strip, lines))


def _sites(node: ast.AST, statement: ast.stmt | None, scope: str) -> Iterator[_Site]:
    if isinstance(node, ast.FunctionDef | ast.ClassDef):
        scope = f"{scope}.{node.name}" if scope else node.name
    for field, value in ast.iter_fields(node):
        if field in _NEVER or (field == "keywords" and isinstance(node, ast.ClassDef)):
            continue
        for place, child in enumerate(value) if isinstance(value, list) else [(None, value)]:
            if not isinstance(child, ast.AST) or _is_silent(child):
                continue
            here = child if isinstance(child, ast.stmt) else statement
            if here is not None:
                yield _Site(node, field, place, child, here, scope or "(module)")
            yield from _sites(child, here, scope)


def _is_silent(node: ast.AST) -> bool:
    """Whether a part decides nothing: imports, docstrings."""
    return isinstance(node, ast.Import | ast.ImportFrom) or _is_text(node)


def _is_text(node: ast.AST) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


def _changes(site: _Site) -> Iterator[ast.AST]:
    node = site.node
    if isinstance(node, ast.stmt):
        yield from _statement_changes(node)
    elif isinstance(node, ast.Constant):
        if not isinstance(site.statement, ast.Raise):  # what an error says is no decision
            yield from map(ast.Constant, _other_values(node.value))
    elif isinstance(node, ast.Call):
        if isinstance(node.func, ast.Attribute) and node.func.attr in _TEXT_METHODS:
            yield node.func.value
    else:
        yield from _expression_changes(node)


def _expression_changes(node: ast.AST) -> Iterator[ast.AST]:
    if isinstance(node, ast.Compare):
        for place, operator in enumerate(node.ops):
            operators = [*node.ops]
            operators[place] = _OTHER_COMPARISON[type(operator)]()
            yield ast.Compare(node.left, operators, node.comparators)
    elif isinstance(node, ast.BoolOp):
        yield ast.BoolOp(ast.Or() if isinstance(node.op, ast.And) else ast.And(), node.values)
        for place in range(len(node.values)):
            values = node.values[:place] + node.values[place + 1 :]
            yield values[0] if len(values) == 1 else ast.BoolOp(node.op, values)
    elif isinstance(node, ast.UnaryOp):
        yield node.operand
    elif isinstance(node, ast.BinOp) and type(node.op) in _OTHER_OPERATOR:
        yield ast.BinOp(node.left, _OTHER_OPERATOR[type(node.op)](), node.right)
    elif isinstance(node, ast.IfExp):
        yield ast.IfExp(node.test, node.orelse, node.body)


def _statement_changes(node: ast.stmt) -> Iterator[ast.AST]:
    if isinstance(node, ast.If):
        yield ast.If(ast.UnaryOp(ast.Not(), node.test), node.body, node.orelse)
        yield ast.If(ast.Constant(value=False), node.body, node.orelse)
    elif isinstance(node, ast.Return):
        if node.value is not None and not (isinstance(node.value, ast.Constant) and node.value.value is None):
            yield ast.Return(ast.Constant(value=None))
    elif isinstance(node, ast.Raise | ast.Expr | ast.AugAssign | ast.Delete) or (
        isinstance(node, ast.Assign) and not all(isinstance(target, ast.Name) for target in node.targets)
    ):
        yield ast.Pass()


def _other_values(value: object) -> Iterator[str | bytes | float | bool]:
    if isinstance(value, bool):
        yield not value
    elif isinstance(value, int | float):
        yield value + 1
        yield value - 1
    elif isinstance(value, str):
        yield value + "X"
    elif isinstance(value, bytes):
        yield value + b"X"
