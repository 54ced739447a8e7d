"""The daemon's own program with one app more, which writes down each time that anybody gets as far as the app.

Run by `tests.parts.daemon.Daemon`; the file to write to stands in the environment.
"""

import os
from pathlib import Path

import msgspec

from bridge import config, daemon, paths
from bridge.apps.port import App
from bridge.apps.registry import apps
from bridge.messages import Effect

FILE = Path(os.environ["COUNTED"])

app = App("counter", title="Counter", scopes={"counter:use": "Count on this computer"})


class Count(msgspec.Struct, frozen=True):
    """How often the app was reached, this time included."""

    count: int


counted = app.topic("counter", scope="counter:use", events={"counted": Count})


def _reached(how: str) -> Count:
    with FILE.open("a", encoding="utf-8") as file:
        file.write(f"{how}\n")
    return Count(len(FILE.read_text(encoding="utf-8").splitlines()))


@app.command(scope="counter:use", effect=Effect.ACT)
def add() -> Count:
    """Count one more."""
    count = _reached("add")
    counted.publish("counted", count)
    return count


@app.state(scope="counter:use")
def state() -> Count:
    return _reached("state")


raise SystemExit(daemon.run(config.read(paths.config_file()), lambda settings: [*apps(settings), app]))
