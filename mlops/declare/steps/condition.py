"""Condition: which of two branches runs. Written as ``with when(…)``."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import TYPE_CHECKING, Any

from mlops.declare.condition_lowering import lower
from mlops.declare.conditions import Condition, Poisoned
from mlops.declare.members import without_none
from mlops.declare.misuse import is_told_at, misuse, speaking_of
from mlops.declare.other_uses import no_block, no_brackets, no_function
from mlops.declare.pipeline import BlockMember, add, inside
from mlops.declare.references import Poison, PropertyReference
from mlops.declare.shown import Labelled, shown
from mlops.declare.source_line import author_line
from mlops.declare.steps.base import After, Step, dependency
from mlops.declare.unknown_attributes import among, unknown_attribute
from mlops.declare.unknown_names import told_arguments
from mlops.ir import Block, Edit, StepType, Unknown, Value
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
                message = f"when: {what} should be a string; it is {shown(given)}"
                misuse("D042", message, help=f'write {what}="…"', where=self.where)
        self.given_name = name if isinstance(name, str) else None
        self.display_name = display_name if isinstance(display_name, str) else None
        self.description = description if isinstance(description, str) else None
        self.after = self._dependencies(after)
        # `rate in [1, 2]` and the like were told where they became True.
        decided = isinstance(condition, bool) and is_told_at(self.where)
        self.condition = Poisoned() if decided or isinstance(condition, Poison) else condition
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
                f"when takes a condition on references, not {shown(self.condition)}",
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
            message = f"when: after should be a list of steps; it holds {shown(strange[0])}"
        else:
            message = f"when: after should be a list of steps; it is {shown(after)}"
        misuse("D042", message, help='write after=[train], or after=["Train"]', where=self.where)
        return ()

    def __repr__(self) -> str:
        return f"<Condition {self.name}>"

    # Hidden from type checkers, so that they find what nobody can do with it.
    if not TYPE_CHECKING:

        def __call__(self, *_: object, **__: object) -> Poison:
            return no_function(f"the condition {self.name}", _OUTCOME, Poison())

        __iter__ = None

        def __getitem__(self, key: object) -> Poison:
            return no_brackets(f"the condition {self.name}", _OUTCOME, Poison())

        def __getattr__(self, name: str) -> Any:
            if name.startswith("_") or "given_name" not in vars(self):
                raise AttributeError(name)
            message = f"the condition {self.name} has no {name}"
            return unknown_attribute(name, message, help=_OUTCOME, instead=Poison())


_OUTCOME = "here it is outcome: True or False, as text, when the pipeline runs"
_OF_A_BRANCH = (
    "a step made inside has a variable of its own; the other side is otherwise(), what was decided is step.outcome"
)


class Branch(Labelled):
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

    @property
    def label(self) -> str:
        return f"the branch {self._step.name}"

    # Hidden from type checkers, so that they find an attribute that is not there.
    if not TYPE_CHECKING:

        def __call__(self, *_: object, **__: object) -> Poison:
            return no_function(self.label, _OF_A_BRANCH, Poison())

        __iter__ = None

        def __getitem__(self, key: object) -> Poison:
            return no_brackets(self.label, _OF_A_BRANCH, Poison())

        def __enter__(self) -> Branch:
            no_block(self.label, "its other side is one: with good.otherwise(): …")
            return self

        def __exit__(self, *_: object) -> None:
            return

        def __getattr__(self, name: str) -> Any:
            if name.startswith("_"):
                raise AttributeError(name)
            help, edit = among(name, ("otherwise", "step"))
            if name.startswith(("else", "or_else", "orelse")):
                help, edit = "here it is called otherwise", Edit(name, "otherwise")
            elif name in ("outcome", "properties", "result"):
                help, edit = "here it is step.outcome", None
            instead = self.otherwise if edit and edit.new == "otherwise" else Poison()
            return unknown_attribute(name, f"{self.label} has no {name}", help=help, edit=edit, instead=instead)


class _Opening(AbstractContextManager[Branch], Labelled):
    """What ``when`` gives: a block to be opened. The step is made when it is."""

    def __init__(self, make: Callable[[], ConditionStep]) -> None:
        self._make = make

    def __enter__(self) -> Branch:
        step = self._make()
        add(step)
        self._inside = inside(step.if_steps)
        self._inside.__enter__()
        return Branch(step)

    def __exit__(self, *raised: Any) -> None:
        self._inside.__exit__(*raised)

    @property
    def label(self) -> str:
        return "what when(…) gives"

    # Hidden from type checkers, so that they find an attribute that is not there.
    if not TYPE_CHECKING:

        def __getattr__(self, name: str) -> Any:
            if name.startswith("_"):
                raise AttributeError(name)
            help = "open the block first: with when(…) as good: … with good.otherwise(): …"
            return unknown_attribute(name, f"{self.label} has no {name}", help=help, instead=Poison())


@told_arguments
def when(
    condition: Condition | bool,
    name: str | None = None,
    *,
    display_name: str | None = None,
    description: str | None = None,
    after: Sequence[Step | str | After] = (),
) -> AbstractContextManager[Branch]:
    """Steps made inside run only where ``condition`` holds; it is decided after the steps ``after``. A ``bool`` is
    what a type checker takes a comparison of a step function's result for; one that is known already is a mistake.

    The service wants a name for the Condition step; without ``name`` it is ``When`` plus the first step inside.
    """
    return _Opening(lambda: ConditionStep(condition, name, display_name, description, after))
