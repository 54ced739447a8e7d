"""docs/immunity.md leaves no case out: each has a test that exists, or says why there is none yet."""

import ast
import re
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
DOCUMENT = ROOT / "docs/immunity.md"
TEXT = DOCUMENT.read_text(encoding="utf-8")

CASES = [f"S-{number:02}" for number in range(1, 76)]
NAMED = re.compile(r"`(tests/[\w/]+\.py)(?:::(test_\w+))?`")
REASON = re.compile(r"Not yet: .* comes? with the \w+|Not yet: .* before the \w+")
FAMILIES = (
    "smuggling",
    "memory",
    "WebSocket",
    "files and redirects",
    "header injection",
    "keys and headers",
    "keyring",
)


def rows(start: str) -> dict[str, list[str]]:
    """Return the cells of each table row whose first cell begins with ``start``, by that cell."""
    found: dict[str, list[str]] = {}
    for line in TEXT.splitlines():
        cells = [cell.strip() for cell in line.strip("|").split(" | ")]
        if line.startswith(f"| {start}"):
            assert cells[0] not in found, f"{cells[0]} stands there twice"
            found[cells[0]] = cells
    return found


def section(name: str) -> str:
    """Return one section of the document."""
    return TEXT.partition(f"\n## {name}")[2].partition("\n## ")[0]


@cache
def functions_of(path: str) -> frozenset[str]:
    """Return the names of the tests of one file, also of those in its classes."""
    file = ROOT / path
    if not file.is_file():
        return frozenset()
    tree = ast.parse(file.read_text(encoding="utf-8"))
    functions = (node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))
    return frozenset(node.name for node in functions if node.name.startswith("test_"))


def existing(text: str) -> list[str]:
    """Return the tests that ``text`` names and that exist."""
    return [f"{path}::{name}" for path, name in NAMED.findall(text) if name and name in functions_of(path)]


def test_every_case_has_one_row_in_order() -> None:
    assert CASES == [name for name in rows("S-") if re.fullmatch(r"S-\d\d", name)]


def test_every_case_has_a_test_that_exists_or_a_reason() -> None:
    bare = [
        name for name, cells in rows("S-").items() if not existing(" ".join(cells)) and not REASON.search(cells[-1])
    ]

    assert [] == bare


def test_every_case_says_what_happened_our_rule_and_what_is_seen() -> None:
    assert [] == [name for name, cells in rows("S-").items() if len(cells) != 4 or not all(cells)]


def test_every_family_of_advisories_has_a_test_or_a_reason() -> None:
    table = [line for line in section("H. Libraries").splitlines() if line.startswith("| ") and "---" not in line][1:]

    assert [] == [family for family in FAMILIES if not any(family in row for row in table)]
    assert [] == [row for row in table if not existing(row) and not REASON.search(row)]


def test_every_test_that_is_named_exists() -> None:
    gone = [f"{path}::{name}" for path, name in NAMED.findall(TEXT) if name and name not in functions_of(path)]
    files = [path for path, _ in NAMED.findall(TEXT) if not (ROOT / path).is_file()]
    web = [path for path in re.findall(r"`(web_client/test/[\w.]+)`", TEXT) if not (ROOT / path).is_file()]

    assert [] == gone + files + web


def test_every_test_file_of_the_catalogue_stands_in_it() -> None:
    files = sorted(path.relative_to(ROOT).as_posix() for path in (ROOT / "tests/immunity").glob("test_*.py"))

    assert [] == [file for file in files if f"`{file}" not in TEXT]


def test_nothing_is_left_open() -> None:
    assert [] == re.findall(r"\b(?:TODO|FIXME|TBD|PEER|WIRE|DPOP|LOGS|VAULT|AUDIT|BROWSERS)\b", TEXT)
