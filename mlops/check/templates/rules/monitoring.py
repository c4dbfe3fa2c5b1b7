"""Schedules of Model Monitor: when they start, and what."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from mlops.check.templates.resolving import Scenario
from mlops.check.templates.template import Fault, Resource, Template, Told
from mlops.ir import Severity

FINDINGS: Mapping[str, Told] = {
    "T077": Told(
        "monitor-of-no-schedule",
        Severity.ERROR,
        """A monitor's schedule is none that the service takes, which are every hour, every few hours, once a day and
NOW; or it names a job and describes one, or neither.

Bad:  ScheduleExpression: cron(0/5 * ? * * *)
Good: ScheduleExpression: cron(0 * ? * * *)""",
    ),
}
_TYPE = "AWS::SageMaker::MonitoringSchedule"
_EXPRESSION = re.compile(r"NOW|cron\(0 (?:\*|(?:[01]?\d|2[0-3])(?:/(?:0?[1-9]|1\d|2[0-4]))?) \? \* \* \*\)")
"""Source: ScheduleConfig API. Every hour, every day at an hour, and from an hour on every few hours."""
_JOBS = ("MonitoringJobDefinition", "MonitoringJobDefinitionName")
_WINDOW = ("DataAnalysisStartTime", "DataAnalysisEndTime")


def judge(template: Template, scenario: Scenario) -> Iterator[Fault]:
    if template.rewritten:
        return
    for resource in template.resources(scenario):
        if resource.type == _TYPE:
            yield from _schedule(resource)


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
