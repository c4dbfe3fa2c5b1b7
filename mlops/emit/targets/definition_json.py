"""The 2020-12-01 definition document that CreatePipeline takes."""

from __future__ import annotations

import json

from mlops.ir import Definition
from mlops.ir.document import compact, document
from mlops.ir.target import Target


def emit(definition: Definition) -> str:
    """Two-space indented, ends with a newline; the bytes that goldens hold."""
    return json.dumps(document(definition), indent=2, ensure_ascii=False) + "\n"


def emit_compact(definition: Definition) -> str:
    """The same document without white space: what goes into an account, where its length counts."""
    return compact(definition)


TARGET = Target(
    "TARGET as SageMaker takes it: what `mlops compile` writes.",
    lambda source: emit(source.checked.definition),
)
