"""The parameters of an execution: what the start gives as text, made what the definition declares."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping

from mlops.account.local.refusal import invalid
from mlops.ir import Definition
from mlops.ir.definition import Parameter

_INTEGER = re.compile(r"[+-]?[0-9]{1,18}")
_FLOAT = re.compile(r"[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]+)?")
_BOOLEANS = {"true": True, "false": False}


def resolve(
    definition: Definition, given: Iterable[Mapping[str, str]], unfit: Mapping[str, str]
) -> dict[str, str | int | float | bool]:
    """Complete and typed. Raises ValidationException with everything that is wrong. ``unfit`` says of parameters why
    their defaults do not do."""
    wrong: list[str] = []
    texts: dict[str, str] = {}
    for item in given:
        if item["Name"] in texts:
            wrong.append(f"{item['Name']} is given twice")
        elif definition.parameter(item["Name"]) is None:
            wrong.append(f"{item['Name']} is not a parameter of the pipeline")
        texts[item["Name"]] = item["Value"]
    values: dict[str, str | int | float | bool] = {}
    for parameter in definition.parameters:
        try:
            values[parameter.name] = _value(parameter, texts)
        except ValueError as error:
            wrong.append(f"{parameter.name} {error}")
        if parameter.name in unfit and parameter.name not in texts:
            wrong.append(f"{parameter.name} must be given: {unfit[parameter.name]}")
    if wrong:
        raise invalid(f"Parameters are not valid: {'; '.join(wrong)}.")
    return values


def _value(parameter: Parameter, texts: Mapping[str, str]) -> str | int | float | bool:
    if parameter.name not in texts:
        default = parameter.default
        if not isinstance(default, str | int | float | bool):
            raise ValueError("has no default and must be given")
        # JSON writes a whole default of a Float without its point.
        return float(default) if parameter.type == "Float" and not isinstance(default, str) else default
    value = _converted(parameter.type, texts[parameter.name])
    choices = parameter.members.get("EnumValues")
    if isinstance(choices, tuple) and choices and value not in choices:
        raise ValueError(f"must be one of {', '.join(str(choice) for choice in choices)}, not {value}")
    return value


def _converted(declared: str, text: str) -> str | int | float | bool:
    if text == "":
        raise ValueError("must not be empty")
    match declared:
        case "Integer" if _INTEGER.fullmatch(text):
            return int(text)
        case "Float" if _FLOAT.fullmatch(text) and math.isfinite(float(text)):
            return float(text)
        case "Boolean" if text.lower() in _BOOLEANS:
            return _BOOLEANS[text.lower()]
        case "String":
            return text
    raise ValueError(f"must be of type {declared}, not {text!r}")
