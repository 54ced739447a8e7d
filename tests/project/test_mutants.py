"""The list of planted faults is the one of this code, and a test catches each that changes anything."""

import pytest

from scripts.mutants.__main__ import LIST, ROOT, TARGETS, equivalents
from scripts.mutants.faults import faults, fingerprint

LINES = [line.split(" ", 1) for line in LIST.read_text(encoding="utf-8").splitlines()]


@pytest.mark.parametrize("path", TARGETS)
def test_the_verdicts_are_about_this_code(path: str) -> None:
    now = fingerprint((ROOT / path).read_text(encoding="utf-8"))

    assert ["tried", f"{path} {now}"] in LINES, "scripts/mutate --write renews the list"


def test_every_fault_was_caught_or_changes_nothing() -> None:
    assert {"tried", "caught", "equivalent"} == {verdict for verdict, _ in LINES}
    assert set(equivalents()) == {name for verdict, name in LINES if verdict == "equivalent"}
    assert all(equivalents().values())


def test_a_fault_is_planted_for_each_kind_of_decision() -> None:
    source = '''
def decide(a, b):
    """Say."""
    if a < 1 and not b:
        raise ValueError("words")
    b.clear()
    return a.lower() == "x"
'''
    planted = {(fault.before, fault.after) for fault in faults("m.py", source)}

    assert {
        ("if a < 1 and (not b):", "if a <= 1 and (not b):"),
        ("if a < 1 and (not b):", "if a < 1 or not b:"),
        ("if a < 1 and (not b):", "if a < 1:"),
        ("if a < 1 and (not b):", "if not b:"),
        ("if a < 1 and (not b):", "if a < 1 and b:"),
        ("if a < 1 and (not b):", "if a < 2 and (not b):"),
        ("if a < 1 and (not b):", "if a < 0 and (not b):"),
        ("if a < 1 and (not b):", "if not (a < 1 and (not b)):"),
        ("if a < 1 and (not b):", "if False:"),
        ("raise ValueError('words')", "(removed)"),
        ("b.clear()", "(removed)"),
        ("return a.lower() == 'x'", "return a.lower() != 'x'"),
        ("return a.lower() == 'x'", "return a == 'x'"),
        ("return a.lower() == 'x'", "return a.lower() == 'xX'"),
        ("return a.lower() == 'x'", "return None"),
    } == planted


def test_words_do_not_make_it_other_code() -> None:
    assert fingerprint('"""A."""\nx = 1  # why\n') == fingerprint('"""B."""\nx = 1\n')
    assert fingerprint("x = 1\n") != fingerprint("x = 2\n")
