"""Schemas of what commands tell programs (``--format json``): a file each in ``schemas/``, by the command's words.

A file may name another one (``{"$ref": "executions+show.json"}``) for what both tell; one that begins with ``_`` is of
no command.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from importlib.resources import files
from typing import Any

from mlops.ir import UsageError
from mlops.ir.choices import near

_FOLDER = "schemas"
_DIALECT = "https://json-schema.org/draft/2020-12/schema"


def names() -> Sequence[str]:
    """Of the commands that have one, as they are typed."""
    here = files("mlops.cli").joinpath(_FOLDER).iterdir()
    found = (file.name.removesuffix(".json").replace("+", " ") for file in here if file.name.endswith(".json"))
    return sorted(name for name in found if not name.startswith("_"))


def told_schema(command: str) -> dict[str, Any]:
    """Of what ``command`` prints. Raises UsageError for one that tells programs nothing."""
    if command not in names():
        guess = near(command, names())
        hint = f"did you mean {guess}?" if guess is not None else f"there are {', '.join(names())}"
        raise UsageError(f"`mlops {command}` has no --format json", hint=hint)
    told = _read(f"{command.replace(' ', '+')}.json")
    return {"$schema": _DIALECT, "title": f"mlops {command} --format json", **told}


def event_schema() -> dict[str, Any]:
    """Of each line that a command with ``--format json`` writes to standard error while it watches an execution."""
    return {
        "$schema": _DIALECT,
        "title": "what happens while an execution is watched, a line each",
        **_read("_events.json"),
    }


def _read(name: str) -> dict[str, Any]:
    found: dict[str, Any] = _whole(json.loads(files("mlops.cli").joinpath(_FOLDER, name).read_text(encoding="utf-8")))
    return found


def _whole(value: Any) -> Any:
    """With what other files say in place of their names."""
    match value:
        case {"$ref": str(name)} if not name.startswith("#"):
            return _read(name)
        case dict():
            return {key: _whole(item) for key, item in value.items()}
        case list():
            return [_whole(item) for item in value]
    return value
