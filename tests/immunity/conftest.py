"""The in-process front of tests/bridge/front, here as well."""

from tests.bridge.front.conftest import _amplifier, _front, _limits

__all__ = ["_amplifier", "_front", "_limits"]
