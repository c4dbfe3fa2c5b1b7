"""``mlops import``."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import click

from mlops.cli import options
from mlops.cli.printing import print_json, talk
from mlops.cli.writing import write_program
from mlops.ir import UsageError


@click.command("import")
@click.argument("file", required=False, metavar="[FILE.json]")
@click.option(
    "--from-account", "pipeline", metavar="NAME", help="A pipeline of the account of --env, instead of a file."
)
@click.option("--template", metavar="FILE", help="The pipeline of a template of CloudFormation, instead of a file.")
@options.environment
@click.option("--name", help="The pipeline's name; which one of a template. Default: the file's.")
@click.option("-o", "--output", metavar="FILE", help="Where to. Default: standard output.")
@options.overwriting
@options.as_json
def command(
    file: str | None,
    pipeline: str | None,
    template: str | None,
    environment: str,
    name: str | None,
    output: str | None,
    force: bool,
    format_: str,
) -> None:
    """Write Python that compiles to the same definition; FILE.json may be whoever's, - reads standard input.

    It may also be what `aws sagemaker describe-pipeline` prints.

    Code that the definition names by its S3 URI stays there; nothing is downloaded.
    """
    from mlops.cli.listening import hear
    from mlops.use_cases.import_ import as_python, from_account, from_file, from_template

    if [file, pipeline, template].count(None) != 2:
        said = "give a definition in JSON, --from-account NAME or --template FILE"
        raise UsageError(said, hint="mlops import definition.json")
    if file is not None:
        definition = from_file(file, hear)
    elif template is not None:
        definition = from_template(template, name, hear)
    else:
        definition = from_account(environment, pipeline or "", hear)
    if name is not None and template is None:
        definition = replace(definition, name=name)
    text = as_python(definition)
    to_file = output is not None and output != "-"
    if to_file:
        write_program(Path(output or ""), text, force=force)
    if format_ == "json":
        print_json({"pipeline": definition.name, "file": output if to_file else None, "python": text})
    elif to_file:
        talk(f"{definition.name}: {output}")
    else:
        click.echo(text.encode(), nl=False)
