"""Schedules of Model Monitor: when they start, and what."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from mlops.check.templates.resolving import Scenario, Spot
from mlops.check.templates.template import Fault, Resource, Template, Told
from mlops.ir import Severity

FINDINGS: Mapping[str, Told] = {
    "T077": Told(
        "monitor-of-no-schedule",
        Severity.ERROR,
        """A monitor's schedule is none that the service takes, which are every hour, every few hours, once a day and
NOW; it names a job and describes one, or neither; it is of another kind than its job; or a job reads an endpoint and a
transform at once.

Bad:  ScheduleExpression: cron(0/5 * ? * * *)
Good: ScheduleExpression: cron(0 * ? * * *)""",
    ),
}
_TYPE = "AWS::SageMaker::MonitoringSchedule"
_EXPRESSION = re.compile(r"NOW|cron\(0 (?:\*|(?:[01]?\d|2[0-3])(?:/(?:0?[1-9]|1\d|2[0-4]))?) \? \* \* \*\)")
"""Source: ScheduleConfig API. Every hour, every day at an hour, and from an hour on every few hours."""
_INPUTS = tuple(f"{kind}JobInput" for kind in ("DataQuality", "ModelQuality", "ModelBias", "ModelExplainability"))
_SOURCES = ("EndpointInput", "BatchTransformInput")
_JOBS = ("MonitoringJobDefinition", "MonitoringJobDefinitionName")
_WINDOW = ("DataAnalysisStartTime", "DataAnalysisEndTime")


def judge(template: Template, scenario: Scenario) -> Iterator[Fault]:
    if template.rewritten:
        return
    resources = tuple(template.resources(scenario))
    for resource in resources:
        if resource.type == _TYPE:
            yield from _schedule(resource)
            yield from _kind(template, resource)
        for name, item in resource.properties.members.items():
            if name in _INPUTS and isinstance(item.value, dict):
                yield from _input(resource, item)


def _input(resource: Resource, item: Spot) -> Iterator[Fault]:
    """Of a job, or each of a schedule's own."""
    given = [member for member in _SOURCES if member in item.members]
    if len(given) != 1:
        said = f"{resource.label} has to read one of {' and '.join(_SOURCES)}"
        yield Fault("T077", item.at, said, f"leave {given[1]} out" if given else f"give {_SOURCES[0]}")


def _kind(template: Template, resource: Resource) -> Iterator[Fault]:
    """What the schedule says to be, against the job that it names."""
    config = resource.properties.get("MonitoringScheduleConfig")
    kind = config.text("MonitoringType") if config is not None else None
    named = config.get("MonitoringJobDefinitionName") if config is not None else None
    if config is None or kind is None or named is None:
        return
    match template.at(named.at):
        case {"Fn::GetAtt": [str(name), *_]} | {"Ref": str(name)}:
            found = str(template.type_of(name))
            if found.endswith("JobDefinition") and found != f"AWS::SageMaker::{kind}JobDefinition":
                said = f"{resource.label} is of {kind}, and {name} is a {found.rpartition('::')[2]}"
                mend = f"MonitoringType: {found.rpartition('::')[2].removesuffix('JobDefinition')}"
                yield Fault("T077", config.members["MonitoringType"].at, said, mend)


def _schedule(resource: Resource) -> Iterator[Fault]:
    config = resource.properties.get("MonitoringScheduleConfig")
    if config is None or not isinstance(config.value, dict):
        return
    if sum(member in config.members for member in _JOBS) != 1:
        yield Fault("T077", config.at, f"{resource.label} has to have one of {' and '.join(_JOBS)}")
    schedule = config.get("ScheduleConfig")
    expression = config.text("ScheduleConfig", "ScheduleExpression")
    if schedule is None or expression is None:
        return
    at = schedule.members["ScheduleExpression"].at
    if _EXPRESSION.fullmatch(expression) is None:
        said = f"{resource.label} cannot start at {expression!r}: every hour, every few hours and once a day may be"
        yield Fault("T077", at, said, "cron(0 * ? * * *), cron(0 5 ? * * *), cron(0 0/6 ? * * *) or NOW")
    lacking = [member for member in _WINDOW if member not in schedule.members]
    if expression == "NOW" and lacking:
        yield Fault("T077", at, f"{resource.label} starts NOW, and lacks {' and '.join(lacking)}")
