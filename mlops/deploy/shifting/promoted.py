"""What is declared of the promotion of a group, for who writes it as a state machine."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from mlops.deploy.shifting.deciding import Rule
from mlops.deploy.shifting.engines import Engine, Situation, pick
from mlops.deploy.shifting.guardrails import deployment_config
from mlops.deploy.shifting.settings import PromotionSettings, read
from mlops.ir import Checked, UsageError
from mlops.ir.measure import Judged
from mlops.ir.promoted import Measured, Promoted
from mlops.ir.shift import Course, Serving, Variant
from mlops.project.environments import Environment

_WHILE_ALARMS = 10
"""Seconds between two looks where nothing has a period."""
_SEVERAL = 8
"""Instances of which any share that guardrails know is some: how many serve, only a run knows."""


def promoted(group: str, environment: Environment, root: Path) -> Promoted:
    """Raises UsageError with everything that a machine cannot do."""
    settings = read(environment, root)
    problems = list(_unspelled(settings))
    course = settings.course(None)
    variant = Variant("AllTraffic", {"InstanceType": "ml.m5.large"}, 1.0, _SEVERAL)
    situation = Situation(
        course,
        Serving("", (variant,)),
        variant,
        settings.alarms,
        own_verdicts=bool(settings.rules) and _looks(course),
    )
    engine, why = pick(situation, settings.engine)
    if engine is Engine.NONE:
        problems.append(f"it cannot go by {settings.strategy.name}: {why}")
    if engine is Engine.WEIGHTS:
        problems += _of_weights(course, settings)
    if problems:
        told = "\n  ".join(problems)
        raise UsageError(
            f"the promotion of {group} to {environment.name} cannot be a state machine:\n  {told}",
            hint=f"leave them out of [env.{environment.name}.promote], or promote by `mlops promote`",
        )
    rules = tuple(_measured(rule, settings.endpoint_of(group)) for rule in settings.rules if not rule.dry_run)
    return Promoted(
        environment.name,
        group,
        settings.endpoint_of(group),
        settings.strategy.name,
        _ENGINES[engine],
        why,
        course,
        _model(environment),
        {"KmsKeyId": environment.kms_key} if environment.kms_key else {},
        deployment_config(course, None, settings.alarms) if engine is Engine.GUARDRAILS else None,
        settings.variants,
        settings.alarms,
        rules,
        min((rule.interval for rule in rules), default=_WHILE_ALARMS),
        settings.patience,
        settings.lag,
        tuple(_notes(settings, environment)),
    )


_ENGINES: Mapping[Engine, Any] = {
    Engine.UPDATE: "update",
    Engine.GUARDRAILS: "guardrails",
    Engine.WEIGHTS: "weights",
}


def only_group(checked: Checked) -> str:
    """In which a pipeline registers. Raises UsageError where that is none, or several."""
    groups = sorted(
        {
            name
            for placed in checked.definition.placed()
            if isinstance(placed.step.arguments, Mapping)
            and isinstance(name := placed.step.arguments.get("ModelPackageGroupName"), str)
        }
    )
    if len(groups) == 1:
        return groups[0]
    there = f"there are {', '.join(groups)}" if groups else f"{checked.definition.name or 'it'} registers in none"
    raise UsageError(f"which group is promoted is not said: {there}", hint="name it: TARGET --promotion GROUP")


def _looks(course: Course) -> bool:
    return len(course.stages) > 1 or bool(course.stages[0].bake)


def _unspelled(settings: PromotionSettings) -> Iterator[str]:
    """What is declared and would not be done."""
    if settings.component is not None:
        yield f"component = {settings.component!r}: inference components are replaced otherwise"
    if settings.shadow is not None:
        yield "shadow: answers are compared by `mlops promote`"
    for gate, _ in settings.gates:
        yield f"gates.{gate.name}: gates are asked by `mlops promote`"
    for hook in settings.hooks:
        yield f"hooks.{hook.moment}: hooks are called by `mlops promote`"
    if settings.registry is not None:
        yield "registry: a version of another environment is copied by `mlops promote`"
    for rule in settings.rules:
        if rule.dry_run:
            continue
        if rule.compare is not None:
            yield f"judge.{rule.name}.compare: evidence is gathered by `mlops promote`"
        if rule.measure.expression is None:
            yield f"judge.{rule.name}: what becomes of requests, CloudWatch does not know"
        if rule.unsure is not None:
            yield f"judge.{rule.name}.unsure: unsure periods are counted by `mlops promote`"


def _of_weights(course: Course, settings: PromotionSettings) -> Iterator[str]:
    heeded = [rule for rule in settings.rules if not rule.dry_run]
    if course.releases:
        yield f"{settings.strategy.name}: instances are given back on the way by guardrails or by `mlops promote`"
    if any(stage.until_decided for stage in course.stages):
        yield f"{settings.strategy.name}: a stage that ends when it is decided needs `mlops promote`"
    if any(stage.bake for stage in course.stages) and not (heeded or settings.alarms):
        yield "neither alarms nor a measure say when a stage is green"
    for stage in course.stages:
        if stage.bake != int(stage.bake):
            yield f"a stage of {stage.bake:g} s: a machine waits whole seconds"


def _measured(rule: Rule, endpoint: str) -> Measured:
    expression = rule.measure.expression
    assert expression is not None  # noqa: S101 - others were refused
    return Measured(
        rule.name,
        rule.measure.queries(rule.settings, Judged(endpoint, Promoted.VARIANT)),
        expression,
        rule.limit,
        rule.at_most,
        rule.at_least,
        rule.fails_above,
        rule.fails_below,
        rule.interval,
        rule.delay,
        rule.count,
        rule.failures,
        rule.missing,
    )


def _model(environment: Environment) -> Mapping[str, Any]:
    network = {"SecurityGroupIds": list(environment.security_groups), "Subnets": list(environment.subnets)}
    return {"ExecutionRoleArn": environment.role, **({"VpcConfig": network} if environment.subnets else {})}


def _notes(settings: PromotionSettings, environment: Environment) -> Iterator[str]:
    yield "a machine asks no sample of the version, and looks at no archive: alarms and measures judge it alone"
    yield "`mlops endpoints history` knows nothing of what a machine does; its executions say it"
    if settings.notify is not None:
        yield f"nobody is told: [env.{environment.name}.promote.notify] is of `mlops promote`"
