"""docs/oauth-requirements.md leaves no requirement out: each has a test that exists, or says why there is none."""

import ast
import re
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
TEXT = (ROOT / "docs/oauth-requirements.md").read_text(encoding="utf-8")

FAMILIES = {
    "N": 9, "B": 18, "V": 10, "R": 6, "K": 9, "X": 3, "F": 5, "I": 2, "M": 4, "T": 2, "C": 7, "P": 20,
}  # fmt: skip
IDS = [f"{family}{number}" for family, most in FAMILIES.items() for number in range(1, most + 1)]

NAMED = re.compile(r"`(tests/[\w/]+\.py)::(test_\w+)`")
NAMED_WEB = re.compile(r"`(web_client/test/[\w.]+)::([^`]+)`")
REASON = re.compile(r"[Ww]ith the upstream logins|Left out: decision 0009|Does not apply: \w")

ROWS = [
    [cell.strip() for cell in line.removeprefix("|").removesuffix("|").split(" | ")]
    for line in TEXT.splitlines()
    if re.match(r"\| [A-Z]\d+ \|", line)
]


@cache
def functions_of(path: str) -> frozenset[str]:
    """Return the names of the tests of one file."""
    file = ROOT / path
    if not file.is_file():
        return frozenset()
    tree = ast.parse(file.read_text(encoding="utf-8"))
    functions = (node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))
    return frozenset(node.name for node in functions if node.name.startswith("test_"))


def has_web_test(path: str, name: str) -> bool:
    file = ROOT / path
    return file.is_file() and f'test("{name}"' in file.read_text(encoding="utf-8")


def is_shown(cells: list[str]) -> bool:
    """Whether a row names a test that exists."""
    text = " ".join(cells)
    return any(name in functions_of(path) for path, name in NAMED.findall(text)) or any(
        has_web_test(path, name) for path, name in NAMED_WEB.findall(text)
    )


def test_every_requirement_has_one_row() -> None:
    assert sorted(IDS) == sorted(cells[0] for cells in ROWS)


def test_every_row_says_what_is_asked_what_holds_here_and_what_is_seen() -> None:
    assert [] == [cells[0] for cells in ROWS if len(cells) != 4 or not cells[1] or not cells[2]]


def test_every_requirement_has_a_test_that_exists_or_a_reason() -> None:
    assert [] == [cells[0] for cells in ROWS if not is_shown(cells) and not REASON.search(" ".join(cells))]


def test_every_test_that_is_named_exists() -> None:
    gone = [f"{path}::{name}" for path, name in NAMED.findall(TEXT) if name not in functions_of(path)]
    gone += [f"{path}::{name}" for path, name in NAMED_WEB.findall(TEXT) if not has_web_test(path, name)]

    assert [] == gone


def test_nothing_is_named_in_another_form() -> None:
    named = NAMED.findall(TEXT) + NAMED_WEB.findall(TEXT)

    assert len(re.findall(r"`(?:tests|web_client)/[^`]+`", TEXT)) - TEXT.count("`tests/project/") == len(named)


def test_every_interop_test_stands_in_it() -> None:
    files = sorted((ROOT / "tests/interop").glob("test_*.py"))
    tests = [(path.relative_to(ROOT).as_posix(), path.stem) for path in files]

    assert tests
    assert [] == [path for path, _ in tests if f"`{path}::" not in TEXT]


def test_what_is_left_out_stands_in_the_decision() -> None:
    (decision,) = (ROOT / "docs/decisions").glob("0009-*.md")
    text = decision.read_text(encoding="utf-8")

    assert [] == [
        what for what in ("Introspection", "Pushed requests", "Client metadata documents") if what not in text
    ]
