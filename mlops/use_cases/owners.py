"""What else a plan finds to be made from elsewhere: what Terraform made is changed there, and not by an upsert."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from mlops.deploy.owners import state_of
from mlops.deploy.terraform_state import State, read

if TYPE_CHECKING:
    from mlops.deploy.declared.plan import Plan as ResourcePlan
    from mlops.deploy.pipelines.plan import Plan
    from mlops.project.environments import Environment
    from mlops.use_cases.plan import Planned


def with_owners(planned: Planned, file: Path | None) -> Planned:
    """What Terraform made is told, and an obstacle where it would be changed; as the state ``file`` says, or without
    one the environment's."""
    environment = planned.connected.environment
    state = read(file) if file is not None else state_of(environment)
    if state is None:
        return planned
    plans = tuple(of_pipeline(plan, state) for plan in planned.plans)
    resources = tuple(of_resources(plan, state) for plan in planned.resources)
    return replace(planned, plans=plans, resources=resources, judged_owners=True)


def in_environment(plan: Plan, environment: Environment) -> Plan:
    """Of a pipeline, by what the environment says."""
    state = state_of(environment)
    return plan if state is None else of_pipeline(plan, state)


def of_pipeline(plan: Plan, state: State) -> Plan:
    changed = {("pipeline", plan.name): bool(plan.actions)}
    changed |= {(item.type, item.name): True for item in plan.companions}
    notes, obstacles = _told(changed, state, plan)
    return replace(plan, notes=(*plan.notes, *notes), obstacles=(*plan.obstacles, *obstacles))


def of_resources(plan: ResourcePlan, state: State) -> ResourcePlan:
    changed = {(item.type, item.name): item.action != "nothing" for item in plan.changes}
    notes, obstacles = _told(changed, state, plan)
    return replace(plan, notes=(*plan.notes, *notes), obstacles=(*plan.obstacles, *obstacles))


def _told(changed: dict[tuple[str, str], bool], state: State, plan: Plan | ResourcePlan) -> tuple[list[str], list[str]]:
    notes: list[str] = []
    obstacles: list[str] = []
    for (kind, name), changes in changed.items():
        its = state.owner(kind, name, plan.account, plan.region)
        if its is not None:
            what = f"the {kind} {name}"
            (obstacles if changes else notes).append(its.refuses(what) if changes else its.owns(what))
    return notes, obstacles
