"""What an upsert would change in an account; nothing is written there."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from mlops.check.sources import Opened, open_targets
from mlops.deploy.feedback.beside_pipelines import with_declared
from mlops.deploy.pipelines import saved_plan
from mlops.deploy.pipelines.plan import Plan, plan_all
from mlops.deploy.starts import judge_starts
from mlops.ir import Checked, Finding, Listener, Refusal
from mlops.ir.choices import near
from mlops.ir.dataclass import dataclass
from mlops.project.environments import LOCAL, Environment
from mlops.project.prices import FILE
from mlops.use_cases.budgets import with_budgets
from mlops.use_cases.connecting import Connected, connect_here
from mlops.use_cases.judging import judge_names, need_sound
from mlops.use_cases.news import Said
from mlops.use_cases.starting_by_clock import with_schedules
from mlops.use_cases.targets import are_all

if TYPE_CHECKING:
    from mlops.deploy.declared.plan import Plan as ResourcePlan


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is to be in an account: the pipelines of ``targets``, of those only what the changes since the Git commit
    ``changed_since`` touch, under names that end in ``suffix``, their new versions with ``aliases``; nothing that the
    ``terraform_state`` says Terraform made."""

    targets: tuple[str, ...]
    environment: str = LOCAL
    suffix: str | None = None
    aliases: tuple[str, ...] = ()
    changed_since: str | None = None
    terraform_state: Path | None = None


@dataclass(frozen=True, slots=True)
class Planned:
    """``resources`` are of what files declare beside pipelines. ``judged_owners``: a state of Terraform was looked
    at."""

    connected: Connected
    pipelines: tuple[Checked, ...]
    plans: tuple[Plan, ...]
    resources: tuple[ResourcePlan, ...] = ()
    judged_owners: bool = False

    @property
    def changes(self) -> bool:
        """Whether an account is not what it should be."""
        found = [*((plan.verb, plan.drift) for plan in self.plans), *((one.verb, one.drift) for one in self.resources)]
        return any(verb != "nothing" or drift for verb, drift in found)

    @property
    def refused(self) -> tuple[str, ...]:
        """Why an upsert would refuse some of it, in words."""
        found = [
            *((plan.name, plan.refused) for plan in self.plans),
            *((one.name, one.refused) for one in self.resources),
        ]
        return tuple(f"{name}: {why}" for name, refused in found for why in refused)

    def only(self, names: Collection[str]) -> Planned:
        """Without the plans of other pipelines."""
        return replace(
            self,
            plans=tuple(plan for plan in self.plans if plan.name in names),
            resources=tuple(plan for plan in self.resources if plan.name in names),
        )


def plan(wanted: Wanted, listener: Listener, *, doing: str = "plan") -> Planned:
    """``doing`` is what is planned for, in a word. Raises Refusal where a pipeline that is to be planned has errors."""
    judge_names(wanted.suffix, wanted.aliases)
    opened = open_targets(wanted.targets, wanted.environment, definitions=False)
    if wanted.changed_since is not None:
        from mlops.use_cases.touching import only_touched  # loads what asks Git, which few plans need

        opened = only_touched(opened, wanted.changed_since, listener)
    opened = with_budgets(with_schedules(opened, wanted.environment), wanted.environment)
    need_sound(opened.findings, listener, doing=doing)
    connected = connect_here(wanted.environment, opened.project)
    definitions = [checked.definition for checked in opened.pipelines]
    connected = replace(connected, environment=with_declared(connected.environment, definitions))
    judge_starts(connected.environment, definitions)
    if connected.environment.feedback:
        from mlops.deploy.feedback.machines import machines  # few declare any

        machines(connected.environment, [definition.name for definition in definitions], opened.root)
    if wanted.changed_since is None and wanted.suffix is None and are_all(wanted.targets, opened.project):
        for told in _unused(connected.environment, opened.pipelines):
            listener(Said(text=told))
    plans = plan_all(
        connected.account, connected.environment, opened.pipelines, suffix=wanted.suffix, aliases=wanted.aliases
    )
    planned = Planned(connected, opened.pipelines, plans, _resources(opened, connected, wanted, listener))
    if wanted.environment != LOCAL and (opened.root / FILE).is_file():
        from mlops.use_cases.plan_costs import with_costs  # few projects have a file of prices

        planned = with_costs(planned, opened.root)
    if wanted.terraform_state is None and connected.environment.terraform_state is None:
        return planned
    from mlops.use_cases.owners import with_owners  # few ask

    return with_owners(planned, wanted.terraform_state)


def _resources(opened: Opened, connected: Connected, wanted: Wanted, listener: Listener) -> tuple[ResourcePlan, ...]:
    if not opened.resources:
        return ()
    if wanted.suffix is not None:
        listener(Said(text="note: with --suffix resources are left out: an endpoint has one name"))
        return ()
    from mlops.use_cases.declared_resources import plan_resources  # few files declare any

    return plan_resources(opened.resources, connected)


def preflight(planned: Planned) -> tuple[Finding, ...]:
    """Whether the pipelines could run in the account, asked of it."""
    from mlops.deploy.pipelines.preflight import preflight as ask  # only where somebody wants to know

    return ask(planned.connected.account, planned.connected.environment, planned.pipelines)


def notify_of_drift(planned: Planned) -> tuple[str, ...]:
    """Tell of drift where the environment says; what could not be sent, in words."""
    from mlops.deploy.notify import drift_notices, tell_all

    connected = planned.connected
    return tell_all(connected.account, connected.environment, drift_notices(planned.plans), connected.root)


def save(file: Path, wanted: Wanted, planned: Planned) -> None:
    """For an upsert of exactly this, later. Raises Refusal for what an upsert refuses since Terraform made it: a saved
    plan does not say so."""
    if planned.judged_owners and planned.refused:
        raise Refusal("a plan that is refused is not saved beside a state of Terraform")
    plans: list[saved_plan.Planned] = [*planned.plans, *planned.resources]
    saved_plan.save(file, wanted.targets, wanted.environment, wanted.suffix, wanted.aliases, plans)


def _unused(environment: Environment, pipelines: Sequence[Checked]) -> Iterator[str]:
    """What mlops.toml says of pipelines or parameters that none of all has: probably a slip of the pen."""
    names = sorted(checked.definition.name or "" for checked in pipelines)
    parameters = {parameter.name for checked in pipelines for parameter in checked.definition.parameters}
    meant = [
        (f"[env.{environment.name}.{kind}.{name}] starts {start.pipeline!r}, no pipeline here", start.pipeline, names)
        for kind, declared in (
            ("schedules", environment.schedules),
            ("triggers", environment.triggers),
            ("feedback", environment.feedback),
        )
        for name, start in declared.items()
        if start.pipeline is not None
    ]
    meant += [
        (f"[env.{environment.name}] parameters has {name!r}, which no pipeline here takes", name, sorted(parameters))
        for name in environment.parameters
    ]
    for said, name, known in meant:
        if name not in known:
            guess = near(name, known)
            yield f"note: {said}{f'; did you mean {guess!r}?' if guess else ''}"
