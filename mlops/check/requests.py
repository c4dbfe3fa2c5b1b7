"""A file that holds no pipeline but one request of SageMaker's API, as ``aws sagemaker create-… --cli-input-json``
takes it: judged as the step is that makes it.

It is known by its members, or says itself what it is: ``{"Operation": "UpdateEndpoint", "Request": {…}}``, beside which
an ``EndpointConfig`` may stand that it is about.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import cache
from typing import Any

from mlops.check import check, step_types
from mlops.check.shapes import Shape, shape
from mlops.ir import Definition, Finding, Severity, Step, StepType, Where
from mlops.ir.choices import instead
from mlops.ir.dataclass import dataclass
from mlops.ir.values import from_json

_DEFINITION = frozenset({"Steps", "Version", "Parameters", "PipelineExperimentConfig"})
_SAID = frozenset({"Operation", "Request"})
_CONFIG = "EndpointConfig"
_LEAST = 2
"""Members that have to be known before a file is taken for a request."""


@dataclass(frozen=True, slots=True)
class _Kind:
    """An operation, and the type of step whose Arguments its request is."""

    operation: str
    shape: Shape
    step_type: StepType


@cache
def _kinds() -> Mapping[str, _Kind]:
    found: dict[str, _Kind] = {}
    for step_type in step_types().values():
        if step_type.service != "sagemaker" or step_type.request is None:
            continue
        operation = step_type.request.removesuffix("Request").removesuffix("Input")
        names = {operation: step_type.request}
        if operation == "CreateEndpoint":
            names["UpdateEndpoint"] = "UpdateEndpointInput"
        for name, request in names.items():
            known = shape("sagemaker", request)
            # Checks start a processing job too; that has its own type of step.
            if known is not None and step_type.type not in ("QualityCheck", "ClarifyCheck"):
                found[name] = _Kind(name, known, replace(step_type, request=request))
    return found


def operations() -> tuple[str, ...]:
    """Whose requests are judged."""
    return tuple(sorted(_kinds()))


def findings_of_request(content: Any, file: str) -> tuple[Finding, ...] | None:
    """What is wrong with it; None where ``content`` is no request."""
    if not isinstance(content, Mapping) or _DEFINITION & content.keys():
        return None
    where = Where(file)
    if content.keys() >= _SAID:
        operation, request = content["Operation"], content["Request"]
        kind = _kinds().get(operation) if isinstance(operation, str) else None
        if kind is None:
            message = f"{operation!r} is no request that is judged{instead(str(operation), operations())}"
            return (Finding("J005", "not-a-definition", Severity.ERROR, message, path="/Operation", where=where),)
        return tuple(_judged(kind, request, "/Request", content.get(_CONFIG), where))
    found = _meant(content)
    return None if found is None else tuple(_judged(found, content, "", None, where))


def _meant(content: Mapping[str, Any]) -> _Kind | None:
    """The operation with most of these members, where it has most of what stands there and names what it makes."""
    scored = sorted(
        (
            (len(content.keys() & kind.shape.members.keys()), -len(kind.shape.members), name)
            for name, kind in _kinds().items()
            if any(name in content for name in kind.shape.required)
        ),
        reverse=True,
    )
    if not scored or scored[0][0] < max(_LEAST, len(content) / 2):
        return None
    return _kinds()[scored[0][2]]


def _judged(kind: _Kind, request: Any, at: str, config: Any, where: Where) -> Iterator[Finding]:
    types = {**step_types(), kind.step_type.type: kind.step_type}
    steps = [Step("Request", kind.step_type.type, from_json(request), where=where)]
    if config is not None:
        steps.insert(0, Step("Config", _CONFIG, from_json(config), where=where))
    places = {f"/Steps/{len(steps) - 1}/Arguments": at, "/Steps/0/Arguments": at if config is None else f"/{_CONFIG}"}
    checked = check(Definition("request", steps=tuple(steps), where=where, of_resources=True), types=types)
    for finding in checked.findings:
        path = finding.path or ""
        start = next((place for place in places if f"{path}/".startswith(f"{place}/")), None)
        if start is not None:
            yield replace(finding, step=None, path=places[start] + path.removeprefix(start), where=where)
