"""What an account holds beside the steps of a pipeline: schedules, rules, the pipeline itself. Declared like a step,
and known by one record per type."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, TypeGuard

from mlops.ir.definition import Definition, Step
from mlops.ir.values import Expression, Ref, Value, to_json, transform
from mlops.ir.where import NOWHERE, Where

ROOT = "Resources"
"""``Resources.<name>.Arn`` is the ARN of another resource, which the account gives it."""


@dataclass(frozen=True, slots=True)
class Resource:
    """``type`` is a :class:`ResourceType`'s, ``name`` what the account calls it. ``properties`` are what it is compared
    by: members of the request that makes it, with the same expressions as a step's Arguments."""

    type: str
    name: str
    properties: Mapping[str, Value]
    where: Where = NOWHERE

    @property
    def key(self) -> str:
        """In records: ``schedule churn-daily``."""
        return f"{self.type} {self.name}"

    @property
    def plain(self) -> dict[str, Any]:
        """Its properties as JSON."""
        return {member: to_json(value) for member, value in self.properties.items()}

    def fingerprint(self) -> str:
        return fingerprint(self.plain)


def fingerprint(properties: Mapping[str, Any]) -> str:
    """The same for the same JSON value.

    >>> fingerprint({"a": 1, "b": 2}) == fingerprint({"b": 2, "a": 1})
    True
    """
    return hashlib.sha256(json.dumps(properties, sort_keys=True).encode()).hexdigest()


def arn_of(name: str) -> Ref:
    """
    >>> arn_of("churn").expression
    'Resources.churn.Arn'
    """
    return Ref(f"{ROOT}.{name}.Arn")


GROUPS = "ModelPackageGroups"
"""``ModelPackageGroups.<name>.NewestApproved`` is the ARN of a version, which the account says."""


def newest_approved(group: str) -> Ref:
    """
    >>> newest_approved("churn").expression
    'ModelPackageGroups.churn.NewestApproved'
    """
    return Ref(f"{GROUPS}.{group}.NewestApproved")


def resolved(resource: Resource, arns: Mapping[str, str]) -> Resource:
    """With the ARNs of other resources, by name; one that is not among them stays a reference."""

    def known(expression: Expression) -> Value:
        path = expression.path if isinstance(expression, Ref) else None
        if path is None or path.root != ROOT or path.segments != ("Arn",):
            return expression
        return arns.get(path.name, expression)

    return replace(
        resource, properties={member: transform(value, known) for member, value in resource.properties.items()}
    )


NAME = "DeclaredName"
"""Of a step of :attr:`~mlops.ir.definition.Definition.of_resources`: what its author calls it."""
_KINDS = {"Model": "model", "EndpointConfig": "endpoint-config", "Endpoint": "endpoint"}


def declared_resources(definition: Definition) -> tuple[Resource, ...]:
    """What a file declares beside its pipelines; each names another as :func:`name_of` does."""
    steps = {step.name: step for step in definition.steps}

    def named(expression: Expression) -> Value:
        path = expression.path if isinstance(expression, Ref) else None
        if path is None or path.root != "Steps" or path.name not in steps or len(path.segments) != 1:
            return expression
        return name_of(_KINDS[steps[path.name].type], str(steps[path.name].members[NAME]))

    return tuple(_resource(step, named) for step in definition.steps)


def name_of(kind: str, name: str) -> Ref:
    """What another resource is called in the account: known when it is decided.

    >>> name_of("model", "churn").expression
    'Resources.model-churn.Name'
    """
    return Ref(f"{ROOT}.{kind}-{name}.Name")


def _resource(step: Step, named: Callable[[Expression], Value]) -> Resource:
    told = transform(step.arguments, named)
    properties = {member: value for member, value in told.items() if member != "EndpointName"} if _is(told) else {}
    return Resource(_KINDS[step.type], str(step.members[NAME]), properties, step.where)


def _is(value: Value) -> TypeGuard[Mapping[str, Value]]:
    return isinstance(value, Mapping)


@dataclass(frozen=True, slots=True)
class Call:
    """One request to a service. ``operation`` is botocore's name; ``pages`` is the member of the reply that is a list,
    to be read over all its pages."""

    operation: str
    request: Mapping[str, Any]
    pages: str | None = None


def no_calls(name: str) -> tuple[Call, ...]:
    return ()


@dataclass(frozen=True, slots=True)
class ResourceType:
    """All that is known of one type of resource. Each is made in ``deploy/resources/<type>.py`` and nowhere else.

    - ``type``: the word for people, and in records.
    - ``service``: the name of boto3's client.
    - ``cloudformation``: the type's name in a template; None for what is a member of others there.
    - ``describe``: what is asked to see one, by its name; the replies become one mapping.
    - ``read``: the properties in that mapping, in the form in which they are declared.
    - ``create`` and ``update``: by name and properties; ``update`` is None where nothing of it can be changed.
    - ``anew``: properties that ``update`` cannot change: another value of them means another one.
    - ``inside``: what has to be asked before one is removed, since it goes with it.
    - ``delete``: by name, and by the reply to ``inside``.
    - ``permissions``: of who does all that, beside the calls' own (``<service>:<operation>``).
    """

    type: str
    service: str
    cloudformation: str | None
    describe: Callable[[str], tuple[Call, ...]]
    read: Callable[[Mapping[str, Any]], Mapping[str, Any]]
    create: Callable[[str, Mapping[str, Any]], tuple[Call, ...]]
    update: Callable[[str, Mapping[str, Any]], tuple[Call, ...]] | None
    delete: Callable[[str, Mapping[str, Any]], tuple[Call, ...]]
    anew: frozenset[str] = frozenset()
    inside: Callable[[str], tuple[Call, ...]] = no_calls
    permissions: tuple[str, ...] = ()

    def writes(self, name: str, properties: Mapping[str, Any], *, exists: bool) -> tuple[Call, ...]:
        write = self.update if exists and self.update is not None else self.create
        return write(name, properties)

    def makes_anew(self, old: Mapping[str, Any], new: Mapping[str, Any]) -> bool:
        """Whether one that has the properties ``old`` has to go, so that there can be one with ``new``."""
        if old == new:
            return False
        return self.update is None or any(old.get(member) != new.get(member) for member in self.anew)
