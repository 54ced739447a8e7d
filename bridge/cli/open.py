"""`tollbridge open`: makes this user's browser the owner's, and shows the dashboard."""

import click

from bridge.cli.answers import ActivationLink
from bridge.cli.client import ask, print_curl
from bridge.cli.request import Request, curl_option
from bridge.cli.spans import span_text


@click.command(
    "open",
    short_help="Open the dashboard in your browser.",
    epilog="""\b
Examples:
  tollbridge open
  tollbridge open --print""",
)
@click.option("--print", "only_print", is_flag=True, help="Print the link instead of opening a browser.")
@curl_option
def open_dashboard(*, only_print: bool, curl: bool) -> None:
    """Open the dashboard in your browser, which may then answer sites that ask.

    The link works once, within two minutes. It is handed over in a file that only you can read, so that it stands in
    no argument list; the next `tollbridge open` overwrites the file. A browser in a sandbox (snap, flatpak) may be
    unable to read it: use --print there, and where there is no desktop.
    """
    request = Request("POST", "/v1/activation-links")
    if curl:
        print_curl(request)
        return
    answer = ask(request, ActivationLink)
    if only_print:
        click.echo(answer.link)
        return
    # Imported here: only this command starts another program.
    from bridge.cli.activation import shown_in_browser, write_redirect

    file = write_redirect(answer.link)
    if shown_in_browser(file):
        click.echo("The dashboard opens in your browser. If it does not, use `tollbridge open --print`.")
        return
    file.unlink(missing_ok=True)
    click.echo(
        "No browser could be opened here. This link makes a browser on this computer yours, "
        f"once, within {span_text(answer.expires_in)}; show it to nobody:",
        err=True,
    )
    click.echo(answer.link)
