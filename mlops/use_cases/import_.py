"""Python that compiles to a definition, whoever wrote that."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

from mlops.check.programs import compile_program
from mlops.declare.constructors import constructors
from mlops.ir import Definition, Listener, UsageError
from mlops.use_cases.judging import need_sound

STANDARD_INPUT = "-"


def from_file(file: str, listener: Listener) -> Definition:
    """A definition in JSON; its file's name is the pipeline's."""
    from mlops.ir.reader import read  # an account's definition is read with its own

    if file == STANDARD_INPUT:
        content = sys.stdin.buffer.read()
    elif Path(file).is_file():
        content = Path(file).read_bytes()
    else:
        raise UsageError(f"there is no file {file!r}", hint="`mlops import` takes a definition in JSON")
    definition, findings = read(content, file)
    need_sound(findings, listener, doing="import")
    if definition is None:
        raise UsageError(f"{file} holds no definition")
    return replace(definition, name="pipeline" if file == STANDARD_INPUT else Path(file).stem)


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
