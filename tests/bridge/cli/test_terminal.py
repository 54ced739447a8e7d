"""What others wrote cannot take over the terminal."""

import json

import pytest

from bridge.cli.terminal import one_line, print_table, shortened, visible


@pytest.mark.parametrize("mark", ["\x1b[2J", "\x07", "\r", "\t", "\x9b31m", "\u202e", "\u2066", "\u200b", "\x7f"])
def test_control_and_reordering_characters_are_shown_as_escapes(mark: str) -> None:
    shown = visible(f"a{mark}b")

    assert mark[0] not in shown
    assert f"a\\u{ord(mark[0]):04x}{mark[1:]}b" == shown


def test_json_stays_json_of_the_same_value() -> None:
    value = {"title": "a\u202eb\x9b"}

    assert value == json.loads(visible(json.dumps(value, ensure_ascii=False)))


def test_letters_of_every_script_stay() -> None:
    assert "Grüße, 東京 🎵" == visible("Grüße, 東京 🎵")


def test_a_line_stays_one_line() -> None:
    assert "a b" == one_line("a\nb")


def test_what_is_cut_shows_that_it_was() -> None:
    assert ["abc", "ab…", "…", "…"] == [
        shortened("abc", 3),
        shortened("abcd", 3),
        shortened("ab", 1),
        shortened("ab", 0),
    ]


def test_a_table_in_a_pipe_neither_wraps_nor_colours_nor_reads_markup(capsys: pytest.CaptureFixture[str]) -> None:
    print_table(("A", "B"), [("[bold]x[/bold]", "y" * 500), ("\x1b[31m", "z")])

    lines = capsys.readouterr().out.splitlines()
    assert 3 == len(lines)
    assert lines[1] == "[bold]x[/bold]  " + "y" * 500
    assert "\x1b" not in "".join(lines)
