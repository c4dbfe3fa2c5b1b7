"""Needs, and the policy document that they make."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import field
from typing import Any

from mlops.ir.dataclass import dataclass

_NUMBER = len("Part1000")
"""What the Sid of a part has more."""


@dataclass(frozen=True, slots=True)
class Need:
    """``purpose`` is the statement's Sid: needs of one purpose with the same actions and conditions are one statement.
    ``step`` is who needs it."""

    purpose: str
    actions: tuple[str, ...]
    resources: tuple[str, ...]
    step: str
    conditions: Mapping[str, Mapping[str, str | tuple[str, ...]]] = field(default_factory=dict)


def passing(purpose: str, service: str, roles: tuple[str, ...], step: str) -> Need:
    """``service`` is who takes the roles on, as `sagemaker.amazonaws.com`."""
    return Need(purpose, ("iam:PassRole",), roles, step, {"StringEquals": {"iam:PassedToService": service}})


@dataclass(frozen=True, slots=True)
class Policy:
    """``needed_by`` are the steps by Sid."""

    statements: tuple[Mapping[str, Any], ...]
    needed_by: Mapping[str, tuple[str, ...]]

    @property
    def document(self) -> dict[str, Any]:
        return {"Version": "2012-10-17", "Statement": [dict(statement) for statement in self.statements]}

    @property
    def characters(self) -> int:
        """As IAM counts them: without white space."""
        return len(json.dumps(self.document, separators=(",", ":")))


def policy(needs: Iterable[Need]) -> Policy:
    """Sorted, so that the same needs are the same bytes; what a wider pattern allows is not named again."""
    grouped: dict[tuple[str, str], list[Need]] = {}
    for need in needs:
        if need.resources and need.actions:
            grouped.setdefault((need.purpose, repr(_plain(need.conditions))), []).append(need)
    statements: list[Mapping[str, Any]] = []
    needed_by: dict[str, tuple[str, ...]] = {}
    for (purpose, _), found in sorted(grouped.items()):
        sid = purpose
        number = 2
        while sid in needed_by:
            sid, number = f"{purpose}{number}", number + 1
        needed_by[sid] = tuple(dict.fromkeys(need.step for need in found))
        statement: dict[str, Any] = {
            "Sid": sid,
            "Effect": "Allow",
            "Action": sorted({action for need in found for action in need.actions}),
            "Resource": _widest({resource for need in found for resource in need.resources}),
        }
        if found[0].conditions:
            statement["Condition"] = _plain(found[0].conditions)
        statements.append(statement)
    return Policy(tuple(statements), needed_by)


def divided(whole: Policy, characters: int) -> list[Policy]:
    """Policies that allow the same together, none of which is longer, as far as a statement can be divided."""
    found: list[Policy] = []
    for sid, statement in _short(whole, characters):
        part = {sid: whole.needed_by[statement["Sid"]]}
        told = {**statement, "Sid": sid}
        longer = Policy((*found[-1].statements, told), {**found[-1].needed_by, **part}) if found else None
        if longer is not None and longer.characters <= characters:
            found[-1] = longer
        else:
            found.append(Policy((told,), part))
    return found


def _short(whole: Policy, characters: int) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Statements, each with its Sid in a policy; one that is too long for a policy is several, of some of its resources
    each."""
    for statement in whole.statements:
        left = [statement]
        number = 0
        while left:
            first, *left = left
            resources = first["Resource"]
            if Policy((first,), {}).characters + _NUMBER > characters and len(resources) > 1:
                half = len(resources) // 2
                left = [{**first, "Resource": resources[:half]}, {**first, "Resource": resources[half:]}, *left]
                continue
            number += 1
            yield statement["Sid"] if number == 1 else f"{statement['Sid']}Part{number}", first


def _widest(patterns: set[str]) -> list[str]:
    """
    >>> _widest({"arn:a/x*", "arn:a/xy", "arn:a/y"})
    ['arn:a/x*', 'arn:a/y']
    """
    prefixes = [pattern[:-1] for pattern in patterns if pattern.endswith("*") and "*" not in pattern[:-1]]
    return sorted(
        pattern
        for pattern in patterns
        if not any(pattern.startswith(prefix) and pattern != f"{prefix}*" for prefix in prefixes)
    )


def _plain(conditions: Mapping[str, Mapping[str, str | tuple[str, ...]]]) -> dict[str, Any]:
    return {
        operator: {key: list(value) if isinstance(value, tuple) else value for key, value in sorted(keys.items())}
        for operator, keys in sorted(conditions.items())
    }
