"""A pipeline that stands in this process: planned, put into an account, started."""

from __future__ import annotations

from collections.abc import Mapping

from mlops.declare.pipeline import Pipeline
from mlops.deploy.executions import following
from mlops.deploy.pipelines import apply as applying
from mlops.deploy.pipelines.deciding import Plan
from mlops.deploy.pipelines.plan import plan_all
from mlops.deploy.starts import judge_starts
from mlops.ir import Listener, Refusal
from mlops.ir.start_values import judge
from mlops.use_cases.approval import GIVEN, NOBODY, need_consent
from mlops.use_cases.commits import note_commit
from mlops.use_cases.connecting import Connected, connect_here
from mlops.use_cases.declared import sound
from mlops.use_cases.running import Chosen, Manner, begin
from mlops.use_cases.start import need_same


def plan(pipeline: Pipeline, environment: str, *, doing: str = "planned") -> tuple[Connected, Plan]:
    """Nothing is written. Raises Refusal where it has errors."""
    found = sound(pipeline, environment, doing=doing)
    connected = connect_here(environment, found.project)
    judge_starts(connected.environment, [found.checked.definition])
    (planned,) = plan_all(connected.account, connected.environment, [found.checked])
    if connected.environment.terraform_state is not None:
        from mlops.use_cases.owners import in_environment  # few environments have any

        planned = in_environment(planned, connected.environment)
    return connected, planned


def upsert(pipeline: Pipeline, environment: str, listener: Listener, *, yes: bool, force: bool) -> applying.Applied:
    connected, planned = plan(pipeline, environment, doing="upserted")
    _need_feedback(planned)
    if planned.actions:
        need_consent(connected, f"upsert {planned.name}", GIVEN if yes else NOBODY, hint="give yes=True")
    applied = applying.apply(connected.account, connected.environment, planned, force=force)
    if planned.actions:
        note_commit(connected, planned.state.definition, listener)
    return applied


def _need_feedback(planned: Plan) -> None:
    """What a file declares beside the pipeline is not known of one in a program, and would go."""
    ours = f"{planned.state.name}-feedback-"
    gone = [item.name for item in planned.companions if item.new is None and item.old is not None and ours in item.name]
    if gone:
        raise Refusal(
            f"{', '.join(gone)} would be removed: what its file declares of feedback is not known of a pipeline in a "
            "program; nothing was written",
            hint=f"`mlops upsert FILE --env {planned.environment}` takes all that the file declares",
        )


def start(
    pipeline: Pipeline, environment: str, values: Mapping[str, str], listener: Listener, *, cache: bool, yes: bool
) -> tuple[Connected, str]:
    """The ARN of the execution. Raises Refusal where it has errors, or the account has another definition of it."""
    found = sound(pipeline, environment, doing="started")
    connected = connect_here(environment, found.project)
    if connected.environment.is_local:
        return connected, begin(Chosen(connected, found.checked, values), Manner(cache), listener)
    judge(found.checked.definition, values)
    need_same(connected, found.checked.definition, "this pipeline")
    name = found.checked.definition.name or ""
    need_consent(connected, f"start {name}", GIVEN if yes else NOBODY, hint="give yes=True")
    return connected, following.start(connected.account, connected.environment, name, values)
