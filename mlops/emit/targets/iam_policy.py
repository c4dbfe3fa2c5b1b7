"""Policies of IAM: what the pipelines' role needs, what who upserts needs, and who may take the role on."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from mlops.emit.policies.comparing import compare
from mlops.emit.policies.delivery import delivery_needs, own_roles, streams_of
from mlops.emit.policies.deployer import deployer_needs
from mlops.emit.policies.execution import execution_needs, unknown_needs
from mlops.emit.policies.statements import Policy, policy
from mlops.emit.policies.trust import trust
from mlops.ir.target import Choice, Compared, Source, Target

EXECUTION, DEPLOYER, TRUST, DELIVERY = "execution", "deployer", "trust", "delivery"


def _policy(source: Source) -> Policy:
    if source.chosen == DEPLOYER:
        return policy(deployer_needs(source.checked.definition, source.around(), source.beside()))
    parts = source.beside().with_declared(source.checked)
    if source.chosen == DELIVERY:
        around, streams = source.around(), streams_of(parts)
        roles = own_roles(streams, around)
        return policy([need for role in roles for step in streams for need in delivery_needs(step, role, around)])
    return policy([need for each in parts for need in execution_needs(each, source.around())])


def _document(source: Source) -> dict[str, Any]:
    if source.chosen == TRUST:
        parts = source.beside().with_declared(source.checked)
        return trust(source.checked.definition.name, source.around(), parts)
    return _policy(source).document


def _write(source: Source) -> str:
    return json.dumps(_document(source), indent=2, ensure_ascii=False) + "\n"


def _compare(source: Source, role: Any) -> Compared:
    found = _policy(source)
    return compare(found.statements, found.needed_by, role)


def _notes(source: Source) -> Iterator[str]:
    if source.chosen == EXECUTION:
        yield from unknown_needs(source.checked)
    if source.chosen == DELIVERY:
        roles = own_roles(streams_of(source.beside().with_declared(source.checked)), source.around())
        if not roles:
            yield "no stream has a role of its own: --of execution has what streams need"
        elif len(roles) > 1:
            yield f"{', '.join(roles)} together: `mlops emit cloudformation` writes a policy for each"


TARGET = Target(
    "The policy of IAM that TARGET needs in one environment.",
    _write,
    Choice(
        "--of",
        (EXECUTION, DEPLOYER, TRUST, DELIVERY),
        "Whose: the role that the jobs run as, who upserts, who may take that role on, or roles that streams have.",
    ),
    of_an_account=True,
    of_resources=True,
    notes=_notes,
    compare=_compare,
)
