"""``mlops completion``."""

from __future__ import annotations

import os
from pathlib import Path

import click

from mlops.cli import options
from mlops.ir import UsageError

_SHELLS = ("bash", "zsh", "fish")


@click.command()
@click.argument("shell", type=options.Choice(_SHELLS), required=False)
def command(shell: str | None) -> None:
    """What SHELL (the one of $SHELL without) has to read to complete commands, options, paths, environments and names.

    For bash: `eval "$(mlops completion bash)"` in ~/.bashrc; zsh likewise in ~/.zshrc; for fish
    `mlops completion fish > ~/.config/fish/completions/mlops.fish`.
    """
    from click.shell_completion import get_completion_class

    from mlops.cli import COMPLETING, cli

    chosen = shell or Path(os.environ.get("SHELL", "")).name
    found = get_completion_class(chosen) if chosen in _SHELLS else None
    if found is None:
        raise UsageError(f"nothing is known of the shell {chosen!r}", hint=f"name one of {', '.join(_SHELLS)}")
    click.echo(found(cli, {}, "mlops", COMPLETING).source())
