"""`tollbridge run`: the daemon, in the foreground."""

import logging

import click

from bridge import config, paths


@click.command(
    epilog="""\b
Examples:
  tollbridge run
  tollbridge run -v"""
)
@click.option("-v", "--verbose", is_flag=True, help="Log each request, command and token (level debug).")
def run(*, verbose: bool) -> None:
    """Run the daemon until Ctrl-C or SIGTERM.

    It listens on 127.0.0.1 for approved web pages and on a Unix socket for you. Settings are read from the file that
    `tollbridge paths` names; they are sizes and places, no check can be switched off. It logs on standard error.
    """
    settings = config.read(paths.config_file())
    # Imported here: the daemon with its web server loads ten times longer than any other command.
    from bridge import daemon
    from bridge.cli.activation import forget_redirect

    daemon.serve(settings, level=logging.DEBUG if verbose else logging.INFO)
    forget_redirect()
