"""Policies of IAM: what the pipelines' role needs, what who upserts needs, and who may take the role on."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from mlops.emit.policies.comparing import compare
from mlops.emit.policies.deployer import deployer_needs
from mlops.emit.policies.execution import execution_needs, unknown_needs
from mlops.emit.policies.statements import Policy, policy
from mlops.emit.policies.trust import trust
from mlops.ir.target import Choice, Compared, Source, Target

EXECUTION, DEPLOYER, TRUST = "execution", "deployer", "trust"


def _policy(source: Source) -> Policy:
    if source.chosen == DEPLOYER:
        return policy(deployer_needs(source.checked.definition, source.around(), source.beside()))
    parts = source.beside().with_declared(source.checked)
    return policy([need for each in parts for need in execution_needs(each, source.around())])


def _document(source: Source) -> dict[str, Any]:
    if source.chosen == TRUST:
        return trust(source.checked.definition.name, source.around())
    return _policy(source).document


def _write(source: Source) -> str:
    return json.dumps(_document(source), indent=2, ensure_ascii=False) + "\n"


def _compare(source: Source, role: Any) -> Compared:
    found = _policy(source)
    return compare(found.statements, found.needed_by, role)


def _notes(source: Source) -> Iterator[str]:
    if source.chosen == EXECUTION:
        yield from unknown_needs(source.checked)


TARGET = Target(
    "The policy of IAM that TARGET needs in one environment.",
    _write,
    Choice(
        "--of",
        (EXECUTION, DEPLOYER, TRUST),
        "Whose: the role that the jobs run as, who upserts, or who may take that role on.",
    ),
    of_an_account=True,
    of_resources=True,
    notes=_notes,
    compare=_compare,
)
