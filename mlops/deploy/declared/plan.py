"""What is to be done for the resources of one file, and what is told of it before."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any, Literal, TypeAlias

from mlops.deploy.declared.wanting import Content, Wanted
from mlops.deploy.endpoints.promotion import Promotion
from mlops.deploy.pipelines.actions import Upload
from mlops.deploy.pipelines.assets import AssetObject
from mlops.ir.dataclass import dataclass
from mlops.ir.resource import Resource


@dataclass(frozen=True, slots=True)
class Make:
    """A model or configuration that is not there."""

    content: Content

    @property
    def label(self) -> str:
        return f"create the {self.content.resource.type} {self.content.name}"


@dataclass(frozen=True, slots=True)
class Put:
    """What is called by its own name, as it is declared. ``exists``: it is changed where it stands."""

    content: Content
    exists: bool

    @property
    def label(self) -> str:
        return f"{'update' if self.exists else 'create'} the {self.content.resource.type} {self.content.name}"


@dataclass(frozen=True, slots=True)
class Bring:
    """An endpoint to what is declared, by its ``promotion``; where that is not known to its end, it is decided again.
    ``contents`` are its configuration and the models of that."""

    endpoint: Resource
    promotion: Promotion
    contents: tuple[Content, ...]

    @property
    def label(self) -> str:
        return f"{'create' if self.promotion.verb == 'created' else 'update'} the endpoint {self.endpoint.name}"


@dataclass(frozen=True, slots=True)
class Scale:
    """An endpoint as it is declared to be scaled, once what is declared serves there."""

    endpoint: Resource

    @property
    def label(self) -> str:
        return f"scale the endpoint {self.endpoint.name}"


Action: TypeAlias = Upload | Make | Put | Bring | Scale


@dataclass(frozen=True, slots=True)
class Change:
    """Of one resource. ``name`` is the account's. ``old`` and ``new`` are what it is made of, ``steps`` what is done to
    an endpoint, in words."""

    type: str
    declared: str
    name: str
    action: Literal["create", "update", "nothing"]
    old: Mapping[str, Any] | None = None
    new: Mapping[str, Any] | None = None
    steps: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Plan:
    """Everything that is told of what one file declares, and the ``actions`` that make it so, in order. ``drift`` are
    endpoints that somebody else changed or made, in words; ``obstacles`` say why it cannot be done at all."""

    wanted: Wanted
    account: str
    region: str
    caller: str
    changes: tuple[Change, ...]
    actions: tuple[Action, ...]
    drift: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    obstacles: tuple[str, ...] = ()
    secrets: tuple[str, ...] = ()
    uploads: tuple[AssetObject, ...] = ()
    blocked: bool = False
    """An endpoint is to be brought, and cannot be."""

    @property
    def name(self) -> str:
        return self.wanted.origin

    @property
    def environment(self) -> str:
        return self.wanted.environment.name

    @property
    def refused(self) -> tuple[str, ...]:
        """Why an upsert of it would be refused; where nothing is to be done, as before the first version is approved,
        nothing is."""
        return self.obstacles if self.actions or self.blocked else ()

    @property
    def verb(self) -> Literal["create", "update", "nothing"]:
        if not self.actions:
            return "nothing"
        told = [change.action for change in self.changes if change.type == "endpoint" or change.action == "update"]
        made = told or ["create"]
        return "create" if all(action == "create" for action in made) else "update"

    @property
    def basis(self) -> str:
        """Of what the account had: a saved plan is good as long as it is the same."""
        return _digest([self.account, self.region, [[item.name, item.old, item.action] for item in self.changes]])

    @property
    def goal(self) -> str:
        """Of what is to be: a saved plan is good as long as the source says the same."""
        return _digest([[item.key, self.wanted.digest(item)] for item in self.wanted.resources])


def _digest(told_: Any) -> str:
    return hashlib.sha256(json.dumps(told_, sort_keys=True, default=str).encode()).hexdigest()
