"""The daemon's own program with one app more, whose one command is dangerous. Run by `tests.parts.daemon.Daemon`."""

from typing import Any

import msgspec

from bridge import config, daemon, paths
from bridge.apps.port import App, Params
from bridge.apps.registry import apps
from bridge.messages import Effect

app = App("shredder", title="Shredder", scopes={"shredder:use": "Destroy documents on this computer"})


class Shred(Params, frozen=True):
    """The parameters of `shredder.shred`: whatever is to be read before somebody says yes."""

    path: str
    options: dict[str, Any] = msgspec.field(default_factory=dict)


class Shredded(msgspec.Struct, frozen=True):
    """What is gone."""

    path: str


@app.command(scope="shredder:use", effect=Effect.DANGEROUS)
def shred(params: Shred) -> Shredded:
    """Destroy a document for good."""
    return Shredded(params.path)


raise SystemExit(daemon.run(config.read(paths.config_file()), lambda settings: [*apps(settings), app]))
