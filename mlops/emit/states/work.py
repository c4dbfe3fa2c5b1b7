"""A step that is to be written, and what it shares with the others of its machine."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from mlops.emit.states.failures import catching, caught, noted
from mlops.emit.states.files import files_of, label_of
from mlops.emit.states.jsonata import Words, braces, expression, name, obj, within
from mlops.emit.states.scopes import Scope
from mlops.ir import Checked, JsonGet, Step, StepType, Value
from mlops.ir.dataclass import dataclass
from mlops.ir.definition import Placed

Path = tuple[tuple[str, str], ...]
"""Of a block of steps: the steps around it, each with its member that holds the block."""


class Graph(Protocol):
    """Lays out what steps hold."""

    def block(self, path: Path, then: str, scope: Scope) -> str:
        """The state in which its steps begin."""

    def fresh(self, wanted: str) -> str:
        """The name of a state, which nothing else of the machine has."""

    def all_well(self, label: str, then: str, scope: Scope) -> str:
        """The state behind one whose inner failures have been written down."""


@dataclass(frozen=True, slots=True)
class Shared:
    """``handled`` are steps whose failure others wait for, ``retained`` is what is read later of each. ``notes`` are
    clauses about what the machine does otherwise than the service; steps add theirs."""

    checked: Checked
    partition: str
    handled: frozenset[str]
    retained: Mapping[str, frozenset[str]]
    placed: Mapping[str, Placed]
    graph: Graph
    notes: list[str]

    def plain(self, value: Value) -> str:
        """JSONata of what names no step."""
        return expression(value, Words(self.checked.definition, lambda step: {}, lambda wanted: ""))


@dataclass(frozen=True, slots=True)
class Work:
    """``then`` is the state that comes behind it."""

    step: Step
    then: str
    scope: Scope
    shared: Shared

    @property
    def known(self) -> StepType | None:
        return self.shared.checked.type_of(self.step)

    @property
    def wanted(self) -> frozenset[str]:
        """The members of its result that are read later."""
        return self.shared.retained.get(self.step.name, frozenset())

    @property
    def first(self) -> str:
        """The state in which it begins: the step's own, or the first of those that read its files."""
        return next(iter(files_of(self.step)), self.step.name)

    def words(self, job_name: str | None = None) -> Words:
        def reads(wanted: JsonGet) -> str:
            return label_of(self.step, wanted)

        return Words(self.shared.checked.definition, self._keyed, reads, job_name)

    def _keyed(self, of: str) -> Mapping[str, str]:
        there = self.shared.checked.definition.step(of)
        known = self.shared.checked.type_of(there) if there is not None else None
        return known.keyed if known is not None else {}

    def resource(self, integration: str) -> str:
        return f"arn:{self.shared.partition}:states:::{integration}"

    def put(self, label: str, state: Mapping[str, Any]) -> None:
        self.scope.states[label] = state

    def comment(self) -> Mapping[str, str]:
        told = self.step.members.get("Description") or self.step.members.get("DisplayName")
        return {"Comment": told} if isinstance(told, str) and told else {}

    def recorded(self, members: Mapping[str, str]) -> str:
        """The data with what is known of the step that has ended."""
        return braces(within("Steps", obj({self.step.name: obj(members)})))

    def caught(self) -> Mapping[str, Any]:
        return caught(self.step.name, self.scope)

    def failing(self, then: str | None = None) -> Mapping[str, Any]:
        """Where a state of it goes that fails: where others wait for that, as if it had not."""
        if self.step.name in self.shared.handled:
            return catching("Handled", self.step.name, self.scope, then or self.then)
        return self.caught()

    def lost(self, label: str, cause: str) -> str:
        """The last road of a Choice, a state of its own: ``cause`` is an object with the error and its cause."""
        handled = self.step.name in self.shared.handled
        self.put(
            label,
            {
                "Type": "Pass",
                "Output": noted("Handled" if handled else "Failed", self.step.name, self.scope, cause),
                "Next": self.then if handled else self.scope.failed,
            },
        )
        return label


def members_of(wanted: frozenset[str], result: str) -> dict[str, str]:
    """
    >>> members_of(frozenset({"ModelArtifacts"}), "$states.result")
    {'ModelArtifacts': '$states.result.ModelArtifacts'}
    """
    return {member: f"{result}.{name(member)}" for member in sorted(wanted)}
