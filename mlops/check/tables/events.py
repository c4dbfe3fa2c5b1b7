"""Triggers, against the events that there are: those that never come, and those that the pipeline makes itself."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from mlops.check.tables import finding
from mlops.check.tables.names import groups_of
from mlops.ir import Checked, Finding
from mlops.ir.choices import near
from mlops.knowledge.eventbridge.event_patterns import DETAIL_TYPES
from mlops.knowledge.eventbridge.known_events import (
    CREATED,
    DETAILS,
    EXECUTION,
    OBJECT,
    PACKAGE,
    VALUES,
)
from mlops.knowledge.eventbridge.matching import matches
from mlops.project.environments import Environment
from mlops.project.starts import Trigger


def judge_triggers(environment: Environment, root: Path, pipelines: Sequence[Checked]) -> Iterator[Finding]:
    by_name = {checked.definition.name: checked for checked in pipelines}
    for name, trigger in environment.triggers.items():
        inside = ("triggers", name, "event")
        for message, help_text in _never(trigger):
            yield finding("A055", root, environment.name, inside, message, help_text)
        checked = by_name.get(trigger.pipeline)
        if checked is None or not trigger.enabled:
            continue
        detail = trigger.event.get("detail")
        names_a_bucket = isinstance(detail, Mapping) and "bucket" in detail
        for what, event in _own_events(checked, environment):
            # A bucket tells of its objects where somebody has switched that on, and of this one nobody says so.
            if (event["source"] != "aws.s3" or names_a_bucket) and matches(trigger.event, event):
                message = f"{what} of {trigger.pipeline} is such an event, too: it starts itself again"
                help_text = "let the pattern ask for what the pipeline does not make"
                yield finding("A056", root, environment.name, inside, message, help_text)
                break


def _never(trigger: Trigger) -> Iterator[tuple[str, str | None]]:
    sources, kinds = _texts(trigger.event.get("source")), _texts(trigger.event.get("detail-type"))
    for source in sources:
        if f"aws.{source}" in DETAIL_TYPES:
            yield f"there is no source {source!r}", f"write aws.{source}"
    known = [kind for source in sources for kind in DETAIL_TYPES.get(source, ())]
    if sources and all(source in DETAIL_TYPES for source in sources):
        for kind in kinds:
            elsewhere = next((source for source, names in DETAIL_TYPES.items() if kind in names), None)
            guess = near(kind, known) if kind not in known else None
            if kind not in known and elsewhere is not None:
                yield f"{kind!r} is of {elsewhere}, not of {', '.join(sources)}", f'write source = ["{elsewhere}"]'
            elif guess is not None:
                yield f"{', '.join(sources)} has no detail-type {kind!r}", f"did you mean {guess!r}?"
    detail = trigger.event.get("detail")
    for kind in kinds if len(kinds) == 1 and isinstance(detail, Mapping) else ():
        yield from _members(kind, detail if isinstance(detail, Mapping) else {})
    yield from _paths(kinds, trigger.parameters)


def _members(kind: str, detail: Mapping[str, Any]) -> Iterator[tuple[str, str | None]]:
    known = DETAILS.get(kind)
    for name, wanted in detail.items():
        guess = near(name, known) if known is not None and name not in known and name != "$or" else None
        if guess is not None:
            yield f"{kind} has no {name!r} in its detail", f"did you mean {guess!r}?"
        values = VALUES.get((kind, name))
        for value in _texts(wanted) if values is not None else ():
            if value not in (values or ()):
                yield f"{name} is never {value!r}", f"it is one of {', '.join(sorted(values or ()))}"


def _paths(kinds: Sequence[str], parameters: Mapping[str, str]) -> Iterator[tuple[str, str | None]]:
    if kinds != [CREATED]:
        return
    for name, value in parameters.items():
        parts = value.split(".")
        if parts[:3] == ["$", "detail", "object"] and len(parts) == 4 and parts[3] not in OBJECT:
            known = ", ".join(f"$.detail.object.{member}" for member in ("key", "size", "etag"))
            yield f"{name} = {value!r}: such an event has no {parts[3]!r} in its object", f"it has {known}"


def _texts(value: Any) -> list[str]:
    return [item for item in value if isinstance(item, str)] if isinstance(value, list) else []


def _own_events(checked: Checked, environment: Environment) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """What an execution of the pipeline is sure to tell of itself."""
    account = environment.account or environment.role.split(":")[4]
    around = {"account": account, "region": environment.region, "version": "0"}
    name = checked.definition.name or ""
    arn = f"arn:aws:sagemaker:{environment.region}:{account}:pipeline/{name.lower()}"
    for status in ("Executing", "Succeeded", "Failed"):
        detail = {"pipelineArn": arn, "currentPipelineExecutionStatus": status}
        event = {**around, "source": "aws.sagemaker", "detail-type": EXECUTION, "resources": [arn], "detail": detail}
        yield "an execution", event
    for group in sorted(groups_of(checked) or ()):
        detail = {"ModelPackageGroupName": group, "ModelPackageStatus": "Completed"}
        for status in _statuses(checked):
            told = {**detail, "ModelApprovalStatus": status}
            yield "a version", {**around, "source": "aws.sagemaker", "detail-type": PACKAGE, "detail": told}
    placed = {"bucket": {"name": environment.bucket}, "object": {"key": f"{environment.prefix}/{name}/output.csv"}}
    event = {**around, "source": "aws.s3", "detail-type": CREATED, "detail": {**placed, "reason": "PutObject"}}
    yield "what it writes", event


def _statuses(checked: Checked) -> list[str]:
    found = set()
    for placed in checked.definition.placed():
        if placed.step.type == "RegisterModel" and isinstance(placed.step.arguments, Mapping):
            status = placed.step.arguments.get("ModelApprovalStatus", "PendingManualApproval")
            found.add(status if isinstance(status, str) else "PendingManualApproval")
    return sorted(found)
