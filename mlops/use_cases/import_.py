"""Python that compiles to a definition, whoever wrote that."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from mlops.check.programs import compile_program
from mlops.declare.constructors import constructors
from mlops.ir import Definition, Finding, Listener, UsageError
from mlops.use_cases.judging import need_sound
from mlops.use_cases.news import Said

STANDARD_INPUT = "-"
_REPLY = "PipelineDefinition"
"""The member of a reply that holds the definition."""


def from_file(file: str, listener: Listener) -> Definition:
    """A definition in JSON, or what `aws sagemaker describe-pipeline` prints of one. Where the text does not name it,
    its file's name is the pipeline's."""
    if file == STANDARD_INPUT:
        content = sys.stdin.buffer.read()
    elif Path(file).is_file():
        content = Path(file).read_bytes()
    else:
        raise UsageError(f"there is no file {file!r}", hint="`mlops import` takes a definition in JSON")
    definition, findings = _read(content, file)
    need_sound(findings, listener, doing="import")
    if definition is None or not (definition.steps or "Version" in definition.members):
        raise UsageError(
            f"{file} holds no definition: it has neither Version nor Steps",
            hint="a definition is what `aws sagemaker describe-pipeline` prints, or its PipelineDefinition",
        )
    return replace(definition, name=definition.name or ("pipeline" if file == STANDARD_INPUT else Path(file).stem))


def from_template(file: str, wanted: str | None, listener: Listener) -> Definition:
    """The pipeline of a template of CloudFormation, with the defaults of its parameters; ``wanted`` is its name, or its
    logical id, where there are several."""
    from mlops.check.located import Unreadable
    from mlops.check.templates.pipelines import pipelines_of
    from mlops.ir.reader import read

    path = Path(file)
    if not path.is_file():
        raise UsageError(
            f"there is no file {file!r}", hint="`mlops import --template` takes a template of CloudFormation"
        )
    try:
        found = pipelines_of(path.read_bytes(), file)
    except Unreadable as error:
        raise UsageError(f"{file}:{error.line}:{error.column}: {error}") from None
    chosen = [item for item in found if wanted in (None, item.name, item.logical_id)]
    if len(chosen) != 1:
        there = ", ".join(item.name or item.logical_id for item in found) or "no pipeline"
        raise UsageError(
            f"{file} has {there}, and one is needed"
            if wanted is None
            else f"{file} has no pipeline {wanted}; found: {there}",
            hint="say which with --name" if found else "its type is AWS::SageMaker::Pipeline",
        )
    (item,) = chosen
    if item.body is None:
        raise UsageError(
            f"the body of {item.logical_id} does not stand in {file}",
            hint="`mlops import FILE.json` takes the object in S3 that it names, `--from-account NAME` what is there",
        )
    definition, findings = read(item.body, file)
    need_sound(findings, listener, doing="import")
    if definition is None:
        raise UsageError(f"the body of {item.logical_id} is no definition")
    for other in item.others:
        listener(Said(text=f"note: {other} stays in the template: declare it beside the pipeline, docs/resources.md"))
    return replace(definition, name=item.name or item.logical_id, description=item.description, tags=item.tags)


def _read(content: bytes, file: str) -> tuple[Definition | None, Sequence[Finding]]:
    from mlops.ir.reader import read  # an account's definition is read with its own

    definition, findings = read(content, file)
    if definition is None or not isinstance(definition.members.get(_REPLY), str):
        return definition, findings
    from mlops.deploy.pipelines.fetch import of_reply  # loads what speaks with accounts

    return of_reply(definition.members, file)


def as_python(definition: Definition) -> str:
    """What it gives compiles to the same definition."""
    from mlops.emit.targets.python import emit  # once there is something to write

    return emit(definition, compile_program, constructors())


def from_account(environment: str, name: str, listener: Listener) -> Definition:
    """A pipeline that an account has."""
    from mlops.deploy.pipelines.fetch import fetch  # loads boto3
    from mlops.use_cases.connecting import connect_here

    definition, findings = fetch(connect_here(environment).account, name)
    need_sound(findings, listener, doing="import")
    if definition is None:
        raise UsageError(f"the account's {name!r} holds no definition")
    return definition
