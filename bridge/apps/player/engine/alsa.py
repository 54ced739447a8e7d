"""Keeps ALSA quiet: where there is no sound card it writes ten lines to stderr."""

import contextlib
import ctypes

_Handler = ctypes.CFUNCTYPE(None, ctypes.c_char_p, ctypes.c_int, ctypes.c_char_p, ctypes.c_int, ctypes.c_char_p)
_SILENT = _Handler(lambda *_: None)
"""Lives as long as the process, as ALSA keeps the pointer; ``snd_lib_error_handler_t`` of alsa/error.h."""


def hush() -> None:
    """Drop ALSA's messages; where there is no ALSA there is no noise."""
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL("libasound.so.2").snd_lib_error_set_handler(_SILENT)
