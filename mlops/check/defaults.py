"""What an environment fills in where the author gave nothing: ``mlops compile --explain-defaults``.

The pipeline is lowered a second time for an environment whose every value is a mark; where a mark comes out, the
value came from there. So nothing that is lowered can forget to tell.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from mlops.check.ports import COMPOSER, AnyImage
from mlops.check.sources import loaded_here
from mlops.declare.instance_caps import COUNTS
from mlops.declare.lower import lower_pipeline
from mlops.declare.misuse import collecting
from mlops.ir import Definition
from mlops.ir.dataclass import dataclass
from mlops.ir.hiding import hide, hide_value
from mlops.ir.values import to_json
from mlops.project.environments import Environment, origin, read_project
from mlops.project.root import find_root

_MARK = "\ue000"
"""Of the private use area: no value of an author holds it."""

_MARKED = (
    "role",
    "bucket",
    "kms_key",
    "instance",
    "subnets",
    "security_groups",
    "network_isolation",
    "traffic_encryption",
    "tags",
)


@dataclass(frozen=True, slots=True)
class Default:
    """``member`` is the dotted place in the step's Arguments, ``key`` the environment's key, ``origin`` where that is
    written: ``mlops.toml:12``, or "built in". A secret in ``value`` is hidden."""

    step: str
    member: str
    value: str
    key: str
    origin: str


def explain_defaults(definition: Definition, environment_name: str) -> tuple[Default, ...]:
    """Those of one pipeline of the DSL, in the order of the document."""
    file = Path(definition.where.file or "")
    root = find_root(file)
    environment = read_project(root).environment(environment_name)
    marked = _lowered_with_marks(file, root, definition.name, _marked(environment))
    if marked is None:
        return ()
    found = [
        (f"the parameter {parameter.name}", "DefaultValue", "parameters", hide_value(parameter.name, parameter.default))
        for parameter in definition.parameters
        if parameter.name in environment.parameters
    ]
    found += [
        (f"the parameter {parameter.name}", "DefaultValue", "max_instances", parameter.default)
        for parameter, free in zip(definition.parameters, marked.parameters, strict=False)
        if parameter.name not in environment.parameters and parameter.default != free.default
    ]
    real = {placed.step.name: hide(to_json(placed.step.arguments)) for placed in definition.placed()}
    for placed in marked.placed():
        name = placed.step.name
        marks = _marks(to_json(placed.step.arguments), real.get(name))
        found += [(name, member, key, value) for member, key, value in marks]
    return tuple(
        Default(step, member, _text(value), key, origin(root, environment_name, key))
        for step, member, key, value in found
    )


def _lowered_with_marks(file: Path, root: Path, name: str | None, marked: Environment) -> Definition | None:
    loaded = loaded_here(file, root, read_project(root).time_limit)
    if loaded is None:
        composed = COMPOSER.get()(file, None, marked, root, any_image=True)
        return next((item.definition for item in composed.definitions if item.definition.name == name), None)
    pipeline = next((item for item in loaded.pipelines if item.name == name), None)
    if pipeline is None:
        return None
    with collecting():
        return lower_pipeline(pipeline, marked, AnyImage(), (file.parent, root))


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _marked(environment: Environment) -> Environment:
    """What is unset stays unset, so that both lowerings have the same members."""
    marks: dict[str, Any] = {}
    for key in _MARKED:
        value = getattr(environment, key)
        if key == "instance" or isinstance(value, str | bool):
            marks[key] = f"{_MARK}{key}"
        elif isinstance(value, Mapping):
            marks[key] = dict.fromkeys(value, f"{_MARK}{key}")
        elif value:
            marks[key] = [f"{_MARK}{key}"] * len(value)
    return replace(environment, **marks, parameters={}, max_instances=None)


def _marks(marked: Any, real: Any, at: str = "") -> Iterator[tuple[str, str, Any]]:
    """(member, key, real value) of every text with a mark; one whole list or object for the texts of a Join."""
    if isinstance(marked, dict) and isinstance(real, dict):
        if "Std:Join" in marked:
            parts = marked["Std:Join"].get("Values", [])
            key = next((part[1:] for part in parts if isinstance(part, str) and part.startswith(_MARK)), None)
            if key is not None:
                yield at, key, real
                return
        for name, item in marked.items():
            if name in COUNTS and isinstance(item, int) and item != real.get(name):
                yield (f"{at}.{name}" if at else name), "max_instances", real.get(name)
            elif name in real:
                yield from _marks(item, real[name], f"{at}.{name}" if at else name)
    elif isinstance(marked, list) and isinstance(real, list):
        for index, (item, value) in enumerate(zip(marked, real, strict=False)):
            yield from _marks(item, value, f"{at}[{index}]")
    elif isinstance(marked, str) and _MARK in marked:
        key = next((key for key in _MARKED if marked.partition(_MARK)[2].startswith(key)), "")
        # A place of the author's own content is named by the content, not by the environment alone.
        if "/assets/" not in marked:
            yield at, key, real
