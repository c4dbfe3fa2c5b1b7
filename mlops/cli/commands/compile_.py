"""``mlops compile``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from mlops.cli import options
from mlops.cli.printing import talk

if TYPE_CHECKING:
    from mlops.use_cases.compile import Compiled


@click.command("compile")
@click.argument("target")
@options.environment
@click.option("-o", "--output", metavar="FILE", help="Where to; - is standard output. Default: build/<pipeline>.json.")
@click.option("--check", "golden", metavar="FILE", help="Write nothing; fail where FILE is not what would be written.")
@click.option("--explain-defaults", is_flag=True, help="Write nothing; tell what the environment fills in, and where.")
def command(target: str, environment: str, output: str | None, golden: str | None, explain_defaults: bool) -> None:
    """Compile TARGET to the definition that SageMaker takes.

    Needs no credentials, region, network or clock. TARGET is FILE.py (every pipeline in it), FILE.py:NAME or a folder.
    """
    from mlops.cli.listening import hear
    from mlops.project.files import write_text
    from mlops.use_cases.compile import compile_target, need_same

    one = output is not None or golden is not None
    for compiled in compile_target(target, environment, hear, one=one):
        if explain_defaults:
            _explain(compiled, environment)
        elif golden is not None:
            need_same(compiled, Path(golden), target)
            talk(f"{Path(golden)} is up to date")
        elif output == "-":
            click.echo(compiled.text.encode(), nl=False)  # the same bytes whatever the terminal speaks
        else:
            file = Path(output) if output else compiled.file
            write_text(file, compiled.text)
            talk(f"{compiled.definition.name}: {file.as_posix()}")


def _explain(compiled: Compiled, environment: str) -> None:
    from mlops.use_cases.compile import defaults

    told = defaults(compiled, environment)
    click.echo(f"{compiled.definition.name} in {environment}: {len(told)} values that the pipeline file leaves out")
    step = None
    for item in told:
        if item.step != step:
            click.echo(f"\n{item.step}")
            step = item.step
        click.echo(f"  {item.member} = {item.value}  ({item.key}, {item.origin})")
