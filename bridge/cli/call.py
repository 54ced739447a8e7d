"""`tollbridge call`: run one command of an app, or list what can be called."""

import re

import click

from bridge.cli.answers import AppRows, CommandRow
from bridge.cli.client import ANSWER_SECONDS, ask, print_curl, send
from bridge.cli.request import Request, curl_option
from bridge.cli.terminal import print_json, print_table
from bridge.cli.values import NotAParameter, parameters, signature

APPS = Request("GET", "/v1/apps")
"""What can be called, and with which parameters."""
_COMMAND = re.compile(r"([a-z][a-z0-9_]*)\.([a-z][a-z0-9_]*)", re.ASCII)
_GRACE_SECONDS = 5.0
"""The daemon itself ends a command at its deadline; its answer to that is worth waiting for."""


@click.command(
    short_help="Call a command of an app, or list what can be called.",
    epilog="""\b
Examples:
  tollbridge call
  tollbridge call player.play
  tollbridge call player.set_volume volume=0.5 player=mpv
  tollbridge call player.open uri=file:///home/me/Music/song.ogg
  tollbridge call system.echo 'text:="exactly this JSON"'""",
)
@click.argument("command", required=False, metavar="[APP.COMMAND]")
@click.argument("arguments", nargs=-1, metavar="[KEY=VALUE]...")
@curl_option
def call(*, command: str | None, arguments: tuple[str, ...], curl: bool) -> None:
    """Call APP.COMMAND and print its result as JSON; without arguments, list what can be called.

    KEY=VALUE gives a parameter: a string where the command takes one, else the number, true, false or null that it
    reads as. KEY:=JSON gives exactly that JSON. The result is indented on a terminal and on one line in a pipe.
    """
    if command is None:
        print_curl(APPS) if curl else _print_commands(ask(APPS, AppRows))
        return
    app, name = named(command)
    # The description gives the parameters' types and the deadline. Without parameters a curl line needs no daemon.
    rows = ask(APPS, AppRows) if arguments or not curl else AppRows(())
    known = rows.command(app, name)
    request = Request("POST", f"/v1/apps/{app}/{name}", body=typed(arguments, known))
    if curl:
        print_curl(request)
        return
    deadline = (known.deadline if known else ANSWER_SECONDS) + _GRACE_SECONDS
    print_json(send(request, deadline=deadline, said={"not_found": missing(rows, app, name)}))


def named(command: str) -> tuple[str, str]:
    """Return app and name of ``APP.COMMAND``, or fail as click does."""
    match = _COMMAND.fullmatch(command)
    if match is None:
        raise click.UsageError(f"{command!r} is not a command. Write APP.COMMAND, such as player.play.")
    return match[1], match[2]


def missing(rows: AppRows, app: str, name: str) -> str:
    """Return what is said where the daemon has no such command."""
    is_app = any(row.name == app for row in rows.apps)
    fault = f"The app {app} has no command {name}." if is_app else f"There is no app {app}."
    return f"{fault} `tollbridge call` lists what can be called."


def typed(arguments: tuple[str, ...], known: CommandRow | None) -> dict[str, object]:
    """Return the parameters that ``arguments`` spell for the command ``known``, or fail as click does."""
    try:
        return parameters(arguments, known.params if known else None)
    except NotAParameter as error:
        raise click.UsageError(str(error)) from error


def _print_commands(rows: AppRows) -> None:
    print_table(
        ("COMMAND", "WHAT IT DOES", "PARAMETERS"),
        [
            (f"{app.name}.{command.name}", command.summary, signature(command.params))
            for app in rows.apps
            for command in app.commands.values()
        ],
    )
