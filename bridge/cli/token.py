"""`tollbridge token`: an access token for a program of yours that speaks TCP, such as curl."""

import click

from bridge.cli.answers import TokenAnswer
from bridge.cli.client import ask, print_curl
from bridge.cli.request import Request, curl_option
from bridge.cli.spans import Span, span_text, span_typed
from bridge.cli.terminal import is_terminal

LONGEST_TTL_SECONDS = 180 * 24 * 3600
"""What the daemon takes at most, said before it is asked."""


@click.command(
    epilog="""\b
Examples:
  tollbridge token --scope player:read --ttl 10m
  curl --noproxy 127.0.0.1 -H @<(tollbridge token --scope player:read --header) \\
    http://127.0.0.1:4380/v1/apps/player/state"""
)
@click.option(
    "--scope", "scopes", multiple=True, required=True, help="What it may do, such as player:read; may be repeated."
)
@click.option(
    "--ttl",
    type=Span(LONGEST_TTL_SECONDS),
    default="1h",
    show_default=True,
    help=f"How long it lives: 30s, 10m, 2h or 7d; at most {span_typed(LONGEST_TTL_SECONDS)}.",
)
@click.option("--name", default="cli", show_default=True, help="The name that the program is listed under.")
@click.option("--header", is_flag=True, help="Print the whole header line, for `curl -H @<(tollbridge token ...)`.")
@curl_option
def token(*, scopes: tuple[str, ...], ttl: int, name: str, header: bool, curl: bool) -> None:
    """Print a bearer token for a program on this computer.

    Hand it over through a pipe or a file with mode 0600; an argument list can be read by other users. The Unix socket
    needs no token at all: --curl of any command shows that way.
    """
    scope = " ".join(" ".join(scopes).split())
    if not scope:
        raise click.UsageError("The scope is empty. `tollbridge call` lists what can be called.")
    request = Request("POST", "/v1/tokens", body={"name": name, "scope": scope, "ttl": ttl})
    if curl:
        print_curl(request)
        return
    answer = ask(request, TokenAnswer)
    click.echo(f"Authorization: Bearer {answer.access_token}" if header else answer.access_token)
    if is_terminal():
        click.echo(f"It lives {span_text(answer.expires_in)} and may: {answer.scope or scope}.", err=True)
