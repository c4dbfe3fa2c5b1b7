"""Parameters of a template as variables, and its conditions as expressions of them."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from mlops.emit.terraform.names import snake

_SWITCH = ["true", "false"]
_TYPES = {"Number": "number", "List<Number>": "list(number)", "CommaDelimitedList": "list(string)"}


def variables(parameters: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """Texts here are no templates: Terraform reads them without any context."""
    return {snake(name): _variable(snake(name), told) for name, told in parameters.items()}


def is_switch(parameter: Mapping[str, Any]) -> bool:
    """One that is true or false, which a template has no type for."""
    return parameter.get("AllowedValues") == _SWITCH


def _variable(name: str, told: Mapping[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {
        "type": "bool" if is_switch(told) else _TYPES.get(told["Type"], "string"),
        "nullable": False,
    }
    if "Description" in told:
        found["description"] = told["Description"]
    if "Default" in told:
        found["default"] = told["Default"] == _SWITCH[0] if is_switch(told) else told["Default"]
    if told.get("NoEcho"):
        found["sensitive"] = True
    if "AllowedPattern" in told:
        pattern = told["AllowedPattern"].replace("\\", "\\\\").replace('"', '\\"').replace("${", "$${")
        found["validation"] = _validation(
            f'can(regex("^(?:{pattern})$", var.{name}))', f"It has to be as {told['AllowedPattern']} says."
        )
    elif "AllowedValues" in told and not is_switch(told):
        allowed = ", ".join(json.dumps(value, ensure_ascii=False) for value in told["AllowedValues"])
        found["validation"] = _validation(f"contains([{allowed}], var.{name})", f"It has to be one of {allowed}.")
    return found


def _validation(condition: str, message: str) -> dict[str, str]:
    return {"condition": f"${{{condition}}}", "error_message": re.sub(r"([$%])\{", r"\1\1{", message)}
