"""A screen of our own (Xvfb): what stands on it, pixel by pixel, and a pointer that really clicks there (XTEST)."""

import mmap
import struct
import subprocess
import tempfile
import zlib
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.parts.processes import Process, wait_until

Colour = tuple[int, int, int]
"""Red, green, blue; to be looked for, none of them 0 or 255, as the fourth byte of a pixel is."""

_HEADER = struct.Struct(">25I")
"""XWD, as Xvfb writes it: header size first, then width and height at 4 and 5, bytes a line at 12, colours at 19."""
_COLOUR_BYTES = 12


class Screen:
    """A display of 800 by 600 at ``name``, such as ``:1``, which the server chose."""

    def __init__(self) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="tb-screen-")
        self._at = Path(self._folder.name)
        self._process: Process | None = None
        self._pixels: mmap.mmap | None = None
        self.name = ""

    def __enter__(self) -> Self:
        number = self._at / "number"
        number.touch()
        command = f"exec Xvfb -displayfd 3 -screen 0 800x600x24 -fbdir {self._at} -nolisten tcp 3>{number}"
        env = {"PATH": "/usr/bin:/bin"}
        self._process = Process(["sh", "-c", command], env, self._at / "log").__enter__()
        # The number is written once the server listens.
        wait_until(lambda: number.read_text(encoding="ascii").endswith("\n"), "the screen")
        self.name = f":{number.read_text(encoding='ascii').strip()}"
        with (self._at / "Xvfb_screen0").open("rb") as file:
            self._pixels = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._pixels is not None:
            self._pixels.close()
        if self._process is not None:
            self._process.__exit__(None, None, None)
        self._folder.cleanup()

    @property
    def env(self) -> dict[str, str]:
        """Return what points a program at this screen."""
        return {"DISPLAY": self.name}

    def middle(self, colour: Colour) -> tuple[int, int] | None:
        """Return the middle of what has exactly this colour, None where nothing has."""
        wanted = bytes(reversed(colour))  # a pixel is blue, green, red, unused
        found = [
            (row, line.find(wanted), line.rfind(wanted)) for row, line in enumerate(self._lines()) if wanted in line
        ]
        if not found:
            return None
        left, right = min(first for _, first, _ in found), max(last for _, _, last in found)
        return (left + right) // 8, (found[0][0] + found[-1][0]) // 2

    def click(self, place: tuple[int, int]) -> None:
        """Move the pointer there, press and let go its first button."""
        command = ["xdotool", "mousemove", str(place[0]), str(place[1]), "click", "1"]
        subprocess.run(command, env={"PATH": "/usr/bin:/bin", **self.env}, check=True, timeout=10)

    def save(self, file: Path) -> None:
        """Write what stands on it as PNG."""
        lines = list(self._lines())
        rgb = b"".join(b"\0" + _rgb(line) for line in lines)
        header = struct.pack(">IIBBBBB", len(lines[0]) // 4, len(lines), 8, 2, 0, 0, 0)
        chunks = [(b"IHDR", header), (b"IDAT", zlib.compress(rgb)), (b"IEND", b"")]
        file.write_bytes(b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(name, body) for name, body in chunks))

    def _lines(self) -> list[bytes]:
        assert self._pixels is not None
        whole = bytes(self._pixels)
        header = _HEADER.unpack_from(whole)
        start, width, height, stride, colours = header[0], header[4], header[5], header[12], header[19]
        start += colours * _COLOUR_BYTES
        return [whole[start + row * stride : start + row * stride + 4 * width] for row in range(height)]


def _rgb(line: bytes) -> bytes:
    rgb = bytearray(len(line) // 4 * 3)
    rgb[0::3], rgb[1::3], rgb[2::3] = line[2::4], line[1::4], line[0::4]
    return bytes(rgb)


def _chunk(name: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))
