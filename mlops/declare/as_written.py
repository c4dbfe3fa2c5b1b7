"""Parts of a definition in the document's own form, for what the language has no word for.

``mlops import`` falls back to these, so that any definition can be said in Python; nothing in them is checked before
the checker sees the document.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from mlops.declare.conditions import AsWritten, Condition
from mlops.declare.misuse import misuse, speaking_of
from mlops.declare.pipeline import add
from mlops.declare.references import AnyReference, PropertyReference, lower
from mlops.declare.shown import shown
from mlops.declare.source_line import author_line
from mlops.declare.unknown_names import behind_a_dot, told_arguments
from mlops.ir import Ref, Unknown, Value
from mlops.ir import Step as StepRecord
from mlops.ir.dataclass import dataclass
from mlops.ir.reader import read_step
from mlops.ir.values import expressions, to_json

if TYPE_CHECKING:
    from mlops.declare.lower import Lowering

__all__ = ["condition", "expression", "step"]

_FORMS = "docs/declare.md has the forms; a dictionary is written as the document has it"


class WrittenExpression(AnyReference):
    """An expression of the document, e.g. of a step that stands further down."""

    noun = "an expression"

    def __init__(self, value: Value) -> None:
        self._value = value

    def lower(self) -> Value:
        return self._value


@told_arguments
def expression(written: str | Mapping[str, Any]) -> AnyReference:
    """``expression("Steps.Train.TrainingJobName")``, or an object such as ``{"Std:JsonGet": {…}}``."""
    if isinstance(written, str):
        return WrittenExpression(Ref(written))
    if not isinstance(written, Mapping):
        misuse("D042", f"an expression is a string or an object of the document, not {shown(written)}", help=_FORMS)
        return WrittenExpression(Unknown())
    return WrittenExpression(lower(written))


@dataclass(frozen=True, eq=False)
class WrittenCondition(AsWritten):
    """A condition as the document has it."""

    document: Mapping[str, Any]

    def document_form(self) -> Value:
        return lower(self.document)


@told_arguments
def condition(written: Mapping[str, Any]) -> Condition:
    """``condition({"Type": "Equals", "LeftValue": 1, "RightValue": execution.start_time})``."""
    if not isinstance(written, Mapping):
        misuse("D042", f"a condition as written is an object of the document, not {shown(written)}", help=_FORMS)
    return WrittenCondition(written)


class WrittenStep:
    """A step as the document has it; ``arguments`` may hold steps, e.g. in ``IfSteps``."""

    def __init__(self, document: Mapping[str, Any]) -> None:
        self.where = author_line()
        self._document = document

    @property
    def name(self) -> str:
        named = self._document.get("Name")
        return named if isinstance(named, str) else ""

    def property(self, path: str) -> PropertyReference:
        """A member of what SageMaker answers about the step, by its path."""
        return PropertyReference(self.name, path)

    def record(self, lowering: Lowering) -> StepRecord:
        with speaking_of(self.where):
            value = lower(self._document)
        if not isinstance(value, Mapping) or any(isinstance(item, Unknown) for _, item in expressions(value)):
            return StepRecord(self.name, str(self._document.get("Type")), Unknown(), where=self.where)
        return read_step(to_json(value), self.where)

    def __repr__(self) -> str:
        return f"<step {self.name}>"


@told_arguments
def step(written: Mapping[str, Any]) -> WrittenStep:
    """``step({"Name": "Wait", "Type": "Sometime", "Arguments": {…}})``; joins the open block like any other step."""
    if not isinstance(written, Mapping):
        misuse("D042", f"a step as written is an object of the document, not {shown(written)}", help=_FORMS)
        written = {}
    made = WrittenStep(written)
    add(made)
    return made


behind_a_dot(__name__)
