"""`tollbridge port`: the TCP port that is this user's, and choosing another."""

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
        click.echo(f"Forgotten. The next `tollbridge run` takes the first free port of {_tried()}.")
    elif kept is None:
        click.echo(f"No port has been chosen yet. `tollbridge run` takes the first free one of {_tried()}.")
    else:
        click.echo(str(kept))


def _tried() -> str:
    return ", ".join(str(number) for number in config.read(paths.config_file()).daemon.ports)
