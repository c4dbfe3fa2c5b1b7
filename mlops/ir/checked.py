"""A definition after the checker saw it: what emit, run and deploy take."""

from __future__ import annotations

from collections.abc import Mapping

from mlops.ir.dataclass import dataclass
from mlops.ir.definition import Definition, Step
from mlops.ir.finding import Finding, Severity
from mlops.ir.step_type import StepType


@dataclass(frozen=True, slots=True)
class Checked:
    """``edges`` has, per step name, the names of the steps that must end before it starts: explicit and implicit
    dependencies, and for a step in a branch also the Condition around it. ``order`` is a topological order of all
    step names. Both are sound only where ``ok``."""

    definition: Definition
    findings: tuple[Finding, ...]
    step_types: Mapping[str, StepType]
    edges: Mapping[str, frozenset[str]]
    order: tuple[str, ...]

    @property
    def ok(self) -> bool:
        return not any(finding.severity is Severity.ERROR for finding in self.findings)

    def type_of(self, step: Step) -> StepType | None:
        return self.step_types.get(step.type)

    def before(self, name: str) -> frozenset[str]:
        """The steps that have ended when this one begins."""
        waiting, seen = [name], set[str]()
        while waiting:
            for upstream in self.edges.get(waiting.pop(), frozenset()) - seen:
                seen.add(upstream)
                waiting.append(upstream)
        return frozenset(seen)
