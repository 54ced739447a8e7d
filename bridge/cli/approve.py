"""`tollbridge approve`, `deny` and `pending`: the owner's answer to a client that asks, given in a terminal."""

import re
from collections.abc import Sequence

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


_UNTILS = {
    "once": "once (for ten minutes)",
    "day": "for 24 hours",
    "week": "for 7 days",
    "revoked": "until you take it back",
}
"""How long an answer may hold, in plain words."""


@click.command(
    short_help="Allow the client whose page shows CODE.",
    epilog="""\b
Examples:
  tollbridge approve BCDF-GHJK
  tollbridge approve BCDF-GHJK --scope player:read --for day
  tollbridge approve BCDF-GHJK --yes""",
)
@click.argument("code", type=Code())
@click.option("--scope", "scopes", multiple=True, help="Allow only this scope of those asked for; may be repeated.")
@click.option(
    "--for",
    "until",
    type=click.Choice(list(_UNTILS)),
    help="For how long: one access token, 24 hours, 7 days (development addresses alone), or until you take it back.",
)
@click.option("--yes", is_flag=True, help="Do not ask; the request is still shown.")
@curl_option
def approve(*, code: str, scopes: tuple[str, ...], until: str | None, yes: bool, curl: bool) -> None:
    """Allow the client whose page shows CODE, after showing who it is, what it wants, and for how long.

    The answer is remembered; `tollbridge grants` shows it and takes it back. A dangerous command is allowed once.
    """
    answer = _answer(code, "allow", scopes, until)
    if curl:
        print_curl(answer)
        return
    pending = _find(code)
    asked = {scope.scope for scope in pending.scopes}
    if unasked := [scope for scope in scopes if scope not in asked]:
        raise click.UsageError(f"It does not ask for {', '.join(unasked)}.")
    if until is not None and until not in pending.untils:
        raise click.UsageError(f"This can be allowed for: {', '.join(pending.untils)}.")
    _show(pending, scopes, until)
    if not yes and not _agreed():
        raise Failure("Nothing was answered; it still waits. `tollbridge deny` says no.")
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
    answer = _answer(code, "deny", (), None)
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
    """List what waits for your answer: sites, devices and dangerous commands."""
    if curl:
        print_curl(_PENDING)
        return
    waiting = ask(_PENDING, PendingRequests).requests
    if not waiting:
        click.echo("Nobody is waiting for an answer.")
        return
    print_table(
        ("CODE", "CLIENT", "ASKS FOR", "SINCE"),
        [(one.code, one.client.id, _wanted(one), span_text(one.age)) for one in waiting],
    )


def _answer(code: str, word: str, scopes: Sequence[str], until: str | None) -> Request:
    body: dict[str, object] = {"answer": word}
    if scopes:
        body["scopes"] = list(scopes)
    if until is not None:
        body["until"] = until
    return Request("POST", f"/oauth/requests/{code}", body=body)


def _wanted(pending: PendingRequest) -> str:
    if pending.command is not None:
        return f"to run {pending.command.app}.{pending.command.name}"
    return "\n".join(scope.scope for scope in pending.scopes)


def _find(code: str) -> PendingRequest:
    for one in ask(_PENDING, PendingRequests).requests:
        if one.code.replace("-", "").upper() == code.replace("-", ""):
            return one
    raise Failure(
        f"No request with the code {code} is waiting. It may have been answered, or its page was closed; "
        "the page shows the code that counts now."
    )


def _show(pending: PendingRequest, only: tuple[str, ...], until: str | None) -> None:
    client = pending.client
    click.echo(f"{click.style(_name(client), bold=True)} wants to:")
    if pending.command is None:
        for scope in pending.scopes:
            left_out = " - will not be allowed" if only and scope.scope not in only else ""
            already = " - allowed already" if scope.granted else ""
            click.echo(f"  * {one_line(scope.sentence)} ({one_line(scope.scope)}){already}{left_out}")
    else:
        command = pending.command
        click.echo(f"  * run {command.app}.{command.name} once: {one_line(command.summary)}")
        click.echo(f"    with {one_line(bytes(command.params).decode())}")
    if client.domain is not None:
        click.echo(f"The site is {one_line(client.domain)}.")
    click.echo(
        f"It was asked by {_WHENCE.get(pending.kind, _PAGE) if client.kind == 'page' else _PROGRAM}, "
        f"{span_text(pending.age)} ago."
    )
    if pending.denied_before:
        click.echo("You have said no to it before.")
    if client.development:
        click.echo("This is a development address: a page that this computer serves itself.")
    if pending.kind != "command":
        click.echo(f"It will be allowed {_UNTILS.get(until or pending.until, until or pending.until)}.")


_PAGE = "a page in a browser on this computer, or by a program here that poses as one"
_PROGRAM = "a program on this computer"
_WHENCE = {
    "authorize": _PAGE,
    "device": "a page that shows you this code; go on only if you see it there yourself",
    "command": "a page that you have allowed",
}


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
