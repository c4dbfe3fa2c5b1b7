"""``mlops import``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import click

from mlops.cli import options
from mlops.cli.printing import print_json, talk
from mlops.cli.writing import write_program
from mlops.ir import UsageError


@click.command("import")
@click.argument("file", required=False, metavar="[FILE.json]")
@options.environment
@click.option(
    "--from-account", "pipeline", metavar="NAME", help="A pipeline of the account of --env, instead of a file."
)
@click.option(
    "--template", metavar="FILE", help="What a template of CloudFormation declares, with -p of its parameters."
)
@options.parameters
@click.option("--name", help="The pipeline's name; which one of a template. Default: the file's.")
@options.output
@options.overwriting
@options.as_json
def command(
    file: str | None,
    pipeline: str | None,
    template: str | None,
    environment: str,
    parameters: tuple[str, ...],
    name: str | None,
    output: str | None,
    force: bool,
    format_: str,
) -> None:
    """Write Python that compiles to the same definition; FILE.json may be whoever's, - reads standard input.

    It may also be what `aws sagemaker describe-pipeline` prints.

    Code that the definition names by its S3 URI stays there; nothing is downloaded.

    Of a template come models, endpoint configurations, endpoints, notebook instances, their lifecycle configurations,
    roles, buckets and keys too. With --env its account and region are those of the environment.
    """
    if [file, pipeline, template].count(None) != 2:
        said = "give a definition in JSON, --from-account NAME or --template FILE"
        raise UsageError(said, hint="mlops import definition.json")
    if parameters and template is None:
        raise UsageError("-p is a parameter of a template", hint="mlops import --template template.yaml -p Name=value")
    resources: Sequence[str] = ()
    named: str | None
    if template is not None:
        named, resources, text = _of_template(template, name, parameters, environment)
    else:
        named, text = _of_pipeline(file, pipeline, name, environment)
    to_file = output is not None and output != "-"
    if to_file:
        write_program(Path(output or ""), text, force=force)
    if format_ == "json":
        told = {"pipeline": named, "resources": list(resources), "file": output if to_file else None, "python": text}
        print_json(told)
    elif to_file:
        talk(f"{', '.join([*([named] if named else []), *resources])}: {output}")
    else:
        click.echo(text.encode(), nl=False)


def _of_template(
    template: str, name: str | None, parameters: Sequence[str], environment: str
) -> tuple[str | None, Sequence[str], str]:
    from mlops.cli.listening import hear
    from mlops.use_cases.import_template import from_template

    found = from_template(template, name, options.named_values(tuple(parameters)), environment, hear)
    return found.pipeline, found.resources, found.text


def _of_pipeline(file: str | None, pipeline: str | None, name: str | None, environment: str) -> tuple[str | None, str]:
    from mlops.cli.listening import hear
    from mlops.use_cases.import_ import as_python, from_account, from_file

    definition = from_file(file, hear) if file is not None else from_account(environment, pipeline or "", hear)
    if name is not None:
        definition = replace(definition, name=name)
    return definition.name, as_python(definition)
