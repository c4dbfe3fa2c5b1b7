"""The command line: parse, call the library, print, exit. Results on standard output, talk on standard error."""

from __future__ import annotations

import errno
import gc
import os
import sys
from collections.abc import Sequence

import click

from mlops import __version__
from mlops.cli import commands
from mlops.cli.group import Group
from mlops.declare.time_limit import owns_process
from mlops.ir import MlopsError
from mlops.ir.discovery import modules

COMPLETING = "_MLOPS_COMPLETE"
"""Set by what `mlops completion` prints, when somebody presses Tab."""
INTERRUPTED = 130
INTERNAL = 70
"""As sysexits.h has it: not one of ours to be expected."""


class _Commands(Group):
    """One module of :mod:`mlops.cli.commands` per command, imported only when it is called for."""

    def list_commands(self, context: click.Context) -> list[str]:
        return [*modules(commands)]

    def get_command(self, context: click.Context, name: str) -> click.Command | None:
        found = modules(commands).get(name)
        if found is None:
            return None
        command: click.Command = found.load().command
        return command


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="mlops")
def cli() -> None:
    """Pipelines as code for Amazon SageMaker: declare, check, run here, deploy, promote."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command and give its exit code; what the user did wrong is one sentence, never a traceback."""
    try:
        code = cli.main(
            args=list(arguments) if arguments is not None else None,
            prog_name="mlops",
            complete_var=COMPLETING,
            standalone_mode=False,
        )
        return code if isinstance(code, int) else 0
    except click.exceptions.Exit as stop:
        return stop.exit_code
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except (click.Abort, KeyboardInterrupt) as error:
        click.echo("interrupted", err=True)
        for note in getattr(error.__cause__ or error, "__notes__", ()):
            click.echo(f"  {note}", err=True)
        return INTERRUPTED
    except MlopsError as error:
        click.echo(f"error: {error.message}", err=True)
        if error.hint:
            click.echo(f"  help: {error.hint}", err=True)
        return error.exit_code
    except (BrokenPipeError, SystemExit):
        if COMPLETING in os.environ:  # click ends so, when it has told the shell what it knows
            return 0
        # click turns a closed pipe into SystemExit. The reader has seen enough; nothing more may be written at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except OSError as error:
        _tell_of_system(error)
        return 2
    except Exception as error:
        if os.environ.get("MLOPS_TRACEBACK"):
            raise
        click.echo(f"error: a mistake in mlops itself: {type(error).__name__}: {error}", err=True)
        click.echo("  help: set MLOPS_TRACEBACK=1 to see where, and please report it", err=True)
        return INTERNAL


def _tell_of_system(error: OSError) -> None:
    """What the system refused, and whose it is where that is why."""
    from mlops.ir import full_disk

    place = error.filename if isinstance(error.filename, str) else None
    click.echo(f"error: {error.strerror or error}{f': {place}' if place else ''}", err=True)
    if full_disk.is_full(error):
        click.echo(f"  help: {full_disk.HINT}", err=True)
    elif error.errno == errno.EROFS:
        click.echo("  help: what is made here is kept in .mlops/ of the project, which has to be writable", err=True)
    elif isinstance(error, PermissionError) and place is not None:
        from pathlib import Path

        from mlops.project.private import how_to_own, not_ours
        from mlops.project.root import STATE

        path = Path(place).absolute()
        owner = not_ours(path) or not_ours(path.parent)
        if owner is not None:
            whole = next((above for above in (path, *path.parents) if above.name == STATE), path)
            click.echo(f"  help: it belongs to {owner}; {how_to_own(whole)}", err=True)


def run() -> None:
    """The console script."""
    # A command is mostly imports, and what they make stays: no use in looking it through every 700 objects.
    gc.set_threshold(50_000)
    # pydantic reads the metadata of every installed package for plug-ins of its own, which none of our models needs.
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")
    owns_process()
    sys.exit(main())
