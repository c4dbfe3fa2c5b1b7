"""Conditions of Condition steps."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from math import inf

from mlops.check import expressions, properties
from mlops.check.nearest import did_you_mean
from mlops.check.rule import Fault, rule
from mlops.check.shapes import is_expression_attempt, shown
from mlops.check.subject import Subject
from mlops.ir import Join, JsonGet, Placed, Ref, Severity, Unknown, Value
from mlops.ir.dataclass import dataclass
from mlops.ir.values import pointer

_ORDERINGS = ("GreaterThan", "GreaterThanOrEqualTo", "LessThan", "LessThanOrEqualTo")
_MEMBERS: Mapping[str, tuple[str, ...]] = {
    "Equals": ("LeftValue", "RightValue"),
    **dict.fromkeys(_ORDERINGS, ("LeftValue", "RightValue")),
    "In": ("QueryValue", "Values"),
    "Not": ("Condition",),
    "Or": ("Conditions",),
}
_BLOCKS = ("IfSteps", "ElseSteps")


@dataclass(frozen=True, slots=True)
class _Condition:
    at: str
    value: Value
    placed: Placed


def _conditions(subject: Subject) -> Iterator[_Condition]:
    """Every condition, however nested, without recursion."""
    for placed, arguments in subject.of_type("Condition"):
        listed = arguments.get("Conditions")
        start = f"{placed.pointer}/Arguments/Conditions"
        stack = [
            _Condition(f"{start}/{index}", item, placed)
            for index, item in enumerate(listed if isinstance(listed, tuple) else ())
        ]
        while stack:
            current = stack.pop()
            yield current
            if not isinstance(current.value, Mapping):
                continue
            inner = current.value.get("Conditions")
            stack.extend(
                _Condition(f"{current.at}/Conditions/{index}", item, placed)
                for index, item in enumerate(inner if isinstance(inner, tuple) else ())
            )
            if isinstance(current.value.get("Condition"), Mapping):
                stack.append(_Condition(f"{current.at}/Condition", current.value["Condition"], placed))


@rule("C601", "condition-arguments", Severity.ERROR, source="official SDK's condition_step")
def condition_arguments(subject: Subject) -> Iterator[Fault]:
    """A Condition's Arguments are Conditions (a list, not empty), IfSteps and ElseSteps (lists of steps).

    Bad:  {"Conditions": [], "IfSteps": [...]}
    Good: {"Conditions": [{"Type": "Equals", ...}], "IfSteps": [...], "ElseSteps": []}
    """
    for placed, arguments in subject.of_type("Condition"):
        at = f"{placed.pointer}/Arguments"
        held = {block.member: block for block in placed.step.blocks}
        for name in arguments:
            if name not in ("Conditions", *_BLOCKS):
                message = f"a Condition has no argument {name!r}"
                yield Fault(at + pointer(name), message, did_you_mean(name, ("Conditions", *_BLOCKS)), placed)
        listed = arguments.get("Conditions")
        if "Conditions" not in arguments:
            yield Fault(f"{at}/Conditions", "the step has no Conditions", "add them", placed)
        elif not isinstance(listed, tuple | Unknown):
            yield Fault(f"{at}/Conditions", f"Conditions is {shown(listed)}, a list is wanted", None, placed)
        elif listed == ():
            yield Fault(f"{at}/Conditions", "Conditions is empty", "add one", placed)
        for name in _BLOCKS:
            if name in arguments and not isinstance(arguments[name], Unknown):
                yield Fault(f"{at}/{name}", f"{name} is {shown(arguments[name])}, a list is wanted", None, placed)
        if not any(held[name].steps for name in _BLOCKS if name in held):
            message = "neither branch has a step"
            yield Fault(at, message, "add IfSteps or ElseSteps", placed, severity=Severity.WARNING)


@rule(
    "C602",
    "malformed-condition",
    Severity.ERROR,
    source="official SDK's conditions; \"unknown property 'Expression'\" (sdk#2746)",
)
def malformed_condition(subject: Subject) -> Iterator[Fault]:
    """A condition of an unknown Type, or with other members than its Type has.

    Equals and the four orderings have LeftValue and RightValue, In has QueryValue and Values, Not has Condition, Or has
    Conditions. There is no And (the list itself is one) and no NotEquals.

    Bad:  {"Type": "Not", "Expression": {...}}
    Good: {"Type": "Not", "Condition": {...}}
    """
    for condition in _conditions(subject):
        at, value, placed = condition.at, condition.value, condition.placed
        if isinstance(value, Unknown):
            continue
        if not isinstance(value, Mapping):
            yield Fault(at, f"{shown(value)} is no condition", None, placed)
            continue
        kind = value.get("Type")
        if isinstance(kind, Unknown):
            continue
        if not isinstance(kind, str) or kind not in _MEMBERS:
            message = f"{shown(kind)} is no condition type" if "Type" in value else "the condition has no Type"
            help_text = did_you_mean(kind, _MEMBERS) if isinstance(kind, str) else None
            help_text = "wrap an Equals in a Not" if kind == "NotEquals" else help_text
            yield Fault(f"{at}/Type", message, help_text, placed)
            continue
        known = _MEMBERS[kind]
        for name in known:
            if name not in value:
                yield Fault(f"{at}/{name}", f"{kind} has no {name}", f"add {name}", placed)
        for name in value:
            if name not in known and name != "Type":
                yield Fault(at + pointer(name), f"{kind} has no member {name!r}", did_you_mean(name, known), placed)
        for name in ("Conditions", "Values"):
            if name in known and name in value:
                listed = value[name]
                if not isinstance(listed, tuple | Unknown):
                    yield Fault(f"{at}/{name}", f"{name} is {shown(listed)}, a list is wanted", None, placed)
                elif listed == ():
                    yield Fault(f"{at}/{name}", f"{name} is empty", "add one", placed)
        if kind == "Not" and "Condition" in value and not isinstance(value["Condition"], Mapping | Unknown):
            message = f"Condition is {shown(value['Condition'])}, one condition is wanted"
            yield Fault(f"{at}/Condition", message, None, placed)


def _operands(condition: _Condition) -> Iterator[tuple[str, Value]]:
    value = condition.value
    if not isinstance(value, Mapping):
        return
    for name in ("LeftValue", "RightValue", "QueryValue"):
        if name in value:
            yield f"{condition.at}/{name}", value[name]
    listed = value.get("Values")
    for index, item in enumerate(listed if isinstance(listed, tuple) else ()):
        yield f"{condition.at}/Values/{index}", item


def _kind(subject: Subject, value: Value) -> str | None:
    match value:
        case bool():
            return "Boolean"
        case str():
            return "String"
        case int():
            return "Integer"
        case float():
            return "Float"
        case Ref() | Join() | JsonGet() | Unknown():
            return expressions.kind_of(subject, value)
    return None


@rule(
    "C603", "condition-operand", Severity.ERROR, source="official SDK's conditions: operands are scalars or expressions"
)
def condition_operand(subject: Subject) -> Iterator[Fault]:
    """An operand is null, an object or a list, or reads something that is no single value.

    Bad:  "RightValue": null
    Good: "RightValue": 0.8
    """
    for condition in _conditions(subject):
        for at, value in _operands(condition):
            if value is None or isinstance(value, tuple):
                yield Fault(at, f"{shown(value)} as an operand", "compare a single value", condition.placed)
            elif isinstance(value, Mapping) and not is_expression_attempt(value):
                yield Fault(at, "an object as an operand", "compare a single value", condition.placed)
            elif isinstance(value, Ref) and _kind(subject, value) in ("structure", "list", "map"):
                message = f"{value.expression} is a {_kind(subject, value)}, no single value"
                yield Fault(f"{at}/Get", message, "name one of its members", condition.placed)


def _group(kind: str | None) -> str | None:
    return "Number" if kind in ("Integer", "Float") else kind


@rule(
    "C604",
    "condition-operand-types",
    Severity.WARNING,
    source="official SDK's local mode fails such a step; the service's coercion is not documented",
)
def condition_operand_types(subject: Subject) -> Iterator[Fault]:
    """Operands of types that cannot be equal, or an ordering of values that have none.

    Bad:  {"Type": "Equals", "LeftValue": {"Get": "Parameters.Count"}, "RightValue": "3"}
    Good: {"Type": "Equals", "LeftValue": {"Get": "Parameters.Count"}, "RightValue": 3}
    """
    for condition in _conditions(subject):
        value, placed = condition.value, condition.placed
        if not isinstance(value, Mapping):
            continue
        if value.get("Type") in _ORDERINGS:
            for at, operand in _operands(condition):
                if _kind(subject, operand) == "Boolean":
                    yield Fault(at, "true and false have no order", "use Equals", placed)
                elif _is_text_parameter(subject, operand) and _reads_file(value):
                    message = "orders what a file says by a parameter of type String"
                    yield Fault(f"{at}/Get", message, "make the parameter a Float or an Integer", placed)
                elif _is_text_parameter(subject, operand) and _other_is_text(value, operand):
                    message = "texts are ordered by their letters, if at all"
                    yield Fault(f"{at}/Get", message, "use Equals or In, or compare numbers", placed)
                elif isinstance(operand, str) and _is_number(operand) and _reads_file(value):
                    yield Fault(at, f"orders by the text {shown(operand)}", "write the number", placed)
        yield from _unlike(subject, condition)


def _unlike(subject: Subject, condition: _Condition) -> Iterator[Fault]:
    """Operands of types that are known and never compare."""
    operands = [*_operands(condition)]
    left_kind = _group(_kind(subject, operands[0][1])) if operands else None
    for at, operand in operands[1:]:
        kind = _group(_kind(subject, operand))
        scalars = ("String", "Number", "Boolean")
        is_time = {kind, left_kind} in ({"DateTime", "Number"}, {"DateTime", "Boolean"})
        if is_time or (kind in scalars and left_kind in scalars and kind != left_kind):
            # Outcome and other texts that the service compares with a truth value stay out: they are untyped.
            message = f"compares a {left_kind} with a {kind}"
            yield Fault(at, message, "compare values of one type", condition.placed)


def unlike_operands(subject: Subject) -> Iterator[Fault]:
    """Of C604 what fails a step of a local run whenever it is evaluated. A list that something is to be in may hold
    anything."""
    for condition in _conditions(subject):
        if isinstance(condition.value, Mapping) and condition.value.get("Type") != "In":
            yield from _unlike(subject, condition)


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _other_is_text(condition: Mapping[str, Value], operand: Value) -> bool:
    """Whether the other side is a text, and no date."""
    others = [condition.get(side) for side in ("LeftValue", "RightValue") if condition.get(side) is not operand]
    return bool(others) and all(isinstance(other, str) and not other[:4].isdigit() for other in others)


def _is_text_parameter(subject: Subject, operand: Value) -> bool:
    is_parameter = isinstance(operand, Ref) and operand.path is not None and operand.path.root == "Parameters"
    return is_parameter and _kind(subject, operand) == "String"


def _reads_file(condition: Mapping[str, Value]) -> bool:
    return any(isinstance(condition.get(side), JsonGet) for side in ("LeftValue", "RightValue"))


def _choices(subject: Subject, value: Value) -> tuple[str, tuple[Value, ...]] | None:
    path = value.path if isinstance(value, Ref) else None
    if path is None or path.root != "Parameters" or path.segments or path.name not in subject.parameters:
        return None
    choices = subject.parameters[path.name].parameter.members.get("EnumValues")
    return (path.name, choices) if isinstance(choices, tuple) and choices else None


def _answers(subject: Subject, value: Value) -> tuple[str, tuple[Value, ...]] | None:
    """What a step's property can be, where the service has a closed list of it."""
    path = value.path if isinstance(value, Ref) else None
    placed = subject.by_name.get(path.name) if path is not None and path.root == "Steps" else None
    if path is None or placed is None:
        return None
    if placed.step.type == "Condition" and path.segments == ("Outcome",):
        return f"{path.name}'s Outcome", ("True", "False", True, False)
    found = properties.read(subject, path)
    shape = None if isinstance(found, properties.Dead) else found.shape
    choices = shape.raw.get("enum") if shape is not None else None
    return (str(path.segments[-1]), tuple(choices)) if choices else None


