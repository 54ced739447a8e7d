"""`tollbridge open`: makes this user's browser the owner's, and shows the dashboard."""

import click

from bridge.cli.answers import ActivationLink
from bridge.cli.client import ask, print_curl
from bridge.cli.failures import Failure
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
@click.option("--print", "only_print", is_flag=True, help="Print an address to open by hand, and wait until it was.")
@curl_option
def open_dashboard(*, only_print: bool, curl: bool) -> None:
    """Open the dashboard in your browser, which may then answer sites that ask.

    The browser is sent to a page of this command's own first, which has it forget all that it keeps of the daemon's
    address: a program that held the port before may have left something there. The command ends once the browser has
    that page, or after two minutes; Ctrl-C ends it at once.

    The page's address works once, while the command runs. It is handed over in a file that only you can read, so that
    it stands in no argument list. A browser in a sandbox (snap, flatpak) may be unable to read the file: use --print
    there, and where there is no desktop.
    """
    request = Request("POST", "/v1/activation-links")
    if curl:
        print_curl(request)
        return
    answer = ask(request, ActivationLink)
    # Imported here: only this command serves a page and starts another program.
    from bridge.cli.activation import shown_in_browser, write_redirect
    from bridge.cli.once import Once
    from bridge.cli.opening import opening_csp, opening_page

    with Once(opening_page(answer.link), csp=opening_csp(answer.link)) as once:
        if only_print:
            _show(once.url, answer.expires_in)
        elif shown_in_browser(file := write_redirect(once.url)):
            click.echo("The dashboard opens in your browser. If it does not, use `tollbridge open --print`.")
        else:
            file.unlink(missing_ok=True)
            click.echo("No browser could be opened here.", err=True)
            _show(once.url, answer.expires_in)
        if not once.wait(answer.expires_in):
            raise Failure(f"No browser came within {span_text(answer.expires_in)}. Run `tollbridge open` again.")


def _show(url: str, seconds: float) -> None:
    """Print the address alone on standard output, and on standard error what it is."""
    click.echo(
        "This address makes a browser on this computer yours, once, "
        f"within {span_text(seconds)} and while this command runs; show it to nobody:",
        err=True,
    )
    click.echo(url)
