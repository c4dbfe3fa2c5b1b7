"""What a rule is, and how the rules in the folder ``rules`` are found.

A rule is a function from a :class:`~mlops.check.subject.Subject` to faults. Its docstring says what it finds and why
that is bad, and shows a bad and a good example: it is what ``mlops explain`` prints.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Iterator
from functools import cache

from mlops.check.nearest import Guess
from mlops.check.subject import Subject
from mlops.ir import Finding, Placed, Severity, Where
from mlops.ir.dataclass import dataclass
from mlops.ir.discovery import modules


@dataclass(frozen=True, slots=True)
class Fault:
    """One breach of a rule. ``path`` is a JSON pointer; ``severity`` is set where it differs from the rule's own;
    ``where`` where the fault is not the step's (a parameter's, say)."""

    path: str
    message: str
    help: str | None = None
    placed: Placed | None = None
    where: Where | None = None
    severity: Severity | None = None


@dataclass(frozen=True, slots=True)
class Rule:
    """``source`` says where the fact comes from: a document, a service model, a public issue."""

    code: str
    name: str
    severity: Severity
    source: str
    run: Callable[[Subject], Iterable[Fault]]

    @property
    def text(self) -> str:
        return inspect.cleandoc(self.run.__doc__ or "")

    def findings(self, subject: Subject) -> Iterator[Finding]:
        for fault in self.run(subject):
            step = fault.placed.step if fault.placed else None
            yield Finding(
                code=self.code,
                name=self.name,
                severity=fault.severity or self.severity,
                message=fault.message,
                help=fault.help,
                step=step.name or None if step else None,
                path=fault.path,
                where=fault.where or (step.where if step else subject.definition.where),
                edit=fault.help.edit if isinstance(fault.help, Guess) else None,
            )


def rule(
    code: str, name: str, severity: Severity, *, source: str
) -> Callable[[Callable[[Subject], Iterable[Fault]]], Rule]:
    """Make a rule of a function."""

    def made(run: Callable[[Subject], Iterable[Fault]]) -> Rule:
        return Rule(code, name, severity, source, run)

    return made


@cache
def own_rules() -> tuple[Rule, ...]:
    """Every rule of every module in ``mlops.check.rules``, by code; without those of plug-ins."""
    from mlops.check import rules

    found: dict[str, Rule] = {}
    for module in modules(rules).values():
        for item in vars(module.load()).values():
            if isinstance(item, Rule) and found.setdefault(item.code, item) is not item:
                raise RuntimeError(f"{item.name} and {found[item.code].name} have one code, {item.code}")
    return tuple(found[code] for code in sorted(found))
