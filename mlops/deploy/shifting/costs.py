"""What a promotion costs beside what serves anyhow: the instances of the new version, until those of the old one go."""

from __future__ import annotations

import math

from mlops.check.costs.bounds import Bounds, unknown
from mlops.deploy.shifting.engines import Engine, Situation, pick
from mlops.deploy.shifting.guardrails import deployment_config
from mlops.deploy.shifting.moves import needed
from mlops.deploy.shifting.settings import PromotionSettings
from mlops.ir.shift import Course, Serving, Variant

_COMING = "how long instances take until they serve, the service does not say"
_SHADOWED = "what it is looked at as a shadow is not counted"
_HOUR = 3600


def promotion_cost(settings: PromotionSettings, variant: Variant, hourly: float, *, shadows: bool = False) -> Bounds:
    """Of one that goes through. ``variant`` serves, with as many instances as its count, which cost ``hourly`` each;
    ``shadows``: beside a shadow variant."""
    count = variant.count or 1
    course = settings.course(count)
    is_looked_at = len(course.stages) > 1 or bool(course.stages[0].bake)
    situation = Situation(
        course,
        Serving("", (variant,)),
        variant,
        settings.alarms,
        shadows=shadows,
        own_verdicts=bool(settings.rules) and is_looked_at,
        hooks_within=bool(settings.moments & {"stage", "before-last"}) and is_looked_at,
    )
    engine, why = pick(situation, settings.engine)
    if engine is Engine.NONE:
        return unknown(f"it cannot go by {settings.strategy.name}: {why}")
    second = hourly / _HOUR
    if engine is Engine.GUARDRAILS:
        found = _by_guardrails(course, count, second, settings)
        # Before it something else stands beside what serves.
        return found if settings.shadow is None else Bounds(found.lower, None, None, (_SHADOWED,))
    least = 0.0 if engine is Engine.UPDATE else _by_weights(course, count)
    return Bounds(least * second, None, None, (_COMING,))


def _by_weights(course: Course, count: int) -> float:
    """Instances by seconds, of the stages."""
    if course.releases:
        return 0.0
    staged = ((needed(stage.share, count) or 1, stage) for stage in course.stages)
    return sum(some * stage.bake for some, stage in staged if not stage.until_decided)


def _by_guardrails(course: Course, count: int, second: float, settings: PromotionSettings) -> Bounds:
    """The service brings a whole fleet, or a batch of one, and waits; it gives up at a limit that says how long."""
    policy = deployment_config(course, count, settings.alarms)
    rolling = policy.get("RollingUpdatePolicy")
    if rolling is not None:
        batch = math.ceil(count * course.stages[0].share / 100)
        return Bounds(0.0, None, batch * rolling["MaximumExecutionTimeoutInSeconds"] * second)
    limit = policy["BlueGreenUpdatePolicy"]["MaximumExecutionTimeoutInSeconds"]
    waits = sum(stage.bake for stage in course.stages)
    return Bounds(count * waits * second, None, count * limit * second)
