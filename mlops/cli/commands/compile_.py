"""``mlops compile``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from mlops.cli import options
from mlops.cli.printing import print_json, talk
from mlops.ir.counted import counted

if TYPE_CHECKING:
    from mlops.check.defaults import Default
    from mlops.use_cases.compile import Compiled


@click.command("compile")
@click.argument("target", required=False)
@options.environment
@click.option("-o", "--output", metavar="FILE", help="Where to; - is standard output. Default: build/<pipeline>.json.")
@click.option("--check", "golden", metavar="FILE", help="Write nothing; fail where FILE is not what would be written.")
@click.option("--explain-defaults", is_flag=True, help="Write nothing; tell what the environment fills in, and where.")
@options.as_json
def command(
    target: str | None, environment: str, output: str | None, golden: str | None, explain_defaults: bool, format_: str
) -> None:
    """Compile TARGET to the definition that SageMaker takes.

    Needs no credentials, region, network or clock. TARGET is FILE.py (every pipeline in it), FILE.py:NAME or a folder;
    without, the pipelines of the project that mlops.toml names.
    What --format says is told of what was done; the definition is JSON anyway.
    """
    from mlops.check.places import shown
    from mlops.cli.listening import hear
    from mlops.project.files import write_text
    from mlops.use_cases.compile import compile_target, need_same

    if target is None:
        from mlops.use_cases.targets import project_target

        target = project_target()
    one = output is not None or golden is not None
    told: list[dict[str, object]] = []
    for compiled in compile_target(target, environment, hear, one=one):
        name = compiled.definition.name
        if explain_defaults:
            from mlops.use_cases.compile import defaults

            found = defaults(compiled, environment)
            if format_ == "text":
                _explain(compiled, environment, found)
            told.append({"pipeline": name, "environment": environment, "defaults": [asdict(item) for item in found]})
        elif golden is not None:
            need_same(compiled, Path(golden), target)
            told.append({"pipeline": name, "file": Path(golden).as_posix(), "written": False})
            if format_ == "text":
                talk(f"{Path(golden)} is up to date")
        elif output == "-":
            click.echo(compiled.text.encode(), nl=False)  # the same bytes whatever the terminal speaks
        else:
            file = Path(output).as_posix() if output else shown(compiled.file)
            write_text(Path(output) if output else compiled.file, compiled.text)
            told.append({"pipeline": name, "file": file, "written": True})
            if format_ == "text":
                talk(f"{name}: {file}")
    if format_ == "json" and output != "-":
        print_json(told)


def _explain(compiled: Compiled, environment: str, told: Sequence[Default]) -> None:
    click.echo(
        f"{compiled.definition.name} in {environment}: {counted(len(told), 'value')} that the pipeline file leaves out"
    )
    step = None
    for item in told:
        if item.step != step:
            click.echo(f"\n{item.step}")
            step = item.step
        click.echo(f"  {item.member} = {item.value}  ({item.key}, {item.origin})")
