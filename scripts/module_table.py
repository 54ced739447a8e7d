"""Keep the table of modules in docs/architecture.md: each file with the first sentence of its docstring.

Usage: python -m scripts.module_table        (scripts/fix does it)
"""

import ast
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
DOCUMENT = ROOT / "docs" / "architecture.md"
BEGIN = "<!-- modules: kept by scripts/fix -->"
END = "<!-- end of modules -->"


def modules() -> list[Path]:
    """Return every Python file of the product, sorted, relative to the repository."""
    return sorted(path.relative_to(ROOT) for package in ("bridge", "oauth") for path in (ROOT / package).rglob("*.py"))


def sentence(module: Path) -> str:
    """Return the first line of a module's docstring, empty where it has none."""
    docstring = ast.get_docstring(ast.parse((ROOT / module).read_text(encoding="utf-8")))
    return docstring.partition("\n")[0] if docstring else ""


def table() -> str:
    """Return the table as Markdown; the `__init__.py` files say nothing that their folder does not."""
    rows = (f"| `{module}` | {sentence(module)} |" for module in modules() if module.name != "__init__.py")
    return "\n".join(("| module | what it is |", "|---|---|", *rows))


def renewed(text: str) -> str:
    """Return the document with the text between the two marks replaced by the table of today."""
    before, _, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    return f"{before}{BEGIN}\n\n{table()}\n\n{END}{after}" if end else text


if __name__ == "__main__" and DOCUMENT.exists():
    DOCUMENT.write_text(renewed(DOCUMENT.read_text(encoding="utf-8")), encoding="utf-8")
