"""What steps, an execution of them and endpoints cost."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from mlops.check.costs import domains, endpoints, jobs, notebooks, spaces, streams
from mlops.check.costs.asked import Asked
from mlops.check.costs.bounds import NOTHING, Bounds, one_of, together, unknown
from mlops.check.jobs import KINDS, Job
from mlops.check.subject import Subject
from mlops.ir import Checked, Placed, Step, Value
from mlops.ir.dataclass import dataclass
from mlops.ir.members import get
from mlops.ir.resource import NAME
from mlops.project.prices import PriceFile

_FREE = frozenset(
    {
        "Condition",
        "Fail",
        "Model",
        "RegisterModel",
        "EndpointConfig",
        "Endpoint",
        "InferenceComponent",
        "Lineage",
        "Cleanup",
        "ForEach",
        "NotebookInstanceLifecycleConfig",
        "UserProfile",
    }
)
"""A run of them costs nothing itself; what an endpoint costs is told by the month."""
_MONTHS: Mapping[str, Callable[[Asked, Placed, Mapping[str, Value]], Bounds]] = {
    "Stream": streams.month,
    "Domain": domains.month,
    "NotebookInstance": notebooks.month,
    "Space": spaces.month,
}
"""What is declared beside pipelines and is billed by the month, by its type."""
_MOST_ITEMS = 100
"""Of a ForEach, whose items only a run knows."""


@dataclass(frozen=True, slots=True)
class Costs:
    """``steps`` have one run of each, ``execution`` one that goes through, ``endpoints`` a month of each;
    ``resources`` a month of what else is declared, by type and name."""

    pipeline: str | None
    steps: Mapping[str, Bounds]
    execution: Bounds
    endpoints: Mapping[str, Bounds]
    resources: Mapping[str, Bounds]


def costs(checked: Checked, prices: PriceFile, region: str, seconds: Mapping[str, float]) -> Costs:
    subject = Subject(checked.definition, checked.step_types)
    asked = Asked(subject, prices, region, seconds)
    steps = {placed.step.name: _step(asked, placed) for placed in subject.placed if placed.step.type not in _MONTHS}
    configurations = {
        placed.step.name: endpoints.month(asked, placed, config) for placed, config in subject.of_type("EndpointConfig")
    }
    resources = {
        f"{placed.step.members.get(NAME, placed.step.name)} ({kind})": month(asked, placed, arguments)
        for kind, month in _MONTHS.items()
        for placed, arguments in subject.of_type(kind)
    }
    execution = together(_run(asked, steps, step) for step in checked.definition.steps)
    return Costs(checked.definition.name, steps, execution, configurations, resources)


def _step(asked: Asked, placed: Placed) -> Bounds:
    step, step_type = placed.step, asked.subject.type_of(placed.step)
    request = step_type.request if step_type is not None else None
    kind = next((kind for kind in KINDS if kind.request == request), None)
    if kind is not None and isinstance(step.arguments, Mapping):
        return jobs.job(asked, kind, Job(f"{placed.pointer}/Arguments", step.arguments, placed))
    return NOTHING if step.type in _FREE else unknown(f"what {step.type} costs is not known here")


def _run(asked: Asked, steps: Mapping[str, Bounds], step: Step) -> Bounds:
    """A step within an execution: with its retries, without any where the cache may have it, with what lies in it."""
    if step.blocks:
        inner = [together(_run(asked, steps, one) for one in block.steps) for block in step.blocks]
        if step.type == "Condition":
            # A branch that is not there costs nothing.
            return one_of([*inner, NOTHING] if len(inner) < 2 else inner)
        least, most = _items(step)
        return together(inner).times(least, most)
    if step.type in _MONTHS:
        return NOTHING
    found = steps[step.name]
    attempts = _attempts(asked, step)
    upper = None if attempts is None or found.upper is None else found.upper * attempts
    told = found.unknown if attempts is not None else (*found.unknown, "how often it is tried again is not limited")
    cached = get(step.members.get("CacheConfig"), "Enabled") is True
    return Bounds(0.0 if cached else found.lower, found.expected, upper, told)


def _attempts(asked: Asked, step: Step) -> int | None:
    policies = step.members.get("RetryPolicies")
    total = 1
    for policy in policies if isinstance(policies, Sequence) else ():
        more = asked.number(get(policy, "MaxAttempts"))
        if more is None:
            return None
        total += more
    return total


def _items(step: Step) -> tuple[int, int]:
    items = get(step.arguments, "IterableItems")
    return (len(items), len(items)) if isinstance(items, tuple) else (1, _MOST_ITEMS)
