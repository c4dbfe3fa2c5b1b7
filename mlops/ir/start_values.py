"""Values that somebody gives at start, judged by the definition before any call is made."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Collection, Mapping

from mlops.ir import Definition, Parameter, UsageError, Value
from mlops.ir.choices import instead, near
from mlops.ir.hiding import hide_value
from mlops.ir.values import to_json

VALUE_LENGTH = 1024
"""botocore: Parameter.Value. An empty value is refused by the service although the model allows it (sdk#4016)."""


def judge(definition: Definition, values: Mapping[str, str], elsewhere: Collection[str] = ()) -> None:
    """Raises UsageError with everything that is wrong: unknown names, wrong types, values that are not given. Those of
    the names in ``elsewhere`` are given by somebody else."""
    wrong = wrong_values(definition, values, elsewhere)
    missing = not_given(definition, {*values, *elsewhere})
    wrong.extend(f"the parameter {name} has no default and needs a value: -p {name}=…" for name in missing)
    if wrong:
        raise UsageError("\n".join(wrong))


def wrong_values(definition: Definition, values: Mapping[str, str], elsewhere: Collection[str] = ()) -> list[str]:
    known = {parameter.name: parameter for parameter in definition.parameters}
    wrong = []
    for name in (*values, *elsewhere):
        if name not in known:
            wrong.append(f"there is no parameter {name}{instead(name, known, 'it has')}")
        elif name in values:
            wrong.extend(_judge_value(known[name], values[name]))
    return wrong


def not_given(definition: Definition, given: Collection[str]) -> list[str]:
    return [each.name for each in definition.parameters if not each.has_default and each.name not in given]


def _judge_value(parameter: Parameter, value: str) -> list[str]:
    if not value:
        return [f"{parameter.name} is empty, which the service refuses"]
    if len(value) > VALUE_LENGTH:
        return [f"{parameter.name} has {len(value)} characters, a start takes {VALUE_LENGTH}"]
    shown = hide_value(parameter.name, value)
    if not _reads_as(parameter.type, value):
        return [f"{parameter.name} takes {_NOUNS.get(parameter.type, parameter.type)}, not {shown!r}"]
    choices = parameter.members.get("EnumValues")
    if isinstance(choices, tuple):
        written = [as_text(choice) for choice in choices]
        if value not in written:
            guess = near(value, written)
            meant = f"; did you mean {guess!r}?" if guess is not None else ""
            return [f"{parameter.name} is one of {', '.join(written)}, not {shown!r}{meant}"]
    return []


def as_text(value: Value) -> str:
    """As a start takes it, and as the account tells it."""
    return value if isinstance(value, str) else json.dumps(to_json(value))


_NOUNS = {"Integer": "an integer", "Float": "a number", "Boolean": "true or false"}


_INTEGER = re.compile(r"[+-]?[0-9]{1,18}")
_FLOAT = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?")


def _reads_as(kind: str, value: str) -> bool:
    """As the definition's JSON would: Python also takes underscores, spaces, digits of other scripts, nan and inf."""
    match kind:
        case "Boolean":
            return value.lower() in ("true", "false")
        case "Integer":
            return _INTEGER.fullmatch(value) is not None
        case "Float":
            return _FLOAT.fullmatch(value) is not None and math.isfinite(float(value))
    return True
