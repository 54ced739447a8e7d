"""`tollbridge paths`: where everything lies; works without a daemon."""

import click

from bridge import config, paths
from bridge.cli.answers import StatusAnswer
from bridge.cli.client import ask
from bridge.cli.failures import Failure
from bridge.cli.request import Request
from bridge.cli.terminal import compact_json, print_json, print_pairs
from bridge.errors import BridgeError

BASE = "base"
_PLACES = {
    "settings": paths.config_file,
    "state": paths.state_folder,
    "runtime": paths.runtime_folder,
    "runtime_file": paths.runtime_file,
    "socket": paths.socket,
}


@click.command(
    "paths",
    short_help="Show where settings, state, socket and music lie.",
    epilog="""\b
Examples:
  tollbridge paths
  tollbridge paths --json
  curl --unix-socket "$(tollbridge paths socket)" http://localhost/v1/apps
  curl --noproxy 127.0.0.1 "$(tollbridge paths base)/v1/hello\"""",
)
@click.argument("name", required=False, type=click.Choice([*_PLACES, BASE]))
@click.option("--json", "as_json", is_flag=True, help="Print the paths as JSON.")
def show_paths(*, name: str | None, as_json: bool) -> None:
    """Show where settings, state, the socket and your music lie; no daemon is needed.

    With NAME, print that place alone. The name "base" stands for the address of the daemon that runs now: the daemon
    is asked for it, and where none runs nothing is printed and the exit status is 3.
    """
    if name is not None:
        if as_json:
            raise click.UsageError("--json goes without NAME.")
        click.echo(_base() if name == BASE else str(_PLACES[name]()))
        return
    places = {label: str(place()) for label, place in _PLACES.items()}
    fault: BridgeError | None = None
    music: list[str] = []
    try:
        music = [str(folder) for folder in config.read(paths.config_file()).player.folders()]
    except (config.ConfigInvalid, paths.UnsafeFile, paths.UnsafeFolder) as error:
        fault = error
    if as_json:
        print_json(compact_json({**places, "music_folders": music}).encode())
    else:
        pairs = [(label.replace("_", " "), place) for label, place in places.items()]
        print_pairs([*pairs, *(("music folder", folder) for folder in music)])
    if fault is not None:
        # The other paths are what one needs to mend it, so they are shown first.
        raise Failure(f"{fault.title}: {fault.detail}")


def _base() -> str:
    """Ask the daemon itself: the runtime file of one that was killed still names an address, where nobody listens."""
    return ask(Request("GET", "/v1/status"), StatusAnswer).base
