"""A clock that stands still until a test moves it."""


class FakeClock:
    """Seconds since the epoch, as the test wants them."""

    def __init__(self, now: float = 1_800_000_000.0) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now

    def forward(self, seconds: float) -> None:
        """Let time pass."""
        self.now += seconds
