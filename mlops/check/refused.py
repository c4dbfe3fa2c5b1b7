"""What the service refuses of a request when it is made, by the rules that judge the step of that request.

Of a rule that finds more than that, only its errors count: what its rules of a step warn of, the service takes. A rule
that is not in the table tells of what fails later, inside of the job, or of what an account alone can know, or what the
local account judges itself, with what it has: how an endpoint is changed, what its models go with.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any, TypeAlias

from mlops.check.own_step_types import own_step_types
from mlops.check.rule import Rule
from mlops.check.subject import Subject
from mlops.ir import Definition, Severity, Step, Where
from mlops.ir.discovery import modules
from mlops.ir.values import from_json

_Codes: TypeAlias = Mapping[str, tuple[str, ...]]
"""By the module of ``mlops.check.rules`` that has them: the others are not loaded."""

_TRAINING: _Codes = {
    "training": ("X750", "X752", "X753", "X754", "X755", "X756", "X757", "X758", "X759", "X760", "X761", "X765"),
    "documented-members": ("X930", "X931"),
    "tags": ("X890",),
}
_TUNING: _Codes = {
    **_TRAINING,
    "algorithm-searches": ("X857",),
    "tuning": ("X770", "X771", "X772", "X773", "X774", "X776", "X777"),
    "tuning-search": ("X980", "X981", "X982", "X983", "X986"),
    "documented-members": ("X930", "X931", "X934"),
}
_PROCESSING: _Codes = {
    "processing": ("X780", "X781", "X782", "X783", "X784", "X786", "X787"),
    "documented-members": ("X931",),
    "tags": ("X890",),
}
_TRANSFORM: _Codes = {"transform": ("X790", "X791", "X793", "X794"), "data-processing": ("X796",), "tags": ("X890",)}
_MODEL: _Codes = {"models": ("X740", "X741", "X745"), "tags": ("X890",)}
_ENDPOINT_CONFIG: _Codes = {
    "endpoints": ("X800", "X801", "X804"),
    "serverless": ("X901", "X902"),
    "components": ("X908",),
    "tags": ("X890",),
}

_COMPONENT: _Codes = {"endpoints": ("X803",), "tags": ("X890",)}

REFUSED: Mapping[str, tuple[str, _Codes]] = {
    "CreateEndpointConfig": ("EndpointConfig", _ENDPOINT_CONFIG),
    "CreateHyperParameterTuningJob": ("Tuning", _TUNING),
    "CreateInferenceComponent": ("InferenceComponent", _COMPONENT),
    "CreateModel": ("Model", _MODEL),
    "CreateProcessingJob": ("Processing", _PROCESSING),
    "CreateTrainingJob": ("Training", _TRAINING),
    "CreateTransformJob": ("Transform", _TRANSFORM),
}
OF_ITSELF = frozenset({"X774"})
"""An image that the service does not know has no metrics but those that are defined; in a definition it is a warning,
since it may name one by a parameter."""
_NAME = "Request"
_PLACE = re.compile(r"/Steps/0/Arguments(\S*)")
_ITEM = re.compile(r"/(\d+)(?=/|$)")


def refused(operation: str, request: Mapping[str, Any]) -> Iterator[str]:
    """Each mistake with the member that has it; none where nobody knows the operation's rules. ``request`` is known to
    have the shape of the service's model."""
    known = REFUSED.get(operation)
    if known is None:
        return
    type_, codes = known
    step_type = own_step_types()[type_]
    step = Step(_NAME, type_, from_json(request), where=Where(operation))
    definition = Definition(operation, steps=(step,), where=Where(operation))
    subject = Subject(definition, {type_: step_type})
    for rule in _rules(tuple(codes.items())):
        for fault in rule.run(subject):
            severity = fault.severity or rule.severity
            if severity is Severity.ERROR or rule.code in OF_ITSELF:
                member = _PLACE.sub(_member, fault.path)
                message = _PLACE.sub(_member, fault.message)
                yield f"{member}: {message}" if member else message


def _member(place: re.Match[str]) -> str:
    """As the service writes it."""
    return _ITEM.sub(r"[\1]", place[1].lstrip("/")).replace("/", ".")


@cache
def _rules(codes: tuple[tuple[str, tuple[str, ...]], ...]) -> tuple[Rule, ...]:
    from mlops.check import rules

    there = modules(rules)
    found = {
        item.code: item
        for module, wanted in codes
        for item in vars(there[module].load()).values()
        if isinstance(item, Rule) and item.code in wanted
    }
    return tuple(found[code] for _, wanted in codes for code in wanted)
