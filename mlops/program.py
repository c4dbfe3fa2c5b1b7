"""A pipeline in a program: what it compiles to, what is wrong with it, what an account would become of it, and its
executions there.

It fills the port of the same name, by which ``Pipeline`` asks for what stands above the language.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from mlops.ir import Finding, Refusal, UsageError, unheard
from mlops.ir.dataclass import dataclass
from mlops.project.environments import LOCAL

if TYPE_CHECKING:
    from mlops.declare.pipeline import Pipeline
    from mlops.deploy.executions.following import ExecutionState, StepState
    from mlops.deploy.pipelines.apply import Applied
    from mlops.deploy.pipelines.deciding import Plan
    from mlops.use_cases.approval import Consent
    from mlops.use_cases.connecting import Connected

_LOOK_SECONDS = 0.2


def definition(pipeline: Pipeline, environment: str = LOCAL) -> str:
    """As JSON, as ``mlops compile`` writes it. Raises Refusal where it has errors."""
    from mlops.emit.targets.definition_json import emit
    from mlops.use_cases.declared import sound

    return emit(sound(pipeline, environment, doing="compiled").checked.definition)


def check(pipeline: Pipeline, environment: str = LOCAL) -> tuple[Finding, ...]:
    """All findings, errors among them."""
    from mlops.use_cases.declared import declared

    return declared(pipeline, environment).checked.findings


@dataclass(frozen=True, slots=True)
class Planned:
    """What an upsert would do; as text it is what ``mlops plan`` shows."""

    plan: Plan

    @property
    def changes(self) -> bool:
        return bool(self.plan.actions)

    @property
    def actions(self) -> tuple[str, ...]:
        """In words, in their order."""
        return tuple(action.label for action in self.plan.actions)

    @property
    def refused(self) -> tuple[str, ...]:
        """Why an upsert would be refused, in words."""
        return self.plan.refused

    def __str__(self) -> str:
        from mlops.deploy.pipelines.plan_report import text

        return text(self.plan)


def plan(pipeline: Pipeline, environment: str = LOCAL) -> Planned:
    """Nothing is written. Raises Refusal where it has errors."""
    from mlops.use_cases.driving import plan as plan_it

    return Planned(plan_it(pipeline, environment)[1])


def upsert(pipeline: Pipeline, environment: str = LOCAL, *, yes: bool = False, force: bool = False) -> Applied:
    """``yes`` is the approval that a protected environment wants, ``force`` writes over what somebody else changed.
    Raises Refusal where it has errors or would be refused."""
    from mlops.use_cases.driving import upsert as upsert_it

    return upsert_it(pipeline, environment, unheard, yes=yes, force=force)


def start(
    pipeline: Pipeline, environment: str, parameters: Mapping[str, object], *, cache: bool = True, yes: bool = False
) -> Execution:
    """In the local account the pipeline as it is now; in another what it was upserted to, which has to be the same.
    Raises Refusal and UsageError; nothing was started then."""
    from mlops.use_cases.driving import start as start_it

    values = {name: value if isinstance(value, str) else _text(value) for name, value in parameters.items()}
    return Execution(*start_it(pipeline, environment, values, unheard, cache=cache, yes=yes))


class Execution:
    """One that was started; every question is asked of its account."""

    def __init__(self, connected: Connected, arn: str) -> None:
        self.arn = arn
        self._connected = connected

    @property
    def id(self) -> str:
        return self.arn.rpartition("/")[2]

    @property
    def status(self) -> str:
        return self._state().status

    @property
    def failure(self) -> str | None:
        return self._state().failure

    @property
    def steps(self) -> Mapping[str, StepState]:
        """Those that were reached, in the order of their starts."""
        return {step.name: step for step in self._state().steps}

    @property
    def outputs(self) -> Mapping[str, Mapping[str, Any]]:
        """By step and name: S3 URIs of what a job wrote, ARNs of what was made, and the values that a Lambda, Callback
        or Condition gave."""
        from mlops.deploy.executions.outputs import outputs

        return outputs(self._connected.account, self._state())

    def wait(self, timeout: float | None = None) -> Execution:
        """Until it has succeeded. Raises Refusal where it ends otherwise, and UsageError where it still runs after
        ``timeout`` seconds. Ctrl-C ends the waiting, and the execution goes on."""
        deadline = None if timeout is None else time.monotonic() + timeout
        while not (state := self._state()).ended:
            if deadline is not None and time.monotonic() >= deadline:
                raise UsageError(f"execution {self.id} of {state.pipeline} still runs after {timeout:g} seconds")
            self._connected.account.rest(self.arn, _LOOK_SECONDS)
        if state.status != "Succeeded":
            failed = [f"{step.name}: {step.failure or step.status}" for step in state.steps if step.status == "Failed"]
            told = "\n".join(failed) or (state.failure or "")
            raise Refusal(f"execution {self.id} of {state.pipeline} is {state.status}\n{told}", hint=_LOGS)
        return self

    def logs(self, step: str | None = None) -> str:
        """What the steps printed, or only ``step``; each line behind its step's name where it is of all."""
        from mlops.use_cases.executions import Found, log

        lines = log(Found(self._connected, self.arn), step).lines
        return "\n".join(line.text if line.step == step else f"{line.step} | {line.text}" for line in lines)

    def retry(self, *, yes: bool = False) -> Execution:
        """Go on where it failed or was stopped. Raises Refusal where there is nothing to go on with."""
        from mlops.use_cases import executions

        executions.retry(executions.Found(self._connected, self.arn), _consent(yes))
        return self

    def stop(self, *, yes: bool = False) -> Execution:
        """No step starts any more; those that run get SIGTERM. Raises Refusal where it has ended."""
        from mlops.use_cases import executions

        found = executions.Found(self._connected, self.arn)
        executions.stop(found, unheard, _consent(yes), watching_it=False)
        return self

    def _state(self) -> ExecutionState:
        from mlops.deploy.executions.following import describe

        return describe(self._connected.account, self.arn)

    def __repr__(self) -> str:
        state = self._state()
        told = ", ".join(f"{step.name}: {step.status}" for step in state.steps)
        return f"<execution {self.id} of {state.pipeline}: {state.status}; {told or 'no step began'}>"


_LOGS = "execution.logs(STEP) is what a step printed, execution.retry() goes on behind what succeeded"


def _consent(yes: bool) -> Consent:
    from mlops.use_cases.approval import GIVEN, NOBODY

    return GIVEN if yes else NOBODY


def _text(value: object) -> str:
    """As the service takes it."""
    return str(value).lower() if isinstance(value, bool) else str(value)
