"""Times and spans of time, as people write and read them (pure but for the local time zone)."""

import re
from datetime import datetime

import click

_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
_SPAN = re.compile(r"([0-9]{1,9})([smhd]?)", re.ASCII)


class Span(click.ParamType[int]):
    """A span of time (``30s``, ``10m``, ``2h``, ``7d``; a bare number is seconds) as a number of seconds, 1 or more.

    ``most`` is the longest that is taken, in seconds.
    """

    name = "span"

    def __init__(self, most: int | None = None) -> None:
        self.most = most

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Return ``value`` in seconds, or fail as click does."""
        match = _SPAN.fullmatch(str(value))
        seconds = int(match[1]) * _UNITS[match[2] or "s"] if match else 0
        if seconds < 1:
            self.fail(f"{value!r} is not a span of time. Write 30s, 10m, 2h or 7d.", param, ctx)
        if self.most is not None and seconds > self.most:
            self.fail(f"{value!r} is too long. The longest is {span_typed(self.most)}.", param, ctx)
        return seconds


def span_typed(seconds: int) -> str:
    """Return ``seconds`` as one would type them, in the largest unit that fits: ``7d``."""
    unit, size = next(
        (unit, size) for unit, size in sorted(_UNITS.items(), key=lambda each: -each[1]) if not seconds % size
    )
    return f"{seconds // size}{unit}"


def span_text(seconds: float) -> str:
    """Return ``seconds`` in its two largest units: ``2 h 5 min``."""
    left = max(int(seconds), 0)
    parts = []
    for unit, size in (("d", 86400), ("h", 3600), ("min", 60), ("s", 1)):
        count, left = divmod(left, size)
        if count:
            parts.append(f"{count} {unit}")
    return " ".join(parts[:2]) or "0 s"


def clock_text(time: str, form: str = "%Y-%m-%d %H:%M:%S") -> str:
    """Return ``time`` (RFC 3339) in the local time zone, or as it is where it is no such time."""
    try:
        return datetime.fromisoformat(time).astimezone().strftime(form)
    except (ValueError, OverflowError):
        return time
