"""What starts a pipeline by itself, as ``mlops.toml`` declares it: when something starts differs by environment while
the pipeline does not. Each start is named ``<pipeline>-<name>``, cut with a hash where that is too long, and belongs
to its pipeline: it is planned, upserted and destroyed with it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from mlops.ir import ConfigurationError, Definition, UsageError, Value
from mlops.ir.resource import arn_of
from mlops.ir.start_values import judge
from mlops.ir.values import from_json
from mlops.project.environments import Environment
from mlops.project.starts import Schedule, Trigger

NAME_LENGTH = 64
"""botocore: scheduler Name and events RuleName."""


def name_of(pipeline: str, name: str) -> str:
    """
    >>> name_of("churn", "daily")
    'churn-daily'
    >>> len(name_of("churn" * 20, "daily"))
    64
    """
    whole = f"{pipeline}-{name}"
    if len(whole) <= NAME_LENGTH:
        return whole
    return f"{whole[: NAME_LENGTH - 9]}-{hashlib.sha256(whole.encode()).hexdigest()[:8]}"


def target(start: Schedule | Trigger, environment: Environment, pipeline: str) -> Mapping[str, Value]:
    """The pipeline, with the parameters that it is started with."""
    told: dict[str, Value] = {"Arn": arn_of(pipeline), "RoleArn": start.role or environment.role}
    if start.parameters:
        listed = [{"Name": name, "Value": value} for name, value in sorted(start.parameters.items())]
        told["SageMakerPipelineParameters"] = from_json({"PipelineParameterList": listed})
    return told


def read_target(given: Mapping[str, Any]) -> dict[str, Any]:
    """The same as an account tells it."""
    told: dict[str, Any] = {member: given[member] for member in ("Arn", "RoleArn") if given.get(member)}
    listed = (given.get("SageMakerPipelineParameters") or {}).get("PipelineParameterList") or ()
    if listed:
        ordered = sorted(
            ({"Name": item["Name"], "Value": item["Value"]} for item in listed), key=lambda item: item["Name"]
        )
        told["SageMakerPipelineParameters"] = {"PipelineParameterList": ordered}
    return told


def judge_starts(environment: Environment, definitions: Sequence[Definition]) -> None:
    """Raises ConfigurationError where a schedule or trigger gives its pipeline, one of these, parameters that it does
    not take: nobody would be there when each start fails."""
    wrong = [message for _, message in wrong_starts(environment, definitions)]
    if wrong:
        raise ConfigurationError("\n".join(wrong), hint="correct its `parameters`")


def wrong_starts(environment: Environment, definitions: Sequence[Definition]) -> Iterator[tuple[tuple[str, ...], str]]:
    """Each with the way to its table below the environment's."""
    known = {definition.name: definition for definition in definitions}
    starts: list[tuple[str, Mapping[str, Schedule | Trigger]]] = [
        ("schedules", environment.schedules),
        ("triggers", environment.triggers),
    ]
    for kind, declared in starts:
        for name, start in declared.items():
            definition = known.get(start.pipeline)
            if definition is None:
                continue
            # An event may give a value by a path: nobody knows it before.
            dynamic = {name for name, value in start.parameters.items() if kind == "triggers" and value[:2] == "$."}
            known_values = {name: value for name, value in start.parameters.items() if name not in dynamic}
            try:
                judge(definition, known_values, elsewhere=dynamic)
            except UsageError as error:
                said = f"[env.{environment.name}.{kind}.{name}] of {start.pipeline}: {error.message}"
                yield (kind, name, "parameters"), said
    for name, feedback in environment.feedback.items():
        if (definition := known.get(feedback.pipeline)) is None:
            continue
        later = {name for name, value in feedback.parameters.items() if feedback.is_filled(value)}
        plain = {name: value for name, value in feedback.parameters.items() if name not in later}
        texts = {parameter.name for parameter in definition.parameters if parameter.type not in (None, "String")}
        for parameter in sorted(later & texts):
            value = feedback.parameters[parameter]
            said = (
                f"{feedback.said(environment.name, name)} of {feedback.pipeline}: {parameter} takes no text, as {value}"
            )
            yield ("feedback", name, "parameters"), said
        try:
            judge(definition, plain, elsewhere=later)
        except UsageError as error:
            said = f"{feedback.said(environment.name, name)} of {feedback.pipeline}: {error.message}"
            yield ("feedback", name, "parameters"), said
