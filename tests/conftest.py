"""What holds for every test."""

import signal


def pytest_configure() -> None:
    """Take Ctrl-C again where a shell started the tests in its background: the programs that they start need it."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