@rule(
    "C605", "impossible-choice", Severity.WARNING, source="follows from EnumValues; botocore: what the service answers"
)
def impossible_choice(subject: Subject) -> Iterator[Fault]:
    """A parameter is compared with a value that its EnumValues do not allow, or what the service says of a step with a
    word that it does not say.

    Bad:  Stage (of dev, prod) Equals "production"
    Good: Stage Equals "prod"
    """
    for condition in _conditions(subject):
        value = condition.value
        if not isinstance(value, Mapping) or value.get("Type") not in ("Equals", "In"):
            continue
        operands = list(_operands(condition))
        for _, operand in operands:
            found = _choices(subject, operand) or _answers(subject, operand)
            if found is None:
                continue
            for at, other in operands:
                if isinstance(other, str | int | float) and other not in found[1]:
                    choices = [choice for choice in found[1] if isinstance(choice, str)]
                    message = f"{found[0]} can never be {shown(other)}"
                    yield Fault(at, message, did_you_mean(shown(other), choices), condition.placed)


@rule("C606", "constant-condition", Severity.WARNING, source="follows from the document")
def constant_condition(subject: Subject) -> Iterator[Fault]:
    """A comparison of two literals, or with all that a parameter can be: one branch never runs.

    Bad:  {"Type": "Equals", "LeftValue": 1, "RightValue": 1}
    Good: {"Type": "Equals", "LeftValue": {"Get": "Parameters.Mode"}, "RightValue": 1}
    """
    for condition in _conditions(subject):
        operands = list(_operands(condition))
        name = _all_named(subject, condition.value, [operand for _, operand in operands])
        if name is not None:
            message = f"these are all the values that {name} can have"
            yield Fault(condition.at, message, "leave the condition out, or some of the values", condition.placed)
        if len(operands) > 1 and all(isinstance(operand, str | int | float) for _, operand in operands):
            yield Fault(
                condition.at,
                "both sides are fixed, so this is always decided the same way",
                "compare a parameter or an output",
                condition.placed,
            )
            continue
        values = [operand for _, operand in operands]
        if len(values) == 2 and isinstance(values[0], Ref | Join | JsonGet) and values[0] == values[1]:
            yield Fault(condition.at, "compares a value with itself", "compare two values", condition.placed)


