"""`tollbridge approve`, `deny` and `pending`: the owner's answer to a client that asks, given in a terminal."""

import re

import click

from bridge.cli.answers import Answered, Client, PendingRequest, PendingRequests
from bridge.cli.client import ask, print_curl
from bridge.cli.failures import Failure
from bridge.cli.request import Request, curl_option
from bridge.cli.spans import span_text
from bridge.cli.terminal import one_line, print_table

_PENDING = Request("GET", "/oauth/requests")
_CODE = re.compile(r"[A-Z0-9]{4,16}", re.ASCII)


class Code(click.ParamType[str]):
    """The code that a page shows, such as ``BCDF-GHJK``: case and dashes do not matter."""

    name = "code"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Return the code in capitals, as ``ABCD-EFGH`` where it has eight characters."""
        bare = re.sub(r"[-\s]", "", str(value)).upper()
        if _CODE.fullmatch(bare) is None:
            self.fail(f"{value!r} is not a code. The page shows one like BCDF-GHJK.", param, ctx)
        return f"{bare[:4]}-{bare[4:]}" if len(bare) == 8 else bare  # RFC 8628 section 6.1


@click.command(
    short_help="Allow the client whose page shows CODE.",
    epilog="""\b
Examples:
  tollbridge approve BCDF-GHJK
  tollbridge approve BCDF-GHJK --scope player:read
  tollbridge approve BCDF-GHJK --yes""",
)
@click.argument("code", type=Code())
@click.option("--scope", "scopes", multiple=True, help="Allow only this scope of those asked for; may be repeated.")
@click.option("--yes", is_flag=True, help="Do not ask; the request is still shown.")
@curl_option
def approve(*, code: str, scopes: tuple[str, ...], yes: bool, curl: bool) -> None:
    """Allow the client whose page shows CODE, after showing who it is and what it wants.

    The answer is remembered; `tollbridge grants` shows it and takes it back.
    """
    answer = _answer(code, "allow", scopes)
    if curl:
        print_curl(answer)
        return
    pending = _find(code)
    asked = {scope.scope for scope in pending.scopes}
    if unasked := [scope for scope in scopes if scope not in asked]:
        raise click.UsageError(f"It does not ask for {', '.join(unasked)}.")
    _show(pending, scopes)
    if not yes and not _agreed():
        raise Failure("Nothing was answered; the page still waits. `tollbridge deny` says no.")
    _say(ask(answer, Answered), pending)


@click.command(
    epilog="""\b
Example:
  tollbridge deny BCDF-GHJK"""
)
@click.argument("code", type=Code())
@curl_option
def deny(*, code: str, curl: bool) -> None:
    """Refuse the client whose page shows CODE.

    The answer is remembered; `tollbridge grants` shows it and takes it back.
    """
    answer = _answer(code, "deny", ())
    if curl:
        print_curl(answer)
        return
    pending = _find(code)
    _say(ask(answer, Answered), pending)


@click.command(
    epilog="""\b
Example:
  tollbridge pending"""
)
@curl_option
def pending(*, curl: bool) -> None:
    """List the clients that wait for your answer."""
    if curl:
        print_curl(_PENDING)
        return
    waiting = ask(_PENDING, PendingRequests).requests
    if not waiting:
        click.echo("Nobody is waiting for an answer.")
        return
    print_table(
        ("CODE", "CLIENT", "ASKS FOR", "SINCE"),
        [
            (one.code, one.client.id, "\n".join(scope.scope for scope in one.scopes), span_text(one.age))
            for one in waiting
        ],
    )


def _answer(code: str, word: str, scopes: tuple[str, ...]) -> Request:
    body: dict[str, object] = {"answer": word, "scopes": list(scopes)} if scopes else {"answer": word}
    return Request("POST", f"/oauth/requests/{code}", body=body)


def _find(code: str) -> PendingRequest:
    for one in ask(_PENDING, PendingRequests).requests:
        if one.code.replace("-", "").upper() == code.replace("-", ""):
            return one
    raise Failure(
        f"No request with the code {code} is waiting. It may have been answered, or its page was closed; "
        "the page shows the code that counts now."
    )


def _show(pending: PendingRequest, only: tuple[str, ...]) -> None:
    client = pending.client
    click.echo(f"{click.style(_name(client), bold=True)} wants to:")
    for scope in pending.scopes:
        left_out = " - will not be allowed" if only and scope.scope not in only else ""
        click.echo(f"  * {one_line(scope.sentence)} ({one_line(scope.scope)}){left_out}")
    origin = "a page in a browser on this computer" if client.kind == "page" else "a program on this computer"
    click.echo(f"It was asked by {origin}, {span_text(pending.age)} ago.")
    if client.development:
        click.echo("This is a development address: the permission ends after 24 hours.")


def _agreed() -> bool:
    try:
        return click.confirm("Allow this?", default=False)
    except click.Abort:
        # The end of the input answers nothing, like Ctrl-C.
        click.echo()
        return False


def _say(answered: Answered, pending: PendingRequest) -> None:
    click.echo(f"{answered.status.capitalize()}: {one_line(pending.client.id)}")


def _name(client: Client) -> str:
    if client.kind == "page":
        return one_line(client.origin or client.id)
    return one_line(f"A program on this computer that calls itself {client.id.removeprefix('native:')} (not verified)")
