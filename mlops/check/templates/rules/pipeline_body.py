"""The definition inside of an AWS::SageMaker::Pipeline, judged as any definition is."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from mlops.check import check
from mlops.check.templates.resolving import HOLE, Scenario, Spot
from mlops.check.templates.template import Fault, Resource, Template, Told
from mlops.ir import Finding, Join, Severity, Step, Unknown, Where
from mlops.ir.lines import places
from mlops.ir.reader import read

VERSION = "2020-12-01"
FINDINGS: Mapping[str, Told] = {
    "T030": Told(
        "body-is-no-json",
        Severity.ERROR,
        """The body of a pipeline is no JSON object: the template is taken, and CreatePipeline refuses it.

Bad:  PipelineDefinitionBody: '{"Version": "2020-12-01", "Steps": [...]}'
Good: PipelineDefinitionBody: '{"Version": "2020-12-01", "Steps": []}'""",
    ),
    "T031": Told(
        "body-version",
        Severity.ERROR,
        """The body of a pipeline has no Version, or another one than 2020-12-01, which is the only one that there
is.

Bad:  PipelineDefinitionBody: '{"Version": "2012-10-17", "Steps": []}'
Good: PipelineDefinitionBody: '{"Version": "2020-12-01", "Steps": []}'""",
    ),
}
_FILE = "body"


def judge(template: Template, scenario: Scenario) -> Iterator[Fault | Finding]:
    for resource in template.resources(scenario):
        if resource.type == "AWS::SageMaker::Pipeline":
            body = resource.properties.get("PipelineDefinition", "PipelineDefinitionBody")
            if body is not None:
                yield from _body(template, resource, body)


def _body(template: Template, resource: Resource, body: Spot) -> Iterator[Fault | Finding]:
    written = body.value if isinstance(body.value, str) else body.draft
    if written is None:
        return
    if HOLE in written and _is_whole(written.replace(HOLE, "")):
        # What is not known may be no value, but the rest of one.
        if _fits(written):
            yield from _inside(template, resource, body, written)
        return
    # A 0 is a value in JSON, and part of a text.
    text = written.replace(HOLE, "0")
    try:
        found = json.loads(text)
    except json.JSONDecodeError as error:
        said = f"the body of {resource.label} is no JSON: {error.msg}"
        place = _place(template, body, error.lineno, error.colno)
        yield Fault("T030", body.at, f"{said} at line {error.lineno} of it", "write what `mlops compile` gives", place)
        return
    except RecursionError:
        yield Fault("T030", body.at, f"the body of {resource.label} is nested too deep")
        return
    except ValueError as error:
        yield Fault("T030", body.at, f"the body of {resource.label} is no JSON: {error}")
        return
    if not isinstance(found, dict):
        yield Fault(
            "T030", body.at, f"the body of {resource.label} is no JSON object", "write what `mlops compile` gives"
        )
        return
    if found.get("Version") != VERSION and found.get("Version") == _version(written):
        told = f"has the Version {found['Version']!r}" if "Version" in found else "has no Version"
        place = _place(template, body, *places(text, {"/Version"})["/Version"])
        yield Fault(
            "T031",
            body.at,
            f"the body of {resource.label} {told}; there is {VERSION}",
            f'"Version": "{VERSION}"',
            place,
        )
    if isinstance(body.value, str):
        yield from _inside(template, resource, body, text)
    elif _fits(written):
        yield from _inside(template, resource, body, written)


def _fits(text: str) -> bool:
    """Whether what is not known stands in texts alone."""
    try:
        return isinstance(json.loads(text), dict)
    except (ValueError, RecursionError):
        return False


def _is_whole(text: str) -> bool:
    """Of the version that there is."""
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return False
    return isinstance(found, dict) and found.get("Version") == VERSION


def _version(written: str) -> object:
    """With another filling, which is the same where nothing unknown is in it."""
    try:
        return json.loads(written.replace(HOLE, "1")).get("Version")
    except (ValueError, AttributeError):
        return None


def _inside(template: Template, resource: Resource, body: Spot, text: str) -> Iterator[Finding]:
    """What the rules for definitions say, where the body stands."""
    name = resource.properties.text("PipelineName") or resource.name
    findings = template.asked(f"{name}: {text}", lambda: _judged(name, text))
    pointers = {finding.path for finding in findings if finding.path is not None}
    known = places(text, pointers) if pointers else {}
    for finding in findings:
        if finding.code in _VERSIONS or HOLE in finding.message:
            continue
        inside = known.get(finding.path or "", (1, 1))
        line, column = _place(template, body, *inside)
        where = Where(template.document.file, line, column)
        yield replace(finding, path=f"{body.at}{finding.path or ''}", where=where)


def _judged(name: str, text: str) -> tuple[Finding, ...]:
    """Texts of which a part is not known are unknown."""
    definition, problems = read(text, _FILE)
    if definition is None:
        return ()
    if HOLE in text:
        steps = tuple(_opened(step) for step in definition.steps)
        parameters = tuple(replace(item, members=_open(item.members)) for item in definition.parameters)
        definition = replace(definition, steps=steps, parameters=parameters, members=_open(definition.members))
    return check(replace(definition, name=name), findings=problems).findings


def _opened(step: Step) -> Step:
    blocks = tuple(replace(block, steps=tuple(_opened(item) for item in block.steps)) for block in step.blocks)
    return replace(step, arguments=_open(step.arguments), members=_open(step.members), blocks=blocks)


def _open(value: Any) -> Any:
    match value:
        case str():
            return Unknown() if HOLE in value else value
        case Mapping():
            return {name: _open(item) for name, item in value.items()}
        case tuple():
            return tuple(_open(item) for item in value)
        case Join():
            return Unknown() if HOLE in repr(value) else value
    return value


_TEXTS = ("", "/Fn::Sub", "/Fn::Sub/0")
"""What a function puts into a text adds no lines."""
_VERSIONS = frozenset({"E101"})
"""Told here, with the place."""


def _place(template: Template, body: Spot, line: int, column: int) -> tuple[int, int]:
    """In the template; where the body does not stand as it is, the property."""
    begins = next((found for at in _TEXTS if (found := template.document.inside.get(body.at + at)) is not None), None)
    if begins is None:
        return template.document.at(body.at)
    first = begins[0]
    lines = template.document.text.split("\n")
    shown = next((item for item in lines[first - 1 :] if item.strip()), "")
    indent = len(shown) - len(shown.lstrip(" "))
    return first + line - 1, indent + column
