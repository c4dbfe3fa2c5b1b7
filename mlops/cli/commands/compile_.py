"""``mlops compile``."""

from __future__ import annotations

from pathlib import Path

import click

from mlops.cli import options
from mlops.cli.listening import refuse_errors
from mlops.cli.printing import talk
from mlops.ir import Definition, Refusal, UsageError


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
    from mlops.check.sources import open_one, open_targets
    from mlops.emit.targets.definition_json import emit
    from mlops.project.files import write_text

    one = output is not None or golden is not None
    opened = open_one(target, environment) if one else open_targets([target], environment, definitions=False)
    refuse_errors(opened.findings, doing="compile")
    if explain_defaults:
        for checked in opened.pipelines:
            _explain(checked.definition, environment)
        return
    for checked in opened.pipelines:
        text = emit(checked.definition)
        if golden is not None:
            _compare(Path(golden), text, target)
        elif output == "-":
            click.echo(text.encode(), nl=False)  # the same bytes whatever the terminal speaks
        else:
            file = Path(output) if output else opened.root / "build" / f"{checked.definition.name}.json"
            write_text(file, text)
            talk(f"{checked.definition.name}: {file.as_posix()}")


def _explain(definition: Definition, environment: str) -> None:
    from mlops.check.defaults import explain_defaults

    told = explain_defaults(definition, environment)
    click.echo(f"{definition.name} in {environment}: {len(told)} values that the pipeline file leaves out")
    step = None
    for item in told:
        if item.step != step:
            click.echo(f"\n{item.step}")
            step = item.step
        click.echo(f"  {item.member} = {item.value}  ({item.key}, {item.origin})")


def _compare(golden: Path, text: str, target: str) -> None:
    if not golden.is_file():
        raise UsageError(f"there is no {golden}", hint=f"write it with `mlops compile {target} -o {golden}`")
    if golden.read_text(encoding="utf-8") != text:
        raise Refusal(f"{golden} is stale", hint=f"write it again with `mlops compile {target} -o {golden}`")
    talk(f"{golden} is up to date")
