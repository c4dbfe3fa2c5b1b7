"""A program's lines, and which of them make which parameter or step."""

from __future__ import annotations

import ast
import builtins
from collections.abc import Iterable, Sequence

from mlops.emit.python.expressions import Scope
from mlops.emit.python.source import Node, Text, assignment, joined, lines, string
from mlops.ir.dataclass import dataclass


@dataclass(frozen=True, slots=True)
class Statement:
    """``place`` is the pointer of the parameter or step that it makes; ``before`` are variables that it wants."""

    place: str
    variable: str
    value: Node
    before: Sequence[tuple[str, Node]] = ()


@dataclass(frozen=True, slots=True)
class With:
    """A step with others inside; ``last`` is said at their end."""

    place: str
    variable: str
    value: Node
    then: Sequence[Statement | With]
    otherwise: Sequence[Statement | With] = ()
    last: Node | None = None


@dataclass(frozen=True, slots=True)
class Program:
    """``header`` opens the pipeline; ``scope`` knows what is used; ``seed`` is the parameter that is the seed."""

    name: str
    header: Node
    parameters: Sequence[Statement]
    steps: Sequence[Statement | With]
    scope: Scope
    seed: str | None = None


def printed(program: Program) -> tuple[str, list[tuple[int, int, str]]]:
    """The source, and (first line, last line, pointer) of what it makes."""
    scope = program.scope
    constants = [
        line
        for text, name in scope.constants.items()
        if name in scope.used
        for line in assignment(name, Text(string(text)))
    ]
    written = ["", *constants, ""] if constants else [""]
    written += lines(program.header, 0, "with ", " as pipeline:" if program.parameters else ":")
    places: list[tuple[int, int, str]] = []
    for statement in program.parameters:
        _print(statement, 4, scope, written, places)
    if program.seed is not None:
        written.append(f"    pipeline.seed = {program.seed}")
    if program.parameters and program.steps:
        written.append("")
    _print_block(program.steps, 4, scope, written, places)
    if not program.parameters and not program.steps:
        written.append("    pass")
    above = [f'"""The pipeline {program.name}."""', "", *_imports(written)]
    moved = [(first + len(above), last + len(above), place) for first, last, place in places]
    return joined([*above, *written]), moved


def _imports(written: Sequence[str]) -> list[str]:
    """What the program names and does not make, but for Python's own."""
    nodes = {node for node in ast.walk(ast.parse(joined(written))) if isinstance(node, ast.Name)}
    made = {node.id for node in nodes if isinstance(node.ctx, ast.Store)}
    found = {node.id for node in nodes} - made - set(dir(builtins))
    return import_lines(found)


def import_lines(found: Iterable[str]) -> list[str]:
    """As isort has them: constants, classes, functions."""
    names = sorted(found, key=lambda name: (not name.isupper(), name[0].islower(), name.lower(), name))
    one = f"from mlops import {', '.join(names)}"
    if len(one) <= 120:
        return [one]
    return ["from mlops import (", *(f"    {name}," for name in names), ")"]


def _print_block(
    statements: Sequence[Statement | With],
    indent: int,
    scope: Scope,
    written: list[str],
    places: list[tuple[int, int, str]],
) -> None:
    for index, statement in enumerate(statements):
        if index:
            written.append("")
        _print(statement, indent, scope, written, places)


def _print(
    statement: Statement | With, indent: int, scope: Scope, written: list[str], places: list[tuple[int, int, str]]
) -> None:
    first = len(written) + 1
    if isinstance(statement, Statement):
        for variable, value in statement.before:
            written += assignment(variable, value, indent)
        if statement.variable in scope.used:
            written += assignment(statement.variable, statement.value, indent)
        else:
            written += lines(statement.value, indent)
        places.append((first, len(written), statement.place))
        return
    named = f" as {statement.variable}" if statement.otherwise or statement.variable in scope.used else ""
    written += lines(statement.value, indent, "with ", f"{named}:")
    places.append((first, len(written), statement.place))
    deeper = indent + 4
    _print_block(statement.then, deeper, scope, written, places)
    if statement.last is not None:
        first = len(written) + 1
        written += lines(statement.last, deeper)
        places.append((first, len(written), statement.place))
    elif not statement.then:
        written.append(" " * deeper + "pass")
    if statement.otherwise:
        written.append(f"{' ' * indent}with {statement.variable}.otherwise():")
        _print_block(statement.otherwise, deeper, scope, written, places)
