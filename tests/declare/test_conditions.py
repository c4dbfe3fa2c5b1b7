"""Conditions lower to what the document can say, and mean the same: truth tables over random formulas."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any as Anything

from hypothesis import given
from hypothesis import strategies as st

from mlops.declare.condition_lowering import lower
from mlops.declare.conditions import All, Any, Condition, Not
from mlops.declare.parameters import IntegerParameter
from mlops.ir.values import to_json

NAMES = ("a", "b", "c")
PARAMETERS = {name: IntegerParameter(name, 0, None, None) for name in NAMES}

atoms = st.sampled_from(NAMES).flatmap(
    lambda name: st.sampled_from(
        [PARAMETERS[name] == 1, PARAMETERS[name] != 1, PARAMETERS[name] >= 1, PARAMETERS[name].in_(1, 2)]
    )
)
formulas = st.recursive(
    atoms,
    lambda inner: st.one_of(
        inner.map(lambda one: ~one),
        st.tuples(inner, inner).map(lambda two: two[0] & two[1]),
        st.tuples(inner, inner).map(lambda two: two[0] | two[1]),
    ),
    max_leaves=8,
)


def meaning(condition: Condition, values: Mapping[str, int]) -> bool:
    """What the author's formula says."""
    match condition:
        case Not(inner):
            return not meaning(inner, values)
        case All(parts):
            return all(meaning(part, values) for part in parts)
        case Any(parts):
            return any(meaning(part, values) for part in parts)
    return document_meaning(to_json(lower(condition))[0], values)


def document_meaning(written: Anything, values: Mapping[str, int]) -> bool:
    """What the document says, by SageMaker's condition types."""

    def value(operand: Anything) -> Anything:
        return values[operand["Get"].removeprefix("Parameters.")] if isinstance(operand, dict) else operand

    match written["Type"]:
        case "Equals":
            return bool(value(written["LeftValue"]) == value(written["RightValue"]))
        case "GreaterThanOrEqualTo":
            return bool(value(written["LeftValue"]) >= value(written["RightValue"]))
        case "In":
            return value(written["QueryValue"]) in written["Values"]
        case "Not":
            return not document_meaning(written["Condition"], values)
        case "Or":
            return any(document_meaning(part, values) for part in written["Conditions"])
    raise AssertionError(written)


@given(formulas, st.fixed_dictionaries({name: st.integers(0, 2) for name in NAMES}))
def test_lowering_keeps_the_meaning(formula: Condition, values: dict[str, int]) -> None:
    written = to_json(lower(formula))
    assert all(document_meaning(part, values) for part in written) == meaning(formula, values)


@given(formulas)
def test_the_document_has_only_types_that_the_service_knows(formula: Condition) -> None:
    stack = list(to_json(lower(formula)))
    while stack:
        part = stack.pop()
        assert part["Type"] in {"Equals", "GreaterThanOrEqualTo", "In", "Not", "Or"}
        stack.extend(part.get("Conditions", []))
        stack.extend([part["Condition"]] if "Condition" in part else [])


def test_and_at_the_top_is_a_list() -> None:
    a, b = PARAMETERS["a"], PARAMETERS["b"]
    assert [part["Type"] for part in to_json(lower((a > 1) & (b < 2) & (a <= 3)))] == [
        "GreaterThan",
        "LessThan",
        "LessThanOrEqualTo",
    ]


def test_a_literal_on_the_left_turns_the_comparison_round() -> None:
    assert to_json(lower(5 <= PARAMETERS["a"])) == [
        {"Type": "GreaterThanOrEqualTo", "LeftValue": {"Get": "Parameters.a"}, "RightValue": 5}
    ]
