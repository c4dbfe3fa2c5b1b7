"""Rules of EventBridge and schedules: when they start something, and as whom."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from mlops.check.templates.resolving import Scenario
from mlops.check.templates.template import Fault, Resource, Template, Told
from mlops.ir import Severity

FINDINGS: Mapping[str, Told] = {
    "T079": Told(
        "starts-at-no-time",
        Severity.ERROR,
        """A rule of EventBridge or a schedule starts at a time that the service refuses or that never comes, a rule
says neither a time nor a pattern, a pattern is none, or what starts a pipeline has no role to do so.

Bad:  ScheduleExpression: cron(0 6 * * *)
Good: ScheduleExpression: cron(0 6 * * ? *)""",
    ),
}
_RULE, _SCHEDULE = "AWS::Events::Rule", "AWS::Scheduler::Schedule"
_STARTED = ("arn:aws:sagemaker:", "arn:aws:states:", "arn:aws:codepipeline:", "arn:aws:firehose:")
"""Which a rule reaches as a role alone."""
_RATE = re.compile(r"rate\([1-9]\d* (?:minute|hour|day)s?\)")
"""A schedule takes ``1 hours`` too, a rule does not (guides: schedule types; rate expressions)."""


def judge(template: Template, scenario: Scenario) -> Iterator[Fault]:
    if template.rewritten:
        return
    for resource in template.resources(scenario):
        if resource.type in (_RULE, _SCHEDULE) and isinstance(resource.properties.value, dict):
            yield from _time(resource)
        if resource.type == _RULE and isinstance(resource.properties.value, dict):
            yield from _rule(resource)


def _time(resource: Resource) -> Iterator[Fault]:
    from mlops.knowledge.eventbridge.schedule_expressions import Malformed, judge  # few templates start anything

    expression = resource.properties.text("ScheduleExpression")
    if expression is None or (resource.type == _SCHEDULE and _RATE.fullmatch(expression)):
        return
    try:
        judge(expression)
    except Malformed as wrong:
        at = resource.properties.members["ScheduleExpression"].at
        said = f"{resource.label} starts at {expression[:80]!r}, which is no time: {wrong}"
        yield Fault("T079", at, said, "cron(0 3 * * ? *) or rate(1 day)")


def _rule(resource: Resource) -> Iterator[Fault]:
    from mlops.knowledge.eventbridge.event_patterns import malformed  # few templates start anything

    properties = resource.properties
    pattern = properties.get("EventPattern")
    if pattern is None and "ScheduleExpression" not in properties.members:
        said = f"{resource.label} says not when: it has neither EventPattern nor ScheduleExpression"
        yield Fault("T079", properties.at, said, "give one of them")
    if pattern is not None and isinstance(pattern.value, dict) and all(spot.known for spot in pattern.walk()):
        for wrong in malformed(_listed(pattern.plain())):
            yield Fault("T079", pattern.at, f"the pattern of {resource.label}: {wrong}")
    targets = properties.get("Targets")
    for target in targets.items if targets is not None else ():
        arn = target.text("Arn")
        if arn is not None and arn.startswith(_STARTED) and "RoleArn" not in target.members:
            said = f"{resource.label} starts {arn} as nobody"
            yield Fault("T079", target.at, said, "give RoleArn, of a role that events.amazonaws.com takes on")


def _listed(value: object) -> object:
    """As JSON has it."""
    if isinstance(value, Mapping):
        return {name: _listed(item) for name, item in value.items()}
    return [_listed(item) for item in value] if isinstance(value, tuple) else value
