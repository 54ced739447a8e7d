"""Collects figures and prints them as a table of medians and of ratios taken round by round."""

from collections import defaultdict
from collections.abc import Callable, Sequence

UNITS = {
    "http latency": "us, 1 connection",
    "http throughput": "requests/s, 32 connections",
    "socket latency": "us, 1 connection",
    "socket throughput": "calls/s, 32 connections",
    "fan-out": "deliveries/s, 1,000 streams",
    "start": "ms to the first answer",
    "memory": "MB idle",
}
YARDSTICK = "bare aiohttp"


class Figures:
    """Values by what was measured and of whom, in the order of the rounds."""

    def __init__(self) -> None:
        self._values: dict[str, dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))

    def add(self, what: str, whom: str, value: float) -> None:
        """Note one value."""
        self._values[what][whom].append(value)

    def table(self, median: Callable[[Sequence[float]], float]) -> str:
        """Return a Markdown table."""
        lines = ["| measured | server | median | min to max | ratio |", "|---|---|---:|---:|---:|"]
        for what, unit in UNITS.items():
            for whom, values in self._values[what].items():
                yardstick = self._values[what][YARDSTICK]
                ratio = median([value / base for value, base in zip(values, yardstick, strict=True)])
                span = f"{min(values):,.0f} to {max(values):,.0f}"
                middle = f"{median(values):,.1f}" if what == "memory" else f"{median(values):,.0f}"
                lines.append(f"| {what} ({unit}) | {whom} | {middle} | {span} | {ratio:.2f} |")
        return "\n".join(lines)
