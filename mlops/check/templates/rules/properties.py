"""Properties against the provider schemas: what there is, what has to be, and what its values may be."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from mlops.check.templates.resolving import Scenario, Spot
from mlops.check.templates.service_limits import beyond
from mlops.check.templates.template import Fault, Resource, Template, Told
from mlops.ir import Severity
from mlops.ir.choices import instead
from mlops.ir.values import pointer
from mlops.knowledge.cloudformation import schema

FINDINGS: Mapping[str, Told] = {
    "T020": Told(
        "unknown-property",
        Severity.ERROR,
        """A resource has a property that its type does not know.

Bad:  Type: AWS::SageMaker::Model  Properties: {ExecutionRole: …}
Good: Type: AWS::SageMaker::Model  Properties: {ExecutionRoleArn: …}""",
    ),
    "T021": Told(
        "missing-property",
        Severity.ERROR,
        """A resource lacks a property that its type has to have.

Bad:  Type: AWS::SageMaker::NotebookInstance  Properties: {InstanceType: ml.t3.medium}
Good: the same with RoleArn""",
    ),
    "T022": Told(
        "wrong-property",
        Severity.ERROR,
        """A property has a value that its type does not take: of another kind, none of its values, too long, too
many.

Bad:  VolumeSizeInGB: 1
Good: VolumeSizeInGB: 5""",
    ),
    "T023": Told(
        "null-property",
        Severity.ERROR,
        """A property is null: CloudFormation refuses the template.