def _all_named(subject: Subject, condition: Value, operands: list[Value]) -> str | None:
    """The parameter of which an In lists all choices."""
    if not isinstance(condition, Mapping) or condition.get("Type") != "In" or not operands:
        return None
    found = _choices(subject, operands[0])
    return found[0] if found is not None and all(choice in operands[1:] for choice in found[1]) else None


@rule("C607", "repeated-condition", Severity.WARNING, source="follows from the document: the list is joined by and")
def repeated_condition(subject: Subject) -> Iterator[Fault]:
    """A condition stands twice in a list, or beside its own Not: then the first branch never runs, or of an Or always.

    Bad:  two times {"Type": "Equals", "LeftValue": {"Get": "Parameters.Stage"}, "RightValue": "prod"}
    Good: one of them
    """
    for placed, arguments in subject.of_type("Condition"):
        start = f"{placed.pointer}/Arguments/Conditions"
        stack = [(start, arguments.get("Conditions"))]
        while stack:
            at, listed = stack.pop()
            seen: list[Value] = []
            for index, item in enumerate(listed if isinstance(listed, tuple) else ()):
                if not isinstance(item, Mapping):
                    continue
                other = item.get("Condition") if item.get("Type") == "Not" else {"Type": "Not", "Condition": item}
                if item in seen:
                    yield Fault(f"{at}/{index}", "this condition stands twice", "remove it", placed)
                elif other in seen:
                    message = "this condition and its opposite stand in one list"
                    yield Fault(f"{at}/{index}", message, "remove one of them", placed)
                seen.append(item)
                stack.append((f"{at}/{index}/Conditions", item.get("Conditions")))


