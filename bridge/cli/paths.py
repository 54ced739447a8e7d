"""`tollbridge paths`: where everything lies; works without a daemon."""

import click

from bridge import config, paths
from bridge.cli.failures import Failure
from bridge.cli.terminal import compact_json, print_json, print_pairs


@click.command(
    "paths",
    short_help="Show where settings, state, socket and music lie.",
    epilog="""\b
Examples:
  tollbridge paths
  tollbridge paths --json""",
)
@click.option("--json", "as_json", is_flag=True, help="Print the paths as JSON.")
def show_paths(*, as_json: bool) -> None:
    """Show where settings, state, the socket and your music lie; no daemon is needed."""
    places = {
        "settings": str(paths.config_file()),
        "state": str(paths.state_folder()),
        "runtime": str(paths.runtime_folder()),
        "runtime_file": str(paths.runtime_file()),
        "socket": str(paths.socket()),
    }
    fault: config.ConfigInvalid | None = None
    music: list[str] = []
    try:
        music = [str(folder) for folder in config.read(paths.config_file()).player.folders()]
    except config.ConfigInvalid as error:
        fault = error
    if as_json:
        print_json(compact_json({**places, "music_folders": music}).encode())
    else:
        pairs = [(label.replace("_", " "), place) for label, place in places.items()]
        print_pairs([*pairs, *(("music folder", folder) for folder in music)])
    if fault is not None:
        # The other paths are what one needs to mend it, so they are shown first.
        raise Failure(f"{fault.title}: {fault.detail}")
