"""The definitions that are tried here, and the programs that they become."""

from __future__ import annotations

import json
from dataclasses import replace
from functools import cache
from pathlib import Path

from mlops.check.programs import compile_program
from mlops.declare.constructors import constructors
from mlops.emit.targets.python import emit
from mlops.ir import Definition
from mlops.ir.reader import read
from tests.emit.odd_definitions import ODD

CONSTRUCTORS = constructors()
FILES = sorted((Path(__file__).parent / "definitions").glob("*.json"))


def definition(text: str, name: str = "pipeline") -> Definition:
    found, findings = read(text)
    assert found is not None and not findings
    return replace(found, name=name)


@cache
def programs() -> tuple[str, ...]:
    """One for each definition, odd ones too."""
    texts = [file.read_text() for file in FILES] + [json.dumps(raw) for raw in ODD.values()]
    return tuple(emit(definition(text), compile_program, CONSTRUCTORS) for text in texts)
