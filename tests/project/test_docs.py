"""The map of the house is true: every module says what it is, and docs/architecture.md lists it so."""

from pathlib import Path

import pytest

from scripts import module_table


@pytest.mark.parametrize("module", module_table.modules(), ids=str)
def test_module_says_in_one_sentence_what_it_is(module: Path) -> None:
    assert module_table.sentence(module), "a module starts with a one-sentence docstring"


def test_architecture_document_lists_every_module() -> None:
    text = module_table.DOCUMENT.read_text(encoding="utf-8")

    assert module_table.BEGIN in text
    assert module_table.renewed(text) == text, "scripts/fix renews the table"
