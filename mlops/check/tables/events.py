"""Triggers, against the events that there are: those that never come, and those that pipelines make themselves."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from mlops.check.tables import finding
from mlops.check.tables.names import groups_of
from mlops.ir import Checked, Finding
from mlops.knowledge.eventbridge.known_events import CREATED, EXECUTION, OBJECT, PACKAGE
from mlops.knowledge.eventbridge.matching import matches
from mlops.knowledge.eventbridge.never_told import never_told, texts
from mlops.project.environments import Environment
from mlops.project.starts import Trigger


def judge_triggers(environment: Environment, root: Path, pipelines: Sequence[Checked]) -> Iterator[Finding]:
    by_name = {checked.definition.name or "": checked for checked in pipelines}
    makers: dict[str, dict[str, str]] = {}
    for name, trigger in environment.triggers.items():
        inside = ("triggers", name, "event")
        for message, help_text in _never(trigger):
            yield finding("A055", root, environment.name, inside, message, help_text)
        if trigger.pipeline not in by_name or not trigger.enabled:
            continue
        makers[name] = dict(_made_by(trigger, by_name, environment))
        what = makers[name].get(trigger.pipeline)
        if what is not None:
            message = f"{what} of {trigger.pipeline} is such an event, too: it starts itself again"
            help_text = "let the pattern ask for what the pipeline does not make"
            yield finding("A056", root, environment.name, inside, message, help_text)
            del makers[name]
    for name, round_ in _rounds(environment.triggers, makers):
        message = f"{' starts '.join(round_)}: they start each other again and again"
        help_text = "let one of the patterns ask for what the other pipeline does not make"
        yield finding("A056", root, environment.name, ("triggers", name, "event"), message, help_text)


def _made_by(trigger: Trigger, pipelines: Mapping[str, Checked], environment: Environment) -> Iterator[tuple[str, str]]:
    """The pipelines that make such an event, each with what it is of theirs."""
    detail = trigger.event.get("detail")
    names_a_bucket = isinstance(detail, Mapping) and "bucket" in detail
    for name, checked in pipelines.items():
        for what, event in _own_events(checked, environment):
            # A bucket tells of its objects where somebody has switched that on, and of this one nobody says so.
            if (event["source"] != "aws.s3" or names_a_bucket) and matches(trigger.event, event):
                yield name, what
                break


def _rounds(
    triggers: Mapping[str, Trigger], makers: Mapping[str, Mapping[str, str]]
) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Where pipelines start each other: the trigger that closes the round, and the pipelines in their order."""
    told: set[str] = set()
    for last, sources in makers.items():
        ways: list[tuple[tuple[str, ...], tuple[str, ...]]] = [((triggers[last].pipeline,), (last,))]
        seen = {triggers[last].pipeline}
        for pipelines, used in ways:  # grows while it is gone through
            if pipelines[-1] in sources and not told & set(used):
                told |= set(used)
                yield last, (*pipelines, pipelines[0])
                break
            for name, others in makers.items():
                started = triggers[name].pipeline
                if pipelines[-1] in others and started not in seen:
                    seen.add(started)
                    ways.append(((*pipelines, started), (*used, name)))


def _never(trigger: Trigger) -> Iterator[tuple[str, str | None]]:
    yield from never_told(trigger.event)
    yield from _paths(texts(trigger.event.get("detail-type")), trigger.parameters)


def _paths(kinds: Sequence[str], parameters: Mapping[str, str]) -> Iterator[tuple[str, str | None]]:
    if kinds != [CREATED]:
        return
    for name, value in parameters.items():
        parts = value.split(".")
        if parts[:3] == ["$", "detail", "object"] and len(parts) == 4 and parts[3] not in OBJECT:
            known = ", ".join(f"$.detail.object.{member}" for member in ("key", "size", "etag"))
            yield f"{name} = {value!r}: such an event has no {parts[3]!r} in its object", f"it has {known}"


def _own_events(checked: Checked, environment: Environment) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """What an execution of the pipeline is sure to tell of itself."""
    account = environment.account_id
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
