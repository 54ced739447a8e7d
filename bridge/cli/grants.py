"""`tollbridge grants`: the answers that the owner has given, and taking one back."""

from urllib.parse import quote

import click

from bridge.cli.answers import GrantRow, GrantRows
from bridge.cli.client import ask, print_curl, send
from bridge.cli.request import Request, curl_option
from bridge.cli.spans import clock_text
from bridge.cli.terminal import print_table

_MINUTES = "%Y-%m-%d %H:%M"


@click.command(
    short_help="List your answers, or take one back.",
    epilog="""\b
Examples:
  tollbridge grants
  tollbridge grants --revoke 7c1f""",
)
@click.option("--revoke", metavar="ID", help="Take back this answer: its live connections end at once.")
@curl_option
def grants(*, revoke: str | None, curl: bool) -> None:
    """List what you have allowed or denied, or take one answer back.

    A client whose answer was taken back asks again.
    """
    if revoke == "":
        raise click.UsageError("The ID is empty. `tollbridge grants` shows the IDs.")
    request = Request("DELETE", f"/v1/grants/{quote(revoke, safe='')}") if revoke else Request("GET", "/v1/grants")
    if curl:
        print_curl(request)
    elif revoke:
        send(request)
        click.echo("Taken back. Its live connections were ended.")
    else:
        _print(ask(request, GrantRows))


def _until(grant: GrantRow) -> str:
    if grant.until is not None:
        return clock_text(grant.until, _MINUTES)
    return "the daemon stops" if grant.client.kind == "owner" else "you revoke it"


def _print(rows: GrantRows) -> None:
    if not rows.grants:
        click.echo("You have answered nobody yet.")
        return
    print_table(
        ("ID", "CLIENT", "ANSWER", "SCOPES", "SINCE", "UNTIL", "KEYS"),
        [
            (
                grant.id,
                grant.client.id,
                _answer(grant),
                "\n".join(grant.scopes),
                clock_text(grant.created, _MINUTES),
                _until(grant),
                str(grant.pairings),
            )
            for grant in rows.grants
        ],
    )


def _answer(grant: GrantRow) -> str:
    return f"{grant.answer}\n(development)" if grant.client.development else grant.answer
