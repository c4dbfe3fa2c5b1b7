"""``mlops lsp``."""

from __future__ import annotations

import click

from mlops.cli import options
from mlops.ir import ConfigurationError


@click.command()
@options.environment
def command(environment: str) -> None:
    """A language server on standard input and output: findings, mends and arguments in an editor."""
    try:
        from mlops.cli.language_server.server import serve
    except ModuleNotFoundError as error:
        hint = "install it with `pip install 'pygls>=2'`"
        raise ConfigurationError(f"the language server needs {error.name}", hint=hint) from None
    serve(environment)
