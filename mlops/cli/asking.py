"""``--yes``, and the question to whoever sits at the terminal: the same for every command that changes an account."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from mlops.cli import options

if TYPE_CHECKING:
    from mlops.use_cases.approval import Consent

yes = click.option("--yes", is_flag=True, help="Do it without asking.")
as_user = click.option(
    "--user",
    cls=options.Renamed,
    old=("--as",),
    metavar="NAME",
    help="Who does it, in the local account; MLOPS_LOCAL_USER without.",
)


def consent(given: bool) -> Consent:
    """On a terminal there is somebody to be asked."""
    from mlops.use_cases.approval import Consent

    return Consent(given, _asked if sys.stdin.isatty() else None)


def _asked(question: str) -> bool:
    return click.confirm(question, err=True)
