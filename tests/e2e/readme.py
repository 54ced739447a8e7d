"""The README's lines that a reader pastes into a shell."""

import re
from pathlib import Path

README = Path(__file__).parents[2] / "README.md"


def lines_with_curl() -> list[str]:
    """Return every command of the `sh` blocks in the section "With curl"; one that goes on after a backslash is one."""
    text = README.read_text(encoding="utf-8")
    section = re.search(r"^## With curl$(.*?)(?=^## |\Z)", text, re.MULTILINE | re.DOTALL)
    assert section is not None, "the README has a section `With curl`"
    blocks = re.findall(r"^```sh\n(.*?)^```$", section.group(1), re.MULTILINE | re.DOTALL)
    joined = "".join(blocks).replace("\\\n", "")
    lines = [line for line in joined.splitlines() if line.strip() and not line.startswith("#")]
    assert lines, "and it has lines"
    return lines
