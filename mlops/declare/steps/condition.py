"""Condition: which of two branches runs. Written as ``with when(…)``."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from mlops.declare.condition_lowering import lower
from mlops.declare.conditions import Condition
from mlops.declare.members import without_none
from mlops.declare.misuse import misuse, speaking_of
from mlops.declare.pipeline import BlockMember, add, inside
from mlops.declare.references import PropertyReference
from mlops.declare.source_line import author_line
from mlops.declare.steps.base import After, Step, dependency
from mlops.ir import Block, StepType, Unknown, Value
from mlops.ir import Step as StepRecord

if TYPE_CHECKING:
    from mlops.declare.lower import Lowering

__all__ = ["Branch", "when"]

STEP_TYPE = StepType(
    type="Condition",
    response=None,
    extra_response={"Outcome": None},
    blocks=("IfSteps", "ElseSteps"),
    action="condition",
    dependable=False,
    permissions=(),
)


class ConditionStep:
    """The step behind ``when``. It joins its block before its branches are filled, so it is no ordinary constructor."""

    step_type = STEP_TYPE

    def __init__(
        self,
        condition: Condition | bool,
        name: str | None,
        display_name: str | None = None,
        description: str | None = None,
        after: Sequence[Step | str | After] = (),
    ) -> None:
        self.where = author_line()
        for what, given in (("name", name), ("display_name", display_name), ("description", description)):
            if given is not None and not isinstance(given, str):
                misuse("D042", f"when: {what} should be a string; it is {given!r}", where=self.where)
        self.given_name = name if isinstance(name, str) else None
        self.display_name = display_name if isinstance(display_name, str) else None
        self.description = description if isinstance(description, str) else None
        self.after = self._dependencies(after)
        self.condition = condition
        self.if_steps: list[BlockMember] = []
        self.else_steps: list[BlockMember] = []

    @property
    def name(self) -> str:
        if self.given_name is not None:
            return self.given_name
        if self.if_steps:
            return f"When{self.if_steps[0].name}"
        return f"Unless{self.else_steps[0].name}" if self.else_steps else "When"

    @property
    def outcome(self) -> PropertyReference:
        """``True`` or ``False``, as the service writes them."""
        return PropertyReference(self.name, "Outcome")

    def record(self, lowering: Lowering) -> StepRecord:
        conditions: tuple[Value, ...] = (Unknown(),)
        if isinstance(self.condition, Condition):
            with speaking_of(self.where):
                try:
                    conditions = lower(self.condition)
                except RecursionError:
                    misuse("D004", f"the condition of {self.name} is nested too deeply")
        else:
            misuse(
                "D012",
                f"when takes a condition on references, not {self.condition!r}",
                help="compare a reference with something: when(evaluate.reports['quality']['accuracy'] >= 0.8)",
                where=self.where,
            )
        return StepRecord(
            name=self.name,
            type=STEP_TYPE.type,
            arguments={"Conditions": conditions},
            members=without_none(
                {"DisplayName": self.display_name, "Description": self.description, "DependsOn": self.after or None}
            ),
            blocks=(
                Block("IfSteps", lowering.steps(self.if_steps)),
                Block("ElseSteps", lowering.steps(self.else_steps)),
            ),
            where=self.where,
        )

    def _dependencies(self, after: Sequence[Step | str | After]) -> tuple[Value, ...]:
        if isinstance(after, Sequence) and not isinstance(after, str):
            strange = [item for item in after if not isinstance(item, Step | str | After)]
            if not strange:
                return tuple(dependency(item) for item in after)
            message = f"when: after should be a list of steps; it holds {strange[0]!r}"
        else:
            message = f"when: after should be a list of steps; it is {after!r}"
        misuse("D042", message, where=self.where)
        return ()

    def __repr__(self) -> str:
        return f"<Condition {self.name}>"


class Branch:
    """What ``with when(…) as branch`` gives: the other side hangs on it."""

    def __init__(self, step: ConditionStep) -> None:
        self._step = step

    @contextmanager
    def otherwise(self) -> Iterator[None]:
        """Steps made inside run where the condition is false."""
        with inside(self._step.else_steps):
            yield

    @property
    def step(self) -> ConditionStep:
        """The Condition step, e.g. for its ``outcome``."""
        return self._step


@contextmanager
def when(
    condition: Condition | bool,
    name: str | None = None,
    *,
    display_name: str | None = None,
    description: str | None = None,
    after: Sequence[Step | str | After] = (),
) -> Iterator[Branch]:
    """Steps made inside run only where ``condition`` holds; it is decided after the steps ``after``. A ``bool`` is
    what a type checker takes a comparison of a step function's result for; one that is known already is a mistake.

    The service wants a name for the Condition step; without ``name`` it is ``When`` plus the first step inside.
    """
    step = ConditionStep(condition, name, display_name, description, after)
    add(step)
    with inside(step.if_steps):
        yield Branch(step)
