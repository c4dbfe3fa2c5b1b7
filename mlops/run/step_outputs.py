"""OutputParameters of a Lambda or Callback step: what was answered, by what the step declares."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from mlops.knowledge.output_types import OfAnotherType, as_text, typed
from mlops.run.outcome import StepFailed


def outputs_of(declared: Any, answer: Any) -> dict[str, Any]:
    """By name, of the declared types. Raises :class:`StepFailed`.

    >>> outputs_of([{"OutputName": "n", "OutputType": "Integer"}], {"n": "3", "more": 1})
    {'n': 3}
    >>> outputs_of([{"OutputName": "s", "OutputType": "String"}], {"s": {"a": 1}})
    {'s': '{"a": 1}'}
    """
    wanted = {str(item["OutputName"]): str(item.get("OutputType") or "String") for item in declared or ()}
    if not wanted:
        return {}
    if not isinstance(answer, Mapping):
        raise StepFailed(
            f"{', '.join(wanted)} declared as outputs, and the answer is {json.dumps(answer)[:100]}, no dictionary"
        )
    missing = [name for name in wanted if name not in answer]
    if missing:
        has = ", ".join(map(str, answer)) or "nothing"
        raise StepFailed(f"the answer lacks {', '.join(missing)}, declared as output; it has {has}")
    return {name: _typed(name, kind, answer[name]) for name, kind in wanted.items()}


def metadata_of(outputs: Mapping[str, Any]) -> Sequence[Mapping[str, str]]:
    """As ListPipelineExecutionSteps tells them."""
    return [{"Name": name, "Value": as_text(value)} for name, value in outputs.items()]


def _typed(name: str, kind: str, value: Any) -> Any:
    try:
        return typed(kind, value)
    except OfAnotherType as fault:
        raise StepFailed(f"the output {name} {fault}") from None
