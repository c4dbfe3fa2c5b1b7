"""A role that is there beside what is needed: what it lacks, and what it may without need."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from fnmatch import fnmatchcase
from typing import Any
from urllib.parse import unquote

from mlops.ir import UsageError
from mlops.ir.dataclass import dataclass
from mlops.ir.target import Compared


@dataclass(frozen=True, slots=True)
class _Statement:
    allows: bool
    actions: tuple[str, ...]
    but: tuple[str, ...]
    """NotAction: all actions but these."""
    resources: tuple[str, ...]
    spared: tuple[str, ...]
    """NotResource: all places but these."""
    conditional: bool

    def covers(self, action: str, resource: str) -> bool:
        """All of the resource."""
        if not self.names(action):
            return False
        if self.spared:
            return not any(meet(pattern, resource) for pattern in self.spared)
        return any(covers(pattern, resource) for pattern in self.resources)

    def touches(self, action: str, resource: str) -> str | None:
        """What it is of the resource that it stands for, if anything: places, or all places but some."""
        if not self.names(action):
            return None
        if self.spared:
            kept = [pattern for pattern in self.spared if meet(pattern, resource)]
            return None if any(covers(pattern, resource) for pattern in kept) else f"all but {', '.join(kept)}"
        return ", ".join(pattern for pattern in self.resources if meet(pattern, resource)) or None

    def names(self, action: str) -> bool:
        lower = action.lower()
        if self.but:
            return not any(fnmatchcase(lower, pattern.lower()) for pattern in self.but)
        return any(fnmatchcase(lower, pattern.lower()) for pattern in self.actions)


def compare(needed: Sequence[Mapping[str, Any]], needed_by: Mapping[str, Sequence[str]], role: Any) -> Compared:
    """``needed`` are statements of ours. ``role`` is a policy document, what `aws iam get-role-policy` answers, a role
    of `get-account-authorization-details`, or a list of those. Conditions of the role are not evaluated: what is
    allowed under one only is told as that."""
    statements = list(_statements(role))
    if not statements:
        raise UsageError(
            "there is no policy in it",
            hint="give a policy document, or what `aws iam get-role-policy` or `aws iam get-policy-version` answers",
        )
    pairs = list(_pairs(needed))
    return Compared(
        missing=tuple(_missing(pairs, statements, needed_by)),
        conditional=tuple(_conditional(pairs, statements)),
        excess=tuple(dict.fromkeys(_excess(pairs, statements))),
    )


def covers(pattern: str, resource: str) -> bool:
    """Whether all that ``resource``, a pattern too, stands for is within ``pattern``.

    >>> covers("arn:aws:s3:::acme*", "arn:aws:s3:::acme/x*"), covers("arn:aws:s3:::acme/x", "arn:aws:s3:::acme/x*")
    (True, False)
    """
    # A star that is to be covered is a character like another one, which only a star covers.
    return fnmatchcase(resource, pattern.replace("[", "[[]"))


def meet(one: str, other: str) -> bool:
    """Whether anything is within both patterns.

    >>> meet("arn:aws:s3:::acme/x*", "arn:aws:s3:::*/secret"), meet("arn:aws:s3:::acme/x*", "arn:aws:s3:::acme/y*")
    (True, False)
    """
    # Which beginnings of ``other`` the part of ``one`` that was read can stand for.
    at = _with_stars({0}, other)
    for letter in one:
        if letter == "*":
            # It takes letters of the other one, or none.
            reached = set(range(min(at), len(other) + 1)) if at else set()
        else:
            reached = {
                index if other[index] == "*" else index + 1
                for index in at
                if index < len(other) and (letter == "?" or other[index] in (letter, "?", "*"))
            }
        at = _with_stars(reached, other)
    return len(other) in at


def _with_stars(reached: set[int], pattern: str) -> set[int]:
    """A star may stand for nothing."""
    found = set(reached)
    for index in reached:
        while index < len(pattern) and pattern[index] == "*":
            index += 1
            found.add(index)
    return found


def _pairs(needed: Sequence[Mapping[str, Any]]) -> Iterator[tuple[str, str, str]]:
    for statement in needed:
        for action in statement["Action"]:
            for resource in statement["Resource"]:
                yield statement["Sid"], action, resource


def _missing(
    pairs: Iterable[tuple[str, str, str]], statements: Sequence[_Statement], needed_by: Mapping[str, Sequence[str]]
) -> Iterator[str]:
    for sid, action, resource in pairs:
        denying = [item for item in statements if not item.allows and not item.conditional]
        denied = [told for item in denying if (told := item.touches(action, resource)) is not None]
        if denied or not any(item.allows and item.covers(action, resource) for item in statements):
            who = ", ".join(needed_by.get(sid, ()))
            whole = any(item.covers(action, resource) for item in denying)
            said = "" if not denied else " is denied" if whole else f" is denied in part: {'; '.join(denied)}"
            yield f"{action} on {resource}{said}" + (f" ({who})" if who else "")


def _conditional(pairs: Iterable[tuple[str, str, str]], statements: Sequence[_Statement]) -> Iterator[str]:
    for _, action, resource in pairs:
        found = [item for item in statements if item.allows and item.covers(action, resource)]
        if found and all(item.conditional for item in found) and action not in _BOUND:
            yield f"{action} on {resource}"


_BOUND = frozenset({"iam:PassRole", "kms:CreateGrant", "cloudwatch:PutMetricData"})
"""Ours stand under a condition too."""


def _excess(pairs: Sequence[tuple[str, str, str]], statements: Sequence[_Statement]) -> Iterator[str]:
    """An action that nothing needs; one of a pattern that is wider than what is needed; a place that is."""
    for item in statements:
        if not item.allows:
            continue
        if item.but:
            yield f"every action but {', '.join(item.but)}"
        if item.spared:
            yield f"every place but {', '.join(item.spared)}"
        for pattern in item.actions:
            used = sorted({action for _, action, _ in pairs if fnmatchcase(action.lower(), pattern.lower())})
            if not used:
                yield pattern
            elif "*" in pattern or "?" in pattern:
                yield f"{pattern}, of which {', '.join(used)} {'is' if len(used) == 1 else 'are'} needed"
            elif "*" in item.resources and not any(
                resource == "*" for _, action, resource in pairs if action.lower() == pattern.lower()
            ):
                yield f"{pattern} on *"


def _statements(role: Any) -> Iterator[_Statement]:
    match role:
        case list():
            for item in role:
                yield from _statements(item)
        case {"Statement": list() | dict() as listed}:
            for statement in listed if isinstance(listed, list) else [listed]:
                if isinstance(statement, dict) and "Principal" not in statement:
                    yield _Statement(
                        statement.get("Effect") == "Allow",
                        _texts(statement.get("Action")),
                        _texts(statement.get("NotAction")),
                        _texts(statement.get("Resource")) or (() if "NotResource" in statement else ("*",)),
                        _texts(statement.get("NotResource")),
                        bool(statement.get("Condition")),
                    )
        case dict():
            for member in (
                "PolicyDocument",
                "Document",
                "PolicyVersion",
                "RolePolicyList",
                "Policies",
                "RoleDetailList",
            ):
                yield from _statements(role.get(member))
        case str():
            yield from _statements(_parsed(role))


def _parsed(text: str) -> Any:
    """IAM's own API answers with the document as a text, escaped as in an address."""
    try:
        found = json.loads(unquote(text))
    except ValueError:
        return None
    return found if isinstance(found, dict | list) else None


def _texts(value: Any) -> tuple[str, ...]:
    listed = value if isinstance(value, list) else [value]
    return tuple(item for item in listed if isinstance(item, str))
