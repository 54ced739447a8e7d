"""What can go wrong for a person at the terminal, each with its sentence and its exit status.

click.ClickException
├── Failure                 1
│   ├── Refused             1   the daemon answered with a problem (RFC 9457)
│   ├── Unanswered          1   no answer in time, or one that was cut off
│   └── AnswerNotUnderstood 1   another version of the daemon, perhaps
├── NotRunning              3   no daemon
└── click.UsageError        2   the arguments are wrong
"""

from collections.abc import Mapping
from typing import IO, Any

import click
import msgspec

from bridge.cli.terminal import visible

STATUS_NOT_RUNNING = 3
STATUS_INTERRUPTED = 130
"""128 + SIGINT, what shells expect of a program ended by Ctrl-C."""


class Failure(click.ClickException):
    """Something could not be done; the message is a sentence that says what to do about it."""

    def show(self, file: IO[Any] | None = None) -> None:
        """Print the sentence on standard error, without any control character that it may have been sent with."""
        click.echo(visible(self.format_message()), file=file, err=file is None)


class NotRunning(Failure):
    """No daemon answers at the place where it would."""

    exit_code = STATUS_NOT_RUNNING

    def __init__(self) -> None:
        super().__init__("No daemon is running. Start it with `tollbridge run`.")


class Unanswered(Failure):
    """The daemon did not answer within the deadline, or broke off; whether it acted is not known."""


class AnswerNotUnderstood(Failure):
    """The daemon answered in a form that this command does not know."""

    def __init__(self, fault: str) -> None:
        super().__init__(
            f"The daemon's answer was not understood ({fault}). "
            "It may be of another version: stop it and start it again with `tollbridge run`."
        )


class ToldProblem(msgspec.Struct, frozen=True):
    """A problem as it arrives (RFC 9457); a daemon of another version may leave out or add members."""

    title: str = "The daemon refused"
    code: str = "unknown"
    detail: str = ""
    path: str | None = None
    scope: str | None = None
    retry_after: float | None = None


Said = Mapping[str, str]
"""What a command says of a code, in place of the daemon's detail, which may send the reader to a route: a command that
meets such a code (`not_found`) knows what was typed, and which other command helps."""


class Refused(Failure):
    """The daemon said no; ``status`` is the HTTP status, ``problem`` what it said, ``said`` the command's own words."""

    def __init__(self, status: int, problem: ToldProblem, said: Said | None = None) -> None:
        self.status = status
        self.problem = problem
        super().__init__("\n".join(_lines(problem, (said or {}).get(problem.code))))


def _lines(problem: ToldProblem, said: str | None) -> list[str]:
    lines = [f"{problem.title.rstrip('.')}."]
    if said is not None:
        return [*lines, said, f"code: {problem.code}"]
    if problem.detail:
        lines.append(problem.detail)
    if problem.path and problem.path not in problem.detail:
        lines.append(f"at: {problem.path}")
    if problem.scope and problem.scope not in problem.detail:
        lines.append(f"scope: {problem.scope}")
    if problem.retry_after is not None:
        lines.append(f"Try again in {problem.retry_after:g} s.")
    lines.append(f"code: {problem.code}")
    return lines