Bad:  Properties:  with comments alone
Good: the properties, or AWS::NoValue where a condition leaves one out""",
    ),
}
_SHOWN = 60


def judge(template: Template, scenario: Scenario) -> Iterator[Fault]:
    for name, written in template.written.items():
        if isinstance(written, dict) and "Properties" in written and written["Properties"] is None:
            at = f"{template.resources_at[name]}/Properties"
            yield Fault("T023", at, f"the properties of {name} are null", "write them, or leave Properties out")
    for resource in template.resources(scenario):
        known = schema(resource.type)
        if known is not None and not template.rewritten:
            if resource.properties.known and not isinstance(resource.properties.value, dict):
                yield Fault("T022", resource.properties.at, f"Properties of {resource.label} have to be an object")
                continue
            found = list(_wrong(resource.properties, known, known, resource.label))
            yield from found
            told = {fault.at for fault in found}
            yield from (fault for fault in _beyond(resource) if fault.at not in told)


def _beyond(resource: Resource) -> Iterator[Fault]:
    for misfit in beyond(resource.type, resource.properties.plain()):
        spot = resource.properties.below(misfit.at)
        yield Fault("T022", spot.at, f"{_last(spot)} of {resource.label}: {misfit.message}", misfit.help)


def _wrong(spot: Spot, expected: Mapping[str, Any], root: Mapping[str, Any], label: str) -> Iterator[Fault]:
    if not spot.known:
        return
    if "$ref" in expected:
        expected = {**_referred(str(expected["$ref"]), root), **{k: v for k, v in expected.items() if k != "$ref"}}
    if spot.value is None:
        yield Fault("T023", spot.at, f"{_last(spot)} of {label} is null", "give a value, or leave it out")
        return
    kinds = expected.get("type")
    listed: list[str] = kinds if isinstance(kinds, list) else [kinds] if kinds else []
    if listed and not any(_is(spot.value, kind) for kind in listed):
        told = " or ".join(_WORDS[kind] for kind in listed)
        yield Fault("T022", spot.at, f"{_last(spot)} of {label} has to be {told}")
        return
    if isinstance(spot.value, dict):
        yield from _object(spot, expected, root, label)
    elif isinstance(spot.value, tuple):
        yield from _counted(spot, len(spot.value), expected, ("minItems", "maxItems"), "items", label)
        for item in spot.value:
            yield from _wrong(item, expected.get("items", {}), root, label)
    else:
        yield from _scalar(spot, expected, label)
    for kind in ("oneOf", "anyOf"):
        found = [
            list(_wrong(spot, {**item, "type": kinds} if kinds else item, root, label))
            for item in expected.get(kind, ())
        ]
        if found and all(found):
            yield from min(found, key=len)


def _object(spot: Spot, expected: Mapping[str, Any], root: Mapping[str, Any], label: str) -> Iterator[Fault]:
    properties: Mapping[str, Any] = expected.get("properties", {})
    patterns: Mapping[str, Any] = expected.get("patternProperties", {})
    for name, item in spot.members.items():
        if name in properties:
            yield from _wrong(item, properties[name], root, label)
            continue
        fitting = next((inner for pattern, inner in patterns.items() if re.search(pattern, name)), None)
        if fitting is not None:
            yield from _wrong(item, fitting, root, label)
        elif expected.get("additionalProperties") is False:
            said = (
                f"{name} is no property of {label}"
                if spot.at.endswith("/Properties")
                else f"{_last(spot)} of {label} has no {name}"
            )
            yield Fault("T020", spot.at + pointer(name), f"{said}{instead(name, properties)}")
    for name in expected.get("required", ()):
        if name not in spot.members:
            where = label if spot.at.endswith("/Properties") else f"{_last(spot)} of {label}"
            yield Fault("T021", spot.at, f"{where} lacks {name}", f"give {name}")


def _scalar(spot: Spot, expected: Mapping[str, Any], label: str) -> Iterator[Fault]:
    value = spot.value
    text = str(value).lower() if isinstance(value, bool) else str(value)
    shown = text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"
    allowed = expected.get("enum")
    if allowed is not None and text not in {_text(item) for item in allowed}:
        choices = [_text(item) for item in allowed]
        yield Fault("T022", spot.at, f"{_last(spot)} of {label} cannot be {shown!r}{instead(text, choices)}")
        return
    if isinstance(value, str):
        yield from _counted(spot, len(value), expected, ("minLength", "maxLength"), "characters", label)
        pattern = expected.get("pattern")
        if pattern is not None and re.search(pattern, value) is None:
            yield Fault("T022", spot.at, f"{_last(spot)} of {label} cannot be {shown!r}: it does not match {pattern}")
    number = _number(value)
    if number is not None:
        yield from _counted(spot, number, expected, ("minimum", "maximum"), "", label)


def _counted(
    spot: Spot, found: float, expected: Mapping[str, Any], bounds: tuple[str, str], unit: str, label: str
) -> Iterator[Fault]:
    low, high = (expected.get(bound) for bound in bounds)
    if (low is not None and found < low) or (high is not None and found > high):
        limits = (
            f"{low} to {high}" if None not in (low, high) else f"at least {low}" if high is None else f"at most {high}"
        )
        has = f"{_last(spot)} of {label}"
        yield Fault(
            "T022",
            spot.at,
            f"{has} {'has' if unit else 'is'} {found:,}{f' {unit}' if unit else ''}, and {limits} may be",
        )


def _referred(reference: str, root: Mapping[str, Any]) -> Mapping[str, Any]:
    found: Any = root
    for part in reference.removeprefix("#/").split("/"):
        found = found.get(part, {}) if isinstance(found, dict) else {}
    return found if isinstance(found, dict) else {}


_WORDS = {
    "object": "an object",
    "array": "a list",
    "string": "a text",
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
}


def _is(value: Any, kind: str) -> bool:
    """CloudFormation takes a text for a number, and the other way round."""
    match kind:
        case "object":
            return isinstance(value, dict)
        case "array":
            return isinstance(value, tuple)
        case "string":
            return isinstance(value, str | int | float)
        case "boolean":
            return isinstance(value, bool) or str(value).lower() in ("true", "false")
        case "integer":
            number = _number(value)
            return number is not None and (isinstance(number, int) or number.is_integer())
        case "number":
            return _number(value) is not None
    return True


def _number(value: Any) -> float | None:
    if isinstance(value, bool):
        return None
    if isinstance(value, int | float):
        return value
    try:
        return float(value) if isinstance(value, str) else None
    except ValueError:
        return None


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _last(spot: Spot) -> str:
    """The member that holds it."""
    names = [part for part in spot.at.split("/") if part and not part.isdigit() and not part.startswith("Fn::")]
    return names[-1] if names else "it"
