"""What starts a pipeline by itself: schedules (EventBridge Scheduler) and triggers (EventBridge rules).

They are declared in ``mlops.toml``, because when something starts differs by environment while the pipeline does not.
Each is named ``<pipeline>-<name>``, cut with a hash where that is too long, and belongs to its pipeline: it is planned,
upserted and destroyed with it.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

from mlops.account import Account
from mlops.account.missing import unless_missing
from mlops.deploy.executions.parameters import judge
from mlops.deploy.pages import items
from mlops.ir import AccountError, ConfigurationError, Definition, UsageError
from mlops.project.environments import Environment
from mlops.project.starts import Schedule, Trigger

Kind: TypeAlias = Literal["schedule", "trigger"]
NAME_LENGTH = 64
"""botocore: scheduler Name and events RuleName."""
_TARGET_ID = "pipeline"
_ZONE = "UTC"
"""The service's own default, which it also tells for a schedule that was given none."""


@dataclass(frozen=True, slots=True)
class Companion:
    """``told`` is what its API is given, as far as it is compared."""

    kind: Kind
    name: str
    told: Mapping[str, Any] = field(default_factory=dict)

    @property
    def key(self) -> str:
        return f"{self.kind} {self.name}"

    def fingerprint(self) -> str:
        return hashlib.sha256(json.dumps(self.told, sort_keys=True).encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class CompanionChange:
    """``drifted``: it is neither what we wrote nor what is wanted."""

    kind: Kind
    name: str
    old: Mapping[str, Any] | None
    new: Companion | None
    drifted: bool = False

    @property
    def key(self) -> str:
        return f"{self.kind} {self.name}"


def companions(environment: Environment, pipeline: str, arn: str) -> tuple[Companion, ...]:
    """What ``mlops.toml`` declares for this pipeline, whose ARN is ``arn``; nothing in the local account, where nobody
    would start it."""
    if environment.is_local:
        return ()
    found: list[Companion] = []
    for name, schedule in environment.schedules.items():
        if schedule.pipeline == pipeline:
            found.append(Companion("schedule", _name(pipeline, name), _schedule(schedule, environment, arn)))
    for name, trigger in environment.triggers.items():
        if trigger.pipeline == pipeline:
            found.append(Companion("trigger", _name(pipeline, name), _trigger(trigger, environment, arn)))
    return tuple(found)


def judge_starts(environment: Environment, definitions: Sequence[Definition]) -> None:
    """Raises ConfigurationError where a schedule or trigger gives its pipeline, one of these, parameters that it does
    not take: nobody would be there when each start fails."""
    known = {definition.name: definition for definition in definitions}
    wrong = []
    starts: list[tuple[str, Mapping[str, Schedule | Trigger]]] = [
        ("schedules", environment.schedules),
        ("triggers", environment.triggers),
    ]
    for kind, declared in starts:
        for name, start in declared.items():
            definition = known.get(start.pipeline)
            if definition is None or environment.is_local:
                continue
            try:
                judge(definition, start.parameters)
            except UsageError as error:
                wrong.append(f"[env.{environment.name}.{kind}.{name}] of {start.pipeline}: {error.message}")
    if wrong:
        raise ConfigurationError("\n".join(wrong), hint="correct its `parameters` in mlops.toml")


def compared(
    account: Account, declared: Sequence[Companion], recorded: Mapping[str, str]
) -> tuple[CompanionChange, ...]:
    """One read for each that is declared, or two; ``recorded`` are fingerprints of what we wrote, by key."""
    found: list[CompanionChange] = []
    for companion in declared:
        there = _present(account, companion.kind, companion.name)
        if there is not None and there.fingerprint() == companion.fingerprint():
            continue
        drifted = there is not None and recorded.get(companion.key) != there.fingerprint()
        found.append(CompanionChange(companion.kind, companion.name, there.told if there else None, companion, drifted))
    for key in sorted(set(recorded) - {companion.key for companion in declared}):
        kind, _, name = key.partition(" ")
        chosen: Kind = "schedule" if kind == "schedule" else "trigger"
        there = _present(account, chosen, name)
        drifted = there is not None and recorded[key] != there.fingerprint()
        found.append(CompanionChange(chosen, name, there.told if there else None, None, drifted))
    return tuple(found)


def put(account: Account, companion: Companion, *, exists: bool) -> None:
    if companion.kind == "schedule":
        client = account.client("scheduler")
        write = client.update_schedule if exists else client.create_schedule
        write(Name=companion.name, FlexibleTimeWindow={"Mode": "OFF"}, **companion.told)
        return
    events = account.client("events")
    rule = {key: value for key, value in companion.told.items() if key != "Target"}
    events.put_rule(Name=companion.name, **rule)
    reply = events.put_targets(Rule=companion.name, Targets=[{"Id": _TARGET_ID, **companion.told["Target"]}])
    if reply.get("FailedEntryCount"):
        said = "; ".join(str(item.get("ErrorMessage")) for item in reply.get("FailedEntries", ()))
        raise AccountError(f"the rule {companion.name} was made, but its target was refused: {said}")


def remove(account: Account, kind: Kind, name: str) -> None:
    """Nothing where it is gone already."""
    if kind == "schedule":
        unless_missing(lambda: account.client("scheduler").delete_schedule(Name=name))
    else:
        unless_missing(lambda: _remove_rule(account.client("events"), name))


def _remove_rule(events: Any, name: str) -> None:
    listed = list(items(events, "list_targets_by_rule", "Targets", Rule=name))
    if listed:
        events.remove_targets(Rule=name, Ids=[item["Id"] for item in listed])
    events.delete_rule(Name=name)


def _schedule(schedule: Schedule, environment: Environment, arn: str) -> dict[str, Any]:
    told: dict[str, Any] = {
        "ScheduleExpression": schedule.expression,
        "State": "ENABLED" if schedule.enabled else "DISABLED",
        "Target": _target(schedule.role or environment.role, arn, schedule.parameters),
    }
    if schedule.timezone not in (None, _ZONE):
        told["ScheduleExpressionTimezone"] = schedule.timezone
    if schedule.description is not None:
        told["Description"] = schedule.description
    return told


def _trigger(trigger: Trigger, environment: Environment, arn: str) -> dict[str, Any]:
    told: dict[str, Any] = {
        "EventPattern": json.dumps(trigger.event, sort_keys=True, separators=(",", ":")),
        "State": "ENABLED" if trigger.enabled else "DISABLED",
        "Target": _target(trigger.role or environment.role, arn, trigger.parameters),
    }
    if trigger.description is not None:
        told["Description"] = trigger.description
    return told


def _target(role: str, arn: str, parameters: Mapping[str, str]) -> dict[str, Any]:
    target: dict[str, Any] = {"Arn": arn, "RoleArn": role}
    if parameters:
        listed = [{"Name": name, "Value": value} for name, value in sorted(parameters.items())]
        target["SageMakerPipelineParameters"] = {"PipelineParameterList": listed}
    return target


def _present(account: Account, kind: Kind, name: str) -> Companion | None:
    if kind == "schedule":
        schedule = unless_missing(lambda: account.client("scheduler").get_schedule(Name=name))
        return None if schedule is None else Companion(kind, name, _read_schedule(schedule))
    events = account.client("events")
    rule = unless_missing(lambda: events.describe_rule(Name=name))
    if rule is None:
        return None
    targets = list(items(events, "list_targets_by_rule", "Targets", Rule=name))
    return Companion(kind, name, _read_rule(rule, targets))


def _read_schedule(reply: Mapping[str, Any]) -> dict[str, Any]:
    told = {member: reply[member] for member in ("ScheduleExpression", "State", "Description") if reply.get(member)}
    zone = reply.get("ScheduleExpressionTimezone")
    if zone and zone != _ZONE:
        told["ScheduleExpressionTimezone"] = zone
    told["Target"] = _read_target(reply.get("Target") or {})
    return told


def _read_rule(rule: Mapping[str, Any], targets: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    told = {member: rule[member] for member in ("State", "Description") if rule.get(member)}
    try:
        pattern = json.loads(rule.get("EventPattern") or "null")
    except ValueError:
        pattern = rule.get("EventPattern")
    told["EventPattern"] = json.dumps(pattern, sort_keys=True, separators=(",", ":"))
    told["Target"] = _read_target(targets[0]) if len(targets) == 1 else {"Targets": len(targets)}
    return told


def _read_target(target: Mapping[str, Any]) -> dict[str, Any]:
    told: dict[str, Any] = {member: target[member] for member in ("Arn", "RoleArn") if target.get(member)}
    listed = (target.get("SageMakerPipelineParameters") or {}).get("PipelineParameterList") or ()
    if listed:
        ordered = sorted(
            ({"Name": item["Name"], "Value": item["Value"]} for item in listed), key=lambda item: item["Name"]
        )
        told["SageMakerPipelineParameters"] = {"PipelineParameterList": ordered}
    return told


def _name(pipeline: str, name: str) -> str:
    whole = f"{pipeline}-{name}"
    if len(whole) <= NAME_LENGTH:
        return whole
    return f"{whole[: NAME_LENGTH - 9]}-{hashlib.sha256(whole.encode()).hexdigest()[:8]}"
