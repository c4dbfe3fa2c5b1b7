"""Run-time conditions, as they are said: comparisons of references, joined."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Literal, TypeAlias

from mlops.declare.misuse import misuse
from mlops.declare.other_uses import no_brackets, no_function
from mlops.declare.shown import Labelled, shown
from mlops.ir import Value
from mlops.ir.dataclass import dataclass

if TYPE_CHECKING:
    from mlops.declare.references import Reference

    Operand: TypeAlias = Reference | str | int | float | bool

__all__ = ["Condition", "all_of", "any_of", "compare", "is_in"]

Operator: TypeAlias = Literal["==", "!=", ">", ">=", "<", "<="]

_OPERATORS: Mapping[str, str] = {
    "==": "Equals",
    "!=": "NotEquals",
    ">": "GreaterThan",
    ">=": "GreaterThanOrEqualTo",
    "<": "LessThan",
    "<=": "LessThanOrEqualTo",
}


class Condition(Labelled):
    """Something that is true or false when the pipeline runs. Join with ``&``, ``|`` and ``~``."""

    @property
    def label(self) -> str:
        return "a condition"

    def __and__(self, other: Condition) -> Condition:
        return All((self, _condition(other, "&")))

    def __or__(self, other: Condition) -> Condition:
        return Any((self, _condition(other, "|")))

    def __invert__(self) -> Condition:
        return Not(self)

    def __bool__(self) -> bool:
        misuse(
            "D010",
            "a condition on references is decided when the pipeline runs; `and`, `or`, `not`, `if` and a chained "
            "comparison (a <= b <= c) decide here and now",
            help="write (a <= b) & (b <= c) for a chain; use & for and, | for or, ~ for not, `with when(...)` for if",
        )
        return True

    # Hidden from type checkers, so that they find what nobody can do with it.
    if not TYPE_CHECKING:

        def __call__(self, *_: object, **__: object) -> Condition:
            return no_function(self.label, _USED, self)

        __iter__ = None

        def __getitem__(self, key: object) -> Condition:
            return no_brackets(self.label, _USED, self)


_USED = "it is given to when: with when(rate > 0.5) as good: …"


@dataclass(frozen=True, eq=False)
class Comparison(Condition):
    """``operator`` is the document's Type, or NotEquals."""

    operator: str
    left: object
    right: object


@dataclass(frozen=True, eq=False)
class Membership(Condition):
    """``query`` is one of ``choices``."""

    query: object
    choices: tuple[object, ...]


@dataclass(frozen=True, eq=False)
class Not(Condition):
    """``~condition``."""

    condition: Condition


@dataclass(frozen=True, eq=False)
class All(Condition):
    """``a & b``."""

    conditions: tuple[Condition, ...]


@dataclass(frozen=True, eq=False)
class Any(Condition):
    """``a | b``; ``apart`` where it stays a list of its own inside another Or."""

    conditions: tuple[Condition, ...]
    apart: bool = False


class AsWritten(Condition):
    """A condition that knows its own form in the document."""

    def document_form(self) -> Value:
        raise NotImplementedError


class Poisoned(Condition):
    """Stands for a condition with a reported mistake; nothing more is said about it."""

    def __bool__(self) -> bool:
        return True


def any_of(*conditions: Condition) -> Condition:
    """True where one of ``conditions`` is; ``|`` over a list of them."""
    return Any(tuple(_condition(item, "any_of") for item in conditions), apart=True)


def all_of(*conditions: Condition) -> Condition:
    """True where all ``conditions`` are; ``&`` over a list of them."""
    return All(tuple(_condition(item, "all_of") for item in conditions))


def compare(left: Operand, operator: Operator, right: Operand) -> Condition:
    """``left operator right``, also where the left side is no reference: ``compare(0.5, "<", rate)`` stays as written,
    where ``0.5 < rate`` becomes ``rate > 0.5``."""
    if operator not in _OPERATORS:
        misuse("D011", f"{operator!r} is no comparison", help=f"one of {', '.join(_OPERATORS)}")
        return Poisoned()
    return Comparison(_OPERATORS[operator], left, right)


def is_in(value: Operand, *choices: Operand) -> Condition:
    """True where ``value``, a reference or not, is one of ``choices``; for a reference also ``value.in_(…)``."""
    return Membership(value, choices)


def _condition(other: object, operator: str) -> Condition:
    if isinstance(other, Condition):
        return other
    misuse(
        "D011",
        f"{operator} joins conditions; this is {shown(other)}",
        help="compare the value first, in parentheses: (a > 1) & (b == 2); & and | bind tighter than comparisons",
    )
    return Poisoned()
