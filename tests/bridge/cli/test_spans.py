"""Times and spans of time, read and written."""

import click
import pytest

from bridge.cli.spans import Span, clock_text, span_text


@pytest.mark.parametrize(
    ("text", "seconds"), [("30s", 30), ("10m", 600), ("2h", 7200), ("7d", 604_800), ("45", 45), ("1s", 1)]
)
def test_a_span_is_a_number_and_a_unit(text: str, seconds: int) -> None:
    assert seconds == Span().convert(text, None, None)


@pytest.mark.parametrize("text", ["", "0", "0s", "-1s", "1.5h", "1w", "h", "1 h", "\u0661s", "9999999999s", "1h30m"])
def test_what_is_no_span_is_refused(text: str) -> None:
    with pytest.raises(click.BadParameter, match="Write 30s, 10m, 2h or 7d"):
        Span().convert(text, None, None)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0 s"), (0.9, "0 s"), (59, "59 s"), (60, "1 min"), (7500, "2 h 5 min"), (90_061, "1 d 1 h"), (-5, "0 s")],
)
def test_a_span_is_written_in_its_two_largest_units(seconds: float, text: str) -> None:
    assert text == span_text(seconds)


def test_a_time_that_is_none_is_shown_as_it_is() -> None:
    assert "yesterday" == clock_text("yesterday")


@pytest.mark.parametrize(("text", "most"), [("9999d", "180d"), ("15552001", "180d"), ("181d", "180d"), ("2m", "90s")])
def test_a_span_that_is_too_long_is_told_the_longest(text: str, most: str) -> None:
    longest = Span().convert(most, None, None)

    assert longest == Span(longest).convert(most, None, None)
    with pytest.raises(click.BadParameter, match=f"'{text}' is too long. The longest is {most}."):
        Span(longest).convert(text, None, None)
