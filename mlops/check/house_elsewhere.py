"""What the house asks of the local account is asked of those that it is about: a key, a network or tags that an
environment brings are not missing where it is compiled for that."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TypeAlias

from mlops.check import step_types
from mlops.check.rule import own_rules
from mlops.check.subject import Subject
from mlops.ir import Definition, Finding
from mlops.project.environments import Environment

FAMILY = "H9"

_Key: TypeAlias = tuple[str, str | None, str | None]


def mended_elsewhere(
    findings: Iterable[Finding], others: Iterable[Environment], compiled: Callable[[Environment], Definition]
) -> frozenset[Finding]:
    """Those of the house that a pipeline has where it is ``compiled`` for the local account, and not for one of the
    ``others``."""
    open_ = {finding for finding in findings if finding.code.startswith(FAMILY)}
    mended: set[Finding] = set()
    for other in others:
        if not open_:
            break
        left = _of_the_house(compiled(other))
        gone = {finding for finding in open_ if _key(finding) not in left}
        mended |= gone
        open_ -= gone
    return frozenset(mended)


def _of_the_house(definition: Definition) -> set[_Key]:
    subject = Subject(definition, step_types())
    rules = [rule for rule in own_rules() if rule.code.startswith(FAMILY)]
    return {_key(finding) for rule in rules for finding in rule.findings(subject)}


def _key(finding: Finding) -> _Key:
    return finding.code, finding.step, finding.path
