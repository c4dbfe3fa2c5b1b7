"""Members of a step beside its Arguments."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from mlops.check.nearest import did_you_mean
from mlops.check.rule import Fault, rule
from mlops.check.shapes import shown
from mlops.check.subject import Subject
from mlops.ir import Severity, Unknown, Value
from mlops.ir.values import pointer

_NAME = re.compile(r"[A-Za-z0-9\-_]+")
_ALWAYS = ("Name", "Type", "Arguments", "DependsOn", "DisplayName", "Description")
_TRIGGERS = ("Failed", "Stopped", "Any", "Completed")


@rule("E520", "step-name", Severity.ERROR, source="published schema: ^[A-Za-z0-9\\-_]{1,64}$; botocore StepName 1-64")
def step_name(subject: Subject) -> Iterator[Fault]:
    """A step's name has 1 to 64 letters, digits, - and _.

    Bad:  "Name": "train.model v1"
    Good: "Name": "train-model-v1"
    """
    for placed in subject.placed:
        name = placed.step.name
        at = f"{placed.pointer}/Name"
        if not _NAME.fullmatch(name):
            yield Fault(at, f"{shown(name)} is no step name", "use letters, digits, - and _", placed)
        elif len(name) > 64:
            yield Fault(at, f"the step's name has {len(name)} characters, at most 64 are allowed", "shorten it", placed)


@rule(
    "E521",
    "unknown-step-member",
    Severity.ERROR,
    source="the service's parser is strict (sdk#2746); members of the official SDK's step classes",
)
def unknown_step_member(subject: Subject) -> Iterator[Fault]:
    """A step has a member that its type does not have.

    Bad:  "DependOn": ["Prepare"], or CacheConfig on a Condition
    Good: "DependsOn": ["Prepare"]
    """
    for placed in subject.placed:
        step_type = subject.type_of(placed.step)
        if step_type is None:
            continue
        known = (*_ALWAYS, *sorted(step_type.envelope))
        for name in placed.step.members:
            if name not in known:
                message = f"a {step_type.type} step has no member {name!r}"
                yield Fault(placed.pointer + pointer(name), message, did_you_mean(name, known), placed)


@rule("E522", "depends-on", Severity.ERROR, source="official SDK; 'Expecting start of Json Array'")
def depends_on(subject: Subject) -> Iterator[Fault]:
    """DependsOn is a list of step names, or of {"Step": name, "Trigger": "Failed" | "Stopped" | "Any"}. The same one
    twice is a warning.

    Bad:  "DependsOn": "Prepare"
    Good: "DependsOn": ["Prepare"]
    """
    for placed in subject.placed:
        listed = placed.step.members.get("DependsOn")
        at = f"{placed.pointer}/DependsOn"
        if "DependsOn" not in placed.step.members or isinstance(listed, Unknown):
            continue
        if not isinstance(listed, tuple):
            yield Fault(at, f"DependsOn is {shown(listed)}, a list is wanted", "put it into [ ]", placed)
            continue
        seen: set[tuple[str, str] | None] = set()
        for index, item in enumerate(listed):
            here = f"{at}/{index}"
            dependency = _key(item)
            if dependency is not None and dependency in seen:
                message = "this dependency stands twice"
                yield Fault(here, message, "remove it", placed, severity=Severity.WARNING)
            seen.add(dependency)
            if isinstance(item, str | Unknown):
                continue
            if not isinstance(item, Mapping):
                yield Fault(here, f"{shown(item)} is no step name", None, placed)
                continue
            for key in item:
                if key not in ("Step", "Trigger"):
                    help_text = did_you_mean(key, ("Step", "Trigger"))
                    yield Fault(here + pointer(key), f"a dependency has no member {key!r}", help_text, placed)
            if not isinstance(item.get("Step"), str | Unknown):
                yield Fault(f"{here}/Step", "the dependency names no step", 'add "Step"', placed)
            trigger = item.get("Trigger", "Any")
            if trigger not in _TRIGGERS and not isinstance(trigger, Unknown):
                help_text = did_you_mean(trigger, _TRIGGERS) if isinstance(trigger, str) else None
                yield Fault(f"{here}/Trigger", f"{shown(trigger)} is no trigger", help_text, placed)


def _key(item: Value) -> tuple[str, str] | None:
    """The name and trigger of a dependency; None where it is none."""
    if isinstance(item, str):
        return item, "Completed"
    name, trigger = (item.get("Step"), item.get("Trigger")) if isinstance(item, Mapping) else (None, None)
    return (name, trigger) if isinstance(name, str) and isinstance(trigger, str) else None


@rule("E523", "step-text", Severity.ERROR, source="botocore StepDisplayName (256) and StepDescription (3072)")
def step_text(subject: Subject) -> Iterator[Fault]:
    """DisplayName (at most 256 characters) and Description (at most 3,072) are plain texts.

    Bad:  "DisplayName": {"en": "Train"}
    Good: "DisplayName": "Train"
    """
    for placed in subject.placed:
        for name, limit in (("DisplayName", 256), ("Description", 3072)):
            value = placed.step.members.get(name)
            at = f"{placed.pointer}/{name}"
            if isinstance(value, str):
                if len(value) > limit:
                    yield Fault(at, f"{name} has {len(value)} characters, at most {limit} are allowed", None, placed)
            elif isinstance(value, Mapping | tuple | int | float):
                yield Fault(at, f"{name} is {shown(value)}, a text is wanted", None, placed)


@rule("E524", "no-arguments", Severity.ERROR, source="every step class of the official SDK writes Arguments")
def no_arguments(subject: Subject) -> Iterator[Fault]:
    """A step has no Arguments, or they are no object.

    Bad:  {"Name": "Train", "Type": "Training"}
    Good: {"Name": "Train", "Type": "Training", "Arguments": {...}}
    """
    for placed in subject.placed:
        arguments = placed.step.arguments
        if isinstance(arguments, Unknown) or (isinstance(arguments, Mapping) and placed.step.has_arguments):
            continue
        found = f"Arguments is {shown(arguments)}" if placed.step.has_arguments else "the step has no Arguments"
        yield Fault(f"{placed.pointer}/Arguments", f"{found}, an object is wanted", "add Arguments", placed)


@rule(
    "E525",
    "null-step-member",
    Severity.WARNING,
    source="service behaviour unknown; the official SDK writes null in members of check steps only",
)
def null_step_member(subject: Subject) -> Iterator[Fault]:
    """A member of a step is null.

    Bad:  "RetryPolicies": null
    Good: no RetryPolicies at all
    """
    for placed in subject.placed:
        if placed.step.type in ("QualityCheck", "ClarifyCheck"):
            continue
        for name, value in placed.step.members.items():
            if value is None and name not in ("DependsOn", "CacheConfig", "FunctionArn", "SqsQueueUrl"):
                yield Fault(placed.pointer + pointer(name), f"{name} is null", "leave it out", placed)
