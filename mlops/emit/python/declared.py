"""Python of what is declared beside pipelines: guessed, compiled and corrected as a pipeline is."""

from __future__ import annotations

import ast
from collections.abc import Callable, Sequence
from typing import TypeAlias

from mlops.emit.python.correcting import at, avoid, learn
from mlops.emit.python.expressions import Scope, Variable, literal
from mlops.emit.python.guessing import corrections, told
from mlops.emit.python.names import Names
from mlops.emit.python.plan import Plan, needed
from mlops.emit.python.printing import import_lines
from mlops.emit.python.source import Node, assignment, call, joined, lines
from mlops.emit.python.telling import Telling
from mlops.ir import Definition, Step
from mlops.ir.dataclass import dataclass
from mlops.ir.fields import Constructor, Given
from mlops.ir.resource import NAME
from mlops.ir.values import pointer

ROUNDS = 9
MODULE = "resources"

Compile: TypeAlias = Callable[[str], tuple[Definition | None, Sequence[int]]]


@dataclass(frozen=True, slots=True)
class Program:
    """``statements`` are lines; ``cannot`` the names of steps that no constructor says, without which the rest has to
    be asked for again."""

    statements: tuple[str, ...]
    cannot: tuple[str, ...] = ()


def emit_declared(definition: Definition, compiled: Compile, constructors: Sequence[Constructor]) -> Program:
    """``definition`` is of resources, in an order in which each stands behind what it names."""
    if not definition.steps:
        return Program(())
    plan = Plan(MODULE, None, constructors)
    for _ in range(ROUNDS):
        statements, places = _written(definition, plan)
        if plan.as_written:
            break
        above = _text("", ())
        got, mistakes = compiled(_text("", statements))
        if got is None:
            first = above.count("\n")
            avoid(definition, plan, [place for line in mistakes for place in at(places, line - first)])
        elif not learn(definition, got, plan):
            return Program(tuple(statements))
    places_left = plan.as_written or {placed.pointer for placed in definition.placed()}
    cannot = (placed.step.name for placed in definition.placed() if placed.pointer in places_left)
    return Program((), tuple(cannot))


def beside(pipeline: str | None, statements: Sequence[str]) -> str:
    """One program of a pipeline's and of what is declared beside it."""
    return _text(pipeline or "", statements)


def _text(pipeline: str, statements: Sequence[str]) -> str:
    """Names are imported once, at the place where the pipeline's program does it."""
    if not statements:
        return pipeline or joined([*_HEAD, ""])
    used = {MODULE} | {
        node.id
        for node in ast.walk(ast.parse("\n".join(statements)))
        if isinstance(node, ast.Name) and node.id in _OF_PACKAGE
    }
    if not pipeline:
        return joined([_HEAD[0], "", *import_lines(used), "", *statements])
    written = pipeline.splitlines()
    imported = next(node for node in ast.parse(pipeline).body if isinstance(node, ast.ImportFrom))
    names = used | {alias.name for alias in imported.names}
    last = imported.end_lineno or imported.lineno
    return joined([*written[: imported.lineno - 1], *import_lines(names), *written[last:], "", *statements])


_HEAD = ('"""What a template declared."""', "", f"from mlops import {MODULE}")
_OF_PACKAGE = frozenset({"omit", "as_written"})


def _written(definition: Definition, plan: Plan) -> tuple[list[str], list[tuple[int, int, str]]]:
    """Lines, and (first line, last line, pointer) of each resource, by the lines alone."""
    scope = Scope(Names({MODULE, *_OF_PACKAGE}))
    nodes = [(pointer("Steps", index), step) for index, step in enumerate(definition.steps)]
    made = [(place, *_resource(step, place, scope, plan)) for place, step in nodes]
    written: list[str] = []
    places: list[tuple[int, int, str]] = []
    for place, variable, value in made:
        first = len(written) + 1
        if value is None:
            plan.as_written.add(place)
            continue
        written += assignment(variable, value) if variable in scope.used else lines(value, 0)
        places.append((first, len(written), place))
    return written, places


def _resource(step: Step, place: str, scope: Scope, plan: Plan) -> tuple[str, Node | None]:
    constructor = next(iter(plan.left(step, place)), None)
    name = str(step.members[NAME])
    variable = scope.names.variable(name, step.type.lower())
    if constructor is None:
        return variable, None
    telling = Telling(Given(step), scope, module=f"{MODULE}.")
    keywords = told(constructor.fields, telling, {name for at_, name in plan.dropped if at_ == place})
    if plan.arguments.get(place):
        keywords["arguments"] = corrections(plan.arguments[place], scope)
    if not needed(constructor) <= set(keywords) or telling.before:
        return variable, None
    scope.steps.setdefault(step.name, Variable(variable, yields=constructor.yields, patterns=constructor.patterns))
    return variable, call(constructor.name, [literal(name)], keywords)
