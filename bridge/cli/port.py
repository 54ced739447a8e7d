"""`tollbridge port`: the TCP port that is this user's, and choosing another."""

from itertools import takewhile

import click

from bridge import config, listen, paths


@click.command(
    short_help="Show or give up the port of your daemon.",
    epilog="""\b
Examples:
  tollbridge port
  tollbridge port --move""",
)
@click.option("--move", is_flag=True, help="Forget the port; the next start of the daemon chooses again.")
def port(*, move: bool) -> None:
    """Show the port where pages look for your daemon; it was chosen at the first start and stays.

    Use --move when another user or program has taken it. Browsers then need `tollbridge open` again.
    """
    state = paths.state_folder()
    kept = listen.remembered_port(state)
    if move:
        listen.forget_port(state)
        click.echo(f"Forgotten. The next `tollbridge run` takes {_tried()}.")
    elif kept is None:
        click.echo(f"No port has been chosen yet. `tollbridge run` takes {_tried()}.")
    else:
        click.echo(str(kept))


def _tried() -> str:
    """Return in words what the next start takes; a 0 always gets one, so that what stands behind it is never tried."""
    ports = config.read(paths.config_file()).daemon.ports
    named = [str(number) for number in takewhile(bool, ports)]
    chosen = ["a port that the system chooses"] if len(named) < len(ports) else []
    first = [f"port {named[0]}" if len(named) == 1 else f"the first free port of {', '.join(named)}"] if named else []
    return ", else ".join(first + chosen)
