"""Conditions as the document writes them.

It knows a top-level AND list, Or, Not and In, but neither And below the top nor NotEquals; :func:`lower` rewrites by
De Morgan: ``a & b`` inside Or or Not becomes ``Not(Or(Not a, Not b))``.
"""

from __future__ import annotations

from mlops.declare.conditions import All, Any, AsWritten, Comparison, Condition, Membership, Not, Poisoned
from mlops.declare.references import lower as lower_value
from mlops.ir import Unknown, Value


def lower(condition: Condition) -> tuple[Value, ...]:
    """The document's ``Conditions`` list, whose members are AND-ed."""
    if isinstance(condition, All):
        return tuple(item for part in condition.conditions for item in lower(part))
    return (_single(condition),)


def _single(condition: Condition) -> Value:
    match condition:
        case Poisoned():
            return Unknown()
        case AsWritten():
            return condition.document_form()
        case Comparison("NotEquals", left, right):
            return _not(_single(Comparison("Equals", left, right)))
        case Comparison(operator, left, right):
            return {"Type": operator, "LeftValue": lower_value(left), "RightValue": lower_value(right)}
        case Membership(query, choices):
            return {
                "Type": "In",
                "QueryValue": lower_value(query),
                "Values": tuple(lower_value(choice) for choice in choices),
            }
        case Not(All(conditions)):
            return _or(tuple(map(_opposite, conditions)))
        case Not(Comparison("NotEquals", left, right)):
            return _single(Comparison("Equals", left, right))
        case Not(inner):
            return _not(_single(inner))
        case All(conditions):
            return _not(_or(tuple(map(_opposite, conditions))))
        case Any(conditions):
            return _or(conditions)
    raise AssertionError(f"no lowering for {type(condition).__name__}")


def _or(conditions: tuple[Condition, ...]) -> Value:
    """Nested ``a | b | c`` reads as one list."""
    flat: list[Condition] = []
    for part in conditions:
        flat.extend(part.conditions if isinstance(part, Any) and not part.apart else (part,))
    return {"Type": "Or", "Conditions": tuple(_single(part) for part in flat)}


def _opposite(condition: Condition) -> Condition:
    return condition.condition if isinstance(condition, Not) else Not(condition)


def _not(condition: Value) -> Value:
    return {"Type": "Not", "Condition": condition}
