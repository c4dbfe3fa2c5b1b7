"""OutputParameters of a Lambda or Callback step: what was answered, by what the step declares."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from mlops.run.outcome import StepFailed

VALUE_LIMIT = 1024  # botocore: OutputParameter


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
        raise StepFailed(f"{', '.join(wanted)} declared as outputs, and the answer is {_shown(answer)}, no dictionary")
    missing = [name for name in wanted if name not in answer]
    if missing:
        has = ", ".join(map(str, answer)) or "nothing"
        raise StepFailed(f"the answer lacks {', '.join(missing)}, declared as output; it has {has}")
    found = {name: _typed(name, kind, answer[name]) for name, kind in wanted.items()}
    for name, value in found.items():
        if len(_text(value)) > VALUE_LIMIT:
            raise StepFailed(f"the output {name} is longer than {VALUE_LIMIT} characters")
    return found


def metadata_of(outputs: Mapping[str, Any]) -> Sequence[Mapping[str, str]]:
    """As ListPipelineExecutionSteps tells them."""
    return [{"Name": name, "Value": _text(value)} for name, value in outputs.items()]


def _typed(name: str, kind: str, value: Any) -> Any:
    match kind:
        case "Boolean" if isinstance(value, bool):
            return value
        case "Boolean" if isinstance(value, str) and value.lower() in ("true", "false"):
            return value.lower() == "true"
        case "Integer" if isinstance(value, int) and not isinstance(value, bool):
            return value
        case "Integer" if isinstance(value, float) and value.is_integer():
            return int(value)
        case "Float" if isinstance(value, int | float) and not isinstance(value, bool) and _is_float(value):
            return float(value)
        case "Integer" | "Float" if isinstance(value, str):
            try:
                return int(value) if kind == "Integer" else float(value)
            except ValueError:
                pass
        case "String":
            return _text(value)
    raise StepFailed(f"the output {name} is {_shown(value)}, which is no {kind}")


def _is_float(value: int | float) -> bool:
    """Not an integer that no float holds."""
    try:
        float(value)
    except OverflowError:
        return False
    return True


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _shown(value: Any) -> str:
    return json.dumps(value)[:100]
