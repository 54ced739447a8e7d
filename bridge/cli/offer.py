"""`tollbridge offer` and `offers`: a link that runs one command for its holder; listing them, and taking one back."""

from urllib.parse import quote

import click

from bridge.cli.answers import AppRows, OfferMade, OfferRow, OfferRows
from bridge.cli.call import APPS, missing, named, typed
from bridge.cli.client import ask, print_curl, send
from bridge.cli.request import Request, curl_option
from bridge.cli.spans import Span, clock_text, span_text, span_typed
from bridge.cli.terminal import compact_json, is_terminal, print_table

MOST_USES = 1000
LONGEST_TTL_SECONDS = 30 * 24 * 3600
"""What the daemon takes at most, said before it is asked."""
_MINUTES = "%Y-%m-%d %H:%M"


@click.command(
    short_help="Print a link that runs one command for its holder.",
    epilog="""\b
Examples:
  tollbridge offer player.pause
  tollbridge offer player.open uri=https://radio.example/live --uses 3 --ttl 2h
  tollbridge offers""",
)
@click.argument("command", metavar="APP.COMMAND")
@click.argument("arguments", nargs=-1, metavar="[KEY=VALUE]...")
@click.option(
    "--uses",
    type=click.IntRange(1, MOST_USES),
    default=1,
    show_default=True,
    help=f"How many times it runs; at most {MOST_USES}.",
)
@click.option(
    "--ttl",
    type=Span(LONGEST_TTL_SECONDS),
    default="1h",
    show_default=True,
    help=f"How long it lives: 30s, 10m, 2h or 7d; at most {span_typed(LONGEST_TTL_SECONDS)}.",
)
@curl_option
def offer(*, command: str, arguments: tuple[str, ...], uses: int, ttl: int, curl: bool) -> None:
    """Print a link that lets its holder run APP.COMMAND with exactly these parameters, and nothing else.

    Whoever has the link can use it, from a browser on this computer or from a program; nobody has to be approved. Its
    holder can read what it runs. `tollbridge offers` lists the links and takes them back. KEY=VALUE is as in `call`.
    """
    app, name = named(command)
    # The description gives the parameters' types. Without parameters a curl line needs no daemon.
    rows = ask(APPS, AppRows) if arguments or not curl else AppRows(())
    params = typed(arguments, rows.command(app, name))
    request = Request("POST", "/v1/offers", body={"command": command, "params": params, "uses": uses, "ttl": ttl})
    if curl:
        print_curl(request)
        return
    made = ask(request, OfferMade, said={"not_found": missing(rows, app, name)})
    click.echo(made.link)
    if is_terminal():
        times = "once" if uses == 1 else f"{uses} times"
        click.echo(f"It runs {command} {times} within {span_text(made.expires_in)}, for whoever has it.", err=True)
        click.echo(f"`tollbridge offers --revoke {made.id}` takes it back.", err=True)


@click.command(
    short_help="List the links that you offered, or take one back.",
    epilog="""\b
Examples:
  tollbridge offers
  tollbridge offers --revoke 7c1f9b0e2d4a6c88""",
)
@click.option("--revoke", metavar="ID", help="Take back this offer: its link runs nothing any more.")
@curl_option
def offers(*, revoke: str | None, curl: bool) -> None:
    """List the links that you made with `tollbridge offer` and whose time is not over, or take one back."""
    if revoke == "":
        raise click.UsageError("The ID is empty. `tollbridge offers` shows the IDs.")
    request = Request("DELETE", f"/v1/offers/{quote(revoke, safe='')}") if revoke else Request("GET", "/v1/offers")
    if curl:
        print_curl(request)
    elif revoke:
        send(request)
        click.echo("Taken back. Its link runs nothing any more.")
    else:
        _print(ask(request, OfferRows).offers)


def _print(rows: tuple[OfferRow, ...]) -> None:
    if not rows:
        click.echo("You have offered nothing, or its time is over.")
        return
    print_table(
        ("ID", "COMMAND", "PARAMETERS", "USED", "SINCE", "UNTIL"),
        [
            (
                row.id,
                row.command,
                compact_json(row.params) if row.params else "",
                f"{row.used} of {row.uses}",
                clock_text(row.created, _MINUTES),
                clock_text(row.until, _MINUTES),
            )
            for row in rows
        ],
    )
