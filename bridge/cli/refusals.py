"""`tollbridge refusals`: the last requests that were not let in, with what would change that."""

import click

from bridge.cli.answers import RefusalRows
from bridge.cli.client import ask, print_curl
from bridge.cli.request import Request, curl_option
from bridge.cli.spans import clock_text
from bridge.cli.terminal import print_table


@click.command(
    short_help="List the last requests that were refused, and why.",
    epilog="""\b
Example:
  tollbridge refusals""",
)
@curl_option
def refusals(*, curl: bool) -> None:
    """List what was refused before anything ran, why, and what to do: the last 20, newest last.

    What is refused again and again stands there once, with how often and when last.
    """
    request = Request("GET", "/v1/refusals")
    if curl:
        print_curl(request)
        return
    rows = ask(request, RefusalRows).refusals
    if not rows:
        click.echo("Nothing has been refused since the daemon started.")
        return
    print_table(
        ("LAST", "TIMES", "REQUEST", "FROM", "WHY", "WHAT TO DO"),
        [
            (
                clock_text(row.time, "%H:%M:%S"),
                str(row.count),
                f"{row.method} {row.path}",
                row.origin or "",
                row.reason,
                row.remedy,
            )
            for row in rows
        ],
    )
