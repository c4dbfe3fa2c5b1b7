"""A pipeline with the values that an execution is given in the place of its parameters, as far as they are known."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from mlops.ir import Block, Checked, Definition, Join, Parameter, Ref, Step, Value
from mlops.ir.local_files import names_a_file
from mlops.ir.values import Expression, transform


def filled(checked: Checked, values: Mapping[str, str]) -> Checked:
    """``values`` are those given, as text; defaults stand for the others. What is known of a parameter later stays what
    it is. Nothing of this is emitted or stored: it is judged."""
    known = dict(_known(checked.definition, values))

    def change(expression: Expression) -> Value:
        match expression:
            case Ref() if (path := expression.path) is not None and path.root == "Parameters" and not path.segments:
                return known.get(path.name, expression)
            case Join():
                parts = tuple(transform(value, change) for value in expression.values)
                if all(isinstance(part, str) for part in parts):
                    return expression.on.join(map(str, parts))
                return Join(expression.on, parts)
        return expression

    def of_step(step: Step) -> Step:
        return replace(
            step,
            arguments=transform(step.arguments, change),
            members={name: transform(value, change) for name, value in step.members.items()},
            blocks=tuple(Block(block.member, tuple(map(of_step, block.steps))) for block in step.blocks),
        )

    definition = checked.definition
    return replace(checked, definition=replace(definition, steps=tuple(map(of_step, definition.steps))))


def _known(definition: Definition, values: Mapping[str, str]) -> Mapping[str, Value]:
    found: dict[str, Value] = {}
    for parameter in definition.parameters:
        value = values.get(parameter.name)
        if value is not None and names_a_file(value, parameter.default):
            continue  # its place in S3 is not known yet
        if value is not None:
            found[parameter.name] = typed(parameter, value)
        elif parameter.has_default:
            found[parameter.name] = parameter.default
    return found


def typed(parameter: Parameter, text: str) -> Value:
    """A value that is given as text, as the document would have it."""
    try:
        match parameter.type:
            case "Integer":
                return int(text)
            case "Float":
                return float(text)
            case "Boolean":
                return text.lower() == "true"
    except ValueError:  # the account will say so
        pass
    return text
