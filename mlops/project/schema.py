"""The JSON schema of ``mlops.toml``, made from what reads it."""

from __future__ import annotations

from typing import Any

from mlops.project.environments import Environment, ProjectTable
from mlops.project.written_tables import model_of

_DIALECT = "http://json-schema.org/draft-07/schema#"
"""What editors' TOML plug-ins read."""


def schema() -> dict[str, Any]:
    """Tables of other parts of the project are let through. Every text may be taken from a variable, ``${NAME}``."""
    environment = _with_variables(model_of(Environment).model_json_schema(ref_template="#/definitions/{model}"))
    definitions = environment.pop("$defs", {})
    members = {key: value for key, value in environment["properties"].items() if key not in ("name", "state")}
    members["inherits"] = {"type": "string", "description": "Another environment, whose values this one begins with."}
    table = {"type": "object", "properties": members, "additionalProperties": False}
    return {
        "$schema": _DIALECT,
        "title": "mlops.toml",
        "type": "object",
        "properties": {
            "project": {**model_of(ProjectTable).model_json_schema(), "additionalProperties": False},
            "env": {"type": "object", "additionalProperties": table, "properties": {"defaults": table}},
        },
        "definitions": definitions,
    }


def _with_variables(told: Any) -> Any:
    match told:
        case {"pattern": str(pattern), **rest}:
            return {**_with_variables(rest), "pattern": rf"{pattern}|\$\{{\w+\}}"}
        case {"enum": list(), "type": "string"}:
            return {"anyOf": [told, {"type": "string", "pattern": r"\$\{\w+\}"}]}
        case dict():
            return {key: _with_variables(value) for key, value in told.items()}
        case list():
            return [_with_variables(value) for value in told]
    return told
