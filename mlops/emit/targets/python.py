"""Python that compiles to the definition: what a colleague would have written.

A first guess at each step's arguments is written, compiled and compared, and corrected by what was wrong with it. Only
a program that was compiled and found the same is given away.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from typing import TypeAlias

from mlops.emit.python.correcting import at, avoid, everything, learn
from mlops.emit.python.guessing import guessed
from mlops.emit.python.linking import linked, uploaded
from mlops.emit.python.looked_up import with_facts
from mlops.emit.python.plan import Plan
from mlops.emit.python.printing import printed
from mlops.ir import Definition, UsageError
from mlops.ir.fields import Constructor
from mlops.ir.pipeline_name import nearest_name
from mlops.ir.target import Source, Target

ROUNDS = 9
"""A guess, what was wrong with it dropped, the rest said in arguments, and room for one fallback to be seen wrong."""

_ROLES = ("RoleArn", "ExecutionRoleArn")

Compile: TypeAlias = Callable[[str], tuple[Definition | None, Sequence[int]]]
"""Runs a program: a definition, or None and the lines where it has mistakes."""


def emit(definition: Definition, compiled: Compile, constructors: Sequence[Constructor]) -> str:
    """``compiled`` runs a program in an environment that adds nothing. Raises UsageError for what is no document."""
    if "Steps" in definition.members or definition.members.get("Parameters") is not None:
        raise UsageError("the document's Steps or Parameters are no lists, so there is no program for it")
    plan = Plan(nearest_name(definition.name or "pipeline"), _role(definition), constructors)
    for _ in range(ROUNDS):
        text, places = printed(guessed(definition, plan))
        got, mistakes = compiled(text)
        if got is None:
            avoid(definition, plan, [place for line in mistakes for place in at(places, line)])
        elif not learn(definition, got, plan):
            return _in_any_order(definition, plan, compiled) or text
    plan.as_written.update(everything(definition))
    text, _ = printed(guessed(definition, plan))
    final, _ = compiled(text)
    if final is None or learn(definition, final, plan):
        raise AssertionError("a definition in its own form does not compile to itself")
    return text


def emit_for_all(
    definition: Definition,
    compiled: Compile,
    constructors: Sequence[Constructor],
    bucket: str,
    apart: Collection[str] = (),
) -> str:
    """The same with ``environment.bucket`` in place of ``bucket``, which is that of ``compiled``; what holds one of
    ``apart`` names it all the same."""

    def with_its_facts(text: str) -> tuple[Definition | None, Sequence[int]]:
        got, mistakes = compiled(text)
        return None if got is None else with_facts(got, bucket, apart), mistakes

    return emit(with_facts(definition, bucket, apart), with_its_facts, constructors)


def _in_any_order(definition: Definition, plan: Plan, compiled: Compile) -> str | None:
    """The program without ``keep_order=True``, where that changes nothing."""
    text, _ = printed(guessed(definition, replace(plan, keep_order=False)))
    result, _ = compiled(text)
    return text if result is not None and not learn(definition, result, plan) else None


def _role(definition: Definition) -> str | None:
    """What most steps run as."""
    roles = Counter(
        role
        for placed in definition.placed()
        if isinstance(placed.step.arguments, Mapping)
        for member in _ROLES
        if isinstance(role := placed.step.arguments.get(member), str)
    )
    return roles.most_common(1)[0][0] if roles else None


def _write(source: Source) -> str:
    definition, language = source.checked.definition, source.language
    if source.bucket is None:
        return linked(emit(definition, language.compile, language.constructors()), definition)
    text = emit_for_all(definition, language.compile, language.constructors(), source.bucket, uploaded(definition))
    return linked(text, definition)


TARGET = Target(
    "Python that compiles to the same definition as TARGET, with what the environment gave written out.", _write
)
