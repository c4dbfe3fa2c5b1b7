"""Feedback of another account than the local one: a state machine each, where a rule of EventBridge alone would not do
all that is declared."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from pathlib import Path

from mlops.deploy.feedback.acts import journal_of
from mlops.deploy.feedback.deciding import stages_of
from mlops.deploy.fencing import LEASE_SECONDS
from mlops.deploy.shifting import journal
from mlops.deploy.shifting.promoted import promoted
from mlops.deploy.starts import name_of
from mlops.ir import ConfigurationError, UsageError
from mlops.ir.duration import seconds_of
from mlops.ir.feedback_machine import FeedbackMachine
from mlops.ir.promoted import Promoted
from mlops.project.environments import Environment
from mlops.project.feedback import Feedback


def machines(
    environment: Environment, pipelines: Collection[str | None], root: Path | None = None
) -> tuple[FeedbackMachine, ...]:
    """Of those that train some of ``pipelines``. Raises ConfigurationError with all that nobody would do there while
    the laptop is off; ``root`` is where mlops.toml lies, whose lines it names then."""
    if environment.is_local:
        return ()
    found: list[FeedbackMachine] = []
    lacking: list[str] = []
    for name, feedback in environment.feedback.items():
        if feedback.pipeline is not None and feedback.pipeline not in pipelines:
            continue
        told, declared = _promotion(feedback, environment, root)
        told = [*feedback.beyond_a_machine(environment), *told]
        lacking += [f"{feedback.said(environment.name, name)} {said}" for said in told]
        if not told and feedback.needs_a_machine(environment):
            found.append(_machine(name, feedback, environment, declared))
    if lacking:
        raise ConfigurationError(
            "a state machine cannot do all that feedback declares:\n" + "\n".join(lacking),
            hint="declare what it can do, or keep it to the local account",
        )
    return tuple(found)


def _promotion(feedback: Feedback, environment: Environment, root: Path | None) -> tuple[list[str], Promoted | None]:
    """What a machine cannot do of it, or the promotion."""
    if feedback.group is None:
        return [], None
    try:
        return [], promoted(feedback.group, environment, root or Path())
    except UsageError as error:
        return [f"group = {feedback.group!r}: {error.message}"], None


def _machine(name: str, feedback: Feedback, environment: Environment, declared: Promoted | None) -> FeedbackMachine:
    kind, watched = feedback.watches
    pipeline = str(feedback.pipeline)
    called = name_of(pipeline, f"feedback-{name}")
    return FeedbackMachine(
        name=name,
        environment=environment.name,
        called=called,
        arn=_arn(environment, called),
        role=environment.role,
        kind="alarm" if kind == "alarm" else "monitor",
        watched=watched,
        stages=tuple(_stages(feedback, environment)),
        pipeline=pipeline,
        parameters=feedback.placed(environment).parameters,
        window=seconds_of(feedback.window),
        cooldown=seconds_of(feedback.cooldown),
        per_day=feedback.per_day,
        bucket=environment.bucket,
        journal=journal_of(environment, name),
        lease=LEASE_SECONDS,
        endpoint=feedback.endpoint,
        shifts=journal.key(environment, feedback.endpoint) if feedback.rollback and feedback.endpoint else None,
        group=feedback.group,
        topic=environment.notify.sns if environment.notify is not None else None,
        promoted=declared,
        enabled=feedback.enabled,
    )


def _stages(feedback: Feedback, environment: Environment) -> Iterator[str]:
    """Nobody is told where nobody is named."""
    for stage in stages_of(feedback, protected=environment.approval):
        if stage != "notify" or environment.notify is not None:
            yield stage


def _arn(environment: Environment, called: str) -> str:
    _, partition, _, _, account, _ = environment.role.split(":", 5)
    return f"arn:{partition}:states:{environment.region}:{environment.account or account}:stateMachine:{called}"
