"""Who else a resource is made by: what Terraform made is changed there, and not by an upsert."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from mlops.deploy.terraform_state import State, read

if TYPE_CHECKING:
    from mlops.deploy.declared.plan import Plan as ResourcePlan
    from mlops.deploy.pipelines.plan import Plan
    from mlops.use_cases.plan import Planned


def with_owners(planned: Planned, file: Path) -> Planned:
    """What Terraform made is told, and an obstacle where it would be changed."""
    state = read(file)
    plans = []
    for plan in planned.plans:
        changed = {("pipeline", plan.name): bool(plan.actions)}
        changed |= {(item.type, item.name): True for item in plan.companions}
        notes, obstacles = _told(changed, state, plan)
        plans.append(replace(plan, notes=(*plan.notes, *notes), obstacles=(*plan.obstacles, *obstacles)))
    resources = []
    for declared in planned.resources:
        changed = {(item.type, item.name): item.action != "nothing" for item in declared.changes}
        notes, obstacles = _told(changed, state, declared)
        resources.append(
            replace(declared, notes=(*declared.notes, *notes), obstacles=(*declared.obstacles, *obstacles))
        )
    return replace(planned, plans=tuple(plans), resources=tuple(resources), judged_owners=True)


def _told(changed: dict[tuple[str, str], bool], state: State, plan: Plan | ResourcePlan) -> tuple[list[str], list[str]]:
    notes: list[str] = []
    obstacles: list[str] = []
    for (kind, name), changes in changed.items():
        address = state.address(kind, name, plan.account, plan.region)
        if address is None:
            continue
        said = f"the {kind} {name} is Terraform's ({address} in {state.file})"
        if changes:
            obstacles.append(f"{said}: change it there, or let go of it with `terraform state rm '{address}'`")
        else:
            notes.append(said)
    return notes, obstacles
