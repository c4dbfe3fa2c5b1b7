"""What the source says, for one environment; and the names that it has in an account."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

from mlops.deploy.resources import resource_types
from mlops.ir import Checked, Ref, Value
from mlops.ir.dataclass import dataclass
from mlops.ir.resource import GROUPS, ROOT, Kept, Resource, declared_resources, label_of
from mlops.ir.surroundings import partition_of
from mlops.ir.values import Expression, expressions, to_json, transform
from mlops.project.environments import Environment

RESOURCE, CONTENT, INSTANCES, ORIGIN = "mlops:resource", "mlops:content", "mlops:instances", "mlops:origin"
"""Tags of what is made: which resource it is, a hash of its declaration, the count of instances that its only variant
is declared with, and the file that declares it."""
_TAGS = ("Tags", "TagList")
"""The members of requests that have them."""
HALTED = "mlops:halted"
"""Of what an upsert has stopped to change it: it is to be started again."""
_NAME = 63
_DIGEST = 10


@dataclass(frozen=True, slots=True)
class Content:
    """A resource as it is made: ``request`` without its name and tags. ``arn`` is known of one that has a name of
    its own."""

    resource: Resource
    name: str
    request: Mapping[str, Any]
    tags: Mapping[str, str]
    arn: str = ""


@dataclass(frozen=True)
class Wanted:
    """``origin`` is the file, from the project's root on."""

    environment: Environment
    checked: Checked
    origin: str

    @cached_property
    def resources(self) -> tuple[Resource, ...]:
        return declared_resources(self.checked.definition)

    def of(self, kind: str) -> tuple[Resource, ...]:
        return tuple(resource for resource in self.resources if resource.type == kind)

    @cached_property
    def _by_key(self) -> Mapping[str, Resource]:
        return {label_of(resource.type, resource.name): resource for resource in self.resources}

    def named(self, resource: Resource) -> tuple[Resource, ...]:
        """Those that it names."""
        return tuple(self._by_key[key] for key in _keys(resource))

    def group(self, model: Resource) -> str | None:
        """Whose newest approved version it is."""
        found = [path.name for path in _paths(model) if path.root == GROUPS]
        return found[0] if found else None

    def models_of(self, endpoint: Resource) -> tuple[Resource, ...]:
        return tuple(model for config in self.named(endpoint) for model in self.named(config))

    def digest(self, resource: Resource) -> str:
        """Of what is declared, and of what that names: whatever version a group has."""

        def plain(expression: Expression) -> Value:
            key = _key(expression)
            if key is None or _is_called_so(self._by_key[key]):
                return expression
            return self.digest(self._by_key[key])

        return _hash({name: to_json(transform(value, plain)) for name, value in _members(resource)})

    @cached_property
    def kept(self) -> tuple[Resource, ...]:
        """Those that are called by their own names, and changed where they stand; what one names comes before it."""
        found = [(resource, kept) for resource in self.resources if (kept := resource_types()[resource.type].kept)]
        return tuple(resource for resource, _ in sorted(found, key=lambda item: _depth(item[0].type)))

    def contents(self, versions: Mapping[str, str], account: str = "") -> Mapping[str, Content]:
        """By type and name. ``versions`` are ARNs by group; what follows a group that is not among them is left out,
        with all that names it; ``account`` is the number that stands in ARNs."""
        found: dict[str, Content] = {}
        for resource in (*self.of("model"), *self.of("endpoint-config"), *self.kept):
            made = self._content(resource, versions, found, account)
            if made is not None:
                found[resource.key] = made
        return found

    def arn(self, resource: Resource, account: str) -> str | None:
        """Of one that is called by its own name."""
        kept = resource_types()[resource.type].kept
        return None if kept is None else arn_of(kept, self.environment, account, resource.name)

    def _content(
        self, resource: Resource, versions: Mapping[str, str], made: Mapping[str, Content], account: str
    ) -> Content | None:
        def known(expression: Expression) -> Value:
            path = expression.path if isinstance(expression, Ref) else None
            if path is not None and path.root == GROUPS:
                return versions.get(path.name, expression)
            key = _key(expression)
            if path is None or key is None:
                return expression
            other = self._by_key[key]
            if path.segments == ("Arn",):
                return self.arn(other, account) or expression
            there = made.get(other.key)
            return other.name if _is_called_so(other) else there.name if there is not None else expression

        members = {name: transform(value, known) for name, value in _members(resource)}
        if any(True for value in members.values() for _ in expressions(value)):
            return None
        request = {name: to_json(value) for name, value in members.items()}
        if _is_called_so(resource):
            return Content(resource, resource.name, request, self.tags(resource), self.arn(resource, account) or "")
        tail = f"-{_hash(request)[:_DIGEST]}"
        name = resource.name[: _NAME - len(tail)].rstrip("-") + tail
        return Content(resource, name, request, {**self.tags(resource), **_counted(request)})

    def tags(self, resource: Resource) -> dict[str, str]:
        listed = [item for member in _TAGS for item in to_json(resource.properties.get(member) or ())]
        return {
            **{item["Key"]: item["Value"] for item in listed},
            RESOURCE: resource.key,
            CONTENT: self.digest(resource),
            ORIGIN: _cut(f"{self.origin} in {self.environment.name}"),
        }


def arn_of(kept: Kept, environment: Environment, account: str, name: str) -> str:
    """Of one of these in an account."""
    return kept.arn.format(
        partition=partition_of(environment.role),
        region=environment.region,
        account=account,
        name=name,
        lower=name.lower(),
    )


def _depth(kind: str) -> int:
    """How many types one behind the other come before it."""
    kept = resource_types()[kind].kept
    return 0 if kept is None else 1 + max(map(_depth, kept.behind), default=-1)


def _is_called_so(resource: Resource) -> bool:
    """In the account as in the file."""
    return resource.type == "endpoint" or resource_types()[resource.type].kept is not None


def _cut(text: str) -> str:
    """As a tag's value may be."""
    return text[max(0, len(text) - 256) :]


def want(environment: Environment, checked: Checked, root: Path) -> Wanted:
    file = Path(checked.definition.where.file or checked.definition.name or "")
    origin = file.relative_to(root).as_posix() if file.is_relative_to(root) else file.name
    return Wanted(environment, checked, origin)


def _counted(request: Mapping[str, Any]) -> dict[str, str]:
    variants: Sequence[Mapping[str, Any]] = request.get("ProductionVariants") or ()
    count = variants[0].get("InitialInstanceCount") if len(variants) == 1 else None
    return {} if count is None else {INSTANCES: str(count)}


def _members(resource: Resource) -> Iterator[tuple[str, Value]]:
    return ((name, value) for name, value in resource.properties.items() if name not in _TAGS)


def _paths(resource: Resource) -> Iterator[Any]:
    for value in resource.properties.values():
        for _, expression in expressions(value):
            path = expression.path if isinstance(expression, Ref) else None
            if path is not None:
                yield path


def _keys(resource: Resource) -> dict[str, None]:
    return dict.fromkeys(path.name for path in _paths(resource) if path.root == ROOT)


def _key(expression: Expression) -> str | None:
    path = expression.path if isinstance(expression, Ref) else None
    return path.name if path is not None and path.root == ROOT else None


def _hash(told: Any) -> str:
    return hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()
