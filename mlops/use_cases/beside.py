"""What an upsert brings beside a pipeline, for targets that write it down."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from mlops.deploy.resources import declared, resource_types
from mlops.ir import Checked, UsageError
from mlops.ir.promoted import Promoted
from mlops.ir.resource import declared_resources
from mlops.ir.shift import Serving, Variant
from mlops.ir.target import Beside
from mlops.project.environments import Environment


def beside(checked: Checked, resources: Sequence[Checked], environment: Environment, root: Path) -> Beside:
    """``resources`` are of the file that declares the pipeline, or ``checked`` itself."""
    starts = () if checked.definition.of_resources else declared(environment, checked.definition.name or "")
    found = tuple(resource for each in resources for resource in declared_resources(each.definition))
    return Beside(
        tuple(start for start in starts if resource_types()[start.type].cloudformation is not None),
        found,
        tuple(resources),
        resource_types(),
        lambda configuration: _guarded(configuration, environment, root),
        lambda group: _promoted(checked, group, environment, root),
        environment.search.logs if environment.search is not None else (),
        environment.search.captured if environment.search is not None else {},
    )


def _promoted(checked: Checked, group: str | None, environment: Environment, root: Path) -> Promoted:
    from mlops.deploy.shifting.promoted import only_group, promoted

    return promoted(group or only_group(checked), environment, root)


def _guarded(configuration: Mapping[str, Any], environment: Environment, root: Path) -> Mapping[str, Any]:
    from mlops.deploy.shifting.engines import Engine, Situation, pick
    from mlops.deploy.shifting.guardrails import deployment_config
    from mlops.deploy.shifting.settings import read

    settings = read(environment, root)
    variants = tuple(_variant(item) for item in configuration.get("ProductionVariants") or ())
    if not variants:
        return {}
    course = settings.course(variants[0].count)
    situation = Situation(
        course,
        Serving("", variants),
        variants[0],
        settings.alarms,
        shadows=bool(configuration.get("ShadowProductionVariants")),
    )
    engine, why = pick(situation)
    if engine is Engine.UPDATE:
        return {}
    if engine is not Engine.GUARDRAILS:
        raise UsageError(
            f"a stack shifts traffic by guardrails, and the strategy {settings.strategy.name} of {environment.name} "
            f"cannot be theirs: {why}",
            hint=f"take a canary of at most 50 percent or equal steps in [env.{environment.name}.promote]",
        )
    return deployment_config(course, variants[0].count, settings.alarms)


def _variant(request: Mapping[str, Any]) -> Variant:
    count = request.get("InitialInstanceCount")
    weight = request.get("InitialVariantWeight")
    return Variant(
        str(request["VariantName"]),
        request,
        float(weight) if isinstance(weight, int | float) else 1.0,
        count if isinstance(count, int) else None,
    )
