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