@rule("C608", "bounds-that-exclude", Severity.WARNING, source="follows from the document: the list is joined by and")
def bounds_that_exclude(subject: Subject) -> Iterator[Fault]:
    """Conditions that all have to hold leave no number: the first branch never runs.

    Bad:  the error LessThan 6.0 and the same GreaterThan 9.0
    Good: the error LessThan 6.0 and the same GreaterThan 0.0
    """
    for placed, arguments in subject.of_type("Condition"):
        listed = arguments.get("Conditions")
        seen: list[tuple[Value, str, float]] = []
        for index, item in enumerate(listed if isinstance(listed, tuple) else ()):
            bound = _bound(item) if isinstance(item, Mapping) else None
            if bound is None:
                continue
            for value, kind, number in seen:
                if value == bound[0] and _excludes(kind, number, bound[1], bound[2]):
                    at = f"{placed.pointer}/Arguments/Conditions/{index}"
                    message = f"no value is {bound[1]} {bound[2]:g} and {kind} {number:g}"
                    yield Fault(at, message, "put one of them into an Or, or mend a bound", placed)
            seen.append(bound)


def _bound(item: Mapping[str, Value]) -> tuple[Value, str, float] | None:
    """What is compared, how, and with which number."""
    kind, left, right = item.get("Type"), item.get("LeftValue"), item.get("RightValue")
    if not isinstance(kind, str) or kind not in ("Equals", *_ORDERINGS):
        return None
    if not isinstance(right, int | float) or isinstance(right, bool) or not isinstance(left, Ref | JsonGet | Join):
        return None
    return left, kind, right


def _excludes(kind: str, number: float, other: str, limit: float) -> bool:
    (low, low_open, high, high_open), (low2, low2_open, high2, high2_open) = (
        _interval(kind, number),
        _interval(other, limit),
    )
    bottom, bottom_open = max((low, low_open), (low2, low2_open))
    top, top_closed = min((high, not high_open), (high2, not high2_open))
    return bottom > top or (bottom == top and (bottom_open or not top_closed))


def _interval(kind: str, number: float) -> tuple[float, bool, float, bool]:
    """From where, whether that is left out, to where, whether that is left out."""
    return {
        "Equals": (number, False, number, False),
        "GreaterThan": (number, True, inf, False),
        "GreaterThanOrEqualTo": (number, False, inf, False),
        "LessThan": (-inf, False, number, True),
        "LessThanOrEqualTo": (-inf, False, number, False),
    }[kind]
