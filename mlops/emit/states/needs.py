"""What the machine's own role must be allowed: to make and look at what steps make, not what their jobs do."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from mlops.emit.policies.arns import account_of, arn_of, bucket_arn
from mlops.emit.policies.execution import OF_JOBS, execution_needs
from mlops.emit.policies.places import pattern, places
from mlops.emit.policies.statements import Need
from mlops.emit.states.calling import noun
from mlops.emit.states.watching import watching
from mlops.emit.states.writers import step_states
from mlops.ir import Checked, Join, JsonGet, Value
from mlops.ir.s3_uri import split_uri
from mlops.ir.surroundings import Surroundings

_OF_PIPELINES = frozenset({"HearOfClusters", "StartThePipeline", "TryCandidates"})
"""What SageMaker's own pipelines need, and what a job does as its role."""
_RULES = "StepFunctionsGetEventsForSageMaker{}sRule"
_LOOKED = re.compile(r":aws-sdk:sagemaker:((?:describe|list)\w+)")


def machine_needs(checked: Checked, around: Surroundings, machine: Mapping[str, Any]) -> Iterator[Need]:
    """``machine`` is what was written of the pipeline: what was made is looked at where somebody reads of it."""
    looked = frozenset(f"{name[0].upper()}{name[1:]}" for name in _LOOKED.findall(json.dumps(machine)))
    for need in execution_needs(checked, around):
        actions = tuple(action for action in need.actions if not action.startswith(OF_JOBS))
        if actions and need.purpose not in _OF_PIPELINES:
            yield Need(need.purpose, actions, need.resources, need.step, need.conditions)
    for placed in checked.definition.placed():
        step, known = placed.step, checked.type_of(placed.step)
        if known is None:
            continue
        own = step_states().get(step.type)
        if own is not None:
            yield from own.needs(step, around, looked)
        if (known.states_resource or "").endswith(".sync") and known.job is not None:
            yield watching(_RULES.format(known.job.name), step.name, around)
        elif known.states_resource is not None and known.awaited is None and f"Describe{noun(known)}" in looked:
            segment = re.sub(r"(?<=[a-z])(?=[A-Z])", "-", noun(known)).lower()
            there = (arn_of(around, "sagemaker", f"{segment}/*"),)
            yield Need(f"Use{noun(known)}s", (f"sagemaker:Describe{noun(known)}",), there, step.name)
        yield from _files(checked, step.arguments, step.name, around)


def machine_trust(around: Surroundings) -> Mapping[str, Any]:
    return {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Sid": "StepFunctions",
                "Effect": "Allow",
                "Principal": {"Service": "states.amazonaws.com"},
                "Action": "sts:AssumeRole",
                "Condition": {"StringEquals": {"aws:SourceAccount": account_of(around)}},
            }
        ],
    }


def _files(checked: Checked, value: Value, step: str, around: Surroundings) -> Iterator[Need]:
    """Where the files lie that conditions and arguments read."""
    match value:
        case JsonGet():
            found = value.property_file
            path = getattr(found, "path", None)
            if path is not None:
                there = checked.definition.step(path.name)
                for place in places(checked.definition, there.arguments if there is not None else None):
                    if place.writes:
                        yield _reads(f"{place.bucket}/{place.prefix}", step, around)
            uri = pattern(checked.definition, value.s3_uri) if value.s3_uri is not None else None
            if uri is not None and uri.startswith("s3://"):
                bucket, key = split_uri(uri)
                yield _reads(f"{bucket}/{key}", step, around)
        case Join():
            for item in value.values:
                yield from _files(checked, item, step, around)
        case Mapping():
            for item in value.values():
                yield from _files(checked, item, step, around)
        case tuple():
            for item in value:
                yield from _files(checked, item, step, around)


def _reads(place: str, step: str, around: Surroundings) -> Need:
    return Need("ReadReports", ("s3:GetObject",), (bucket_arn(place, around),), step)
