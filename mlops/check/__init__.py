"""Says everything that is wrong with a definition before anybody pays for it.

A definition and the known step types go in; findings, the graph and the definition come out as one ``Checked``.
Nothing is changed, nothing is asked of an account, and no definition makes it raise.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from mlops.ir import Checked, Definition, Finding, Severity, StepType, Unknown
from mlops.ir.values import expressions as expressions_in

if TYPE_CHECKING:
    from mlops.check.subject import Subject

__all__ = ["bind", "check", "order", "step_types", "with_wrong_arguments"]


def step_types() -> Mapping[str, StepType]:
    """Ours and those of plug-ins."""
    from mlops.check.own_step_types import own_step_types
    from mlops.check.plugged import plugged

    added = plugged().step_types
    return {**own_step_types(), **added} if added else own_step_types()


def order(definition: Definition) -> Definition:
    """The steps of each list so that upstream comes first; unchanged where they stand so, or where a cycle or a
    repeated name leaves no order."""
    from mlops.check import graph

    return graph.order(definition)


def _without_followers(found: dict[Finding, None]) -> dict[Finding, None]:
    """Of a place that holds no step or no name at all, the reader has said so; rules would say it again."""
    said = {finding.path for finding in found if finding.code == "J006"}
    if not said:
        return found
    return {
        finding: None
        for finding in found
        if finding.code == "J006" or not any(_within(finding.path, place) for place in said)
    }


_CAUSES = frozenset({"X891"})
"""Rules that tell why a value is wrong: what others say of its form follows from that."""


def _without_effects(found: dict[Finding, None]) -> dict[Finding, None]:
    """Of a place where a rule tells the cause, what others say of the same value is left out; the cause is as grave as
    the gravest of them. Of a value that no request may have, what it would mean there is left out."""
    causes = {finding.path: finding for finding in found if finding.code in _CAUSES}
    never = {finding.path for finding in found if finding.code in _NEVER and finding.severity is Severity.ERROR}
    if never:
        found = {
            finding: None
            for finding in found
            if finding.path not in never or finding.path in causes or not finding.code.startswith("X")
        }
    if not causes:
        return found
    gravest = {path: max((item.severity for item in found if item.path == path), key=_GRAVITY.index) for path in causes}
    told = {path: replace(finding, severity=gravest[path]) for path, finding in causes.items()}
    return dict.fromkeys(told.get(finding.path, finding) for finding in found)


_NEVER = frozenset({"S203", "S204", "S206", "S207", "R305", "R306"})
_GRAVITY = (Severity.INFO, Severity.WARNING, Severity.ERROR)
_OF_ARGUMENTS = ("D040", "D041", "D042")
_BETWEEN_MEMBERS = ("X", "E5", "S201", "S202", "S203")


def with_wrong_arguments(findings: Iterable[Finding]) -> frozenset[str | None]:
    """Names of the steps; None where a record's mistake is told without its step."""
    return frozenset(finding.step for finding in findings if finding.code in _OF_ARGUMENTS)


def _without_those_of_marred_steps(
    definition: Definition, found: dict[Finding, None], told: frozenset[str | None]
) -> dict[Finding, None]:
    """A step with wrong arguments has members that are unknown. What a rule says of its others stands; what it says of
    several together, or misses, may follow from those."""
    if not told:
        return found
    marred = {
        placed.step.name
        for placed in definition.placed()
        if placed.step.name in told
        or (
            None in told
            and any(
                isinstance(item, Unknown) for _, item in expressions_in((placed.step.arguments, placed.step.members))
            )
        )
    }
    return {
        finding: None
        for finding in found
        if finding.step not in marred or not finding.code.startswith(_BETWEEN_MEMBERS)
    }


def _within(path: str | None, place: str | None) -> bool:
    return path is not None and place is not None and f"{path}/".startswith(f"{place}/")


def check(
    definition: Definition,
    *,
    findings: Iterable[Finding] = (),
    types: Mapping[str, StepType] | None = None,
    wrong_arguments: frozenset[str | None] = frozenset(),
) -> Checked:
    """Run every rule. ``findings`` are those of whoever made the definition; ``types`` stands for all step types.
    ``wrong_arguments`` are steps of which somebody else tells that.

    Raises :class:`~mlops.ir.ConfigurationError` where botocore, the source of the request shapes, is not installed.
    """
    from mlops.check.plugged import broken, plugged
    from mlops.check.rule import own_rules
    from mlops.check.subject import Subject
    from mlops.ir.plugins import told

    subject = Subject(definition, step_types() if types is None else types)
    found = dict.fromkeys(findings)
    for rule in own_rules():
        found.update(dict.fromkeys(rule.findings(subject)))
    extra = plugged()
    found.update(dict.fromkeys(extra.findings))
    for rule in extra.rules:
        try:
            found.update(dict.fromkeys(rule.findings(subject)))
        except Exception as error:  # somebody else's rule: told, and the others go on
            found[broken(extra.owners[rule.code], f"{rule.code} raised {told(error)}")] = None
    told_of = wrong_arguments | with_wrong_arguments(found)
    found = _without_those_of_marred_steps(definition, _without_effects(_without_followers(found)), told_of)
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
