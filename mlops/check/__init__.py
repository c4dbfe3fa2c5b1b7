"""Says everything that is wrong with a definition before anybody pays for it.

A definition and the known step types go in; findings, the graph and the definition come out as one ``Checked``.
Nothing is changed, nothing is asked of an account, and no definition makes it raise.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cache
from typing import TYPE_CHECKING

from mlops.ir import Checked, Definition, Finding, StepType

if TYPE_CHECKING:
    from mlops.check.subject import Subject

__all__ = ["bind", "check", "order", "step_types"]


@cache
def step_types() -> Mapping[str, StepType]:
    """Every known step type by its ``Type``: ``STEP_TYPE`` or ``STEP_TYPES`` of the modules of ``declare.steps``."""
    import importlib
    import pkgutil

    from mlops.declare import steps

    found: dict[str, StepType] = {}
    for module in sorted(pkgutil.iter_modules(steps.__path__), key=lambda module: module.name):
        loaded = importlib.import_module(f"{steps.__name__}.{module.name}")
        declared = getattr(loaded, "STEP_TYPES", None) or (getattr(loaded, "STEP_TYPE", None),)
        found.update((item.type, item) for item in declared if item is not None)
    return found


def order(definition: Definition) -> Definition:
    """The steps of each list so that upstream comes first; unchanged where they stand so, or where a cycle or a
    repeated name leaves no order."""
    from mlops.check import graph

    return graph.order(definition)


def check(
    definition: Definition, *, findings: Iterable[Finding] = (), types: Mapping[str, StepType] | None = None
) -> Checked:
    """Run every rule. ``findings`` are those of whoever made the definition; ``types`` stands for all step types.

    Raises :class:`~mlops.ir.ConfigurationError` where botocore, the source of the request shapes, is not installed.
    """
    from mlops.check.rule import all_rules
    from mlops.check.subject import Subject

    subject = Subject(definition, step_types() if types is None else types)
    found = dict.fromkeys(findings)
    for rule in all_rules():
        found.update(dict.fromkeys(rule.findings(subject)))
    return _bound(subject, tuple(sorted(found, key=lambda finding: finding.sort_key)))


def bind(definition: Definition) -> Checked:
    """What :func:`check` answers for a definition that it found no error in before, without asking again."""
    from mlops.check.subject import Subject

    return _bound(Subject(definition, step_types()), ())


def _bound(subject: Subject, findings: tuple[Finding, ...]) -> Checked:
    from mlops.check.graph import topological

    return Checked(
        definition=subject.definition,
        findings=findings,
        step_types=subject.types,
        edges={name: subject.graph.upstream(name) for name in subject.graph.names},
        order=topological(subject.graph),
    )
